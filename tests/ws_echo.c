/* ws_echo PORT: a WebSocket echo server on the project's own connection, transport and frame code, for the
 * Autobahn cases and for whoever wants to try a client against it. It listens on 127.0.0.1, says so on
 * standard output, and echoes text and binary messages of up to 32 MiB until SIGTERM or SIGINT. Port 0 takes
 * a free one. */
#include "net/connection_turn.h"
#include "support/listen_host.h"

#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ECHO_BYTES = 32 * 1024 * 1024, BACKLOG = 128 };

static const net_limits limits = {
    .handshake = {.max_head_bytes = 8192},
    .max_message_bytes = MAX_ECHO_BYTES,
    .max_output_bytes = 4ull * MAX_ECHO_BYTES,
    .handshake_timeout_ms = 10 * 1000,
    .ping_interval_ms = 24 * 3600 * 1000, /* the cases count the frames that they get */
    .pong_timeout_ms = 10 * 1000,
    .close_timeout_ms = 800,
};

static bool is_stopping;

static int on_handshake(connection *c, ws_handshake *handshake)
{
    (void)c;
    return handshake->status;
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    struct iovec part = {(void *)(uintptr_t)data.data, data.len};
    (void)connection_send(c, is_text ? WS_OPCODE_TEXT : WS_OPCODE_BINARY, &part, 1);
    return CONNECTION_GO_ON;
}

static void on_pong(connection *c)
{
    (void)c;
}

static void on_end(connection *c, const connection_end *end)
{
    (void)c;
    (void)end;
}

static void on_hand_over(connection *c)
{
    (void)c; /* there is one thread */
}

static void on_free(connection *c)
{
    free(c);
}

static const connection_events events = {.on_handshake = on_handshake,
                                         .on_message = on_message,
                                         .on_pong = on_pong,
                                         .on_end = on_end,
                                         .on_hand_over = on_hand_over,
                                         .on_free = on_free};

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
                      void *arg)
{
    (void)listener;
    (void)from;
    (void)len;
    connection *c = calloc(1, sizeof(*c));
    if (c == NULL)
        close(fd);
    else if (connection_open(c, fd, 0, arg, NULL) != 0)
        free(c);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    (void)arg;
    is_stopping = true;
}

static void drop(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server stops");
}

/* Serve until a signal comes. 0 or an exit code. */
static int serve(net_loop *loop, connection_set *set, uint16_t port)
{
    int fd = listen_on_host("127.0.0.1", &port);
    if (fd < 0) {
        fprintf(stderr, "ws_echo: port %u: %s\n", port, strerror(-fd));
        return EXIT_FAILURE;
    }
    struct evconnlistener *listener = evconnlistener_new(
        loop->base, on_accept, set, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    struct event *terminate = evsignal_new(loop->base, SIGTERM, on_signal, NULL);
    struct event *interrupt = evsignal_new(loop->base, SIGINT, on_signal, NULL);
    if (listener == NULL || terminate == NULL || interrupt == NULL)
        return EXIT_FAILURE;
    event_add(terminate, NULL);
    event_add(interrupt, NULL);
    printf("listening on ws://127.0.0.1:%u/\n", port);
    fflush(stdout);

    while (!is_stopping && net_loop_turn(loop) == 0)
        ;
    connection_set_each(set, drop);
    net_loop_end_turn(loop);
    event_free(terminate);
    event_free(interrupt);
    evconnlistener_free(listener);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long port = argc == 2 ? strtoul(argv[1], &end, 10) : UINT16_MAX + 1ul;
    if (argc != 2 || end == argv[1] || *end != '\0' || port > UINT16_MAX) {
        fprintf(stderr, "usage: ws_echo PORT\n");
        return 2;
    }
    net_loop loop;
    connection_set set;
    if (net_loop_init(&loop) != 0 ||
        connection_set_init(&set, &loop, &limits, &connection_turn_hooks, &events, NULL) != 0) {
        fprintf(stderr, "ws_echo: out of memory\n");
        return EXIT_FAILURE;
    }
    int code = serve(&loop, &set, (uint16_t)port);
    connection_set_deinit(&set);
    net_loop_deinit(&loop);
    return code;
}
