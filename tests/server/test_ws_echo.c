/* RFC 6455 against ws_echo, which is this project's connection, transport and frame code and nothing else.
 *
 * The cases follow the sections of the Autobahn fuzzing client, and their numbers stand with them: 1
 * messages, 2 pings, 3 reserved bits, 4 reserved opcodes, 5 fragments, 6 UTF-8, 7 closing, 9 sizes, 10
 * automatic fragments; 8 is empty, and 12 and 13 are about compression, which is never negotiated here. The
 * strict answer is the one that is expected. A case is a row of a table: what is said, what is answered, and
 * with which code it ends; the rows of small cases are run in one piece, frame by frame and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"

#include "base/bytes.h"
#include "base/slice.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* First bytes of frames (RFC 6455, 5.2): final unless MORE. */
enum {
    CONTINUE_MORE = 0x00,
    TEXT_MORE = 0x01,
    BINARY_MORE = 0x02,
    CONTINUE = 0x80,
    TEXT = 0x81,
    BINARY = 0x82,
    CLOSE = 0x88,
    PING_MORE = 0x09,
    PONG_MORE = 0x0A,
    PING = 0x89,
    PONG = 0x8A,
};

/* From its close frame to the end of TCP a server may take a second. */
enum { END_MS = 1000 };

/* The one process that all cases talk to. */
typedef struct fixture {
    pid_t pid;
    uint16_t port;
    char now_running[96]; /* the case, for the message when it fails; empty between two cases */
} fixture;

/* ---- The server ---- */

/* Read what the server says about itself: listening on ws://127.0.0.1:PORT/ */
static uint16_t read_port(int fd)
{
    char line[128] = {0};
    size_t len = 0;
    while (len < sizeof(line) - 1 && strchr(line, '\n') == NULL) {
        ssize_t got = read(fd, line + len, sizeof(line) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    unsigned port = 0;
    return sscanf(line, "listening on ws://127.0.0.1:%u/", &port) == 1 ? (uint16_t)port : 0;
}

static int start_server(void **state)
{
    char *binary = getenv("HOMECALL_WS_ECHO_BINARY");
    if (binary == NULL) {
        print_error("HOMECALL_WS_ECHO_BINARY is not set\n");
        return -1;
    }
    int out[2];
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || pipe2(out, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    char port_0[] = "0";
    char *const argv[] = {binary, port_0, NULL};
    int error = posix_spawn(&f->pid, binary, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    if (error == 0)
        f->port = read_port(out[0]);
    close(out[0]);
    *state = f;
    return f->port == 0 ? -1 : 0;
}

/* It must have lived through everything, and end well. */
static int stop_server(void **state)
{
    fixture *f = *state;
    int status = -1;
    bool is_well = kill(f->pid, SIGTERM) == 0 && waitpid(f->pid, &status, 0) == f->pid && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 0;
    if (!is_well)
        print_error("the echo server ended with status %d\n", status);
    free(f);
    return is_well ? 0 : -1;
}

/* The processor time that the server has used so far. */
static uint64_t server_cpu_us(const fixture *f)
{
    clockid_t clock;
    struct timespec used;
    assert_int_equal(clock_getcpuclockid(f->pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* ---- Cases ---- */

static void begin_case(fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void begin_case(fixture *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->now_running, sizeof(f->now_running), format, arguments);
    va_end(arguments);
}

static void end_case(fixture *f)
{
    f->now_running[0] = '\0';
}

/* After each test: which of its cases has failed? */
static int name_failed_case(void **state)
{
    fixture *f = *state;
    if (f->now_running[0] != '\0')
        print_error("failed in case %s\n", f->now_running);
    end_case(f);
    return 0;
}

typedef struct frame {
    uint8_t first;
    slice payload; /* data is NULL behind the last frame of a list */
} frame;

/* A frame with a literal payload. */
#define F(first_, text_)               \
    {                                  \
        (first_),                      \
        {                              \
            (text_), sizeof(text_) - 1 \
        }                              \
    }

/* Append the bytes of a masked frame. */
static void add_frame(bytes **out, uint8_t first, slice payload)
{
    const client_frame shape = {.opcode = first & 0x0F,
                                .payload = payload.data,
                                .len = payload.len,
                                .is_not_final = (first & 0x80) == 0,
                                .reserved_bits = first & 0x70};
    size_t len;
    uint8_t *data = client_make_frame(&shape, &len);
    assert_int_equal(bytes_append(out, data, len), 0);
    free(data);
}

static void send_chopped(client *c, const uint8_t *data, size_t len, size_t chop)
{
    for (size_t at = 0; at < len; at += chop)
        client_send_bytes(c, data + at, len - at < chop ? len - at : chop);
}

/* Send what was gathered in pieces of `chop` bytes, and free it. */
static void send_gathered(client *c, bytes **out, size_t chop)
{
    if (*out != NULL)
        send_chopped(c, bytes_head(*out), bytes_len(*out), chop);
    bytes_clear(out);
}

static void expect_frame(client *c, uint8_t first, slice payload)
{
    client_message got = client_receive_frame(c);
    if (got.opcode != (first & 0x0F) || got.len != payload.len)
        fail_msg("expected opcode %d with %zu bytes, got opcode %d with %zu", first & 0x0F, payload.len,
                 got.opcode, got.len);
    if (payload.len > 0 && memcmp(got.data, payload.data, payload.len) != 0)
        fail_msg("the %zu bytes that came are others", payload.len);
}

/* The server's close frame must come next, and then the end of TCP, soon and without any help. */
static void expect_end(client *c, uint16_t code)
{
    client_message got = client_receive_frame(c);
    if (got.opcode != CLIENT_CLOSE)
        fail_msg("expected a close with %u, got opcode %d with %zu bytes", code, got.opcode, got.len);
    unsigned got_code =
        got.len < 2 ? CLIENT_NO_CODE : (unsigned)(uint8_t)got.data[0] << 8 | (uint8_t)got.data[1];
    assert_int_not_equal(got.len, 1);
    assert_int_equal(got_code, code);
    uint64_t closed_ms = client_now_ms();
    client_expect_end(c);
    assert_true(client_now_ms() - closed_ms < 5 * END_MS); /* a busy machine's delay is in it */
}

/* A connection that has lived through its case: it can be closed as it should. */
static void expect_well(client *c)
{
    client_send_close(c, 1000);
    expect_end(c, 1000);
}

/* One row: what is said, what is answered, and how it ends. */
typedef struct conversation {
    const char *name;
    frame says[14];
    frame answers[12];
    uint16_t code; /* of the server's close frame; 0: it goes on, and the client closes */
} conversation;

enum { BY_FRAME = -1, WHOLE = 1 << 20, BY_BYTE = 1 };

static void say(client *c, const conversation *row, int chop)
{
    bytes *out = NULL;
    for (const frame *says = row->says; says->payload.data != NULL; says++) {
        add_frame(&out, says->first, says->payload);
        if (chop == BY_FRAME)
            send_gathered(c, &out, WHOLE);
    }
    send_gathered(c, &out, chop == BY_FRAME ? WHOLE : (size_t)chop);
}

static void converse_in(fixture *f, const conversation *row, int chop)
{
    begin_case(f, "%s, in pieces of %d", row->name, chop);
    client *c = client_open(f->port);
    say(c, row, chop);
    for (const frame *answer = row->answers; answer->payload.data != NULL; answer++)
        expect_frame(c, answer->first, answer->payload);
    if (row->code == 0)
        expect_well(c);
    else
        expect_end(c, row->code);
    client_close(c);
    end_case(f);
}

static void converse(fixture *f, const conversation *row)
{
    static const int chops[] = {WHOLE, BY_FRAME, BY_BYTE};
    for (size_t i = 0; i < sizeof(chops) / sizeof(chops[0]); i++)
        converse_in(f, row, chops[i]);
}

#define CONVERSE_ALL(f, rows)                                         \
    do {                                                              \
        for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
            converse((f), &(rows)[i]);                                \
    } while (0)

/* ---- Messages of any size ---- */

/* `len` bytes: for text, letters of one to four bytes, so that every cut falls into one sooner or later. */
static char *make_payload(bool is_text, size_t len)
{
    static const char letters[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    enum { LETTERS_LEN = sizeof(letters) - 1 };
    char *payload = malloc(len + 1);
    assert_non_null(payload);
    for (size_t i = 0; i < len; i++)
        payload[i] = is_text ? letters[i % LETTERS_LEN] : (char)(i * 2654435761u >> 13);
    if (is_text)
        memset(payload + len - len % LETTERS_LEN, '.', len % LETTERS_LEN);
    return payload;
}

typedef struct shape {
    bool is_text;
    size_t len;
    size_t fragment; /* payload bytes in one frame */
    size_t chop;     /* bytes in one write */
} shape;

static void add_message(bytes **out, const shape *s, const char *payload)
{
    size_t at = 0;
    do {
        size_t part = s->len - at < s->fragment ? s->len - at : s->fragment;
        uint8_t first = at > 0 ? CONTINUE_MORE : s->is_text ? TEXT_MORE : BINARY_MORE;
        if (at + part == s->len)
            first |= 0x80;
        add_frame(out, first, (slice){payload + at, part});
        at += part;
    } while (at < s->len);
}

/* Send one message of this shape and have it back; returns the server's processor time. */
static uint64_t echo(fixture *f, const shape *s)
{
    begin_case(f, "%s of %zu bytes in fragments of %zu and pieces of %zu", s->is_text ? "text" : "binary",
               s->len, s->fragment, s->chop);
    char *payload = make_payload(s->is_text, s->len);
    bytes *out = NULL;
    add_message(&out, s, payload);
    client *c = client_open(f->port);
    uint64_t before_us = server_cpu_us(f);
    send_gathered(c, &out, s->chop);
    expect_frame(c, s->is_text ? TEXT : BINARY, (slice){payload, s->len});
    uint64_t used_us = server_cpu_us(f) - before_us;
    expect_well(c);
    client_close(c);
    free(payload);
    end_case(f);
    return used_us;
}

/* ---- 1: messages ---- */

static void messages_of_every_header_form_come_back(void **state)
{
    fixture *f = *state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 128, 65535, 65536, 65537};
    static const size_t chops[] = {WHOLE, 997, 1300};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < sizeof(chops) / sizeof(chops[0]); j++) {
            echo(f, &(shape){true, lengths[i], SIZE_MAX, chops[j]});
            echo(f, &(shape){false, lengths[i], SIZE_MAX, chops[j]});
        }
        if (lengths[i] < 1000)
            echo(f, &(shape){true, lengths[i], SIZE_MAX, BY_BYTE});
    }
}

/* ---- 2: pings and pongs ---- */

#define PAYLOAD_25  "0123456789abcdefghijklmno"
#define PAYLOAD_125 PAYLOAD_25 PAYLOAD_25 PAYLOAD_25 PAYLOAD_25 PAYLOAD_25

static const conversation pings[] = {
    {"2.1 a ping without a payload", {F(PING, "")}, {F(PONG, "")}, 0},
    {"2.2 a ping with a payload", {F(PING, "Hello, world!")}, {F(PONG, "Hello, world!")}, 0},
    {"2.3 a ping with a binary payload",
     {F(PING, "\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF")},
     {F(PONG, "\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF")},
     0},
    {"2.4, 2.6 a ping with 125 bytes", {F(PING, PAYLOAD_125)}, {F(PONG, PAYLOAD_125)}, 0},
    {"2.5 a ping with 126 bytes", {F(PING, PAYLOAD_125 "!")}, {{0}}, 1002},
    {"2.7 an unsolicited pong without a payload", {F(PONG, "")}, {{0}}, 0},
    {"2.8 an unsolicited pong with a payload", {F(PONG, "unsolicited")}, {{0}}, 0},
    {"a pong with 126 bytes", {F(PONG, PAYLOAD_125 "!")}, {{0}}, 1002},
    {"2.9 an unsolicited pong before a ping",
     {F(PONG, "unsolicited"), F(PING, "ping")},
     {F(PONG, "ping")},
     0},
    {"2.10, 2.11 ten pings",
     {F(PING, "0"), F(PING, "1"), F(PING, "2"), F(PING, "3"), F(PING, "4"), F(PING, "5"), F(PING, "6"),
      F(PING, "7"), F(PING, "8"), F(PING, "9")},
     {F(PONG, "0"), F(PONG, "1"), F(PONG, "2"), F(PONG, "3"), F(PONG, "4"), F(PONG, "5"), F(PONG, "6"),
      F(PONG, "7"), F(PONG, "8"), F(PONG, "9")},
     0},
};

static void a_ping_is_answered_by_its_pong_and_a_pong_by_nothing(void **state)
{
    CONVERSE_ALL(*state, pings);
}

/* ---- 3 and 4: reserved bits and opcodes ---- */

/* A frame with this first byte between a message, which must be answered, and a ping, which must not. */
static void expect_fault_of(fixture *f, const char *name, uint8_t first, slice payload)
{
    conversation row = {
        .name = name,
        .says = {F(TEXT, "Hello, world!"), {first, payload}, F(PING, "")},
        .answers = {F(TEXT, "Hello, world!")},
        .code = 1002,
    };
    converse(f, &row);
    row.says[0] = row.says[1];
    row.says[1] = (frame){0};
    row.answers[0] = (frame){0};
    converse(f, &row);
}

static void every_reserved_bit_fails_the_connection_after_what_came_before(void **state)
{
    static const uint8_t opcodes[] = {TEXT, BINARY, CONTINUE, PING, PONG, CLOSE};
    for (int bits = 1; bits <= 7; bits++) {
        for (size_t i = 0; i < sizeof(opcodes); i++) {
            char name[64];
            snprintf(name, sizeof(name), "3.%d opcode %u", bits, opcodes[i] & 0x0Fu);
            uint8_t first = (uint8_t)(opcodes[i] | bits << 4);
            expect_fault_of(*state, name, first, SLICE_LITERAL("\x03\xE8 text"));
            expect_fault_of(*state, name, first, SLICE_LITERAL(""));
        }
    }
}

static void every_reserved_opcode_fails_the_connection_after_what_came_before(void **state)
{
    static const uint8_t opcodes[] = {0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF};
    for (size_t i = 0; i < sizeof(opcodes); i++) {
        char name[64];
        snprintf(name, sizeof(name), "4.%d opcode %u", opcodes[i] < 8 ? 1 : 2, opcodes[i]);
        expect_fault_of(*state, name, 0x80 | opcodes[i], SLICE_LITERAL("reserved opcode payload"));
        expect_fault_of(*state, name, 0x80 | opcodes[i], SLICE_LITERAL(""));
        expect_fault_of(*state, name, opcodes[i], SLICE_LITERAL("x"));
    }
}

/* A frame whose header alone is at fault. */
static void a_frame_without_a_mask_or_with_a_wasteful_length_fails_the_connection(void **state)
{
    fixture *f = *state;
    static const client_frame frames[] = {
        {.opcode = CLIENT_TEXT, .payload = "text", .len = 4, .is_unmasked = true},
        {.opcode = CLIENT_PING, .payload = "", .len = 0, .is_unmasked = true},
        {.opcode = CLIENT_TEXT, .payload = "text", .len = 4, .length_bytes = 2},
        {.opcode = CLIENT_TEXT, .payload = PAYLOAD_125, .len = 125, .length_bytes = 2},
        {.opcode = CLIENT_TEXT, .payload = "text", .len = 4, .length_bytes = 8},
        {.opcode = CLIENT_BINARY, .payload = "", .len = 0, .length_bytes = 8, .announced_len = 65535},
        {.opcode = CLIENT_BINARY, .payload = "", .len = 0, .length_bytes = 8, .announced_len = 1ull << 63},
        {.opcode = CLIENT_BINARY, .payload = "", .len = 0, .length_bytes = 8, .announced_len = UINT64_MAX},
        {.opcode = CLIENT_PING, .payload = "", .len = 0, .length_bytes = 2},
        {.opcode = CLIENT_PING, .payload = "", .len = 0, .length_bytes = 8, .announced_len = 1 << 20},
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        begin_case(f, "faulty header %zu", i);
        client *c = client_open(f->port);
        client_send_text(c, "before");
        client_send_frame(c, &frames[i]);
        expect_frame(c, TEXT, SLICE_LITERAL("before"));
        expect_end(c, 1002);
        client_close(c);
        end_case(f);
    }
}

/* ---- 5: fragments ---- */

static const conversation fragments[] = {
    {"5.1 a ping in two fragments", {F(PING_MORE, "frag"), F(CONTINUE, "ment")}, {{0}}, 1002},
    {"5.2 a pong in two fragments", {F(PONG_MORE, "frag"), F(CONTINUE, "ment")}, {{0}}, 1002},
    {"a close in two fragments", {F(0x08, "\x03\xE8"), F(CONTINUE, "bye")}, {{0}}, 1002},
    {"5.3 to 5.5 a text in two fragments",
     {F(TEXT_MORE, "fragment1"), F(CONTINUE, "fragment2")},
     {F(TEXT, "fragment1fragment2")},
     0},
    {"a binary message in two fragments",
     {F(BINARY_MORE, "\xFF\x00"), F(CONTINUE, "\xFE")},
     {F(BINARY, "\xFF\x00\xFE")},
     0},
    {"5.6 to 5.8 a ping between two fragments",
     {F(TEXT_MORE, "fragment1"), F(PING, "ping"), F(CONTINUE, "fragment2")},
     {F(PONG, "ping"), F(TEXT, "fragment1fragment2")},
     0},
    {"a pong between two fragments",
     {F(TEXT_MORE, "fragment1"), F(PONG, "pong"), F(CONTINUE, "fragment2")},
     {F(TEXT, "fragment1fragment2")},
     0},
    {"5.9 to 5.11 a last continuation of nothing",
     {F(CONTINUE, "non-continuation payload"), F(TEXT, "Hello, world!")},
     {{0}},
     1002},
    {"5.12 to 5.14 a continuation of nothing",
     {F(CONTINUE_MORE, "non-continuation payload"), F(TEXT, "Hello, world!")},
     {{0}},
     1002},
    {"5.15 a continuation behind a whole message",
     {F(TEXT_MORE, "fragment1"), F(CONTINUE, "fragment2"), F(CONTINUE_MORE, "fragment3"),
      F(TEXT_MORE, "fragment4"), F(CONTINUE, "fragment5")},
     {F(TEXT, "fragment1fragment2")},
     1002},
    {"5.16 a continuation before a message, twice",
     {F(CONTINUE_MORE, "fragment1"), F(TEXT_MORE, "fragment2"), F(CONTINUE, "fragment3"),
      F(CONTINUE_MORE, "fragment4"), F(TEXT_MORE, "fragment5"), F(CONTINUE, "fragment6")},
     {{0}},
     1002},
    {"5.17 a last continuation before a message, twice",
     {F(CONTINUE, "fragment1"), F(TEXT_MORE, "fragment2"), F(CONTINUE, "fragment3"), F(CONTINUE, "fragment4"),
      F(TEXT_MORE, "fragment5"), F(CONTINUE, "fragment6")},
     {{0}},
     1002},
    {"5.18 two begins of a text", {F(TEXT_MORE, "fragment1"), F(TEXT, "fragment2")}, {{0}}, 1002},
    {"a binary message inside a text", {F(TEXT_MORE, "fragment1"), F(BINARY, "fragment2")}, {{0}}, 1002},
    {"a text inside a binary message", {F(BINARY_MORE, "fragment1"), F(TEXT_MORE, "fragment2")}, {{0}}, 1002},
    {"5.19, 5.20 five fragments with pings behind the second and the fourth",
     {F(TEXT_MORE, "fragment1"), F(CONTINUE_MORE, "fragment2"), F(PING, "pongme 1!"),
      F(CONTINUE_MORE, "fragment3"), F(CONTINUE_MORE, "fragment4"), F(PING, "pongme 2!"),
      F(CONTINUE, "fragment5")},
     {F(PONG, "pongme 1!"), F(PONG, "pongme 2!"), F(TEXT, "fragment1fragment2fragment3fragment4fragment5")},
     0},
    {"a message between the fragments of none",
     {F(TEXT_MORE, ""), F(CONTINUE, ""), F(TEXT, "whole"), F(BINARY_MORE, ""), F(CONTINUE, "")},
     {F(TEXT, ""), F(TEXT, "whole"), F(BINARY, "")},
     0},
};

static void fragments_make_a_message_in_order_only(void **state)
{
    CONVERSE_ALL(*state, fragments);
}

/* ---- 6: UTF-8 ---- */

static const conversation texts_in_fragments[] = {
    {"6.1.1 an empty text", {F(TEXT, "")}, {F(TEXT, "")}, 0},
    {"6.1.2 three empty fragments",
     {F(TEXT_MORE, ""), F(CONTINUE_MORE, ""), F(CONTINUE, "")},
     {F(TEXT, "")},
     0},
    {"6.1.3 a text between empty fragments",
     {F(TEXT_MORE, ""), F(CONTINUE_MORE, "middle frame payload"), F(CONTINUE, "")},
     {F(TEXT, "middle frame payload")},
     0},
    {"6.2.2 two fragments cut between two characters",
     {F(TEXT_MORE, "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6"),
      F(CONTINUE, "\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!")},
     {F(TEXT, "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!")},
     0},
    {"a ping inside a character",
     {F(TEXT_MORE, "\xE2"), F(PING, "\xFF"), F(CONTINUE_MORE, "\x82"), F(PONG, "\xFF"), F(CONTINUE, "\xAC")},
     {F(PONG, "\xFF"), F(TEXT, "\xE2\x82\xAC")},
     0},
    {"a text that ends within a character, in fragments",
     {F(TEXT_MORE, "\xE2\x82"), F(CONTINUE, "")},
     {{0}},
     1007},
    {"a character is not continued by the next message",
     {F(BINARY, "\xE2\x82"), F(TEXT, "\xAC")},
     {F(BINARY, "\xE2\x82")},
     1007},
    {"6.4.1 fails at the second fragment",
     {F(TEXT_MORE, "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"), F(CONTINUE_MORE, "\xF4\x90\x80\x80")},
     {{0}},
     1007},
    {"6.4.2 fails at the second byte of the character",
     {F(TEXT_MORE, "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4"), F(CONTINUE_MORE, "\x90")},
     {{0}},
     1007},
    {"fails at the first byte", {F(TEXT_MORE, "\xFF")}, {{0}}, 1007},
};

static void text_may_be_cut_anywhere_into_fragments(void **state)
{
    CONVERSE_ALL(*state, texts_in_fragments);
}

static void bytes_that_are_not_utf_8_may_stand_in_a_binary_message_and_in_a_ping(void **state)
{
    static const conversation row = {"binary",
                                     {F(BINARY, "\xFF\xC0\x80"), F(PING, "\xFF\xC0\x80")},
                                     {F(BINARY, "\xFF\xC0\x80"), F(PONG, "\xFF\xC0\x80")},
                                     0};
    converse(*state, &row);
}

/* The text in one frame, in one fragment for each byte, and with its bytes sent one by one. */
static void check_text(fixture *f, const char *name, slice text, bool is_valid)
{
    for (int way = 0; way < 3; way++) {
        begin_case(f, "%s, text of %zu bytes, way %d", name, text.len, way);
        client *c = client_open(f->port);
        bytes *out = NULL;
        add_message(&out, &(shape){true, text.len, way == 1 ? 1 : SIZE_MAX, 0}, text.data);
        send_gathered(c, &out, way == 2 ? BY_BYTE : WHOLE);
        if (is_valid) {
            expect_frame(c, TEXT, text);
            expect_well(c);
        } else {
            expect_end(c, 1007);
        }
        client_close(c);
        end_case(f);
    }
}

typedef struct text_case {
    const char *name;
    slice text;
} text_case;

/* A text with characters around it as well, so that nothing depends on standing at an end. */
static void check_texts(fixture *f, const text_case *rows, size_t count, bool is_valid)
{
    for (size_t i = 0; i < count; i++) {
        check_text(f, rows[i].name, rows[i].text, is_valid);
        char wrapped[300];
        int len = snprintf(wrapped, sizeof(wrapped), "Hello-\xC2\xB5@");
        memcpy(wrapped + len, rows[i].text.data, rows[i].text.len);
        memcpy(wrapped + len + rows[i].text.len, "-UTF-8", 6);
        check_text(f, rows[i].name, (slice){wrapped, (size_t)len + rows[i].text.len + 6}, is_valid);
    }
}

#define T(name_, text_)                \
    {                                  \
        (name_),                       \
        {                              \
            (text_), sizeof(text_) - 1 \
        }                              \
    }

static const text_case valid_texts[] = {
    T("6.2", "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!"),
    T("6.5 five letters", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"),
    T("6.6 one of them", "\xCE\xBA"),
    T("6.6 two of them", "\xCE\xBA\xE1\xBD\xB9"),
    T("6.6 three of them", "\xCE\xBA\xE1\xBD\xB9\xCF\x83"),
    T("6.6 four of them", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC"),
    T("6.7 first of one byte", "\x00"),
    T("6.7 first of two bytes", "\xC2\x80"),
    T("6.7 first of three bytes", "\xE0\xA0\x80"),
    T("6.7 first of four bytes", "\xF0\x90\x80\x80"),
    T("6.9 last of one byte", "\x7F"),
    T("6.9 last of two bytes", "\xDF\xBF"),
    T("6.9 last of three bytes", "\xEF\xBF\xBF"),
    T("6.9 last of four bytes", "\xF4\x8F\xBF\xBF"),
    T("6.11 before the surrogates", "\xED\x9F\xBF"),
    T("6.11 behind the surrogates", "\xEE\x80\x80"),
    T("6.11 replacement character", "\xEF\xBF\xBD"),
    T("6.22 U+FFFE", "\xEF\xBF\xBE"),
    T("6.22 U+1FFFE", "\xF0\x9F\xBF\xBE"),
    T("6.22 U+1FFFF", "\xF0\x9F\xBF\xBF"),
    T("6.22 U+2FFFE", "\xF0\xAF\xBF\xBE"),
    T("6.22 U+7FFFF", "\xF1\xBF\xBF\xBF"),
    T("6.22 U+8FFFE", "\xF2\x8F\xBF\xBE"),
    T("6.22 U+FFFFF", "\xF3\xBF\xBF\xBF"),
    T("6.22 U+10FFFE", "\xF4\x8F\xBF\xBE"),
    T("6.23 interlinear annotation", "\xEF\xBF\xB9\xEF\xBF\xBA\xEF\xBF\xBB"),
    T("6.23 object replacement", "\xEF\xBF\xBC\xEF\xBF\xBD"),
};

static const text_case invalid_texts[] = {
    T("6.3", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
             "edited"),
    T("6.8 first of five bytes", "\xF8\x88\x80\x80\x80"),
    T("6.8 first of six bytes", "\xFC\x84\x80\x80\x80\x80"),
    T("6.10 last of 21 bits", "\xF7\xBF\xBF\xBF"),
    T("6.10 last of five bytes", "\xFB\xBF\xBF\xBF\xBF"),
    T("6.10 last of six bytes", "\xFD\xBF\xBF\xBF\xBF\xBF"),
    T("6.11 U+110000", "\xF4\x90\x80\x80"),
    T("6.12 first continuation", "\x80"),
    T("6.12 last continuation", "\xBF"),
    T("6.12 two continuations", "\x80\xBF"),
    T("6.12 three continuations", "\x80\xBF\x80"),
    T("6.12 four continuations", "\x80\xBF\x80\xBF"),
    T("6.12 five continuations", "\x80\xBF\x80\xBF\x80"),
    T("6.12 six continuations", "\x80\xBF\x80\xBF\x80\xBF"),
    T("6.15 all that lack their last byte", "\xC0\xE0\x80\xF0\x80\x80\xF8\x80\x80\x80\xFC\x80\x80\x80\x80\xDF"
                                            "\xEF\xBF\xF7\xBF\xBF\xFB\xBF\xBF\xBF\xFD"),
    T("6.16 FE", "\xFE"),
    T("6.16 FF", "\xFF"),
    T("6.16 FE FE FF FF", "\xFE\xFE\xFF\xFF"),
    T("6.17 slash in two bytes", "\xC0\xAF"),
    T("6.17 slash in three bytes", "\xE0\x80\xAF"),
    T("6.17 slash in four bytes", "\xF0\x80\x80\xAF"),
    T("6.17 slash in five bytes", "\xF8\x80\x80\x80\xAF"),
    T("6.17 slash in six bytes", "\xFC\x80\x80\x80\x80\xAF"),
    T("6.18 last over-long of two bytes", "\xC1\xBF"),
    T("6.18 last over-long of three bytes", "\xE0\x9F\xBF"),
    T("6.18 last over-long of four bytes", "\xF0\x8F\xBF\xBF"),
    T("6.18 last over-long of five bytes", "\xF8\x87\xBF\xBF\xBF"),
    T("6.18 last over-long of six bytes", "\xFC\x83\xBF\xBF\xBF\xBF"),
    T("6.19 NUL in two bytes", "\xC0\x80"),
    T("6.19 NUL in three bytes", "\xE0\x80\x80"),
    T("6.19 NUL in four bytes", "\xF0\x80\x80\x80"),
    T("6.19 NUL in five bytes", "\xF8\x80\x80\x80\x80"),
    T("6.19 NUL in six bytes", "\xFC\x80\x80\x80\x80\x80"),
    T("6.20 U+D800", "\xED\xA0\x80"),
    T("6.20 U+DB7F", "\xED\xAD\xBF"),
    T("6.20 U+DB80", "\xED\xAE\x80"),
    T("6.20 U+DBFF", "\xED\xAF\xBF"),
    T("6.20 U+DC00", "\xED\xB0\x80"),
    T("6.20 U+DF80", "\xED\xBE\x80"),
    T("6.20 U+DFFF", "\xED\xBF\xBF"),
    T("6.21 U+D800 U+DC00", "\xED\xA0\x80\xED\xB0\x80"),
    T("6.21 U+D800 U+DFFF", "\xED\xA0\x80\xED\xBF\xBF"),
    T("6.21 U+DB7F U+DC00", "\xED\xAD\xBF\xED\xB0\x80"),
    T("6.21 U+DB80 U+DFFF", "\xED\xAE\x80\xED\xBF\xBF"),
    T("6.21 U+DBFF U+DFFF", "\xED\xAF\xBF\xED\xBF\xBF"),
};

static void valid_text_comes_back(void **state)
{
    check_texts(*state, valid_texts, sizeof(valid_texts) / sizeof(valid_texts[0]), true);
}

static void invalid_text_fails_the_connection(void **state)
{
    check_texts(*state, invalid_texts, sizeof(invalid_texts) / sizeof(invalid_texts[0]), false);
}

/* 6.6, 6.13 and 6.14: a character that is cut short by the end of the text or by a blank. */
static void a_character_without_its_last_byte_fails_the_connection(void **state)
{
    static const text_case rows[] = {
        T("6.6 first letter", "\xCE"),
        T("6.6 second letter", "\xCE\xBA\xE1"),
        T("6.6 second letter, more of it", "\xCE\xBA\xE1\xBD"),
        T("6.6 last letter", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE"),
        T("6.14", "\xDF"),
        T("6.14", "\xE0\xA0"),
        T("6.14", "\xEF\xBF"),
        T("6.14", "\xF0\x90\x80"),
        T("6.14", "\xF4\x8F\xBF"),
    };
    check_texts(*state, rows, sizeof(rows) / sizeof(rows[0]), false);
    for (int first = 0xC0; first <= 0xFF; first++) {
        const char text[2] = {(char)first, ' '};
        check_text(*state, "6.13 a lonely begin", (slice){text, 2}, false);
        check_text(*state, "6.14 a begin at the end", (slice){text, 1}, false);
    }
}

/* 6.4.3 and 6.4.4: the begin of one frame, cut right behind the first byte that can't stand there. */
static void text_fails_before_its_frame_is_complete(void **state)
{
    fixture *f = *state;
    static const text_case rows[] = {
        T("6.4.3", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90\x80\x80"),
        T("6.4.4", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xF4\x90"),
        T("first byte", "\xFF"),
        T("a surrogate", "abc\xED\xA0"),
        T("an over-long form", "abc\xC0"),
        T("a character cut short", "abc\xE2\x82 "),
    };
    static const size_t chops[] = {BY_BYTE, WHOLE};
    enum { ANNOUNCED = 1000 };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < sizeof(chops) / sizeof(chops[0]); j++) {
            size_t chop = chops[j];
            begin_case(f, "%s, in pieces of %zu", rows[i].name, chop);
            client *c = client_open(f->port);
            const client_frame begin = {.opcode = CLIENT_TEXT,
                                        .payload = rows[i].text.data,
                                        .len = rows[i].text.len,
                                        .announced_len = ANNOUNCED};
            size_t len;
            uint8_t *data = client_make_frame(&begin, &len);
            send_chopped(c, data, len, chop);
            free(data);
            expect_end(c, 1007);
            client_close(c);
            end_case(f);
        }
    }
}

/* ---- 7: closing ---- */

#define REASON_123 PAYLOAD_25 PAYLOAD_25 PAYLOAD_25 PAYLOAD_25 "0123456789abcdefghijklm"

static const conversation closes[] = {
    {"7.1.1 a close behind a message",
     {F(TEXT, "Hello World!"), F(CLOSE, "\x03\xE8")},
     {F(TEXT, "Hello World!")},
     1000},
    {"7.3.1 an empty close", {F(CLOSE, "")}, {{0}}, CLIENT_NO_CODE},
    {"7.3.2 a close of one byte", {F(CLOSE, "a")}, {{0}}, 1002},
    {"7.3.3 a close with a code", {F(CLOSE, "\x03\xE8")}, {{0}}, 1000},
    {"7.3.4 a close with a reason", {F(CLOSE, "\x03\xE8Hello World!")}, {{0}}, 1000},
    {"7.3.5 the longest reason", {F(CLOSE, "\x03\xE8" REASON_123)}, {{0}}, 1000},
    {"7.3.6 a reason that is too long", {F(CLOSE, "\x03\xE8" REASON_123 "!")}, {{0}}, 1002},
    {"7.5.1 a reason that is not UTF-8",
     {F(CLOSE, "\x03\xE8\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80"
               "edited")},
     {{0}},
     1007},
    {"a reason that ends within a character", {F(CLOSE, "\x03\xE8\xE2\x82")}, {{0}}, 1007},
    {"a text character does not reach into the reason",
     {F(TEXT_MORE, "\xE2\x82"), F(CLOSE, "\x03\xE8ok")},
     {{0}},
     1000},
};

static void a_close_is_answered_with_a_close(void **state)
{
    CONVERSE_ALL(*state, closes);
}

/* Nothing may come behind a close frame (RFC 6455, 5.5.1). */
static const conversation faults_behind_a_close[] = {
    {"7.1.2 two closes", {F(CLOSE, "\x03\xE8"), F(CLOSE, "\x03\xE9")}, {{0}}, 1000},
    {"7.1.3 a ping behind the close", {F(CLOSE, "\x03\xE8"), F(PING, "")}, {{0}}, 1000},
    {"7.1.4 a text behind the close", {F(CLOSE, "\x03\xE8"), F(TEXT, "Hello World!")}, {{0}}, 1000},
    {"7.1.5 a close between two fragments",
     {F(TEXT_MORE, "fragment1"), F(CLOSE, "\x03\xE8"), F(CONTINUE, "fragment2")},
     {{0}},
     1000},
    {"a fault behind the close", {F(CLOSE, "\x03\xE8"), F(0xFF, "")}, {{0}}, 1000},
};

static void what_comes_along_with_a_close_is_ignored(void **state)
{
    enum { COUNT = sizeof(faults_behind_a_close) / sizeof(faults_behind_a_close[0]) };
    for (size_t i = 0; i < COUNT; i++)
        converse_in(*state, &faults_behind_a_close[i], WHOLE);
}

/* Read until TCP has ended, or was reset. Returns how many bytes came. */
static size_t read_to_the_end(const client *c, uint8_t *data, size_t cap)
{
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len<cap; len += got> 0 ? (size_t)got : 0) {
        struct pollfd input = {.fd = client_fd(c), .events = POLLIN};
        assert_int_equal(poll(&input, 1, CLIENT_WAIT_MS), 1);
        got = recv(client_fd(c), data + len, cap - len, 0);
    }
    return len;
}

/* What comes later may find the server gone: then there is a reset, and perhaps no close frame. */
static void what_comes_after_a_close_gets_no_answer(void **state)
{
    fixture *f = *state;
    static const uint8_t close_frame[] = {CLOSE, 2, 0x03, 0xE8};
    enum { COUNT = sizeof(faults_behind_a_close) / sizeof(faults_behind_a_close[0]) };
    for (size_t i = 0; i < COUNT; i++) {
        const conversation *row = &faults_behind_a_close[i];
        begin_case(f, "%s, byte by byte", row->name);
        client *c = client_open(f->port);
        bytes *out = NULL;
        for (const frame *says = row->says; says->payload.data != NULL; says++)
            add_frame(&out, says->first, says->payload);
        for (size_t at = 0; at < bytes_len(out); at++)
            (void)!send(client_fd(c), bytes_head(out) + at, 1, MSG_NOSIGNAL);
        bytes_clear(&out);
        uint8_t answer[16];
        size_t len = read_to_the_end(c, answer, sizeof(answer));
        if (len > 0) {
            assert_int_equal(len, sizeof(close_frame));
            assert_memory_equal(answer, close_frame, sizeof(close_frame));
        }
        client_close(c);
        end_case(f);
    }
}

static void close_with(fixture *f, unsigned code, bool is_valid)
{
    const char payload[] = {(char)(code >> 8), (char)code, 'b', 'y', 'e'};
    char name[64];
    snprintf(name, sizeof(name), "%s code %u", is_valid ? "7.7" : "7.9", code);
    for (size_t len = 2; len <= sizeof(payload); len += 3) {
        conversation row = {.name = name, .code = is_valid ? (uint16_t)code : 1002};
        row.says[0] = (frame){CLOSE, {payload, len}};
        converse_in(f, &row, WHOLE);
        converse_in(f, &row, BY_BYTE);
    }
}

static void every_code_that_may_be_sent_is_echoed_and_every_other_is_a_fault(void **state)
{
    static const unsigned valid[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                                     1012, 1013, 1014, 3000, 3999, 4000, 4001, 4999};
    static const unsigned invalid[] = {0,    1,    999,  1004, 1005, 1006,  1015, 1016,
                                       1100, 2000, 2999, 5000, 9999, 65534, 65535};
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
        close_with(*state, valid[i], true);
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        close_with(*state, invalid[i], false);
}

/* 7.1.6 */
static void a_large_message_is_echoed_before_the_close_behind_it(void **state)
{
    fixture *f = *state;
    static const size_t lengths[] = {256 * 1024, 16 * 1024 * 1024};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        begin_case(f, "7.1.6 %zu bytes", lengths[i]);
        char *payload = make_payload(true, lengths[i]);
        bytes *out = NULL;
        add_message(&out, &(shape){true, lengths[i], SIZE_MAX, 0}, payload);
        add_frame(&out, CLOSE, SLICE_LITERAL("\x03\xE8"));
        add_frame(&out, PING, SLICE_LITERAL(""));
        client *c = client_open(f->port);
        send_gathered(c, &out, WHOLE);
        expect_frame(c, TEXT, (slice){payload, lengths[i]});
        expect_end(c, 1000);
        client_close(c);
        free(payload);
        end_case(f);
    }
}

/* The end that a client reads is a half close: the server waits a moment for the client's own, and no longer.
 */
static void a_client_that_stays_is_cut_off_soon(void **state)
{
    fixture *f = *state;
    client *c = client_open(f->port);
    client_send_close(c, 1000);
    expect_end(c, 1000);
    uint64_t ended_ms = client_now_ms();
    struct pollfd reset = {.fd = client_fd(c), .events = 0};
    while (poll(&reset, 1, 10) == 0) { /* what is sent now shows when the server has gone */
        client_send_text(c, "still here");
        if (client_now_ms() - ended_ms > 20 * END_MS)
            fail_msg("the server keeps the connection");
    }
    assert_true(client_now_ms() - ended_ms <= 5 * END_MS); /* with a busy machine's delay */
    client_close(c);
}

/* ---- 9: sizes ---- */

enum { KIB = 1024, MIB = 1024 * KIB };

/* 9.1 and 9.2 */
static void messages_up_to_16_mib_come_back(void **state)
{
    static const size_t lengths[] = {64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        echo(*state, &(shape){true, lengths[i], SIZE_MAX, SIZE_MAX / 2});
        echo(*state, &(shape){false, lengths[i], SIZE_MAX, SIZE_MAX / 2});
    }
}

static void a_message_over_the_limit_is_refused_at_its_header(void **state)
{
    fixture *f = *state;
    client *c = client_open(f->port);
    const client_frame begin = {.opcode = CLIENT_BINARY, .payload = "", .announced_len = 32 * MIB + 1};
    client_send_frame(c, &begin);
    expect_end(c, 1009);
    client_close(c);
}

/* 9.3 and 9.4 */
static void a_message_of_4_mib_comes_back_from_fragments_of_any_size(void **state)
{
    static const size_t sizes[] = {64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        echo(*state, &(shape){true, 4 * MIB, sizes[i], SIZE_MAX / 2});
        echo(*state, &(shape){false, 4 * MIB, sizes[i], SIZE_MAX / 2});
    }
}

/* 9.5 and 9.6 */
static void a_message_of_1_mib_comes_back_from_pieces_of_any_size(void **state)
{
    static const size_t chops[] = {64, 128, 256, 512, KIB, 2 * KIB};
    for (size_t i = 0; i < sizeof(chops) / sizeof(chops[0]); i++) {
        echo(*state, &(shape){true, MIB, SIZE_MAX, chops[i]});
        echo(*state, &(shape){false, MIB, SIZE_MAX, chops[i]});
        echo(*state, &(shape){true, MIB, 1000, chops[i]});
    }
}

static void a_message_may_have_more_fragments_than_16_bits_count(void **state)
{
    echo(*state, &(shape){false, 65537, 1, SIZE_MAX / 2});
    echo(*state, &(shape){true, 200 * 1000, 1, SIZE_MAX / 2});
}

/* Four times the bytes may cost about four times the time: sixteen times would be a copy of everything for
 * each piece. A machine that does much else can spoil an attempt, but not each of them. */
static void expect_linear_cost(fixture *f, size_t fragment, size_t chop)
{
    enum { ATTEMPTS = 5, MARGIN_US = 100 * 1000 };
    uint64_t quarter_us = 0, whole_us = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        quarter_us = echo(f, &(shape){true, 4 * MIB, fragment, chop});
        whole_us = echo(f, &(shape){true, 16 * MIB, fragment, chop});
        if (whole_us <= 8 * quarter_us + MARGIN_US)
            return;
    }
    fail_msg("4 MiB cost %lu us, 16 MiB %lu us (fragments of %zu, pieces of %zu)", (unsigned long)quarter_us,
             (unsigned long)whole_us, fragment, chop);
}

static void the_cost_of_a_message_grows_with_its_length_only(void **state)
{
    expect_linear_cost(*state, SIZE_MAX, SIZE_MAX / 2);
    expect_linear_cost(*state, 4 * KIB, SIZE_MAX / 2);
    expect_linear_cost(*state, 64, SIZE_MAX / 2);
    expect_linear_cost(*state, SIZE_MAX, 2 * KIB);
}

/* 9.7 and 9.8: each message waits for the echo of the one before. */
static void a_thousand_messages_of_each_size_come_back_one_by_one(void **state)
{
    fixture *f = *state;
    static const size_t lengths[] = {0, 16, 64, 256, KIB, 4 * KIB};
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        shape s = {i % 2 == 0, lengths[i / 2], SIZE_MAX, WHOLE};
        begin_case(f, "9.7, 9.8 of %zu bytes", s.len);
        char *payload = make_payload(s.is_text, s.len);
        client *c = client_open(f->port);
        for (int n = 0; n < 1000; n++) {
            bytes *out = NULL;
            add_message(&out, &s, payload);
            send_gathered(c, &out, WHOLE);
            expect_frame(c, s.is_text ? TEXT : BINARY, (slice){payload, s.len});
        }
        expect_well(c);
        client_close(c);
        free(payload);
        end_case(f);
    }
}

static void many_small_messages_at_once_come_back_in_order(void **state)
{
    enum { MESSAGES = 50 * 1000 };
    fixture *f = *state;
    bytes *out = NULL;
    char text[32];
    for (int i = 0; i < MESSAGES; i++) {
        int len = snprintf(text, sizeof(text), "message %d", i);
        add_frame(&out, i % 3 == 0 ? BINARY : TEXT, (slice){text, (size_t)len});
    }
    client *c = client_open(f->port);
    send_gathered(c, &out, SIZE_MAX / 2);
    for (int i = 0; i < MESSAGES; i++) {
        int len = snprintf(text, sizeof(text), "message %d", i);
        expect_frame(c, i % 3 == 0 ? BINARY : TEXT, (slice){text, (size_t)len});
    }
    expect_well(c);
    client_close(c);
}

/* ---- 10: automatic fragments ---- */

static void a_message_that_the_client_cuts_by_itself_comes_back(void **state)
{
    echo(*state, &(shape){true, 65536, 1300, WHOLE});
    echo(*state, &(shape){true, 65536, 1300, 1300});
    echo(*state, &(shape){false, 65536, 1300, 997});
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(messages_of_every_header_form_come_back, name_failed_case),
    cmocka_unit_test_teardown(a_ping_is_answered_by_its_pong_and_a_pong_by_nothing, name_failed_case),
    cmocka_unit_test_teardown(every_reserved_bit_fails_the_connection_after_what_came_before,
                              name_failed_case),
    cmocka_unit_test_teardown(every_reserved_opcode_fails_the_connection_after_what_came_before,
                              name_failed_case),
    cmocka_unit_test_teardown(a_frame_without_a_mask_or_with_a_wasteful_length_fails_the_connection,
                              name_failed_case),
    cmocka_unit_test_teardown(fragments_make_a_message_in_order_only, name_failed_case),
    cmocka_unit_test_teardown(text_may_be_cut_anywhere_into_fragments, name_failed_case),
    cmocka_unit_test_teardown(bytes_that_are_not_utf_8_may_stand_in_a_binary_message_and_in_a_ping,
                              name_failed_case),
    cmocka_unit_test_teardown(valid_text_comes_back, name_failed_case),
    cmocka_unit_test_teardown(invalid_text_fails_the_connection, name_failed_case),
    cmocka_unit_test_teardown(a_character_without_its_last_byte_fails_the_connection, name_failed_case),
    cmocka_unit_test_teardown(text_fails_before_its_frame_is_complete, name_failed_case),
    cmocka_unit_test_teardown(a_close_is_answered_with_a_close, name_failed_case),
    cmocka_unit_test_teardown(what_comes_along_with_a_close_is_ignored, name_failed_case),
    cmocka_unit_test_teardown(what_comes_after_a_close_gets_no_answer, name_failed_case),
    cmocka_unit_test_teardown(every_code_that_may_be_sent_is_echoed_and_every_other_is_a_fault,
                              name_failed_case),
    cmocka_unit_test_teardown(a_large_message_is_echoed_before_the_close_behind_it, name_failed_case),
    cmocka_unit_test_teardown(a_client_that_stays_is_cut_off_soon, name_failed_case),
    cmocka_unit_test_teardown(messages_up_to_16_mib_come_back, name_failed_case),
    cmocka_unit_test_teardown(a_message_over_the_limit_is_refused_at_its_header, name_failed_case),
    cmocka_unit_test_teardown(a_message_of_4_mib_comes_back_from_fragments_of_any_size, name_failed_case),
    cmocka_unit_test_teardown(a_message_of_1_mib_comes_back_from_pieces_of_any_size, name_failed_case),
    cmocka_unit_test_teardown(a_message_may_have_more_fragments_than_16_bits_count, name_failed_case),
    cmocka_unit_test_teardown(the_cost_of_a_message_grows_with_its_length_only, name_failed_case),
    cmocka_unit_test_teardown(a_thousand_messages_of_each_size_come_back_one_by_one, name_failed_case),
    cmocka_unit_test_teardown(many_small_messages_at_once_come_back_in_order, name_failed_case),
    cmocka_unit_test_teardown(a_message_that_the_client_cuts_by_itself_comes_back, name_failed_case),
};

int main(void)
{
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
