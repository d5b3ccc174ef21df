#include "unit/net/connection_fixture.h"

#include "base/clock.h"
#include "support/tls_files.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>

/* NULL = connections are plain. */
static tls_context *through_tls;

static fixture *fixture_of(const connection *c)
{
    return c->entry.set->owner;
}

#define note(f, ...) journal_note(&(f)->journal, __VA_ARGS__)

/* ---- The owner ---- */

static void note_peer(fixture *f, const connection *c)
{
    char text[ADDRESS_MAX_TEXT];
    address_format(connection_peer(c), text);
    note(f, "from %s\n", text);
}

static int on_handshake(connection *c, ws_handshake *handshake)
{
    fixture *f = fixture_of(c);
    note(f, "handshake %d\n", handshake->status);
    if (f->tells_peer)
        note_peer(f, c);
    if (handshake->status == 200) {
        connection_answer(c, SLICE_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
                          SLICE_LITERAL("page"));
        return 0;
    }
    handshake->protocol = f->protocol;
    return handshake->status == 101 && f->answer != 0 ? f->answer : handshake->status;
}

static bool starts(slice data, const char *word)
{
    return data.len >= strlen(word) && memcmp(data.data, word, strlen(word)) == 0;
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    fixture *f = fixture_of(c);
    bool is_here = c->entry.set == &f->here.set;
    if (data.len <= 64)
        note(f, "%s %.*s\n", is_text ? "text" : "binary", (int)data.len, data.data);
    else
        note(f, "%s of %zu\n", is_text ? "text" : "binary", data.len);

    if (starts(data, "hold") || (starts(data, "over, hold") && !is_here))
        return CONNECTION_HOLD;
    if (starts(data, "again") || (starts(data, "over, again") && !is_here))
        return (f->has_held = !f->has_held) ? CONNECTION_HOLD_MESSAGE : CONNECTION_GO_ON;
    if (is_here ? starts(data, "over") : starts(data, "back"))
        return CONNECTION_HAND_OVER;
    if (starts(data, "slow"))
        fixture_stall(1);
    if (starts(data, "echo"))
        (void)fixture_send(c, is_text, data);
    if (starts(data, "close") || starts(data, "over, close"))
        connection_close(c, CLOSE_REASON_INVALID_MESSAGES, "asked to");
    if (starts(data, "drop"))
        connection_drop(c, CLOSE_REASON_LOST, "asked to");
    return CONNECTION_GO_ON;
}

static void on_pong(connection *c)
{
    note(fixture_of(c), "pong\n");
}

static void on_end(connection *c, const connection_end *end)
{
    note(fixture_of(c), "end %s %u %s\n", close_reason_name(end->reason), end->code, end->why);
}

static void on_hand_over(connection *c)
{
    fixture *f = fixture_of(c);
    note(f, "hand over\n");
    assert_null(f->detached);
    f->detached = c;
    if (f->takes_back) {
        fixture_attach(f, &f->here);
        connection_close(c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    }
}

static void on_free(connection *c)
{
    fixture *f = fixture_of(c);
    note(f, "free\n");
    if (f->c == c)
        f->c = NULL;
    free(c);
}

static const connection_events events = {.on_handshake = on_handshake,
                                         .on_message = on_message,
                                         .on_pong = on_pong,
                                         .on_end = on_end,
                                         .on_hand_over = on_hand_over,
                                         .on_free = on_free};

/* ---- Beginning and end ---- */

int fixture_start_tls(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* for the client in the tunnel */
    through_tls = tls_files_new_context();
    return 0;
}

int fixture_stop_tls(void **state)
{
    (void)state;
    tls_context_free(through_tls);
    through_tls = NULL;
    signal(SIGPIPE, SIG_DFL);
    return 0;
}

tls_context *fixture_tls(void)
{
    return through_tls;
}

void fixture_be_silent(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

fixture *fixture_make(void)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->peer.fd = -1;
    f->limits = (net_limits){
        .handshake = {.path = "/signal", .page_path = "/page", .max_head_bytes = 1024},
        .max_message_bytes = 128 * 1024,
        .max_output_bytes = 1024 * 1024,
        .handshake_timeout_ms = NEVER_MS,
        .ping_interval_ms = NEVER_MS,
        .pong_timeout_ms = NEVER_MS,
        .close_timeout_ms = NEVER_MS,
    };
    return f;
}

static void init_side(fixture *f, side *s)
{
    assert_int_equal(net_loop_init(&s->loop), 0);
    assert_int_equal(connection_set_init(&s->set, &s->loop, &f->limits, &connection_turn_hooks, &events, f),
                     0);
}

static void drop_one(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_LOST, "the test is over");
}

static void deinit_side(side *s)
{
    if (s->loop.base == NULL)
        return;
    connection_set_each(&s->set, drop_one);
    net_loop_end_turn(&s->loop);
    for (int phase = 0; phase < NET_PHASES; phase++)
        assert_int_equal(fixture_in_phase(s, phase), 0);
    assert_int_equal(counter_get(&s->set.counters.backlog_connections), 0);
    assert_int_equal(counter_get(&s->set.counters.backlog_bytes), 0);
    assert_int_equal(s->set.count, 0);
    connection_set_deinit(&s->set);
    net_loop_deinit(&s->loop);
}

void fixture_unmake(fixture *f)
{
    if (f->detached != NULL)
        connection_abandon(f->detached, "the test is over");
    deinit_side(&f->here);
    deinit_side(&f->there);
    wire_close(&f->peer);
    tls_tunnel_close(&f->tunnel);
    free(f);
}

connection *fixture_connect(fixture *f, int fd)
{
    if (f->here.loop.base == NULL) {
        init_side(f, &f->here);
        init_side(f, &f->there);
    }
    connection *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    assert_int_equal(connection_open(c, fd, ++f->next_id, &f->here.set, through_tls), 0);
    return c;
}

void fixture_begin_without_handshake(fixture *f)
{
    f->c = fixture_connect(f, tls_tunnel_open(&f->tunnel, &f->peer, SOCK_STREAM));
}

void fixture_begin(fixture *f, int type)
{
    if (through_tls == NULL) {
        f->c = fixture_connect(f, wire_open(&f->peer, type));
        return;
    }
    f->c = fixture_connect(f, tls_tunnel_open(&f->tunnel, &f->peer, type));
    fixture_turn(f);
}

void fixture_upgrade(fixture *f)
{
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "handshake 101\n");
    wire_expect_upgraded(&f->peer);
}

fixture *fixture_open(fixture *f, int type)
{
    fixture_begin(f, type);
    fixture_upgrade(f);
    return f;
}

fixture *fixture_make_open(void)
{
    return fixture_open(fixture_make(), SOCK_STREAM);
}

int fixture_open_tcp(wire_peer *peer)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(target);
    assert_int_equal(bind(listener, (const struct sockaddr *)&target, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&target, &len), 0);
    *peer = (wire_peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(peer->fd, (const struct sockaddr *)&target, len), 0);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    close(listener);
    return fd;
}

/* ---- Turns ---- */

static void turn_side(fixture *f, side *s)
{
    /* Each record of a handshake of TLS needs two turns: OpenSSL may read its head and its body apart. */
    for (int i = 0; i < (through_tls == NULL ? 1 : 8); i++) {
        tls_tunnel_carry(&f->tunnel);
        wire_turn(&s->loop);
    }
    tls_tunnel_carry(&f->tunnel);
}

void fixture_turn(fixture *f)
{
    turn_side(f, &f->here);
}

void fixture_turn_there(fixture *f)
{
    turn_side(f, &f->there);
}

void fixture_turn_when_due(fixture *f)
{
    tls_tunnel_carry(&f->tunnel);
    assert_int_equal(net_loop_turn(&f->here.loop), 0);
    tls_tunnel_carry(&f->tunnel);
}

void fixture_pass(fixture *f)
{
    tls_tunnel_carry(&f->tunnel);
    assert_true(net_loop_pass(&f->here.loop, false) == 0);
}

void fixture_turn_until_freed(fixture *f)
{
    for (int turns = 0; f->c != NULL; turns++) {
        assert_true(turns < 10000);
        fixture_turn(f);
        if (f->peer.fd >= 0)
            wire_read(&f->peer);
    }
}

void fixture_stall(uint64_t ms)
{
    uint64_t since_us = clock_monotonic_us();
    while (clock_monotonic_us() - since_us < ms * 1000)
        continue;
}

void fixture_hear(fixture *f)
{
    size_t before;
    do {
        before = bytes_len(f->peer.in);
        tls_tunnel_carry(&f->tunnel);
        wire_read(&f->peer);
    } while (bytes_len(f->peer.in) > before);
}

/* ---- What the owner does ---- */

bool fixture_send(connection *c, bool is_text, slice data)
{
    struct iovec part = {(void *)(uintptr_t)data.data, data.len};
    return connection_send(c, is_text ? WS_OPCODE_TEXT : WS_OPCODE_BINARY, &part, 1);
}

size_t fixture_send_too_much(connection *c)
{
    static const char kilobyte[1024];
    size_t sent = 0;
    while (fixture_send(c, false, (slice){kilobyte, sizeof(kilobyte)}))
        sent += sizeof(kilobyte);
    return sent;
}

void fixture_fill(fixture *f)
{
    static const char some[8000];
    while (counter_get(&f->here.set.counters.backlog_connections) == 0) {
        assert_true(fixture_send(f->c, false, (slice){some, sizeof(some)}));
        fixture_turn(f);
    }
}

void fixture_attach(fixture *f, side *to)
{
    connection *c = f->detached;
    f->detached = NULL;
    assert_non_null(c);
    connection_attach(c, &to->set);
}

/* ---- What a peer says ---- */

size_t fixture_step(void)
{
    return through_tls == NULL ? 1 : 7;
}

enum { LARGE = 200 };

static void make_large(char large[LARGE])
{
    memset(large, 'L', LARGE);
    memcpy(large, "echo", 4);
}

bytes *fixture_make_conversation(void)
{
    bytes *out = NULL;
    char large[LARGE];
    make_large(large);
    wire_add_text(&out, "echo \xC3\xA4\xE2\x82\xAC");
    wire_add_frame(&out, WIRE_PING, "are you there?", 14);
    wire_add_frame(&out, 0x01, "ec", 2);
    wire_add_frame(&out, WIRE_PONG, "", 0);
    wire_add_frame(&out, 0x00, "ho ", 3);
    wire_add_frame(&out, WIRE_PING, "", 0);
    wire_add_frame(&out, 0x80, "parts", 5);
    wire_add_frame(&out, WIRE_BINARY, large, LARGE);
    wire_add_text(&out, "");
    wire_add_frame(&out, WIRE_CLOSE, "\x03\xE8", 2);
    return out;
}

void fixture_expect_conversation(fixture *f, const char *before)
{
    journal told = {0};
    journal_note(&told, "%stext echo \xC3\xA4\xE2\x82\xAC\npong\ntext echo parts\nbinary of 200\ntext \n",
                 before);
    fixture_expect_closed_by_peer(f, told.text, 1000);
    char large[LARGE];
    make_large(large);
    wire_expect_text(&f->peer, "echo \xC3\xA4\xE2\x82\xAC");
    wire_expect_frame(&f->peer, WIRE_PONG, "are you there?", 14);
    wire_expect_frame(&f->peer, WIRE_PONG, "", 0);
    wire_expect_text(&f->peer, "echo parts");
    wire_expect_frame(&f->peer, WIRE_BINARY, large, LARGE);
    wire_expect_close(&f->peer, 1000);
    wire_expect_end(&f->peer);
}

/* ---- What can be seen ---- */

void fixture_expect_closed_by_peer(fixture *f, const char *before, unsigned code)
{
    journal told = {0};
    journal_note(&told, "%send by_peer %u the peer closed\n%s", before, code,
                 through_tls == NULL ? "free\n" : "");
    expect(f, told.text);
}

uint64_t fixture_in_phase(const side *s, net_phase phase)
{
    return counter_get(&s->set.counters.connections[NET_TRANSPORT_PLAIN][phase]) +
           counter_get(&s->set.counters.connections[NET_TRANSPORT_TLS][phase]);
}

uint64_t fixture_ends_for(const side *s, close_reason reason)
{
    uint64_t ends = 0;
    for (int slot = 0; slot < CLOSE_CODE_SLOTS; slot++)
        ends += counter_get(&s->set.counters.closes[reason][slot]);
    return ends;
}

uint64_t fixture_ends(const side *s)
{
    uint64_t ends = 0;
    for (int reason = 0; reason < CLOSE_REASONS; reason++)
        ends += fixture_ends_for(s, reason);
    return ends;
}

void fixture_expect_idle(const fixture *f)
{
    const net_counters *counters = &f->c->entry.set->counters;
    assert_int_equal(counter_get(&counters->backlog_bytes), 0);
    assert_int_equal(counter_get(&counters->backlog_connections), 0);
    /* That it keeps no buffer can't be seen from outside. */
    assert_null(f->c->holding);
    assert_null(f->c->message);
}

void fixture_expect_freed(fixture *f)
{
    expect(f, "free\n");
    assert_null(f->c);
    for (int phase = 0; phase < NET_PHASES; phase++)
        assert_int_equal(fixture_in_phase(&f->here, phase), 0);
}
