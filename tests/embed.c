/* A program that embeds the server, built against an installed HomeCall Signal by tests/check_install.sh: two
 * servers in one process, each on a port of its own. */
#include <homecall/signal_log.h>
#include <homecall/signal_server.h>
#include <stdio.h>
#include <stdlib.h>

int log_event(int n); /* for -Wmissing-prototypes */

/* The server has a function of this name, too. */
int log_event(int n)
{
    return n + 1;
}

static signal_server *start(void)
{
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.port = 0;
    signal_server *server;
    if (signal_server_create(&options, &server, NULL) != 0 || signal_server_start(server, NULL) != 0) {
        fprintf(stderr, "no server\n");
        exit(EXIT_FAILURE);
    }
    return server;
}

int main(void)
{
    signal_server *first = start();
    signal_server *second = start();
    unsigned ports[2] = {signal_server_port(first), signal_server_port(second)};
    signal_server_destroy(first);
    signal_server_destroy(second);
    printf("embedded twice\n");
    return log_event(1) == 2 && ports[0] != 0 && ports[1] != 0 && ports[0] != ports[1] ? EXIT_SUCCESS
                                                                                       : EXIT_FAILURE;
}
