/* A TLS transport, and the stream below it, with a client whose bytes the script cuts, holds back, damages
 * and mixes with its own, while the transport is read, written, ignored, moved to another base, ended and
 * closed.
 *
 * What must hold: as long as nothing was damaged, each side reads just what the other one has written, in
 * order; bytes that nobody wrote are never read; nothing is told that is not so, and nothing is left.
 *
 * Input: a byte of settings, then two bytes for each step: what, and how much. */
#include "fuzz.h"

#include "base/bytes.h"
#include "net/transport_tls.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

#include <sys/socket.h>

enum { MAX_STEPS = 300, RECORD = 16 * 1024 };

int LLVMFuzzerInitialize(int *argc, char ***argv);

typedef struct machine {
    transport t;
    net_loop loops[2];
    int loop;            /* the one that it is attached to */
    int peer;            /* owned: the client's end; -1 when closed */
    SSL *client;         /* owned: over two memory BIOs */
    bytes *held;         /* owned: what the client has said and was not carried yet; or NULL */
    size_t server_sent;  /* bytes of plain text that the transport has taken */
    size_t server_offer; /* how many it has refused the last time, and must be offered again */
    size_t server_got;
    size_t client_sent;
    size_t client_got;
    bool is_damaged;  /* the client says what may be a fault */
    int changes;      /* of the client's keys */
    bool has_asked;   /* the client has asked for a KeyUpdate, or changed keys often: see tls_stream_read() */
    bool has_failed;  /* the transport has told a fault or an end */
    bool has_ended;   /* our side is ended: it is a plain transport that throws input away */
    bool is_detached; /* in no loop */
    int secured;      /* how often it was told */
    int closes_at;    /* close it within this many callbacks; 0 = never */
} machine;

static tls_context *context;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    context = tls_files_new_context();
    return 0;
}

/* The byte of a stream at this place, another one for each side. */
static uint8_t byte_at(size_t at, uint8_t side)
{
    return (uint8_t)(at * 7 + at / 251 + side);
}

static void fill(uint8_t *data, size_t len, size_t at, uint8_t side)
{
    for (size_t i = 0; i < len; i++)
        data[i] = byte_at(at + i, side);
}

static void require_stream(const uint8_t *data, size_t len, size_t at, uint8_t side)
{
    for (size_t i = 0; i < len; i++)
        REQUIRE(data[i] == byte_at(at + i, side));
}

/* ---- The transport ---- */

static bool is_closed(const machine *m)
{
    return transport_fd(&m->t) < 0;
}

static void read_transport(machine *m, size_t len)
{
    uint8_t data[2 * RECORD];
    if (is_closed(m) || m->is_detached)
        return;
    if (len == 0 || len > sizeof(data))
        len = len == 0 ? 1 : sizeof(data);
    ssize_t got = transport_read(&m->t, data, len);
    if (got > 0 && !m->has_ended) {
        REQUIRE(transport_is_secured(&m->t));
        REQUIRE(m->server_got + (size_t)got <= m->client_sent);
        require_stream(data, (size_t)got, m->server_got, 0);
        m->server_got += (size_t)got;
    }
    if (got == -EPROTO)
        REQUIRE((m->is_damaged || m->has_asked) && strlen(transport_fault(&m->t)) > 0);
    m->has_failed |= got <= 0 && got != -EAGAIN;
    if (!m->has_failed && transport_holds_input(&m->t))
        transport_recall_input(&m->t);
}

static void on_ready(net_watch *watch, uint32_t events)
{
    machine *m = (machine *)(void *)((char *)transport_of(watch) - offsetof(machine, t));
    REQUIRE((events & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0);
    m->secured += events == 0;
    REQUIRE(m->secured <= 1);
    if (m->closes_at > 0 && --m->closes_at == 0) {
        transport_close(&m->t);
        return;
    }
    if ((events & EPOLLOUT) != 0)
        (void)transport_want_writable(&m->t, false, 0);
    if ((events & EPOLLIN) != 0)
        read_transport(m, RECORD);
    if (!is_closed(m) && m->has_failed) /* as a connection does: or it would be told for ever */
        REQUIRE(transport_watch_input(&m->t, false) == 0);
}

static void write_transport(machine *m, size_t len)
{
    static uint8_t data[4 * RECORD];
    if (is_closed(m) || m->has_failed || m->has_ended || m->is_detached)
        return;
    if (len < m->server_offer)
        len = m->server_offer;
    fill(data, len, m->server_sent, 1);
    ssize_t taken = transport_write(&m->t, data, len, false);
    REQUIRE(taken <= (ssize_t)len && (taken <= 0 || transport_is_secured(&m->t)));
    m->server_offer = 0;
    if (taken > 0)
        m->server_sent += (size_t)taken;
    else if (taken == -EAGAIN)
        m->server_offer = len;
    else
        m->has_failed = true;
    if (taken == -EAGAIN)
        REQUIRE(transport_want_writable(&m->t, true, 1) == 0);
}

static void move_transport(machine *m)
{
    if (is_closed(m) || m->has_failed || !transport_is_secured(&m->t))
        return;
    if (!m->is_detached)
        transport_detach(&m->t);
    m->loop ^= 1;
    transport_attach(&m->t, &m->loops[m->loop]);
    m->is_detached = false;
    REQUIRE(transport_watch_input(&m->t, true) == 0);
}

static void end_transport(machine *m)
{
    if (is_closed(m) || m->has_failed || m->has_ended || m->is_detached || m->server_offer > 0)
        return;
    int error = transport_end_output(&m->t);
    REQUIRE(error == 0 || error == -EAGAIN);
    m->has_ended = error == 0;
}

static void turn(machine *m)
{
    REQUIRE(net_loop_pass(&m->loops[m->loop], false) == 0);
}

/* ---- The client ---- */

/* Take what the client has to say from its BIO. */
static void gather(machine *m)
{
    uint8_t data[4096];
    int got;
    while ((got = BIO_read(SSL_get_wbio(m->client), data, sizeof(data))) > 0)
        REQUIRE(bytes_append(&m->held, data, (size_t)got) == 0);
}

static void carry(machine *m, size_t len)
{
    gather(m);
    if (m->peer < 0 || m->held == NULL)
        return;
    if (len > bytes_len(m->held))
        len = bytes_len(m->held);
    ssize_t sent = send(m->peer, bytes_head(m->held), len, MSG_NOSIGNAL);
    if (sent > 0)
        bytes_consume(&m->held, (size_t)sent);
}

static void damage(machine *m, uint8_t where)
{
    gather(m);
    if (m->held == NULL)
        return;
    uint8_t *at = (uint8_t *)(uintptr_t)bytes_head(m->held);
    at[(size_t)where * where % bytes_len(m->held)] ^= (uint8_t)(1 + where % 255);
    m->is_damaged = true;
}

static void hear(machine *m)
{
    uint8_t data[RECORD];
    ssize_t got;
    while (m->peer >= 0 && (got = recv(m->peer, data, sizeof(data), 0)) > 0)
        REQUIRE(BIO_write(SSL_get_rbio(m->client), data, (int)got) == got);
    if (!SSL_is_init_finished(m->client)) {
        (void)tls_peer_shake_hands(m->client, NULL);
        gather(m);
        return;
    }
    while ((got = tls_peer_read(m->client, data, sizeof(data))) > 0) {
        REQUIRE(m->client_got + (size_t)got <= m->server_sent);
        require_stream(data, (size_t)got, m->client_got, 1);
        m->client_got += (size_t)got;
    }
}

static void say(machine *m, size_t len)
{
    uint8_t data[RECORD];
    if (!SSL_is_init_finished(m->client) || (SSL_get_shutdown(m->client) & SSL_SENT_SHUTDOWN) != 0)
        return;
    len = len > sizeof(data) ? sizeof(data) : len > 0 ? len : 1;
    fill(data, len, m->client_sent, 0);
    ssize_t taken = tls_peer_write(m->client, data, len);
    if (taken > 0)
        m->client_sent += (size_t)taken;
    gather(m);
}

static void say_other(machine *m, uint8_t what)
{
    switch (what & 7) {
    case 0:
        (void)SSL_shutdown(m->client);
        break;
    case 1:
        m->has_asked |= (what & 8) != 0 || ++m->changes > 60;
        (void)SSL_key_update(m->client,
                             (what & 8) != 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
    case 2:
        (void)SSL_renegotiate(m->client);
        m->is_damaged = true; /* it is refused, of which a client may make a fault */
        break;
    case 3:
        if (m->peer >= 0)
            (void)shutdown(m->peer, SHUT_WR);
        break;
    case 4:
        if (m->peer >= 0)
            close(m->peer);
        m->peer = -1;
        break;
    case 5: /* bytes of no record of the client's */
        gather(m);
        m->is_damaged = true;
        REQUIRE(bytes_append(&m->held, &what, 1) == 0);
        break;
    default:
        break;
    }
    ERR_clear_error();
    if (SSL_is_init_finished(m->client) == 0)
        (void)tls_peer_shake_hands(m->client, NULL);
    gather(m);
}

/* ---- The script ---- */

static void play(machine *m, uint8_t what, uint8_t how)
{
    size_t much = (size_t)how * how;
    switch (what % 12) {
    case 0:
    case 1:
        hear(m);
        carry(m, SIZE_MAX);
        turn(m);
        break;
    case 2:
        carry(m, how);
        turn(m);
        break;
    case 3:
        say(m, much);
        break;
    case 4:
        write_transport(m, much + 1);
        break;
    case 5:
        read_transport(m, much);
        break;
    case 6:
        if (!is_closed(m) && !m->has_failed && !m->is_detached)
            REQUIRE(transport_watch_input(&m->t, (how & 1) != 0) == 0);
        break;
    case 7:
        move_transport(m);
        break;
    case 8:
        say_other(m, how);
        break;
    case 9:
        damage(m, how);
        break;
    case 10:
        if (how % 8 == 0)
            end_transport(m);
        else if (how % 8 == 1)
            m->closes_at = 1 + how / 8 % 4;
        else if (how == 255)
            transport_close(&m->t);
        break;
    case 11:
        turn(m);
        break;
    }
}

static void start(machine *m, uint8_t settings)
{
    int fds[2];
    *m = (machine){0};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    m->peer = fds[1];
    for (int i = 0; i < 2; i++)
        REQUIRE(net_loop_init(&m->loops[i]) == 0);
    m->client = tls_peer_new(NULL, -1);
    SSL_set_bio(m->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if ((settings & 1) != 0)
        REQUIRE(SSL_set_max_proto_version(m->client, TLS1_2_VERSION) == 1);
    if ((settings & 2) != 0) /* its hello needs a HelloRetryRequest */
        (void)SSL_set1_groups_list(m->client, "P-384:P-256");
    transport_open(&m->t, fds[0], on_ready);
    REQUIRE(transport_start_tls(&m->t, context) == 0);
    transport_attach(&m->t, &m->loops[0]);
    REQUIRE(transport_watch_input(&m->t, true) == 0);
    for (int i = 0; (settings & 4) != 0 && i < 4; i++) /* the handshake at once */
        play(m, 0, 0);
}

/* Where nothing has gone wrong and nobody has ended, what was said arrives. */
static void check_rest(machine *m)
{
    bool is_over = is_closed(m) || m->has_failed || m->has_ended || m->is_damaged || m->peer < 0;
    if (is_over || m->closes_at > 0 || SSL_get_shutdown(m->client) != 0 || !transport_is_secured(&m->t))
        return;
    REQUIRE(transport_watch_input(&m->t, true) == 0);
    for (int i = 0; i < 200 && (m->server_got < m->client_sent || m->client_got < m->server_sent); i++)
        play(m, 0, 0);
    if (m->has_failed) /* its side of TCP was ended */
        return;
    REQUIRE(m->server_got == m->client_sent && m->client_got == m->server_sent);
}

static void stop(machine *m)
{
    transport_close(&m->t);
    transport_close(&m->t);
    for (int i = 0; i < 2; i++) {
        REQUIRE(net_loop_pass(&m->loops[i], false) == 0);
        net_loop_deinit(&m->loops[i]);
    }
    SSL_free(m->client);
    bytes_clear(&m->held);
    if (m->peer >= 0)
        close(m->peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static machine m;
    fuzz_input in = {data, size};
    start(&m, fuzz_take_byte(&in));
    for (int i = 0; in.left > 0 && i < MAX_STEPS; i++) {
        uint8_t what = fuzz_take_byte(&in);
        play(&m, what, fuzz_take_byte(&in));
    }
    check_rest(&m);
    stop(&m);
    return 0;
}
