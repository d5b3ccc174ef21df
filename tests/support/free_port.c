#include "support/free_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_PORT = 10240, PORTS = 20480 };

static bool is_free(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool is_bound = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
    close(fd);
    return is_bound;
}

uint16_t free_port(void)
{
    static unsigned tried;
    for (int i = 0; i < PORTS; i++) {
        unsigned nth = (unsigned)getpid() * 37 + tried++;
        uint16_t port = (uint16_t)(FIRST_PORT + nth % PORTS);
        if (is_free(port))
            return port;
    }
    fail_msg("no port is free");
    return 0;
}
