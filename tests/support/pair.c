#include "support/pair.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

int pair_start(void **state)
{
    pair *p = test_malloc(sizeof(*p));
    signal_server_options options = server_options();
    p->server = server_start(&options);
    uint16_t port = signal_server_port(p->server);
    p->anna = client_open_settled(port, "room", "anna");
    p->bert = client_open_settled(port, "room", "bert");
    /* The server sets these counters at the end of a turn. A test that waits for a smaller value must not see
     * the values from before. */
    SERVER_AWAIT(p->server, connections, 2);
    SERVER_AWAIT(p->server, joined, 2);
    *state = p;
    return 0;
}

int pair_end(void **state)
{
    pair *p = *state;
    client_close(p->anna);
    client_close(p->bert);
    server_end(p->server);
    test_free(p);
    return 0;
}
