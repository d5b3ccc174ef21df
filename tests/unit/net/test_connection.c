/* One connection over a pair of sockets, with real loops that the test turns itself.
 *
 * Everything that a connection tells its owner is written down as one line of text, so a test says what it
 * does and then what must have happened, in order. The owner does what a message says: see on_message(). */
#include "net/connection.h"

#include "base/clock.h"
#include "support/journal.h"
#include "support/tls_files.h"
#include "support/tls_tunnel.h"
#include "support/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>

enum { SHORT_MS = 15, NEVER_MS = 3600 * 1000 };

/* NULL = the connections of a fixture are plain ones. Otherwise they speak TLS with this, and their peers, in
 * the clear, through a tunnel. */
static tls_context *through_tls;

typedef struct fixture {
    net_limits limits;
    net_loop loop;
    net_loop other; /* a second thread's, for hand-overs */
    wire_peer peer;
    tls_tunnel tunnel;
    connection *c;      /* NULL once it is freed */
    connection *adrift; /* handed over and not attached again */
    uint64_t next_id;
    journal journal;
} fixture;

/* The owner's part: a connection and whom it belongs to. */
typedef struct owner {
    connection connection; /* first */
    fixture *f;
} owner;

static fixture *fixture_of(connection *c)
{
    return ((owner *)c)->f;
}

#define note(f, ...)        journal_note(&(f)->journal, __VA_ARGS__)
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

/* ---- The owner ---- */

static int on_handshake(connection *c, const ws_handshake *handshake)
{
    note(fixture_of(c), "handshake %d\n", handshake->status);
    return handshake->status;
}

static bool starts(slice data, const char *word)
{
    return data.len >= strlen(word) && memcmp(data.data, word, strlen(word)) == 0;
}

static bool send_back(connection *c, bool is_text, slice data)
{
    struct iovec part = {(void *)(uintptr_t)data.data, data.len};
    return connection_send(c, is_text ? WS_OPCODE_TEXT : WS_OPCODE_BINARY, &part, 1);
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    fixture *f = fixture_of(c);
    if (data.len <= 64)
        note(f, "%s %.*s\n", is_text ? "text" : "binary", (int)data.len, data.data);
    else
        note(f, "%s of %zu\n", is_text ? "text" : "binary", data.len);

    if (starts(data, "hold") || (starts(data, "over, hold") && c->loop == &f->other))
        return CONNECTION_HOLD;
    if (starts(data, "over") && c->loop == &f->loop)
        return CONNECTION_HAND_OVER;
    if (starts(data, "back") && c->loop == &f->other)
        return CONNECTION_HAND_OVER;
    if (starts(data, "echo"))
        (void)send_back(c, is_text, data);
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
    note(fixture_of(c), "end %u %s\n", end->code, end->why);
}

static void on_hand_over(connection *c)
{
    note(fixture_of(c), "hand over\n");
    assert_int_equal(c->state, CONNECTION_ADRIFT);
    assert_false(c->is_todo); /* nothing of the old thread may still hold it */
    fixture_of(c)->adrift = c;
}

static void on_free(connection *c)
{
    fixture *f = fixture_of(c);
    note(f, "free\n");
    if (f->c == c)
        f->c = NULL;
    free(c);
}

static const connection_events events = {on_handshake, on_message, on_pong, on_end, on_hand_over, on_free};

/* ---- The fixture ---- */

static fixture *make(void)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->peer.fd = -1;
    f->limits = (net_limits){
        .handshake = {.path = "/signal", .max_head_bytes = 1024},
        .max_message_bytes = 128 * 1024,
        .max_output_bytes = 1024 * 1024,
        .handshake_timeout_ms = NEVER_MS,
        .ping_interval_ms = NEVER_MS,
        .pong_timeout_ms = NEVER_MS,
        .close_timeout_ms = NEVER_MS,
    };
    return f;
}

/* Begin with a connection over this descriptor; the loops are made for the first. */
static connection *begin_with(fixture *f, int fd)
{
    if (f->loop.base == NULL) {
        assert_int_equal(net_loop_init(&f->loop, &f->limits), 0);
        assert_int_equal(net_loop_init(&f->other, &f->limits), 0);
        f->loop.events = f->other.events = &events;
    }
    owner *o = calloc(1, sizeof(*o));
    assert_non_null(o);
    assert_int_equal(through_tls == NULL
                         ? connection_open(&o->connection, fd, ++f->next_id, &f->loop)
                         : connection_open_tls(&o->connection, fd, ++f->next_id, &f->loop, through_tls),
                     0);
    o->f = f;
    return &o->connection;
}

/* A turn, or with TLS as many as it takes until all is said: each record of a handshake needs two. */
static void turn_loop(fixture *f, net_loop *loop)
{
    for (int i = 0; i < (through_tls == NULL ? 1 : 8); i++) {
        tls_tunnel_carry(&f->tunnel);
        wire_turn(loop);
    }
    tls_tunnel_carry(&f->tunnel);
}

/* Let the peer have all that is on its way to it. */
static void hear(fixture *f)
{
    size_t before;
    do {
        before = bytes_len(f->peer.in);
        tls_tunnel_carry(&f->tunnel);
        wire_read(&f->peer);
    } while (bytes_len(f->peer.in) > before);
}

static void turn(fixture *f)
{
    turn_loop(f, &f->loop);
}

static void turn_other(fixture *f)
{
    turn_loop(f, &f->other);
}

/* Wait for the next thing to happen: only for what has a deadline. */
static void turn_when_due(fixture *f)
{
    tls_tunnel_carry(&f->tunnel);
    assert_int_equal(net_loop_turn(&f->loop), 0);
    tls_tunnel_carry(&f->tunnel);
}

static void begin(fixture *f, int type)
{
    if (through_tls == NULL) {
        f->c = begin_with(f, wire_open(&f->peer, type));
        return;
    }
    f->c = begin_with(f, tls_tunnel_open(&f->tunnel, &f->peer, type));
    turn(f);
}

static void upgrade(fixture *f)
{
    wire_send(&f->peer, wire_request, strlen(wire_request));
    turn(f);
    expect(f, "handshake 101\n");
    wire_expect_upgraded(&f->peer);
}

/* A fixture with a connection that is open for messages, and bounds that a test has changed. */
static fixture *open_with(fixture *f, int type)
{
    begin(f, type);
    upgrade(f);
    return f;
}

static fixture *make_open(void)
{
    return open_with(make(), SOCK_STREAM);
}

static void drop_one(connection *c)
{
    connection_drop(c, CLOSE_REASON_LOST, "the test is over");
}

static void unmake(fixture *f)
{
    if (f->adrift != NULL)
        connection_abandon(f->adrift, "the test is over");
    net_loop_each(&f->loop, drop_one);
    net_loop_each(&f->other, drop_one);
    net_loop_end_turn(&f->loop);
    net_loop_end_turn(&f->other);
    assert_int_equal(f->loop.connections, 0);
    assert_int_equal(f->other.connections, 0);
    net_loop_deinit(&f->loop);
    net_loop_deinit(&f->other);
    wire_close(&f->peer);
    tls_tunnel_close(&f->tunnel);
    free(f);
}

/* The peer has ended and the connection with it: nothing is left. */
static void expect_freed(fixture *f)
{
    expect(f, "free\n");
    assert_null(f->c);
    assert_int_equal(f->loop.connections, 0);
}

static void check_is_idle(const connection *c)
{
    assert_null(c->unread);
    assert_null(c->message);
    assert_null(c->output);
    assert_true(c->transport.extra == NULL || through_tls != NULL);
    assert_false(transport_wants_room(&c->transport));
}

/* ---- The upgrade ---- */

static void a_request_is_answered_and_the_connection_opens(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    turn(f);
    expect(f, "");
    wire_expect_nothing(&f->peer);
    assert_false(connection_is_open(f->c));
    upgrade(f);
    wire_expect_nothing(&f->peer);
    assert_true(connection_is_open(f->c));
    assert_int_equal(f->loop.connections, 1);
    unmake(f);
}

static void a_request_may_come_in_two_parts_cut_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= strlen(wire_request); cut++) {
        fixture *f = make();
        begin(f, SOCK_STREAM);
        if (cut > 0)
            wire_send(&f->peer, wire_request, cut);
        turn(f);
        if (cut < strlen(wire_request)) {
            wire_expect_nothing(&f->peer);
            wire_send(&f->peer, wire_request + cut, strlen(wire_request) - cut);
        }
        turn(f);
        expect(f, "handshake 101\n");
        wire_expect_upgraded(&f->peer);
        check_is_idle(f->c);
        unmake(f);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    for (size_t i = 0; i < strlen(wire_request); i++) {
        expect(f, "");
        wire_send(&f->peer, wire_request + i, 1);
        turn(f);
    }
    expect(f, "handshake 101\n");
    wire_expect_upgraded(&f->peer);
    unmake(f);
}

static void frames_right_behind_the_request_are_handled_and_answered_by_one_write(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_SEQPACKET);
    bytes *out = NULL;
    assert_int_equal(bytes_append(&out, wire_request, strlen(wire_request)), 0);
    wire_add_text(&out, "echo 1");
    wire_add_text(&out, "echo 2");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "handshake 101\ntext echo 1\ntext echo 2\n");
    assert_true(wire_read_once(&f->peer) > 0);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);
    wire_expect_upgraded(&f->peer);
    wire_expect_text(&f->peer, "echo 1");
    wire_expect_text(&f->peer, "echo 2");
    unmake(f);
}

static void a_bad_request_gets_its_fault_and_the_end(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"GET /other HTTP/1.1\r\nHost: test\r\n\r\n", "404"},
        {"POST /signal HTTP/1.1\r\nHost: test\r\n\r\n", "405"},
        {"GET /signal HTTP/1.1\r\nHost: test\r\n\r\n", "426"},
        {"nonsense\r\n\r\n", "400"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = make();
        begin(f, SOCK_STREAM);
        wire_send(&f->peer, cases[i][0], strlen(cases[i][0]));
        turn(f);
        char log[128];
        snprintf(log, sizeof(log), "handshake %s\nend 1006 the upgrade was refused\n", cases[i][1]);
        expect(f, log);
        wire_expect_fault(&f->peer, cases[i][1]);
        wire_close(&f->peer);
        turn(f);
        expect_freed(f);
        unmake(f);
    }
}

static void a_request_head_over_its_limit_is_refused(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    char head[1024];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET /signal?", 12);
    wire_send(&f->peer, head, sizeof(head));
    turn(f);
    expect(f, "");
    wire_send(&f->peer, "a", 1);
    turn(f);
    expect(f, "handshake 431\nend 1006 the upgrade was refused\n");
    wire_expect_fault(&f->peer, "431");
    unmake(f);
}

static void a_connection_can_be_refused_before_it_has_said_anything(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    expect(f, "end 1006 too many\n");
    turn(f);
    wire_expect_fault(&f->peer, "503");

    /* What it says now is thrown away, and its end is waited for. */
    wire_send(&f->peer, wire_request, strlen(wire_request));
    turn(f);
    expect(f, "");
    wire_close(&f->peer);
    turn(f);
    expect_freed(f);
    unmake(f);
}

static void closing_before_the_upgrade_is_a_503(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, 10);
    turn(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    expect(f, "end 1006 the server stops\n");
    turn(f);
    wire_expect_fault(&f->peer, "503");
    unmake(f);
}

static void a_request_that_does_not_come_in_time_is_dropped(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.handshake_timeout_ms = SHORT_MS;
    uint64_t since_ms = clock_monotonic_ms();
    begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, 10); /* a begin is not enough */
    while (f->c != NULL)
        turn_when_due(f);
    expect(f, "end 1006 no upgrade request in time\nfree\n");
    assert_true(net_loop_now_ms(&f->loop) - since_ms >= SHORT_MS);
    hear(f);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void a_descriptor_that_can_not_be_watched_is_closed_and_nothing_is_told(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    owner o = {.f = f};
    assert_int_equal(connection_open(&o.connection, fd, 2, &f->loop), -EPERM);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    turn(f);
    expect(f, "");
    assert_int_equal(f->loop.connections, 1);
    unmake(f);
}

/* ---- Messages ---- */

static void messages_of_both_kinds_are_delivered_in_order(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "one");
    wire_add_frame(&out, WIRE_BINARY, "two", 3);
    wire_add_text(&out, "");
    wire_add_frame(&out, 0x01, "thr", 3);
    wire_add_frame(&out, 0x00, "", 0);
    wire_add_frame(&out, 0x80, "ee", 2);
    wire_add_frame(&out, 0x01, "", 0);
    wire_add_frame(&out, 0x80, "", 0);
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text one\nbinary two\ntext \ntext three\ntext \n");
    check_is_idle(f->c);
    unmake(f);
}

/* Everything that a peer may say, in one piece. */
static bytes *make_conversation(void)
{
    bytes *out = NULL;
    char large[200];
    memset(large, 'L', sizeof(large));
    memcpy(large, "echo", 4);
    wire_add_text(&out, "echo \xC3\xA4\xE2\x82\xAC");
    wire_add_frame(&out, WIRE_PING, "are you there?", 14);
    wire_add_frame(&out, 0x01, "ec", 2);
    wire_add_frame(&out, WIRE_PONG, "", 0);
    wire_add_frame(&out, 0x00, "ho ", 3);
    wire_add_frame(&out, WIRE_PING, "", 0);
    wire_add_frame(&out, 0x80, "parts", 5);
    wire_add_frame(&out, WIRE_BINARY, large, sizeof(large));
    wire_add_text(&out, "");
    wire_add_frame(&out, WIRE_CLOSE, "\x03\xE8", 2);
    return out;
}

static void check_conversation(fixture *f)
{
    expect(f, "text echo \xC3\xA4\xE2\x82\xAC\npong\ntext echo parts\nbinary of 200\ntext \n"
              "end 1000 the peer closed\n");
    char large[200];
    memset(large, 'L', sizeof(large));
    memcpy(large, "echo", 4);
    wire_expect_text(&f->peer, "echo \xC3\xA4\xE2\x82\xAC");
    wire_expect_frame(&f->peer, WIRE_PONG, "are you there?", 14);
    wire_expect_frame(&f->peer, WIRE_PONG, "", 0);
    wire_expect_text(&f->peer, "echo parts");
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_close(&f->peer, 1000);
    wire_expect_end(&f->peer);
}

static void a_conversation_may_be_cut_anywhere(void **state)
{
    (void)state;
    bytes *all = make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut++) {
        fixture *f = make_open();
        if (cut > 0)
            wire_send(&f->peer, bytes_head(all), cut);
        turn(f);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        turn(f);
        check_conversation(f);
        unmake(f);
    }
    bytes_clear(&all);
}

static void a_conversation_may_come_byte_by_byte(void **state)
{
    (void)state;
    bytes *all = make_conversation();
    fixture *f = make_open();
    for (size_t i = 0; i < bytes_len(all); i++) {
        wire_send(&f->peer, bytes_head(all) + i, 1);
        turn(f);
    }
    check_conversation(f);
    bytes_clear(&all);
    unmake(f);
}

static void a_part_of_a_frame_is_kept_only_until_the_rest_has_come(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *all = NULL;
    wire_add_text(&all, "some text that comes in parts");
    wire_send(&f->peer, bytes_head(all), 3); /* half a header */
    turn(f);
    assert_int_equal(bytes_len(f->c->unread), 3);
    assert_null(f->c->message);
    wire_send(&f->peer, bytes_head(all) + 3, 7);
    turn(f);
    assert_null(f->c->unread);
    assert_int_equal(bytes_len(f->c->message), 4);
    wire_send(&f->peer, bytes_head(all) + 10, bytes_len(all) - 10);
    turn(f);
    expect(f, "text some text that comes in parts\n");
    check_is_idle(f->c);
    bytes_clear(&all);
    unmake(f);
}

static void send_in_turns(fixture *f, const void *data, size_t len)
{
    for (size_t at = 0; at < len; at += 8192) {
        wire_send(&f->peer, (const char *)data + at, len - at < 8192 ? len - at : 8192);
        turn(f);
    }
}

static void the_largest_message_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        fixture *f = make_open();
        size_t len = 128 * 1024 + more;
        char *text = malloc(len);
        assert_non_null(text);
        memset(text, 'x', len);
        bytes *out = NULL;
        wire_add_frame(&out, WIRE_TEXT, text, len);
        send_in_turns(f, bytes_head(out), bytes_len(out));
        if (more == 0) {
            expect(f, "text of 131072\n");
            check_is_idle(f->c);
        } else {
            expect(f, "end 1009 message too big\n");
            wire_expect_close(&f->peer, WS_CLOSE_TOO_BIG);
        }
        bytes_clear(&out);
        free(text);
        unmake(f);
    }
}

/* ---- Faults ---- */

static void what_came_before_a_fault_is_answered_before_the_close(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "echo");
    wire_add_frame(&out, WIRE_PING, "p", 1);
    wire_add_frame(&out, 0x83, "reserved", 8);
    wire_add_text(&out, "echo never");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text echo\nend 1002 reserved opcode\n");
    wire_expect_text(&f->peer, "echo");
    wire_expect_frame(&f->peer, WIRE_PONG, "p", 1);
    wire_expect_close(&f->peer, WS_CLOSE_PROTOCOL_ERROR);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void text_that_is_not_utf_8_fails_at_the_offending_byte(void **state)
{
    (void)state;
    fixture *f = make_open();
    static const uint8_t header[] = {WIRE_TEXT, 0x80 | 100, 0, 0, 0, 0};
    wire_send(&f->peer, header, sizeof(header));
    wire_send(&f->peer, "\xF4", 1);
    turn(f);
    expect(f, "");
    wire_send(&f->peer, "\x90", 1);
    turn(f);
    expect(f, "end 1007 text is not UTF-8\n");
    wire_expect_close(&f->peer, WS_CLOSE_INVALID_DATA);
    unmake(f);
}

static void a_peer_that_floods_is_closed(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = 4};
    open_with(f, SOCK_STREAM);
    bytes *out = NULL;
    wire_add_text(&out, "a");
    wire_add_frame(&out, WIRE_PING, "", 0);
    wire_add_frame(&out, 0x01, "b", 1);
    wire_add_frame(&out, 0x80, "c", 1);
    wire_add_text(&out, "d");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text a\ntext bc\nend 1008 too many messages\n");
    wire_expect_frame(&f->peer, WIRE_PONG, "", 0);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    unmake(f);
}

static void a_frame_counts_once_in_however_many_parts_it_comes(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = 1};
    open_with(f, SOCK_STREAM);
    bytes *out = NULL;
    wire_add_text(&out, "one frame in many parts");
    for (size_t i = 0; i < bytes_len(out); i++) {
        wire_send(&f->peer, bytes_head(out) + i, 1);
        turn(f);
    }
    expect(f, "text one frame in many parts\n");
    bytes_clear(&out);
    unmake(f);
}

static void an_answer_that_was_asked_for_is_no_flood(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = 2};
    open_with(f, SOCK_STREAM);
    for (int i = 0; i < 5; i++) {
        connection_ping(f->c);
        turn(f);
        wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
        turn(f);
        expect(f, "pong\n");
    }
    for (int i = 0; i < 3; i++) /* but these were not */
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
    turn(f);
    expect(f, "pong\npong\nend 1008 too many messages\n");
    unmake(f);
}

static void a_close_is_echoed_even_to_a_peer_without_tokens(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.frame_rate = (token_bucket_rate){.per_second = 1, .burst = 1};
    open_with(f, SOCK_STREAM);
    bytes *out = NULL;
    wire_add_text(&out, "the only one");
    wire_add_frame(&out, WIRE_CLOSE, "\x03\xe8", 2);
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text the only one\nend 1000 the peer closed\n");
    wire_expect_close(&f->peer, WS_CLOSE_NORMAL);
    unmake(f);
}

/* ---- Hold and resume ---- */

static void a_held_connection_keeps_its_input_and_the_order(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "hold 1");
    wire_add_text(&out, "a");
    wire_add_text(&out, "hold 2");
    wire_add_text(&out, "b");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text hold 1\n");
    assert_int_equal(f->c->state, CONNECTION_HELD);
    assert_true(connection_is_open(f->c));
    wire_send_text(&f->peer, "c");
    turn(f);
    turn(f);
    expect(f, "");

    connection_resume(f->c);
    expect(f, "");
    turn(f);
    expect(f, "text a\ntext hold 2\n");
    connection_resume(f->c);
    turn(f);
    expect(f, "text b\ntext c\n");
    check_is_idle(f->c);
    assert_int_equal(f->c->state, CONNECTION_OPEN);
    unmake(f);
}

static void a_hold_may_fall_anywhere_into_the_input(void **state)
{
    (void)state;
    bytes *all = make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut++) {
        fixture *f = make_open();
        bytes *out = NULL;
        wire_add_text(&out, "hold");
        assert_int_equal(bytes_append(&out, bytes_head(all), cut), 0);
        wire_send_gathered(&f->peer, &out);
        turn(f);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        turn(f);
        expect(f, "text hold\n");
        wire_expect_nothing(&f->peer);
        connection_resume(f->c);
        turn(f);
        check_conversation(f);
        unmake(f);
    }
    bytes_clear(&all);
}

static void a_held_message_in_parts_is_delivered_once(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_frame(&f->peer, 0x01, "ho", 2);
    turn(f);
    wire_send_frame(&f->peer, 0x80, "ld", 2);
    turn(f);
    expect(f, "text hold\n");
    assert_null(f->c->message);
    connection_resume(f->c);
    turn(f);
    expect(f, "");
    unmake(f);
}

static void the_end_of_a_held_peer_is_noticed(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_text(&f->peer, "hold");
    wire_send_text(&f->peer, "never handled");
    turn(f);
    wire_close(&f->peer);
    turn(f);
    turn(f);
    expect(f, "text hold\nend 1006 the peer is gone\nfree\n");
    unmake(f);
}

static void a_held_connection_can_be_written_to_and_closed(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "hold");
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    assert_true(send_back(f->c, true, SLICE_LITERAL("wait")));
    turn(f);
    wire_expect_text(&f->peer, "wait");
    connection_resume(f->c);
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "taken over");
    turn(f);
    expect(f, "text hold\nend 4001 taken over\n");
    wire_expect_close(&f->peer, 4001);
    unmake(f);
}

static void a_resume_of_what_is_not_held_changes_nothing(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    connection_resume(f->c);
    turn(f);
    upgrade(f);
    bytes *out = NULL;
    wire_add_text(&out, "in two parts");
    wire_send(&f->peer, bytes_head(out), 4);
    turn(f);
    connection_resume(f->c);
    turn(f);
    wire_send(&f->peer, bytes_head(out) + 4, bytes_len(out) - 4);
    turn(f);
    expect(f, "text in two parts\n");
    bytes_clear(&out);

    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    connection_resume(f->c);
    turn(f);
    expect(f, "end 1001 over\n");
    unmake(f);
}

/* As much as the socket takes; returns how many frames that is. */
static unsigned send_numbers(fixture *f, unsigned first)
{
    uint8_t frame[64];
    unsigned n = first;
    for (;; n++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "%u", n);
        size_t frame_len = wire_frame(frame, WIRE_BINARY, text, (size_t)len);
        if (send(f->peer.fd, frame, frame_len, MSG_NOSIGNAL) < 0)
            return n - first;
    }
}

static void a_held_peer_that_goes_on_is_held_back_by_its_socket(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_text(&f->peer, "hold");
    turn(f);
    expect(f, "text hold\n");
    unsigned sent = 0;
    unsigned more;
    do {
        more = send_numbers(f, sent);
        sent += more;
        turn(f);
    } while (more > 0);
    assert_true(bytes_len(f->c->unread) >= 64 * 1024);
    assert_true(bytes_len(f->c->unread) <= 2 * 64 * 1024);
    assert_false(transport_watches_input(&f->c->transport));

    /* Closed in that state, it is read again, so that its end is noticed. */
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    turn(f);
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_close(&f->peer);
    for (int turns = 0; f->c != NULL; turns++) {
        assert_true(turns < 1000);
        turn(f);
    }
    expect(f, "end 1001 over\nfree\n");
    unmake(f);
}

static void a_connection_held_again_and_again_does_not_keep_more_and_more(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    char filler[1000] = {0};
    for (int i = 0; i < 50; i++) {
        wire_add_text(&out, "hold");
        wire_add_frame(&out, WIRE_BINARY, filler, sizeof(filler));
    }
    size_t most = 0;
    for (int i = 0; i < 300; i++) {
        while (send(f->peer.fd, bytes_head(out), bytes_len(out), MSG_NOSIGNAL) == (ssize_t)bytes_len(out))
            ;
        turn(f);
        if (bytes_len(f->c->unread) > most)
            most = bytes_len(f->c->unread);
        journal_clear(&f->journal);
        connection_resume(f->c);
        turn(f);
        assert_int_equal(f->c->state, CONNECTION_HELD);
    }
    assert_true(most <= 3 * 64 * 1024);
    bytes_clear(&out);
    unmake(f);
}

/* ---- Hand-over ---- */

static void attach(fixture *f, net_loop *loop)
{
    connection *c = f->adrift;
    f->adrift = NULL;
    assert_non_null(c);
    assert_int_equal(connection_attach(c, loop), 0);
}

static void a_hand_over_keeps_the_message_and_every_byte_behind_it(void **state)
{
    (void)state;
    bytes *all = make_conversation();
    for (size_t cut = 0; cut <= bytes_len(all); cut++) {
        fixture *f = make_open();
        bytes *out = NULL;
        wire_add_text(&out, "over here");
        assert_int_equal(bytes_append(&out, bytes_head(all), cut), 0);
        wire_send_gathered(&f->peer, &out);
        turn(f);
        expect(f, "text over here\nhand over\n");
        assert_int_equal(f->loop.connections, 0);
        if (cut < bytes_len(all))
            wire_send(&f->peer, bytes_head(all) + cut, bytes_len(all) - cut);
        turn(f);
        turn_other(f);
        expect(f, "");

        attach(f, &f->other);
        assert_int_equal(f->other.connections, 1);
        net_loop_end_turn(&f->other);
        turn_other(f);
        static const char again[] = "text over here\n";
        assert_memory_equal(f->journal.text, again, strlen(again));
        memmove(f->journal.text, f->journal.text + strlen(again),
                strlen(f->journal.text) - strlen(again) + 1);
        check_conversation(f);
        turn(f);
        expect(f, "");
        unmake(f);
    }
    bytes_clear(&all);
}

static void what_comes_between_the_arrival_and_the_end_of_its_turn_keeps_its_place(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "second");
    wire_add_text(&out, "third, cut");
    wire_send(&f->peer, bytes_head(out), bytes_len(out) - 2);
    turn(f);
    expect(f, "text over\nhand over\n");
    wire_send(&f->peer, bytes_head(out) + bytes_len(out) - 2, 2);
    attach(f, &f->other);
    turn_other(f); /* reads first, and then comes to the work of its end */
    turn_other(f);
    expect(f, "text over\ntext second\ntext third, cut\n");
    bytes_clear(&out);
    unmake(f);
}

static void an_empty_message_and_one_in_parts_can_be_handed_over(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_frame(&f->peer, 0x02, "over", 4);
    turn(f);
    wire_send_frame(&f->peer, 0x80, NULL, 0);
    turn(f);
    expect(f, "binary over\nhand over\n");
    attach(f, &f->other);
    turn_other(f);
    expect(f, "binary over\n");
    check_is_idle(f->c);
    unmake(f);
}

static void a_message_that_was_handed_over_may_hold_or_close(void **state)
{
    (void)state;
    for (int is_close = 0; is_close < 2; is_close++) {
        fixture *f = make_open();
        bytes *out = NULL;
        wire_add_text(&out, is_close ? "over, close" : "over, hold");
        wire_add_text(&out, "behind");
        wire_send_gathered(&f->peer, &out);
        turn(f);
        attach(f, &f->other);
        turn_other(f);
        if (is_close) {
            expect(f, "text over, close\nhand over\ntext over, close\nend 1008 asked to\n");
            wire_expect_close(&f->peer, WS_CLOSE_POLICY);
        } else {
            expect(f, "text over, hold\nhand over\ntext over, hold\n");
            connection_resume(f->c);
            turn_other(f);
            expect(f, "text behind\n");
        }
        unmake(f);
    }
}

static void a_message_that_is_handed_on_again_keeps_what_is_behind_it(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "behind");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    attach(f, &f->loop); /* which again does not want it */
    turn(f);
    expect(f, "text over\nhand over\ntext over\nhand over\n");
    attach(f, &f->other);
    turn_other(f);
    expect(f, "text over\ntext behind\n");
    unmake(f);
}

static void a_connection_can_be_handed_back_and_forth(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over 1");
    wire_add_text(&out, "a");
    wire_add_text(&out, "back 1");
    wire_add_text(&out, "b");
    wire_add_text(&out, "over 2");
    wire_add_text(&out, "c");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    attach(f, &f->other);
    turn_other(f);
    expect(f, "text over 1\nhand over\ntext over 1\ntext a\ntext back 1\nhand over\n");
    attach(f, &f->loop);
    turn(f);
    expect(f, "text back 1\ntext b\ntext over 2\nhand over\n");
    attach(f, &f->other);
    turn_other(f);
    expect(f, "text over 2\ntext c\n");
    assert_int_equal(f->loop.connections, 0);
    assert_int_equal(f->other.connections, 1);
    unmake(f);
}

static void waiting_output_moves_along_in_order(void **state)
{
    (void)state;
    fixture *f = make_open();
    static char large[900 * 1024];
    memset(large, 'x', sizeof(large));
    assert_true(send_back(f->c, false, (slice){large, sizeof(large)}));
    turn(f);
    assert_non_null(f->c->output);
    assert_true(transport_wants_room(&f->c->transport));

    bytes *out = NULL;
    wire_add_text(&out, "echo before");
    wire_add_text(&out, "over");
    wire_add_text(&out, "echo after");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text echo before\ntext over\nhand over\n");
    assert_false(transport_wants_room(&f->adrift->transport));
    attach(f, &f->other);
    while (f->c->output != NULL || f->c->must_resume) {
        turn_other(f);
        wire_read(&f->peer);
    }
    hear(f);
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_text(&f->peer, "echo before");
    wire_expect_text(&f->peer, "echo after");
    wire_expect_nothing(&f->peer);
    check_is_idle(f->c);
    unmake(f);
}

static void a_connection_adrift_can_be_abandoned(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_text(&out, "over");
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    expect(f, "text over\nhand over\n");
    connection_abandon(f->adrift, "nobody takes it");
    f->adrift = NULL;
    expect(f, "end 1006 nobody takes it\nfree\n");
    hear(f);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void an_end_before_the_hand_over_comes_first(void **state)
{
    (void)state;
    for (int is_drop = 0; is_drop < 2; is_drop++) {
        fixture *f = make_open();
        wire_send_text(&f->peer, "over");
        tls_tunnel_carry(&f->tunnel);
        assert_true(event_base_loop(f->loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
        expect(f, "text over\n");
        if (is_drop)
            connection_drop(f->c, CLOSE_REASON_LOST, "asked to");
        else
            connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "asked to");
        net_loop_end_turn(&f->loop);
        expect(f, is_drop ? "end 1006 asked to\nfree\n" : "end 1001 asked to\n");
        hear(f);
        if (!is_drop)
            wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
        unmake(f);
    }
}

static void one_that_arrives_can_be_closed_at_once_without_handling_its_message(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_text(&f->peer, "over");
    turn(f);
    attach(f, &f->other);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    turn_other(f);
    expect(f, "text over\nhand over\nend 1001 the server stops\n");
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_close(&f->peer);
    turn_other(f);
    expect(f, "free\n");
    assert_int_equal(f->other.connections, 0);
    unmake(f);
}

/* ---- Output ---- */

static void everything_of_a_turn_goes_out_by_one_write(void **state)
{
    (void)state;
    fixture *f = open_with(make(), SOCK_SEQPACKET);
    bytes *out = NULL;
    for (int i = 0; i < 20; i++)
        wire_add_text(&out, "echo");
    wire_add_frame(&out, WIRE_PING, "p", 1);
    wire_send_gathered(&f->peer, &out);
    assert_true(send_back(f->c, true, SLICE_LITERAL("from elsewhere")));
    connection_ping(f->c);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);
    turn(f);
    assert_int_equal(wire_read_once(&f->peer), 16 + 2 + 20 * 6 + 3);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);

    /* A close frame goes out with what waits before it. */
    assert_true(send_back(f->c, true, SLICE_LITERAL("last")));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "");
    turn(f);
    assert_int_equal(wire_read_once(&f->peer), 6 + 4);
    assert_int_equal(wire_read_once(&f->peer), 0);
    unmake(f);
}

static void the_parts_of_a_message_are_joined(void **state)
{
    (void)state;
    fixture *f = make_open();
    struct iovec parts[] = {{"one", 3}, {NULL, 0}, {" two", 4}, {"", 0}};
    assert_true(connection_send(f->c, WS_OPCODE_TEXT, parts, 4));
    assert_true(connection_send(f->c, WS_OPCODE_BINARY, NULL, 0));
    turn(f);
    wire_expect_text(&f->peer, "one two");
    wire_expect_frame(&f->peer, WIRE_BINARY, NULL, 0);
    wire_expect_nothing(&f->peer);
    unmake(f);
}

static void a_message_of_each_length_has_its_shortest_header(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 65537};
    static char text[65537];
    memset(text, 't', sizeof(text));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        fixture *f = make_open();
        assert_true(send_back(f->c, true, (slice){text, lengths[i]}));
        turn(f);
        wire_expect_frame(&f->peer, WIRE_TEXT, text, lengths[i]);
        unmake(f);
    }
}

static void what_the_socket_does_not_take_waits_and_follows_in_order(void **state)
{
    (void)state;
    fixture *f = make_open();
    static char large[900 * 1024];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 31 >> 3);
    assert_true(send_back(f->c, false, (slice){large, sizeof(large)}));
    turn(f);
    assert_non_null(f->c->output);
    assert_true(transport_wants_room(&f->c->transport));
    assert_true(send_back(f->c, true, SLICE_LITERAL("behind")));
    for (int turns = 0; f->c->output != NULL; turns++) {
        assert_true(turns < 10000);
        wire_read(&f->peer);
        turn(f);
    }
    assert_false(transport_wants_room(&f->c->transport));
    hear(f);
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_text(&f->peer, "behind");
    wire_expect_nothing(&f->peer);
    unmake(f);
}

/* Send until the bound is passed; returns how many bytes that took. */
static size_t send_too_much(connection *c)
{
    static const char kilobyte[1024];
    size_t sent = 0;
    while (send_back(c, false, (slice){kilobyte, sizeof(kilobyte)}))
        sent += sizeof(kilobyte);
    return sent;
}

static void a_peer_that_does_not_read_is_dropped_at_the_end_of_the_turn(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.max_output_bytes = 64 * 1024;
    open_with(f, SOCK_STREAM);
    assert_true(send_too_much(f->c) >= 64 * 1024);
    expect(f, "");
    assert_true(connection_is_open(f->c));
    assert_false(send_back(f->c, true, SLICE_LITERAL("more")));
    assert_true(bytes_len(f->c->output) <= 64 * 1024 + 1024 + 4);
    wire_read(&f->peer);
    assert_false(send_back(f->c, true, SLICE_LITERAL("it reads too late")));
    turn(f);
    expect(f, "end 1006 the peer does not read\nfree\n");
    unmake(f);
}

static void a_doomed_connection_handles_no_message_more(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.max_output_bytes = 64 * 1024;
    open_with(f, SOCK_STREAM);
    static char large[60 * 1024];
    memcpy(large, "echo", 4);
    while (!transport_wants_room(&f->c->transport)) { /* fill the socket first, within the bound */
        assert_true(send_back(f->c, false, (slice){large, 4096}));
        turn(f);
    }
    bytes *out = NULL;
    wire_add_frame(&out, WIRE_BINARY, large, sizeof(large));
    wire_add_frame(&out, WIRE_BINARY, large, 4000);
    wire_add_text(&out, "never handled");
    wire_send_gathered(&f->peer, &out);
    turn(f);
    turn(f);
    assert_null(strstr(f->journal.text, "never"));
    assert_non_null(strstr(f->journal.text, "end 1006 the peer does not read\nfree\n"));
    assert_null(f->c);
    unmake(f);
}

static void a_doom_comes_before_a_hand_over_and_before_a_resume(void **state)
{
    (void)state;
    static const char *const messages[] = {"over", "hold"};
    for (size_t i = 0; i < 2; i++) {
        fixture *f = make();
        f->limits.max_output_bytes = 64 * 1024;
        open_with(f, SOCK_STREAM);
        bytes *out = NULL;
        wire_add_text(&out, messages[i]);
        wire_add_text(&out, "never handled");
        wire_send_gathered(&f->peer, &out);
        tls_tunnel_carry(&f->tunnel);
        assert_true(event_base_loop(f->loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
        (void)send_too_much(f->c);
        connection_resume(f->c);
        net_loop_end_turn(&f->loop);
        assert_non_null(strstr(f->journal.text, "\nend 1006 the peer does not read\nfree\n"));
        assert_null(strstr(f->journal.text, "never"));
        assert_null(f->adrift);
        unmake(f);
    }
}

static void a_close_of_a_doomed_connection_is_a_close(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.max_output_bytes = 64 * 1024;
    open_with(f, SOCK_STREAM);
    size_t sent = send_too_much(f->c);
    connection_close(f->c, CLOSE_REASON_TAKEN_OVER, "taken over");
    expect(f, "end 4001 taken over\n");
    for (int turns = 0; f->c->state == CONNECTION_CLOSING; turns++) {
        assert_true(turns < 1000);
        turn(f);
        wire_read(&f->peer);
    }
    hear(f);
    static const char kilobyte[1024];
    for (size_t at = 0; at <= sent; at += sizeof(kilobyte))
        wire_expect_frame(&f->peer, WIRE_BINARY, kilobyte, sizeof(kilobyte));
    wire_expect_close(&f->peer, 4001);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void more_than_may_wait_can_be_sent_in_a_turn_to_a_peer_that_has_room(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.max_output_bytes = 4096;
    open_with(f, SOCK_STREAM);
    static const char kilobyte[1024];
    for (int i = 0; i < 20; i++)
        assert_true(send_back(f->c, false, (slice){kilobyte, sizeof(kilobyte)}));
    turn(f);
    for (int i = 0; i < 20; i++)
        wire_expect_frame(&f->peer, WIRE_BINARY, kilobyte, sizeof(kilobyte));
    expect(f, "");
    unmake(f);
}

static void nothing_can_be_sent_to_one_that_is_ending(void **state)
{
    (void)state;
    fixture *f = make();
    begin(f, SOCK_STREAM);
    assert_false(send_back(f->c, true, SLICE_LITERAL("too early")));
    upgrade(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    assert_false(send_back(f->c, true, SLICE_LITERAL("too late")));
    connection_ping(f->c);
    turn(f);
    assert_false(send_back(f->c, true, SLICE_LITERAL("too late")));
    wire_expect_close(&f->peer, 1001);
    wire_expect_end(&f->peer);
    connection_drop(f->c, CLOSE_REASON_LOST, "enough");
    assert_false(send_back(f->c, true, SLICE_LITERAL("too late")));
    turn(f);
    expect(f, "end 1001 over\nfree\n");
    unmake(f);
}

/* ---- Signs of life ---- */

static void a_ping_is_answered_with_its_own_payload(void **state)
{
    (void)state;
    fixture *f = make_open();
    char payload[126];
    memset(payload, '\xFE', sizeof(payload));
    for (size_t len = 0; len <= 125; len++) {
        wire_send_frame(&f->peer, WIRE_PING, payload, len);
        turn(f);
        wire_expect_frame(&f->peer, WIRE_PONG, payload, len);
    }
    expect(f, "");
    wire_send_frame(&f->peer, WIRE_PING, payload, 126);
    turn(f);
    expect(f, "end 1002 control frame over 125 bytes\n");
    unmake(f);
}

static void an_idle_connection_is_pinged_and_lives_while_it_answers(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.ping_interval_ms = SHORT_MS;
    open_with(f, SOCK_STREAM);
    for (int round = 0; round < 5; round++) {
        uint64_t due_ms = f->c->due_ms;
        while (f->c->state == CONNECTION_OPEN)
            turn_when_due(f);
        assert_true(net_loop_now_ms(&f->loop) >= due_ms);
        assert_int_equal(f->c->state, CONNECTION_PINGED);
        wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
        check_is_idle(f->c);
        wire_send_frame(&f->peer, WIRE_PONG, NULL, 0);
        turn(f);
        expect(f, "pong\n");
        assert_int_equal(f->c->state, CONNECTION_OPEN);
    }
    unmake(f);
}

static void half_a_frame_is_a_sign_of_life(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.ping_interval_ms = SHORT_MS;
    open_with(f, SOCK_STREAM);
    while (f->c->state == CONNECTION_OPEN)
        turn_when_due(f);
    uint64_t pinged_ms = f->c->due_ms - NEVER_MS;
    assert_true(f->c->last_read_ms < pinged_ms);
    wire_send(&f->peer, "\x81", 1);
    turn(f);
    assert_true(f->c->last_read_ms >= pinged_ms);
    assert_int_equal(f->c->state, CONNECTION_OPEN);
    expect(f, "");
    unmake(f);
}

static void a_silent_peer_is_dropped_after_its_time(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.ping_interval_ms = SHORT_MS;
    f->limits.pong_timeout_ms = 2 * SHORT_MS;
    open_with(f, SOCK_STREAM);
    while (f->c->state == CONNECTION_OPEN)
        turn_when_due(f);
    uint64_t pinged_ms = f->c->due_ms - f->limits.pong_timeout_ms;
    while (f->c != NULL)
        turn_when_due(f);
    assert_true(net_loop_now_ms(&f->loop) - pinged_ms >= 2 * SHORT_MS);
    expect(f, "end 1006 no sign of life\nfree\n");
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
    wire_expect_end(&f->peer);
    unmake(f);
}

/* Ping all that are open, and have them answer within SHORT_MS. */
static void ping_all(fixture *f)
{
    connection *c;
    while ((c = TAILQ_FIRST(&f->loop.by_state[CONNECTION_OPEN])) != NULL)
        connection_on_due(c);
    turn(f);
    TAILQ_FOREACH(c, &f->loop.by_state[CONNECTION_PINGED], link)
    c->due_ms = net_loop_now_ms(&f->loop) + SHORT_MS;
    net_loop_end_turn(&f->loop); /* sets the timer */
}

/* The thread is stopped while all answer, for longer than they have: when it goes on, the base tells of their
 * answers batch by batch, and the deadlines must wait for the last. */
static void a_stall_of_the_thread_drops_nobody_who_has_answered(void **state)
{
    enum { MANY = 100, STALL_MS = 400 };
    (void)state;
    fixture *f = make();
    wire_peer peers[MANY];
    for (int i = 0; i < MANY; i++) {
        begin_with(f, wire_open(&peers[i], SOCK_STREAM));
        wire_send(&peers[i], wire_request, strlen(wire_request));
        turn(f);
    }
    journal_clear(&f->journal);
    ping_all(f);
    for (int i = 0; i < MANY; i++)
        wire_send_frame(&peers[i], WIRE_PONG, NULL, 0);
    uint64_t stalled_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() - stalled_ms < STALL_MS)
        ;
    while (!TAILQ_EMPTY(&f->loop.by_state[CONNECTION_PINGED]))
        turn_when_due(f);
    assert_int_equal(f->loop.connections, MANY);
    assert_null(strstr(f->journal.text, "end"));

    /* Put off is not given up: who is silent now is dropped. */
    ping_all(f);
    while (f->loop.connections > 0)
        turn_when_due(f);
    for (int i = 0; i < MANY; i++)
        wire_close(&peers[i]);
    unmake(f);
}

static void without_pings_an_idle_connection_needs_no_timer(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.ping_interval_ms = 0;
    f->limits.handshake_timeout_ms = 0;
    open_with(f, SOCK_STREAM);
    turn(f);
    assert_true(f->loop.timer_due_ms == UINT64_MAX);
    struct itimerspec set;
    assert_int_equal(timerfd_gettime(f->loop.timer_fd, &set), 0);
    assert_true(set.it_value.tv_sec == 0 && set.it_value.tv_nsec == 0);
    unmake(f);
}

static void a_ping_out_of_turn_leaves_the_deadlines_alone(void **state)
{
    (void)state;
    fixture *f = make_open();
    uint64_t due_ms = f->c->due_ms;
    connection_ping(f->c);
    turn(f);
    wire_expect_frame(&f->peer, WIRE_PING, NULL, 0);
    assert_int_equal(f->c->state, CONNECTION_OPEN);
    assert_int_equal(f->c->due_ms, due_ms);
    unmake(f);
}

/* ---- The end ---- */

static void a_close_is_answered_with_its_code_and_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t len;
        uint16_t code;
    } cases[] = {{"", 0, 1005}, {"\x03\xE8", 2, 1000}, {"\x03\xE9 going", 8, 1001}, {"\x0F\xA1", 2, 4001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = make_open();
        wire_send_frame(&f->peer, WIRE_CLOSE, cases[i].payload, cases[i].len);
        turn(f);
        char log[64];
        snprintf(log, sizeof(log), "end %u the peer closed\n", cases[i].code);
        expect(f, log);
        wire_expect_close(&f->peer, cases[i].code);
        wire_expect_end(&f->peer);
        wire_close(&f->peer);
        turn(f);
        expect_freed(f);
        unmake(f);
    }
}

static void what_comes_behind_a_close_is_thrown_away(void **state)
{
    (void)state;
    fixture *f = make_open();
    bytes *out = NULL;
    wire_add_frame(&out, WIRE_CLOSE, NULL, 0);
    wire_add_text(&out, "echo never");
    wire_add_frame(&out, WIRE_PING, NULL, 0);
    wire_add_frame(&out, WIRE_CLOSE, NULL, 0);
    wire_send_gathered(&f->peer, &out);
    turn(f);
    assert_null(f->c->unread);
    wire_send_text(&f->peer, "echo never");
    turn(f);
    wire_send(&f->peer, "\xFF\xFF", 2);
    turn(f);
    expect(f, "end 1005 the peer closed\n");
    wire_expect_close(&f->peer, 1005);
    wire_expect_end(&f->peer);
    assert_null(f->c->unread);
    unmake(f);
}

static void a_close_in_the_middle_of_a_message_forgets_it(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_frame(&f->peer, 0x01, "half", 4);
    turn(f);
    assert_non_null(f->c->message);
    wire_send_frame(&f->peer, WIRE_CLOSE, "\x03\xE8", 2);
    turn(f);
    expect(f, "end 1000 the peer closed\n");
    assert_null(f->c->message);
    unmake(f);
}

static void a_reason_over_its_bound_is_cut(void **state)
{
    (void)state;
    fixture *f = make_open();
    static const char why[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
                              "01234567890123456789012345678901234567890123456789012abcdefgh";
    connection_close(f->c, CLOSE_REASON_FLOOD, why);
    turn(f);
    char payload[125] = "\x03\xF0";
    memcpy(payload + 2, why, 123);
    wire_expect_frame(&f->peer, WIRE_CLOSE, payload, 125);
    unmake(f);
}

static void the_owner_may_end_it_while_it_handles_a_message(void **state)
{
    (void)state;
    for (int is_drop = 0; is_drop < 2; is_drop++) {
        fixture *f = make_open();
        bytes *out = NULL;
        wire_add_text(&out, "echo");
        wire_add_text(&out, is_drop ? "drop" : "close");
        wire_add_text(&out, "never handled");
        wire_send_gathered(&f->peer, &out);
        turn(f);
        if (is_drop) {
            expect(f, "text echo\ntext drop\nend 1006 asked to\nfree\n");
        } else {
            expect(f, "text echo\ntext close\nend 1008 asked to\n");
            wire_expect_text(&f->peer, "echo");
            wire_expect_close(&f->peer, WS_CLOSE_POLICY);
        }
        wire_expect_end(&f->peer);
        unmake(f);
    }
}

static void it_ends_for_its_owner_once(void **state)
{
    (void)state;
    fixture *f = make_open();
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "first");
    expect(f, "end 1001 first\n");
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "second");
    turn(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "third");
    connection_drop(f->c, CLOSE_REASON_LOST, "fourth");
    connection_drop(f->c, CLOSE_REASON_LOST, "fifth");
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "sixth");
    expect(f, "");
    turn(f);
    expect_freed(f);
    wire_expect_close(&f->peer, 1001);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void a_drop_closes_at_once_and_frees_at_the_end_of_the_turn(void **state)
{
    (void)state;
    fixture *f = make_open();
    assert_true(send_back(f->c, true, SLICE_LITERAL("lost")));
    connection_drop(f->c, CLOSE_REASON_LOST, "asked to");
    expect(f, "end 1006 asked to\n");
    assert_int_equal(f->c->state, CONNECTION_CLOSED);
    assert_int_equal(f->loop.connections, 1);
    hear(f);
    wire_expect_end(&f->peer);
    turn(f);
    expect_freed(f);
    unmake(f);
}

static void waiting_output_is_flushed_before_the_end(void **state)
{
    (void)state;
    fixture *f = make_open();
    static char large[900 * 1024];
    assert_true(send_back(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    for (int turns = 0; f->c->state == CONNECTION_CLOSING; turns++) {
        assert_true(turns < 10000);
        turn(f);
        wire_read(&f->peer);
    }
    assert_int_equal(f->c->state, CONNECTION_LINGERING);
    hear(f);
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void who_has_said_all_still_gets_all(void **state)
{
    (void)state;
    fixture *f = make_open();
    static char large[900 * 1024];
    assert_true(send_back(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    turn(f);
    assert_int_equal(shutdown(f->peer.fd, SHUT_WR), 0);
    for (int turns = 0; f->c != NULL; turns++) {
        assert_true(turns < 10000);
        turn(f);
        wire_read(&f->peer);
    }
    hear(f);
    expect(f, "end 1001 the server stops\nfree\n"); /* at once: there is nothing to linger for */
    wire_expect_frame(&f->peer, WIRE_BINARY, large, sizeof(large));
    wire_expect_close(&f->peer, WS_CLOSE_GOING_AWAY);
    wire_expect_end(&f->peer);
    unmake(f);
}

static void a_peer_that_does_not_read_its_last_bytes_has_a_deadline(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.pong_timeout_ms = 20 * SHORT_MS; /* longer than the writing takes, also under Valgrind */
    open_with(f, SOCK_STREAM);
    static char large[900 * 1024];
    assert_true(send_back(f->c, false, (slice){large, sizeof(large)}));
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    turn(f);
    assert_int_equal(f->c->state, CONNECTION_CLOSING);
    while (f->c != NULL)
        turn_when_due(f);
    expect(f, "end 1001 over\nfree\n");
    unmake(f);
}

static void a_peer_that_keeps_tcp_open_has_a_deadline(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.close_timeout_ms = SHORT_MS;
    open_with(f, SOCK_STREAM);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "over");
    turn(f);
    wire_send_text(&f->peer, "I stay");
    assert_int_equal(f->c->state, CONNECTION_LINGERING);
    uint64_t lingers_ms = f->c->due_ms - SHORT_MS;
    while (f->c != NULL)
        turn_when_due(f);
    assert_true(net_loop_now_ms(&f->loop) - lingers_ms >= SHORT_MS);
    expect(f, "end 1001 over\nfree\n");
    unmake(f);
}

/* A pair of TCP sockets on loopback, since only TCP has resets. */
static int open_tcp(wire_peer *peer)
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

static void unread_input_does_not_destroy_the_last_bytes_on_their_way(void **state)
{
    (void)state;
    fixture *f = make();
    f->c = begin_with(f, open_tcp(&f->peer));
    wire_send(&f->peer, wire_request, strlen(wire_request));
    turn_when_due(f);
    expect(f, "handshake 101\n");
    wire_send_text(&f->peer, "close");
    turn_when_due(f);
    expect(f, "text close\nend 1008 asked to\n");
    static const char more[32 * 1024];
    for (int i = 0; i < 4; i++) {
        wire_send_frame(&f->peer, WIRE_BINARY, more, sizeof(more));
        turn_when_due(f);
    }
    /* This socket blocks, so each read waits for what must come: the answer, the close frame and the end. */
    while (!f->peer.has_ended)
        assert_true(wire_read_once(&f->peer) >= 0);
    size_t len = wire_expect_answer(&f->peer, "101");
    bytes_consume(&f->peer.in, len);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    wire_close(&f->peer);
    while (f->c != NULL)
        turn_when_due(f);
    expect_freed(f);
    unmake(f);
}

static void a_reset_ends_it(void **state)
{
    (void)state;
    fixture *f = make();
    f->c = begin_with(f, open_tcp(&f->peer));
    wire_send(&f->peer, wire_request, strlen(wire_request));
    turn_when_due(f);
    expect(f, "handshake 101\n");
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(f->peer.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    wire_close(&f->peer);
    while (f->c != NULL)
        turn_when_due(f);
    expect(f, "end 1006 the connection broke\nfree\n");
    unmake(f);
}

static void the_end_of_the_peer_is_its_end_in_every_state(void **state)
{
    (void)state;
    static const char *const says[] = {"", "GET /signal", NULL};
    for (size_t i = 0; i < 3; i++) {
        fixture *f = make();
        begin(f, SOCK_STREAM);
        if (says[i] == NULL)
            upgrade(f);
        else if (says[i][0] != '\0')
            wire_send(&f->peer, says[i], strlen(says[i]));
        wire_close(&f->peer);
        turn(f);
        turn(f);
        expect(f, "end 1006 the peer is gone\nfree\n");
        unmake(f);
    }
}

static void a_write_to_a_peer_that_is_gone_ends_it(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_close(&f->peer);
    tls_tunnel_close(&f->tunnel);
    assert_true(send_back(f->c, true, SLICE_LITERAL("anybody there?")));
    net_loop_end_turn(&f->loop);
    expect(f, "end 1006 the peer is gone\nfree\n");
    unmake(f);
}

static void every_connection_of_a_loop_can_be_closed_in_one_go(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    fixture *f = make();
    wire_peer peers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        begin_with(f, wire_open(&peers[i], SOCK_STREAM));
        if (i % 2 == 0)
            wire_send(&peers[i], wire_request, strlen(wire_request));
    }
    turn(f);
    journal_clear(&f->journal);
    net_loop_each(&f->loop, drop_one);
    assert_int_equal(f->loop.connections, COUNT);
    turn(f);
    assert_int_equal(f->loop.connections, 0);
    for (int i = 0; i < COUNT; i++)
        wire_close(&peers[i]);
    unmake(f);
}

/* ---- TLS by itself ---- */

static uint64_t count_of(const fixture *f, close_reason reason)
{
    return counter_get(&f->loop.counters.closes[reason][close_code_slot(WS_CLOSE_ABNORMAL)]);
}

static void expect_tls_counts(const fixture *f, uint64_t handshakes, uint64_t failures)
{
    assert_int_equal(counter_get(&f->loop.counters.tls_handshakes), handshakes);
    assert_int_equal(counter_get(&f->loop.counters.tls_failures), failures);
}

/* A connection whose peer has not begun its handshake, and won't before the first turn(). */
static fixture *begin_without_handshake(fixture *f)
{
    f->c = begin_with(f, tls_tunnel_open(&f->tunnel, &f->peer, SOCK_STREAM));
    return f;
}

static void a_handshake_of_tls_is_counted_and_the_upgrade_follows(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(make());
    wire_turn(&f->loop);
    expect_tls_counts(f, 0, 0);
    upgrade(f);
    expect_tls_counts(f, 1, 0);
    wire_close(&f->peer);
    turn(f);
    expect(f, "end 1006 the peer is gone\nfree\n");
    expect_tls_counts(f, 1, 0);
    unmake(f);
}

static void a_handshake_of_tls_that_does_not_begin_has_the_deadline_of_the_upgrade(void **state)
{
    (void)state;
    fixture *f = make();
    f->limits.handshake_timeout_ms = SHORT_MS;
    begin_without_handshake(f);
    wire_turn(&f->loop);
    while (f->c != NULL)
        assert_int_equal(net_loop_turn(&f->loop), 0);
    expect(f, "end 1006 no upgrade request in time\nfree\n");
    expect_tls_counts(f, 0, 1);
    assert_int_equal(count_of(f, CLOSE_REASON_HANDSHAKE_TIMEOUT), 1);
    unmake(f);
}

static void a_peer_that_speaks_no_tls_is_told_by_its_fault(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(make());
    wire_send(&(wire_peer){.fd = f->tunnel.far}, wire_request, strlen(wire_request));
    wire_turn(&f->loop);
    expect(f, "end 1006 http request\nfree\n");
    expect_tls_counts(f, 0, 1);
    assert_int_equal(count_of(f, CLOSE_REASON_TLS_FAULT), 1);
    unmake(f);
}

static void a_peer_that_goes_before_its_handshake_is_lost(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(make());
    tls_tunnel_close(&f->tunnel);
    wire_turn(&f->loop);
    expect(f, "end 1006 the connection broke\nfree\n");
    expect_tls_counts(f, 0, 1);
    assert_int_equal(count_of(f, CLOSE_REASON_LOST), 1);
    unmake(f);
}

static void a_damaged_record_is_a_fault_of_an_open_connection_too(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send(&(wire_peer){.fd = f->tunnel.far}, "\x17nonsense", 9); /* data, by its first byte */
    wire_turn(&f->loop);
    expect(f, "end 1006 wrong version number\nfree\n");
    expect_tls_counts(f, 1, 0);
    assert_int_equal(count_of(f, CLOSE_REASON_TLS_FAULT), 1);
    unmake(f);
}

static void a_refusal_waits_for_the_handshake(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(make());
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    expect(f, "end 1006 too many\n");
    wire_turn(&f->loop);
    wire_turn(&f->loop);
    assert_int_equal(f->c->state, CONNECTION_CLOSING);
    turn(f);
    hear(f);
    wire_expect_fault(&f->peer, "503");
    assert_true(f->tunnel.was_orderly);
    unmake(f);
}

static void a_refused_peer_that_goes_before_its_handshake_is_gone(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(make());
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    tls_tunnel_close(&f->tunnel);
    wire_turn(&f->loop);
    wire_turn(&f->loop);
    expect(f, "end 1006 too many\nfree\n");
    unmake(f);
}

static void the_end_is_a_close_frame_a_close_notify_and_the_end_of_tcp(void **state)
{
    (void)state;
    fixture *f = make_open();
    wire_send_text(&f->peer, "close");
    turn(f);
    expect(f, "text close\nend 1008 asked to\n");
    hear(f);
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    wire_expect_end(&f->peer);
    assert_true(f->tunnel.was_orderly);
    char byte;
    assert_int_equal(recv(f->tunnel.far, &byte, 1, 0), 0);

    /* What lingers costs no TLS any more, and reads on without understanding. */
    assert_int_equal(f->c->state, CONNECTION_LINGERING);
    assert_null(f->c->transport.extra);
    wire_send_text(&f->peer, "what?");
    turn(f);
    expect(f, "");
    wire_close(&f->peer);
    turn(f);
    expect_freed(f);
    unmake(f);
}

/* What a turn has no room for was read from the kernel before: only TLS knows of it. */
static void what_a_turn_leaves_in_tls_is_handled_in_the_next(void **state)
{
    (void)state;
    fixture *f = make_open();
    f->loop.scratch_size = 1000;
    static const char text[10 * 1000];
    wire_send_frame(&f->peer, WIRE_TEXT, text, sizeof(text));
    wire_send_text(&f->peer, "echo");
    tls_tunnel_carry(&f->tunnel);
    for (int turns = 0; turns < 10; turns++) {
        wire_turn(&f->loop);
        assert_int_equal(f->c->messages_in, 0); /* a turn takes its share and no more */
    }
    wire_turn(&f->loop);
    expect(f, "text of 10000\ntext echo\n");
    check_is_idle(f->c);
    unmake(f);
}

static void many_small_records_are_handled_in_one_turn_and_answered_by_one_record(void **state)
{
    (void)state;
    fixture *f = open_with(make(), SOCK_SEQPACKET);
    for (int i = 0; i < 20; i++)
        wire_send_text(&f->peer, "echo"); /* a packet of its own each, and so a record */
    tls_tunnel_carry(&f->tunnel);
    wire_turn(&f->loop);
    assert_int_equal(f->c->messages_in, 20);
    tls_tunnel_carry(&f->tunnel);
    assert_int_equal(wire_read_once(&f->peer), 20 * 6);
    unmake(f);
}

static void a_hand_over_takes_along_what_tls_holds(void **state)
{
    (void)state;
    fixture *f = make_open();
    enum { MESSAGES = 30, LEN = 5000 };
    char text[LEN];
    memset(text, 'x', sizeof(text));
    wire_send_text(&f->peer, "over");
    for (int i = 0; i < MESSAGES; i++)
        wire_send_frame(&f->peer, WIRE_TEXT, text, sizeof(text));
    tls_tunnel_carry(&f->tunnel);
    wire_turn(&f->loop);
    expect(f, "text over\nhand over\n");
    attach(f, &f->other);
    turn_other(f);
    wire_send_text(&f->peer, "echo");
    turn_other(f);
    turn_other(f);
    assert_int_equal(f->c->messages_in, 1 + MESSAGES + 1);
    wire_expect_text(&f->peer, "echo");
    check_is_idle(f->c);
    unmake(f);
}

static void unread_records_do_not_destroy_the_last_bytes_on_their_way(void **state)
{
    (void)state;
    fixture *f = make();
    wire_peer tcp;
    int fd = open_tcp(&tcp);
    assert_int_equal(fcntl(tcp.fd, F_SETFL, O_NONBLOCK), 0);
    tls_tunnel_start(&f->tunnel, &f->peer, SOCK_STREAM, tcp.fd);
    f->c = begin_with(f, fd);
    wire_send(&f->peer, wire_request, strlen(wire_request));
    while (!connection_is_open(f->c))
        turn(f);
    wire_send_text(&f->peer, "close");
    while (connection_is_open(f->c))
        turn(f);
    static const char more[32 * 1024];
    for (int i = 0; i < 4; i++)
        wire_send_frame(&f->peer, WIRE_BINARY, more, sizeof(more));
    while (!f->peer.has_ended) {
        turn(f);
        wire_read(&f->peer);
    }
    assert_true(f->tunnel.was_orderly);
    bytes_consume(&f->peer.in, wire_expect_answer(&f->peer, "101"));
    wire_expect_close(&f->peer, WS_CLOSE_POLICY);
    unmake(f);
}

static void be_silent(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_request_is_answered_and_the_connection_opens),
    cmocka_unit_test(a_request_may_come_in_two_parts_cut_anywhere),
    cmocka_unit_test(a_request_may_come_byte_by_byte),
    cmocka_unit_test(frames_right_behind_the_request_are_handled_and_answered_by_one_write),
    cmocka_unit_test(a_bad_request_gets_its_fault_and_the_end),
    cmocka_unit_test(a_request_head_over_its_limit_is_refused),
    cmocka_unit_test(a_connection_can_be_refused_before_it_has_said_anything),
    cmocka_unit_test(closing_before_the_upgrade_is_a_503),
    cmocka_unit_test(a_request_that_does_not_come_in_time_is_dropped),
    cmocka_unit_test(a_descriptor_that_can_not_be_watched_is_closed_and_nothing_is_told),
    cmocka_unit_test(messages_of_both_kinds_are_delivered_in_order),
    cmocka_unit_test(a_conversation_may_be_cut_anywhere),
    cmocka_unit_test(a_conversation_may_come_byte_by_byte),
    cmocka_unit_test(a_part_of_a_frame_is_kept_only_until_the_rest_has_come),
    cmocka_unit_test(the_largest_message_is_taken_and_one_byte_more_is_not),
    cmocka_unit_test(what_came_before_a_fault_is_answered_before_the_close),
    cmocka_unit_test(text_that_is_not_utf_8_fails_at_the_offending_byte),
    cmocka_unit_test(a_peer_that_floods_is_closed),
    cmocka_unit_test(a_frame_counts_once_in_however_many_parts_it_comes),
    cmocka_unit_test(an_answer_that_was_asked_for_is_no_flood),
    cmocka_unit_test(a_close_is_echoed_even_to_a_peer_without_tokens),
    cmocka_unit_test(a_held_connection_keeps_its_input_and_the_order),
    cmocka_unit_test(a_hold_may_fall_anywhere_into_the_input),
    cmocka_unit_test(a_held_message_in_parts_is_delivered_once),
    cmocka_unit_test(the_end_of_a_held_peer_is_noticed),
    cmocka_unit_test(a_held_connection_can_be_written_to_and_closed),
    cmocka_unit_test(a_resume_of_what_is_not_held_changes_nothing),
    cmocka_unit_test(a_held_peer_that_goes_on_is_held_back_by_its_socket),
    cmocka_unit_test(a_connection_held_again_and_again_does_not_keep_more_and_more),
    cmocka_unit_test(a_hand_over_keeps_the_message_and_every_byte_behind_it),
    cmocka_unit_test(what_comes_between_the_arrival_and_the_end_of_its_turn_keeps_its_place),
    cmocka_unit_test(an_empty_message_and_one_in_parts_can_be_handed_over),
    cmocka_unit_test(a_message_that_was_handed_over_may_hold_or_close),
    cmocka_unit_test(a_message_that_is_handed_on_again_keeps_what_is_behind_it),
    cmocka_unit_test(a_connection_can_be_handed_back_and_forth),
    cmocka_unit_test(waiting_output_moves_along_in_order),
    cmocka_unit_test(a_connection_adrift_can_be_abandoned),
    cmocka_unit_test(an_end_before_the_hand_over_comes_first),
    cmocka_unit_test(one_that_arrives_can_be_closed_at_once_without_handling_its_message),
    cmocka_unit_test(everything_of_a_turn_goes_out_by_one_write),
    cmocka_unit_test(the_parts_of_a_message_are_joined),
    cmocka_unit_test(a_message_of_each_length_has_its_shortest_header),
    cmocka_unit_test(what_the_socket_does_not_take_waits_and_follows_in_order),
    cmocka_unit_test(a_peer_that_does_not_read_is_dropped_at_the_end_of_the_turn),
    cmocka_unit_test(a_doomed_connection_handles_no_message_more),
    cmocka_unit_test(a_doom_comes_before_a_hand_over_and_before_a_resume),
    cmocka_unit_test(a_close_of_a_doomed_connection_is_a_close),
    cmocka_unit_test(more_than_may_wait_can_be_sent_in_a_turn_to_a_peer_that_has_room),
    cmocka_unit_test(nothing_can_be_sent_to_one_that_is_ending),
    cmocka_unit_test(a_ping_is_answered_with_its_own_payload),
    cmocka_unit_test(an_idle_connection_is_pinged_and_lives_while_it_answers),
    cmocka_unit_test(half_a_frame_is_a_sign_of_life),
    cmocka_unit_test(a_silent_peer_is_dropped_after_its_time),
    cmocka_unit_test(without_pings_an_idle_connection_needs_no_timer),
    cmocka_unit_test(a_ping_out_of_turn_leaves_the_deadlines_alone),
    cmocka_unit_test(a_close_is_answered_with_its_code_and_the_end),
    cmocka_unit_test(what_comes_behind_a_close_is_thrown_away),
    cmocka_unit_test(a_close_in_the_middle_of_a_message_forgets_it),
    cmocka_unit_test(a_reason_over_its_bound_is_cut),
    cmocka_unit_test(the_owner_may_end_it_while_it_handles_a_message),
    cmocka_unit_test(it_ends_for_its_owner_once),
    cmocka_unit_test(a_drop_closes_at_once_and_frees_at_the_end_of_the_turn),
    cmocka_unit_test(waiting_output_is_flushed_before_the_end),
    cmocka_unit_test(a_peer_that_does_not_read_its_last_bytes_has_a_deadline),
    cmocka_unit_test(who_has_said_all_still_gets_all),
    cmocka_unit_test(a_peer_that_keeps_tcp_open_has_a_deadline),
    cmocka_unit_test(the_end_of_the_peer_is_its_end_in_every_state),
    cmocka_unit_test(a_write_to_a_peer_that_is_gone_ends_it),
};

/* Those whose peers have sockets of their own, without a tunnel. */
static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(a_stall_of_the_thread_drops_nobody_who_has_answered),
    cmocka_unit_test(unread_input_does_not_destroy_the_last_bytes_on_their_way),
    cmocka_unit_test(a_reset_ends_it),
    cmocka_unit_test(every_connection_of_a_loop_can_be_closed_in_one_go),
};

static const struct CMUnitTest tls_tests[] = {
    cmocka_unit_test(a_handshake_of_tls_is_counted_and_the_upgrade_follows),
    cmocka_unit_test(a_handshake_of_tls_that_does_not_begin_has_the_deadline_of_the_upgrade),
    cmocka_unit_test(a_peer_that_speaks_no_tls_is_told_by_its_fault),
    cmocka_unit_test(a_peer_that_goes_before_its_handshake_is_lost),
    cmocka_unit_test(a_damaged_record_is_a_fault_of_an_open_connection_too),
    cmocka_unit_test(a_refusal_waits_for_the_handshake),
    cmocka_unit_test(a_refused_peer_that_goes_before_its_handshake_is_gone),
    cmocka_unit_test(the_end_is_a_close_frame_a_close_notify_and_the_end_of_tcp),
    cmocka_unit_test(what_a_turn_leaves_in_tls_is_handled_in_the_next),
    cmocka_unit_test(many_small_records_are_handled_in_one_turn_and_answered_by_one_record),
    cmocka_unit_test(a_hand_over_takes_along_what_tls_holds),
    cmocka_unit_test(unread_records_do_not_destroy_the_last_bytes_on_their_way),
};

int main(void)
{
    event_set_log_callback(be_silent); /* a refused wait is what one of the tests is about */
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("plain, with sockets of their own", plain_tests, NULL, NULL);

    signal(SIGPIPE, SIG_IGN); /* for the client in the tunnel */
    through_tls = tls_files_new_context();
    failed += cmocka_run_group_tests_name("through TLS", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("TLS by itself", tls_tests, NULL, NULL);
    tls_context_free(through_tls);
    return failed;
}
