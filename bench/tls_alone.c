/* tls_alone CERT KEY MILLISECONDS: what OpenSSL alone takes for the server's side of TLS, with the settings
 * of our server and without a network, a WebSocket or a room: both sides are here, and their bytes go from
 * memory to memory. Prints the processor time, in microseconds, of
 *
 *   handshake   a full handshake of TLS 1.3, its objects made and freed
 *   call        the records of one `homecall-bench call`: three are read, two are written
 *
 * A server over this OpenSSL can't take less. The client's side is not counted. */
#include "base/clock.h"
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

/* A user's burst in `homecall-bench call --candidates 10 --offer-size 3000 --candidate-size 290`, with its
 * frames, is one record; so is what the server sends for it. */
enum { BURST_IN_BYTES = 6075, LEAVE_BYTES = 57, BURST_OUT_BYTES = 5944, MAX_STEPS = 4 };

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    exit(EXIT_FAILURE);
}

static void need(bool is_right, const char *what)
{
    if (!is_right)
        fail(what);
}

static uint64_t now_us(void)
{
    return clock_read_us(CLOCK_THREAD_CPUTIME_ID);
}

/* The two sides. They own the pair of BIOs between them. */
typedef struct sides {
    SSL *server; /* owned */
    SSL *client; /* owned */
    tls_socket_notes notes;
    uint64_t server_us; /* what the server's side has taken */
} sides;

static void open_sides(sides *s, tls_context *tls, SSL_CTX *client)
{
    uint64_t start_us = now_us();
    s->server = tls_context_open(tls, -1, &s->notes);
    s->server_us += now_us() - start_us;
    s->client = SSL_new(client);
    need(s->server != NULL && s->client != NULL, "no memory");
    BIO *near, *far; /* with a buffer for a whole record each way */
    need(BIO_new_bio_pair(&near, 0, &far, 0) == 1, "no memory");
    SSL_set_bio(s->server, near, near);
    SSL_set_bio(s->client, far, far);
    SSL_set_connect_state(s->client);
}

static void close_sides(sides *s)
{
    uint64_t start_us = now_us();
    SSL_free(s->server);
    s->server_us += now_us() - start_us;
    SSL_free(s->client);
}

static void shake_hands(sides *s)
{
    bool is_done = false;
    for (int i = 0; i < MAX_STEPS && !is_done; i++) {
        int client_is_done = SSL_do_handshake(s->client);
        uint64_t start_us = now_us();
        int server_is_done = SSL_do_handshake(s->server);
        s->server_us += now_us() - start_us;
        is_done = client_is_done == 1 && server_is_done == 1;
    }
    need(is_done && SSL_version(s->server) == TLS1_3_VERSION, "no handshake of TLS 1.3");
}

/* The client sends a record of `len` bytes, and the server reads it. */
static void receive(sides *s, size_t len)
{
    static const char sent[BURST_IN_BYTES];
    static char data[64 * 1024];
    size_t got;
    need(SSL_write_ex(s->client, sent, len, &got) == 1, "the client can't write");
    uint64_t start_us = now_us();
    bool is_read = SSL_read_ex(s->server, data, sizeof(data), &got) == 1;
    s->server_us += now_us() - start_us;
    need(is_read && got == len, "the server can't read");
}

static void send_back(sides *s)
{
    static const char data[BURST_OUT_BYTES];
    static char received[sizeof(data)];
    size_t taken;
    uint64_t start_us = now_us();
    bool is_written = SSL_write_ex(s->server, data, sizeof(data), &taken) == 1;
    s->server_us += now_us() - start_us;
    need(is_written, "the server can't write");
    need(SSL_read_ex(s->client, received, sizeof(received), &taken) == 1, "the client can't read");
}

static void call(sides *s)
{
    receive(s, BURST_IN_BYTES);
    receive(s, BURST_IN_BYTES);
    receive(s, LEAVE_BYTES);
    send_back(s);
    send_back(s);
}

static double time_handshakes(tls_context *tls, SSL_CTX *client, uint64_t for_us)
{
    sides s = {.server_us = 0};
    uint64_t count = 0;
    for (uint64_t start_us = now_us(); now_us() - start_us < for_us; count++) {
        open_sides(&s, tls, client);
        shake_hands(&s);
        close_sides(&s);
    }
    return (double)s.server_us / (double)count;
}

static double time_calls(tls_context *tls, SSL_CTX *client, uint64_t for_us)
{
    sides s = {.server_us = 0};
    open_sides(&s, tls, client);
    shake_hands(&s);
    call(&s); /* the tickets are read with the first */
    s.server_us = 0;
    uint64_t count = 0;
    for (uint64_t start_us = now_us(); now_us() - start_us < for_us; count++)
        call(&s);
    double us = (double)s.server_us / (double)count;
    close_sides(&s);
    return us;
}

int main(int argc, char **argv)
{
    int milliseconds = argc == 4 ? atoi(argv[3]) : 0;
    if (milliseconds <= 0 || milliseconds > 60000) {
        fprintf(stderr, "usage: tls_alone CERT KEY MILLISECONDS\n");
        return 2;
    }
    tls_context *tls;
    char fault[TLS_CONTEXT_FAULT_CAP];
    if (tls_context_load(argv[1], argv[2], NULL, &tls, fault) != 0) {
        fprintf(stderr, "%s\n", fault);
        return 2;
    }
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    need(client != NULL && SSL_CTX_set1_groups_list(client, "X25519") == 1, "no client");
    printf("{\"handshake\": %.1f, ", time_handshakes(tls, client, (uint64_t)milliseconds * 1000));
    printf("\"call\": %.2f}\n", time_calls(tls, client, (uint64_t)milliseconds * 1000));
    SSL_CTX_free(client);
    tls_context_free(tls);
    return 0;
}
