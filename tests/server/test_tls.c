/* A crowd over TLS: many clients come at once, and the server has only so many steps of their handshakes in
 * each turn. Each gets in with its first handshake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/server.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CROWD = 300, DEADLINE_MS = 120 * 1000 };

static const char request[] = "GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

typedef struct visitor {
    int fd;
    SSL *ssl;
    bool is_secured;
    bool is_in; /* it was upgraded */
} visitor;

/* Do the client's part, as far as it goes. */
static void go_on(visitor *v)
{
    if (!v->is_secured) {
        int result = tls_peer_shake_hands(v->ssl, NULL);
        if (result == -EAGAIN)
            return;
        assert_int_equal(result, 1); /* a client that was dropped would have to come again */
        v->is_secured = true;
        assert_int_equal(tls_peer_write(v->ssl, request, strlen(request)), strlen(request));
    }
    char answer[1024];
    ssize_t got = tls_peer_read(v->ssl, answer, sizeof(answer) - 1);
    if (got == -EAGAIN)
        return;
    assert_true(got > 0);
    answer[got] = '\0';
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    v->is_in = true;
}

/* Connect, and send the first part of the handshake. */
static void come(visitor *v, uint16_t port, SSL_CTX *context)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(v->fd >= 0);
    assert_int_equal(connect(v->fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(v->fd, F_SETFL, O_NONBLOCK), 0);
    v->ssl = tls_peer_new(context, v->fd);
    go_on(v);
}

static void serve(visitor *crowd)
{
    const uint64_t since_ms = clock_monotonic_ms();
    int in = 0;
    while (in < CROWD) {
        struct pollfd ready[CROWD];
        for (int i = 0; i < CROWD; i++)
            ready[i] = (struct pollfd){.fd = crowd[i].is_in ? -1 : crowd[i].fd, .events = POLLIN};
        assert_true(poll(ready, CROWD, 1000) >= 0);
        for (int i = 0; i < CROWD; i++) {
            if ((ready[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                go_on(&crowd[i]);
            if (ready[i].fd >= 0 && crowd[i].is_in)
                in++;
        }
        assert_true(clock_monotonic_ms() - since_ms < DEADLINE_MS);
    }
}

static void each_of_a_crowd_gets_in_with_its_first_handshake(void **state)
{
    (void)state;
    tls_files files;
    tls_files_init(&files);
    tls_files_write(&files, "localhost", -3600, 3600);
    signal_server_options options = server_options();
    options.tls_port = 0;
    options.tls_cert_file = files.cert;
    options.tls_key_file = files.key;
    signal_server *server = server_start(&options);

    SSL_CTX *context = tls_peer_new_context();
    static visitor crowd[CROWD];
    for (int i = 0; i < CROWD; i++)
        come(&crowd[i], signal_server_tls_port(server), context);
    serve(crowd);
    for (int i = 0; i < CROWD; i++) {
        SSL_free(crowd[i].ssl);
        close(crowd[i].fd);
    }
    SSL_CTX_free(context);
    server_end(server);
    tls_files_deinit(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_a_crowd_gets_in_with_its_first_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
