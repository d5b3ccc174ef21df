/* The client connection against a server whose every byte the test says: both ends live in one loop that the
 * test turns itself. At the end it meets our real server. */
#include "wire/ws_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/journal.h"
#include "support/server.h"

#include "base/bytes.h"
#include "websocket/frame.h"
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 20, MAX_MESSAGE = 4 * 1024 * 1024, FIN = 0x80 };

typedef struct fixture fixture;

/* A client, and what it does when it is told something. */
typedef struct party {
    ws_client client; /* first */
    fixture *f;
    void (*on_text)(ws_client *c); /* NULL = it only notes it */
    void (*on_end)(ws_client *c);
    const char *target; /* NULL = the path of the URL */
} party;

struct fixture {
    struct event_base *base;
    struct event *deadline;
    bool is_late;
    load_server server;
    ws_client_loop loop;
    party anna, bert; /* bert is there for the real server only */
    journal told;     /* what anna and bert were told, a line each */

    int listener;
    uint16_t port;
    struct event *accepts;
    int peer; /* the server's end of the last connection; -1 = none */
    struct event *reads;
    unsigned read_count;
    struct sockaddr_in peer_address;
    bool is_upgraded;
    int peer_error; /* of its last read: 0 = the end of TCP came in order; -1 = none came */
    bytes *in;      /* what came and is not a whole frame yet */
    bytes *message; /* parts of a message */
    ws_decoder decoder;
    journal got; /* what the client has sent, a line each */
};

/* ---- What the client is told ---- */

static void note_payload(journal *j, const char *what, const void *data, size_t len)
{
    if (len <= 200)
        journal_note(j, "%s:%.*s\n", what, (int)len, len > 0 ? (const char *)data : "");
    else
        journal_note(j, "%s:%zu bytes of %c\n", what, len, *(const char *)data);
}

static void on_open(ws_client *c)
{
    journal_note(&((party *)c)->f->told, "open\n");
}

static void on_text(ws_client *c, slice text)
{
    party *p = (party *)c;
    note_payload(&p->f->told, "text", text.data, text.len);
    if (p->on_text != NULL)
        p->on_text(c);
}

static void on_pong(ws_client *c)
{
    journal_note(&((party *)c)->f->told, "pong\n");
}

static void on_end(ws_client *c, uint16_t code, const char *why)
{
    party *p = (party *)c;
    assert_int_equal(c->state, WS_CLIENT_ENDED);
    journal_note(&p->f->told, "end:%u %s\n", code, why);
    if (p->on_end != NULL)
        p->on_end(c);
}

static void write_request_target(const ws_client *c, char out[WS_CLIENT_MAX_TARGET])
{
    const party *p = (const party *)c;
    snprintf(out, WS_CLIENT_MAX_TARGET, "%s", p->target != NULL ? p->target : c->server->at.path);
}

static const ws_client_events events = {
    .write_request_target = write_request_target,
    .on_open = on_open,
    .on_text = on_text,
    .on_pong = on_pong,
    .on_end = on_end,
};

/* ---- The server's end ---- */

static void take_frame(fixture *f, const ws_event *event)
{
    switch (event->type) {
    case WS_EVENT_NONE:
        break;
    case WS_EVENT_DATA:
        assert_true(event->is_text);
        if (event->len > 0)
            assert_int_equal(bytes_append(&f->message, event->data, event->len), 0);
        if (event->is_last) {
            note_payload(&f->got, "text", f->message != NULL ? bytes_head(f->message) : NULL,
                         bytes_len(f->message));
            bytes_clear(&f->message);
        }
        break;
    case WS_EVENT_PING:
        note_payload(&f->got, "ping", event->data, event->len);
        break;
    case WS_EVENT_PONG:
        note_payload(&f->got, "pong", event->data, event->len);
        break;
    case WS_EVENT_CLOSE:
        journal_note(&f->got, "close:%u\n", event->code);
        break;
    case WS_EVENT_FAULT:
        fail_msg("the client broke a rule: %s", event->reason);
    }
}

static void take_frames(fixture *f)
{
    ws_event event = {.type = WS_EVENT_DATA};
    while (f->in != NULL && event.type != WS_EVENT_NONE) {
        size_t used = ws_decoder_next(&f->decoder, MAX_MESSAGE, bytes_head(f->in), bytes_len(f->in), &event);
        take_frame(f, &event);
        bytes_consume(&f->in, used);
    }
}

static void on_peer_input(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    fixture *f = arg;
    static uint8_t buffer[256 * 1024];
    ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        f->peer_error = got == 0 ? 0 : errno;
        event_del(f->reads);
        return;
    }
    f->read_count++;
    assert_int_equal(bytes_append(&f->in, buffer, (size_t)got), 0);
    if (f->is_upgraded)
        take_frames(f);
}

static void close_peer(fixture *f)
{
    if (f->peer < 0)
        return;
    event_free(f->reads);
    close(f->peer);
    f->peer = -1;
    bytes_clear(&f->in);
    bytes_clear(&f->message);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    fixture *f = arg;
    close_peer(f);
    socklen_t len = sizeof(f->peer_address);
    f->peer = accept4(fd, (struct sockaddr *)&f->peer_address, &len, SOCK_CLOEXEC);
    assert_true(f->peer >= 0);
    f->peer_error = -1;
    f->is_upgraded = false;
    f->read_count = 0;
    f->decoder = (ws_decoder){0};
    f->reads = event_new(f->base, f->peer, EV_READ | EV_PERSIST, on_peer_input, f);
    assert_int_equal(event_add(f->reads, NULL), 0);
}

/* ---- The fixture ---- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ((fixture *)arg)->is_late = true;
}

static void listen_somewhere(fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(f->listener >= 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    f->port = ntohs(address.sin_port);
    f->accepts = event_new(f->base, f->listener, EV_READ | EV_PERSIST, on_accept, f);
    assert_int_equal(event_add(f->accepts, NULL), 0);
}

static void stop_listening(fixture *f)
{
    if (f->listener < 0)
        return;
    event_free(f->accepts);
    close(f->listener);
    f->listener = -1;
}

static void aim_at(fixture *f, uint16_t port)
{
    char url[64];
    const char *why;
    snprintf(url, sizeof(url), "ws://127.0.0.1:%u/signal", port);
    assert_int_equal(target_parse(url, &f->server.at, &why), 0);
    assert_int_equal(opening_init(&f->server.opening, f->server.at.authority), 0);
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    *state = f;
    f->peer = -1;
    f->base = event_base_new();
    f->deadline = evtimer_new(f->base, on_deadline, f);
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    assert_int_equal(evtimer_add(f->deadline, &patience), 0);
    listen_somewhere(f);
    aim_at(f, f->port);
    f->loop = (ws_client_loop){.base = f->base, .random = 1};
    assert_int_equal(ws_client_loop_init(&f->loop), 0);
    ws_client_init(&f->anna.client, &f->loop, &events);
    ws_client_init(&f->bert.client, &f->loop, &events);
    f->anna.client.server = f->bert.client.server = &f->server;
    f->anna.f = f->bert.f = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    ws_client_drop(&f->anna.client);
    ws_client_drop(&f->bert.client);
    assert_int_equal(f->loop.alive, 0);
    assert_int_equal(f->loop.open, 0);
    ws_client_loop_deinit(&f->loop);
    close_peer(f);
    stop_listening(f);
    event_free(f->deadline);
    event_base_free(f->base);
    free(f);
    return 0;
}

/* ---- Turning ---- */

static void turn(fixture *f, int flags)
{
    f->loop.now_ns = ws_client_clock_ns();
    ws_client_loop_flush(&f->loop);
    assert_true(event_base_loop(f->base, EVLOOP_ONCE | flags) >= 0);
    ws_client_loop_flush(&f->loop);
    if (f->is_late)
        fail_msg("nothing more comes; the client was told:\n%sand the server got:\n%s", f->told.text,
                 f->got.text);
}

#define AWAIT(f, condition)  \
    do {                     \
        while (!(condition)) \
            turn((f), 0);    \
    } while (0)

/* So much must be told, and then be this. */
static void expect_told(fixture *f, const char *expected)
{
    AWAIT(f, f->told.len >= strlen(expected));
    journal_expect(&f->told, expected);
}

static void expect_got(fixture *f, const char *expected)
{
    AWAIT(f, f->got.len >= strlen(expected));
    journal_expect(&f->got, expected);
}

/* The client has read everything that was sent so far. */
static void let_client_read(fixture *f)
{
    int unread;
    do {
        turn(f, EVLOOP_NONBLOCK);
        unread = 0;
        if (f->anna.client.state != WS_CLIENT_ENDED)
            assert_int_equal(ioctl(f->anna.client.fd, FIONREAD, &unread), 0);
    } while (unread > 0);
}

/* ---- What the server says ---- */

static void say(fixture *f, const void *data, size_t len)
{
    assert_int_equal(send(f->peer, data, len, MSG_NOSIGNAL), len);
}

static size_t make_frame(uint8_t *out, int first, const char *payload, size_t len)
{
    size_t header_len = ws_frame_header(out, WS_OPCODE_TEXT, len);
    out[0] = (uint8_t)first;
    memcpy(out + header_len, payload, len);
    return header_len + len;
}

static void say_frame(fixture *f, int first, const char *payload)
{
    uint8_t frame[512];
    assert_true(strlen(payload) < sizeof(frame) - WS_MAX_SERVER_HEADER);
    say(f, frame, make_frame(frame, first, payload, strlen(payload)));
}

static bool has_request(fixture *f)
{
    return f->peer >= 0 && f->in != NULL &&
           memmem(bytes_head(f->in), bytes_len(f->in), "\r\n\r\n", 4) != NULL;
}

/* Take the request, and write its answer. */
static size_t make_answer(fixture *f, char out[WS_HANDSHAKE_MAX_ANSWER])
{
    AWAIT(f, has_request(f));
    const ws_handshake_rules rules = {.max_head_bytes = 8192};
    ws_handshake handshake;
    assert_true(ws_handshake_parse(&rules, (const char *)bytes_head(f->in), bytes_len(f->in), &handshake));
    assert_int_equal(handshake.status, 101);
    size_t len = ws_handshake_answer(out, 101, handshake.key, NULL);
    assert_int_equal(handshake.head_len, bytes_len(f->in)); /* nothing is sent before the answer */
    bytes_clear(&f->in);
    f->is_upgraded = true;
    return len;
}

static void welcome(fixture *f)
{
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    say(f, answer, make_answer(f, answer));
}

static void open_client(fixture *f)
{
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    welcome(f);
    expect_told(f, "open\n");
    f->read_count = 0;
}

static void end_tcp(fixture *f)
{
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
}

static void reset_tcp(fixture *f)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close_peer(f);
}

static void expect_peer_end(fixture *f, int error)
{
    AWAIT(f, f->peer_error >= 0);
    assert_int_equal(f->peer_error, error);
}

/* ---- Opening ---- */

static void it_opens_when_the_answer_is_whole_and_not_before(void **state)
{
    fixture *f = *state;
    ws_client *c = &f->anna.client;
    assert_int_equal(ws_client_connect(c), 0);
    assert_int_equal(c->state, WS_CLIENT_CONNECTING);
    assert_int_equal(f->loop.alive, 1);
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    size_t len = make_answer(f, answer);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(c->state, WS_CLIENT_UPGRADING);
        assert_int_equal(f->loop.open, 0);
        say(f, answer + i, 1);
        if (i + 1 < len)
            let_client_read(f);
    }
    expect_told(f, "open\n");
    assert_int_equal(c->state, WS_CLIENT_OPEN);
    assert_int_equal(f->loop.open, 1);
    assert_null(c->unread); /* an idle one has no buffer */
    assert_null(c->output);
}

static void the_owner_chooses_the_request_target(void **state)
{
    fixture *f = *state;
    f->anna.target = "/peerjs?id=anna";
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    AWAIT(f, has_request(f));
    assert_memory_equal(bytes_head(f->in), "GET /peerjs?id=anna HTTP/1.1\r\n", 30);
}

static void a_refused_connection_is_told(void **state)
{
    fixture *f = *state;
    stop_listening(f);
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    expect_told(f, "end:0 Connection refused\n");
    assert_int_equal(f->loop.alive, 0);
}

static void an_answer_that_refuses_is_told_with_its_line(void **state)
{
    fixture *f = *state;
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    make_answer(f, answer);
    say(f, answer, ws_handshake_answer(answer, 503, (slice){NULL, 0}, NULL));
    expect_told(f, "end:0 the server did not upgrade: HTTP/1.1 503 Service Unavailable\n");
    AWAIT(f, f->peer_error >= 0); /* its descriptor is closed */
}

static void an_end_before_the_answer_is_told(void **state)
{
    fixture *f = *state;
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    size_t len = make_answer(f, answer);
    say(f, answer, len - 1);
    end_tcp(f);
    expect_told(f, "end:0 the server ended TCP\n");
}

static void closing_before_it_is_open_ends_it_at_once(void **state)
{
    fixture *f = *state;
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    ws_client_close(&f->anna.client, 1000);
    journal_expect(&f->told, "end:0 closed before it was open\n");
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    AWAIT(f, has_request(f));
    ws_client_close(&f->anna.client, 1000);
    journal_expect(&f->told, "end:0 closed before it was open\n");
    ws_client_close(&f->anna.client, 1000); /* nothing happens to one that is over */
    journal_expect(&f->told, "");
}

static void clients_take_their_source_addresses_in_turn(void **state)
{
    fixture *f = *state;
    f->loop.sources = 3;
    for (uint32_t i = 0; i < 7; i++) {
        open_client(f);
        assert_int_equal(ntohl(f->peer_address.sin_addr.s_addr), INADDR_LOOPBACK + i % 3);
        ws_client_drop(&f->anna.client);
    }
}

/* ---- Reading ---- */

/* The answer and everything behind it may be cut anywhere. */
static void what_the_server_says_may_be_cut_at_every_byte(void **state)
{
    fixture *f = *state;
    for (size_t cut = 0;; cut++) {
        assert_int_equal(ws_client_connect(&f->anna.client), 0);
        char answer[WS_HANDSHAKE_MAX_ANSWER];
        size_t len = make_answer(f, answer);
        uint8_t stream[1024];
        memcpy(stream, answer, len);
        len += make_frame(stream + len, FIN | WS_OPCODE_TEXT, "one", 3);
        len += make_frame(stream + len, WS_OPCODE_TEXT, "two \xE2\x82", 6);
        len += make_frame(stream + len, FIN | WS_OPCODE_PING, "p", 1);
        len += make_frame(stream + len, FIN | WS_OPCODE_CONTINUATION, "\xAC!", 2);
        len += make_frame(stream + len, FIN | WS_OPCODE_PONG, "", 0);
        len += make_frame(stream + len, FIN | WS_OPCODE_TEXT, "", 0);
        len += make_frame(stream + len, FIN | WS_OPCODE_CLOSE, "\x03\xE9", 2);
        if (cut > len)
            break;
        if (cut > 0)
            say(f, stream, cut);
        let_client_read(f);
        if (cut < len)
            say(f, stream + cut, len - cut);
        expect_got(f, "pong:p\nclose:1001\n");
        end_tcp(f);
        expect_told(f,
                    "open\ntext:one\ntext:two \xE2\x82\xAC!\npong\ntext:\nend:1001 the server ended TCP\n");
    }
}

static void frames_come_byte_by_byte_as_well(void **state)
{
    fixture *f = *state;
    open_client(f);
    uint8_t stream[512];
    char payload[200];
    memset(payload, 'x', sizeof(payload));
    size_t len = make_frame(stream, WS_OPCODE_TEXT, "a", 1);
    len += make_frame(stream + len, WS_OPCODE_CONTINUATION, payload, sizeof(payload));
    len += make_frame(stream + len, FIN | WS_OPCODE_CONTINUATION, "", 0);
    len += make_frame(stream + len, FIN | WS_OPCODE_TEXT, payload, 150);
    for (size_t i = 0; i < len; i++) {
        say(f, stream + i, 1);
        let_client_read(f);
    }
    char expected[256];
    snprintf(expected, sizeof(expected), "text:201 bytes of a\ntext:%.150s\n", payload);
    expect_told(f, expected);
    assert_null(f->anna.client.unread);
    assert_null(f->anna.client.message);
}

static void a_large_message_is_put_together(void **state)
{
    fixture *f = *state;
    open_client(f);
    enum { LARGE = 1024 * 1024, BLOCK = 64 * 1024 };
    uint8_t *frame = malloc(WS_MAX_SERVER_HEADER + LARGE);
    assert_non_null(frame);
    size_t len = ws_frame_header(frame, WS_OPCODE_TEXT, LARGE);
    memset(frame + len, 'L', LARGE);
    len += LARGE;
    for (size_t at = 0; at < len; at += BLOCK) { /* the socket holds that much, and the client empties it */
        say(f, frame + at, len - at < BLOCK ? len - at : BLOCK);
        let_client_read(f);
    }
    expect_told(f, "text:1048576 bytes of L\n");
    free(frame);
}

static void a_broken_rule_ends_it_and_is_named(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *told;
    } cases[] = {
        {"\x81\x85", 2, "end:1006 frame with a mask\n"},
        {"\xC1", 1, "end:1006 reserved bit without an extension\n"},
        {"\x83", 1, "end:1006 reserved opcode\n"},
        {"\x82\x01x", 3, "end:1006 a binary message came\n"},
        {"\x81\x01\xFF", 3, "end:1006 text is not UTF-8\n"},
        {"\x81\x7F\0\0\0\0\x01\0\0\x01", 10, "end:1006 message too big\n"}, /* one over 16 MiB */
        {"\x88\x02\x03\xED", 4, "end:1006 close code that must not be sent\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_client(f);
        say(f, cases[i].bytes, cases[i].len);
        expect_told(f, cases[i].told);
        AWAIT(f, f->peer_error >= 0);
    }
}

/* ---- Sending ---- */

static void what_it_sends_arrives_masked_in_one_frame(void **state)
{
    fixture *f = *state;
    open_client(f);
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    char *text = malloc(65536);
    assert_non_null(text);
    memset(text, 'x', 65536);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_true(ws_client_send(&f->anna.client, text, lengths[i]));
        char expected[256];
        if (lengths[i] <= 200)
            snprintf(expected, sizeof(expected), "text:%.*s\n", (int)lengths[i], text);
        else
            snprintf(expected, sizeof(expected), "text:%zu bytes of x\n", lengths[i]);
        expect_got(f, expected);
    }
    free(text);
}

static void what_gathers_in_a_turn_leaves_together_and_in_order(void **state)
{
    fixture *f = *state;
    open_client(f);
    ws_client *c = &f->anna.client;
    assert_true(ws_client_send(c, "one", 3));
    assert_true(ws_client_ping(c));
    assert_true(ws_client_send(c, "two", 3));
    ws_client_close(c, 4000);
    expect_got(f, "text:one\nping:\ntext:two\nclose:4000\n");
    assert_int_equal(f->read_count, 1);
}

static void flushing_sends_at_once(void **state)
{
    fixture *f = *state;
    open_client(f);
    ws_client *c = &f->anna.client;
    assert_true(ws_client_send(c, "now", 3));
    ws_client_flush(c);
    assert_null(c->output);
    ws_client_flush(c); /* there is nothing left */
    expect_got(f, "text:now\n");
}

/* No socket takes so much at once: the rest waits for room. */
static void what_the_socket_does_not_take_follows_later(void **state)
{
    fixture *f = *state;
    open_client(f);
    enum { LARGE = MAX_MESSAGE };
    char *text = malloc(LARGE);
    assert_non_null(text);
    memset(text, 'x', LARGE);
    ws_client *c = &f->anna.client;
    event_del(f->reads); /* the server does not read */
    for (int i = 0; i < 3; i++)
        assert_true(ws_client_send(c, text, LARGE));
    ws_client_flush(c);
    assert_non_null(c->output);
    assert_non_null(c->writable);
    assert_true(ws_client_send(c, "last", 4)); /* behind them */
    event_add(f->reads, NULL);
    expect_got(f, "text:4194304 bytes of x\ntext:4194304 bytes of x\ntext:4194304 bytes of x\ntext:last\n");
    AWAIT(f, c->output == NULL && c->writable == NULL);
    free(text);
}

static void masks_differ_from_frame_to_frame(void **state)
{
    fixture *f = *state;
    open_client(f);
    f->is_upgraded = false; /* the bytes as they come */
    ws_client_ping(&f->anna.client);
    ws_client_ping(&f->anna.client);
    AWAIT(f, bytes_len(f->in) == 12);
    const uint8_t *frames = bytes_head(f->in);
    assert_memory_equal(frames, "\x89\x80", 2);
    assert_memory_equal(frames + 6, "\x89\x80", 2);
    assert_memory_not_equal(frames + 2, frames + 8, WS_MASK_LEN);
}

/* ---- Pings ---- */

static void pings_are_answered_with_their_payload(void **state)
{
    fixture *f = *state;
    open_client(f);
    char largest[WS_MAX_CONTROL_PAYLOAD + 1];
    memset(largest, 'p', WS_MAX_CONTROL_PAYLOAD);
    largest[WS_MAX_CONTROL_PAYLOAD] = '\0';
    say_frame(f, FIN | WS_OPCODE_PING, "");
    say_frame(f, FIN | WS_OPCODE_PING, largest);
    char expected[256];
    snprintf(expected, sizeof(expected), "pong:\npong:%s\n", largest);
    expect_got(f, expected);
    journal_expect(&f->told, "");
}

static void a_ping_of_its_own_is_answered_by_a_pong(void **state)
{
    fixture *f = *state;
    open_client(f);
    assert_true(ws_client_ping(&f->anna.client));
    expect_got(f, "ping:\n");
    say_frame(f, FIN | WS_OPCODE_PONG, "");
    expect_told(f, "pong\n");
}

/* ---- The end ---- */

static void it_closes_in_order(void **state)
{
    fixture *f = *state;
    open_client(f);
    ws_client *c = &f->anna.client;
    ws_client_close(c, 1000);
    ws_client_close(c, 1001); /* it is closing already */
    expect_got(f, "close:1000\n");
    assert_int_equal(c->state, WS_CLIENT_CLOSING);

    say_frame(f, FIN | WS_OPCODE_TEXT, "on its way before"); /* still told, and the ping not answered */
    say_frame(f, FIN | WS_OPCODE_PING, "late");
    say_frame(f, FIN | WS_OPCODE_CLOSE, "\x03\xE8");
    let_client_read(f);
    journal_expect(&f->told, "text:on its way before\n");
    assert_int_equal(f->loop.alive, 1); /* the end of TCP is the server's to begin */
    end_tcp(f);
    expect_told(f, "end:1000 the server ended TCP\n");
    expect_peer_end(f, 0);
    journal_expect(&f->got, "");
}

static void a_server_that_closes_is_answered_with_its_code(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *payload;
        const char *got;
        const char *told;
    } cases[] = {
        {"\x03\xE9", "close:1001\n", "end:1001 the server ended TCP\n"},
        {"\x0F\xA1taken", "close:4001\n", "end:4001 the server ended TCP\n"},
        {"", "close:1000\n", "end:1005 the server ended TCP\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_client(f);
        say_frame(f, FIN | WS_OPCODE_CLOSE, cases[i].payload);
        expect_got(f, cases[i].got);
        assert_int_equal(f->anna.client.state, WS_CLIENT_CLOSING);
        end_tcp(f);
        expect_told(f, cases[i].told);
    }
}

static void an_end_without_a_close_frame_is_1006(void **state)
{
    fixture *f = *state;
    open_client(f);
    end_tcp(f);
    expect_told(f, "end:1006 the server ended TCP\n");
    open_client(f);
    reset_tcp(f);
    expect_told(f, "end:1006 Connection reset by peer\n");
    open_client(f);
    ws_client_close(&f->anna.client, 1000);
    expect_got(f, "close:1000\n");
    end_tcp(f);
    expect_told(f, "end:1006 the server ended TCP\n");
}

static void a_drop_is_a_reset_and_is_not_told(void **state)
{
    fixture *f = *state;
    open_client(f);
    assert_true(ws_client_send(&f->anna.client, "never sent", 10));
    ws_client_drop(&f->anna.client);
    ws_client_drop(&f->anna.client); /* twice is legal */
    assert_int_equal(f->loop.alive, 0);
    assert_int_equal(f->loop.open, 0);
    expect_peer_end(f, ECONNRESET);
    journal_expect(&f->told, "");
    journal_expect(&f->got, "");
}

/* ---- Halting ---- */

/* ---- What its owner does in callbacks ---- */

static void connect_again(ws_client *c)
{
    ((party *)c)->on_end = NULL; /* once */
    assert_int_equal(ws_client_connect(c), 0);
}

static void drop_it(ws_client *c)
{
    ws_client_drop(c);
}

static void close_it(ws_client *c)
{
    ws_client_close(c, 1000);
}

static void drop_and_connect_again(ws_client *c)
{
    ((party *)c)->on_text = NULL;
    ws_client_drop(c);
    assert_int_equal(ws_client_connect(c), 0);
}

static void it_may_connect_again_when_it_is_told_of_the_end(void **state)
{
    fixture *f = *state;
    f->anna.on_end = connect_again;
    open_client(f);
    say(f,
        "\x81\x01"
        "a"
        "\x83\x81\x01"
        "b",
        7); /* what stands behind the fault is of the old one */
    expect_told(f, "text:a\nend:1006 reserved opcode\n");
    assert_int_equal(f->anna.client.lives, 2);
    welcome(f);
    expect_told(f, "open\n");
    say_frame(f, FIN | WS_OPCODE_TEXT, "c");
    expect_told(f, "text:c\n");
}

static void it_may_connect_again_when_it_was_refused(void **state)
{
    fixture *f = *state;
    stop_listening(f);
    f->anna.on_end = connect_again;
    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    expect_told(f, "end:0 Connection refused\nend:0 Connection refused\n");
    assert_int_equal(f->anna.client.lives, 2);
    assert_int_equal(f->loop.alive, 0);
}

static void after_a_drop_nothing_more_is_told(void **state)
{
    fixture *f = *state;
    f->anna.on_text = drop_it;
    open_client(f);
    say(f,
        "\x81\x01"
        "a"
        "\x81\x01"
        "b",
        6);
    expect_told(f, "text:a\n");
    expect_peer_end(f, ECONNRESET);
    journal_expect(&f->told, "");
}

static void a_new_life_does_not_hear_the_words_of_the_old(void **state)
{
    fixture *f = *state;
    f->anna.on_text = drop_and_connect_again;
    open_client(f);
    say(f,
        "\x81\x01"
        "a"
        "\x81\x01"
        "b"
        "\x81",
        7);
    expect_told(f, "text:a\n");
    welcome(f);
    expect_told(f, "open\n");
    say_frame(f, FIN | WS_OPCODE_TEXT, "c");
    expect_told(f, "text:c\n");
}

static void it_may_close_while_it_is_told_something(void **state)
{
    fixture *f = *state;
    f->anna.on_text = close_it;
    open_client(f);
    say(f,
        "\x81\x01"
        "a"
        "\x81\x01"
        "b",
        6);
    expect_told(f, "text:a\ntext:b\n");
    expect_got(f, "close:1000\n");
}

/* ---- Against our own server ---- */

static void send_text(party *p, const char *text)
{
    assert_true(ws_client_send(&p->client, text, strlen(text)));
}

static void two_clients_signal_to_each_other_through_our_server(void **state)
{
    fixture *f = *state;
    const signal_server_options options = server_options();
    signal_server *server = server_start(&options);
    aim_at(f, signal_server_port(server));

    assert_int_equal(ws_client_connect(&f->anna.client), 0);
    expect_told(f, "open\n");
    send_text(&f->anna, "{\"type\":\"join\",\"room\":\"r\",\"user\":\"anna\"}");
    send_text(&f->anna, "{\"type\":\"offer\",\"sdp\":\"v=0\"}");
    ws_client_ping(&f->anna.client);
    expect_told(f, "pong\n");

    assert_int_equal(ws_client_connect(&f->bert.client), 0);
    expect_told(f, "open\n");
    send_text(&f->bert, "{\"type\":\"join\",\"room\":\"r\",\"user\":\"bert\"}");
    expect_told(f, "text:{\"type\":\"offer\",\"room\":\"r\",\"from\":\"anna\",\"sdp\":\"v=0\"}\n");
    send_text(&f->bert, "{\"type\":\"candidate\",\"candidate\":null}");
    expect_told(f, "text:{\"type\":\"candidate\",\"room\":\"r\",\"from\":\"bert\",\"candidate\":null}\n");

    ws_client_close(&f->bert.client, 1000);
    expect_told(f, "end:1000 the server ended TCP\n");
    signal_server_request_stop(server, false);
    expect_told(f, "end:1001 the server ended TCP\n");
    server_end(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(it_opens_when_the_answer_is_whole_and_not_before),
        TEST(the_owner_chooses_the_request_target),
        TEST(a_refused_connection_is_told),
        TEST(an_answer_that_refuses_is_told_with_its_line),
        TEST(an_end_before_the_answer_is_told),
        TEST(closing_before_it_is_open_ends_it_at_once),
        TEST(clients_take_their_source_addresses_in_turn),
        TEST(what_the_server_says_may_be_cut_at_every_byte),
        TEST(frames_come_byte_by_byte_as_well),
        TEST(a_large_message_is_put_together),
        TEST(a_broken_rule_ends_it_and_is_named),
        TEST(what_it_sends_arrives_masked_in_one_frame),
        TEST(what_gathers_in_a_turn_leaves_together_and_in_order),
        TEST(flushing_sends_at_once),
        TEST(what_the_socket_does_not_take_follows_later),
        TEST(masks_differ_from_frame_to_frame),
        TEST(pings_are_answered_with_their_payload),
        TEST(a_ping_of_its_own_is_answered_by_a_pong),
        TEST(it_closes_in_order),
        TEST(a_server_that_closes_is_answered_with_its_code),
        TEST(an_end_without_a_close_frame_is_1006),
        TEST(a_drop_is_a_reset_and_is_not_told),
        TEST(it_may_connect_again_when_it_is_told_of_the_end),
        TEST(it_may_connect_again_when_it_was_refused),
        TEST(after_a_drop_nothing_more_is_told),
        TEST(a_new_life_does_not_hear_the_words_of_the_old),
        TEST(it_may_close_while_it_is_told_something),
        TEST(two_clients_signal_to_each_other_through_our_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
