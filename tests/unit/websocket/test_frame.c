/* Each stream of frames is played whole, byte by byte, and cut in two at every offset; all must leave the
 * same trace, in which messages are put together again. The bytes of each call lie in a block of just their
 * size, so that a sanitizer sees a step over its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

enum {
    MAX_MESSAGE = 1024,
    STREAM_CAP = 2048,
    TRACE_CAP = 4096,
    FIN = 0x80,
};

static const uint8_t MASK[4] = {0x37, 0xFA, 0x21, 0x3D};

/* ---- What clients send, and servers ---- */

typedef struct stream {
    uint8_t bytes[STREAM_CAP];
    size_t len;
    bool is_from_server;
} stream;

static void add_bytes(stream *s, const void *bytes, size_t len)
{
    assert_true(len <= sizeof(s->bytes) - s->len);
    if (len > 0)
        memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
}

static void add_hex(stream *s, const char *hex)
{
    unsigned byte;
    int used;
    for (; sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        add_bytes(s, &(uint8_t){(uint8_t)byte}, 1);
}

/* Write a masked frame's header for a payload of any length; returns its length. */
static size_t write_header(uint8_t out[WS_MAX_CLIENT_HEADER], int first, uint64_t payload_len)
{
    size_t len = ws_frame_header(out, WS_OPCODE_TEXT, payload_len);
    out[0] = (uint8_t)first;
    out[1] |= 0x80;
    memcpy(out + len, MASK, sizeof(MASK));
    return len + sizeof(MASK);
}

static void add_frame(stream *s, int first, const char *payload, size_t len)
{
    uint8_t header[WS_MAX_CLIENT_HEADER];
    add_bytes(s, header, write_header(header, first, len));
    for (size_t i = 0; i < len; i++)
        add_bytes(s, &(uint8_t){(uint8_t)payload[i] ^ MASK[i % 4]}, 1);
}

static void add_text_frame(stream *s, int first, const char *payload)
{
    add_frame(s, first, payload, strlen(payload));
}

static void add_server_frame(stream *s, int first, const char *payload)
{
    uint8_t header[WS_MAX_SERVER_HEADER];
    size_t header_len = ws_frame_header(header, WS_OPCODE_TEXT, strlen(payload));
    header[0] = (uint8_t)first;
    add_bytes(s, header, header_len);
    add_bytes(s, payload, strlen(payload));
}

/* ---- What the decoder makes of it ---- */

typedef struct player {
    ws_decoder decoder;
    char trace[TRACE_CAP]; /* "text:Hello ping:x close:1000:bye fault:1002 ", and "part:..." for a message
                              begun */
    char message[TRACE_CAP];
    size_t message_len;
    bool is_in_message;
} player;

static void note(player *p, const char *what, const void *data, size_t len)
{
    size_t used = strlen(p->trace);
    int n = snprintf(p->trace + used, sizeof(p->trace) - used, "%s:%.*s ", what, (int)len,
                     data == NULL ? "" : (const char *)data);
    assert_true(n > 0 && (size_t)n < sizeof(p->trace) - used);
}

static void note_code(player *p, const char *what, const ws_event *event)
{
    char head[32];
    snprintf(head, sizeof(head), "%s:%u", what, event->code);
    note(p, head, event->data, event->len);
}

static void take_data(player *p, const ws_event *event)
{
    assert_int_equal(event->is_first, !p->is_in_message);
    memcpy(p->message + p->message_len, event->data, event->len);
    p->message_len += event->len;
    p->is_in_message = !event->is_last;
    if (event->is_last) {
        note(p, event->is_text ? "text" : "binary", p->message, p->message_len);
        p->message_len = 0;
    }
}

static void take_event(player *p, const ws_event *event)
{
    switch (event->type) {
    case WS_EVENT_NONE:
        break;
    case WS_EVENT_DATA:
        take_data(p, event);
        break;
    case WS_EVENT_PING:
        note(p, "ping", event->data, event->len);
        break;
    case WS_EVENT_PONG:
        note(p, "pong", event->data, event->len);
        break;
    case WS_EVENT_CLOSE:
        note_code(p, "close", event);
        break;
    case WS_EVENT_FAULT:
        assert_non_null(event->reason);
        assert_in_range(strlen(event->reason), 1, 122);
        note_code(p, "fault", event);
        p->is_in_message = false;
        break;
    }
}

/* Give the decoder all of `data`; returns how many bytes at its end it wants to see again. */
static size_t feed(player *p, const uint8_t *data, size_t len)
{
    uint8_t *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    memcpy(block, data, len);

    size_t at = 0;
    ws_event event;
    do {
        bool was_in_frame = p->decoder.is_in_frame;
        size_t consumed = ws_decoder_next(&p->decoder, MAX_MESSAGE, block + at, len - at, &event);
        assert_true(consumed <= len - at);
        if (event.data != NULL) {
            assert_true(event.data >= block + at);
            assert_true(event.data + event.len <= block + at + consumed);
        }
        if (was_in_frame && at < len)
            assert_int_not_equal(event.type, WS_EVENT_NONE);
        take_event(p, &event);
        at += consumed;
    } while (event.type != WS_EVENT_NONE);

    assert_true(len - at < WS_MAX_CLIENT_HEADER + WS_MAX_CONTROL_PAYLOAD);
    assert_memory_equal(block + at, data + at, len - at);
    free(block);
    return len - at;
}

/* Play a stream in steps: up to `cut`, then in blocks of `step` bytes. */
static void play(player *p, const stream *s, size_t cut, size_t step)
{
    memset(p, 0, sizeof(*p));
    p->decoder.is_client = s->is_from_server;
    size_t left = feed(p, s->bytes, cut);
    for (size_t end = cut; end < s->len;) {
        size_t more = step < s->len - end ? step : s->len - end;
        left = feed(p, s->bytes + end - left, left + more);
        end += more;
    }
    if (p->is_in_message)
        note(p, "part", p->message, p->message_len);
}

static void expect(const stream *s, const char *trace)
{
    player p;
    for (size_t step = 1; step <= 9; step++) {
        play(&p, s, 0, step);
        assert_string_equal(p.trace, trace);
    }
    for (size_t cut = 0; cut <= s->len; cut++) {
        play(&p, s, cut, s->len);
        assert_string_equal(p.trace, trace);
    }
}

/* ---- Messages ---- */

static void no_bytes_are_no_event(void **unused)
{
    (void)unused;
    ws_decoder decoder = {0};
    ws_event event;
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, NULL, 0, &event), 0);
    assert_int_equal(event.type, WS_EVENT_NONE);
}

static void a_masked_hello_of_the_rfc_is_read(void **unused)
{
    (void)unused;
    stream s = {0};
    add_hex(&s, "81 85 37 fa 21 3d 7f 9f 4d 51 58"); /* RFC 6455, 5.7 */
    expect(&s, "text:Hello ");
}

static void a_whole_frame_is_one_event_that_points_behind_its_header(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "Hello");
    add_text_frame(&s, FIN | WS_OPCODE_BINARY, "next");

    ws_decoder decoder = {0};
    ws_event event;
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes, s.len, &event), 11);
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_ptr_equal(event.data, s.bytes + 6);
    assert_int_equal(event.len, 5);
    assert_memory_equal(event.data, "Hello", 5);
    assert_true(event.is_text && event.is_first && event.is_last);
}

static void messages_of_every_small_length_follow_each_other(void **unused)
{
    (void)unused;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFG";
    stream s = {0};
    char expected[TRACE_CAP] = "";
    for (size_t len = 0; len < sizeof(letters); len++) {
        add_frame(&s, FIN | (len % 2 == 0 ? WS_OPCODE_TEXT : WS_OPCODE_BINARY), letters, len);
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof(expected) - used, "%s:%.*s ", len % 2 == 0 ? "text" : "binary",
                 (int)len, letters);
    }
    expect(&s, expected);
}

static void fragments_make_one_message_with_control_frames_between(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "one ");
    add_text_frame(&s, FIN | WS_OPCODE_PING, "p1");
    add_text_frame(&s, WS_OPCODE_CONTINUATION, "two ");
    add_text_frame(&s, FIN | WS_OPCODE_PONG, "");
    add_text_frame(&s, FIN | WS_OPCODE_PING, "p2");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "three");
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "four");
    expect(&s, "ping:p1 pong: ping:p2 text:one two three text:four ");
}

static void empty_fragments_are_fragments_at_every_place(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "");
    add_text_frame(&s, WS_OPCODE_CONTINUATION, "middle");
    add_text_frame(&s, WS_OPCODE_CONTINUATION, "");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "");
    add_text_frame(&s, WS_OPCODE_BINARY, "");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "");
    expect(&s, "text:middle binary: ");
}

static void an_empty_last_fragment_still_ends_its_message(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "");

    ws_decoder decoder = {0};
    ws_event event;
    size_t at = ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes, s.len, &event);
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_true(event.is_first && !event.is_last);
    assert_int_equal(event.len, 0);
    at += ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes + at, s.len - at, &event);
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_true(!event.is_first && event.is_last);
    assert_int_equal(event.len, 0);
    assert_int_equal(at, s.len);
}

static void payload_in_hand_is_passed_on_before_its_frame_is_whole(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "Hello");

    ws_decoder decoder = {0};
    ws_event event;
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes, 6, &event), 6);
    assert_int_equal(event.type, WS_EVENT_NONE);
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes + 6, 3, &event), 3);
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_true(event.is_first && !event.is_last);
    assert_memory_equal(event.data, "Hel", 3);
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes + 9, 2, &event), 2);
    assert_true(!event.is_first && event.is_last);
    assert_memory_equal(event.data, "lo", 2);
}

static void an_unfinished_message_is_told_as_far_as_it_came(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "first");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "second");
    s.len -= 2;
    expect(&s, "part:firstseco ");
}

static void lengths_around_each_form_are_read(void **unused)
{
    (void)unused;
    static const size_t lengths[] = {125, 126, 127, 255, 256, 65535, 65536, 65537, 131072};

    for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
        uint8_t *bytes = malloc(WS_MAX_CLIENT_HEADER + lengths[i]);
        assert_non_null(bytes);
        size_t header_len = write_header(bytes, FIN | WS_OPCODE_BINARY, lengths[i]);
        for (size_t at = 0; at < lengths[i]; at++)
            bytes[header_len + at] = (uint8_t)(at * 7) ^ MASK[at % 4];

        ws_decoder decoder = {0};
        ws_event event;
        size_t consumed = ws_decoder_next(&decoder, lengths[i], bytes, header_len + lengths[i], &event);
        assert_int_equal(consumed, header_len + lengths[i]);
        assert_int_equal(event.type, WS_EVENT_DATA);
        assert_int_equal(event.len, lengths[i]);
        for (size_t at = 0; at < lengths[i]; at++) {
            if (event.data[at] != (uint8_t)(at * 7))
                fail_msg("byte %zu of %zu is unmasked wrong", at, lengths[i]);
        }
        free(bytes);
    }
}

/* ---- Control frames ---- */

static void the_largest_control_frame_is_read_and_waits_to_be_whole(void **unused)
{
    (void)unused;
    char payload[WS_MAX_CONTROL_PAYLOAD + 1];
    memset(payload, 'p', WS_MAX_CONTROL_PAYLOAD);
    payload[WS_MAX_CONTROL_PAYLOAD] = '\0';
    stream s = {0};
    add_text_frame(&s, FIN | WS_OPCODE_PING, payload);

    char expected[160];
    snprintf(expected, sizeof(expected), "ping:%s ", payload);
    expect(&s, expected);

    ws_decoder decoder = {0};
    ws_event event;
    assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes, s.len - 1, &event), 0);
    assert_int_equal(event.type, WS_EVENT_NONE);
}

static void a_ping_between_the_bytes_of_a_character_leaves_the_text_alone(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "\xE2\x82");
    add_text_frame(&s, FIN | WS_OPCODE_PING, "\xFF");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "\xAC");
    expect(&s, "ping:\xFF text:\xE2\x82\xAC ");
}

static void a_close_is_told_with_its_code_and_reason(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, FIN | WS_OPCODE_CLOSE, "");
    expect(&s, "close:1005: ");

    s.len = 0;
    add_text_frame(&s, FIN | WS_OPCODE_CLOSE, "\x03\xE8");
    expect(&s, "close:1000: ");

    s.len = 0;
    add_text_frame(&s, FIN | WS_OPCODE_CLOSE, "\x0F\xA0so long \xE2\x82\xAC");
    expect(&s, "close:4000:so long \xE2\x82\xAC ");
}

static void nothing_is_read_after_a_close_or_a_fault(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, FIN | WS_OPCODE_CLOSE, "\x03\xE8");
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "too late");
    add_hex(&s, "ff ff");
    expect(&s, "close:1000: ");

    s.len = 0;
    add_hex(&s, "83 80 00 00 00 00");
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "too late");
    expect(&s, "fault:1002: ");
}

static void a_close_inside_a_message_ends_everything(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_TEXT, "begun");
    add_text_frame(&s, FIN | WS_OPCODE_CLOSE, "\x03\xE9");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "too late");
    expect(&s, "close:1001: part:begun ");
}

static void close_codes_that_must_not_be_sent_are_faults(void **unused)
{
    (void)unused;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        bool is_valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                        (code >= 3000 && code <= 4999);
        stream s = {0};
        const char payload[] = {(char)(code >> 8), (char)code};
        add_frame(&s, FIN | WS_OPCODE_CLOSE, payload, sizeof(payload));

        ws_decoder decoder = {0};
        ws_event event;
        assert_int_equal(ws_decoder_next(&decoder, MAX_MESSAGE, s.bytes, s.len, &event), s.len);
        assert_int_equal(event.type, is_valid ? WS_EVENT_CLOSE : WS_EVENT_FAULT);
        assert_int_equal(event.code, is_valid ? code : WS_CLOSE_PROTOCOL_ERROR);
    }
}

static void a_close_reason_that_is_not_utf8_is_invalid_data(void **unused)
{
    (void)unused;
    static const char *const reasons[] = {"\x03\xE8\xFF", "\x03\xE8half \xE2\x82", "\x03\xE8\xED\xA0\x80"};
    for (size_t i = 0; i < LENGTH_OF(reasons); i++) {
        stream s = {0};
        add_text_frame(&s, FIN | WS_OPCODE_CLOSE, reasons[i]);
        expect(&s, "fault:1007: ");
    }
}

/* ---- Faults ---- */

static void expect_last(const player *p, const char *note)
{
    assert_true(strlen(p->trace) >= strlen(note));
    assert_string_equal(p->trace + strlen(p->trace) - strlen(note), note);
}

/* The last byte is the one that must be refused, and the one before it must not. */
static void expect_fault_at_last_byte_of(stream s, unsigned code)
{
    char expected[32];
    snprintf(expected, sizeof(expected), "fault:%u: ", code);

    player p;
    play(&p, &s, 0, 1);
    expect_last(&p, expected);
    play(&p, &s, s.len, 1);
    expect_last(&p, expected);
    s.len--;
    play(&p, &s, 0, 1);
    if (strstr(p.trace, "fault") != NULL)
        fail_msg("refused too early: %s", p.trace);
}

static void expect_fault_at_last_byte(const char *hex, unsigned code)
{
    stream s = {0};
    add_hex(&s, hex);
    expect_fault_at_last_byte_of(s, code);
}

static void each_broken_rule_of_framing_is_seen_at_its_first_byte(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "c1",                            /* RSV1 */
        "a1",                            /* RSV2 */
        "91",                            /* RSV3 */
        "f9",                            /* all of them, on a ping */
        "83",                            /* reserved data opcodes */
        "84",                            /* … */
        "85",                            /* … */
        "86",                            /* … */
        "87",                            /* … */
        "8b",                            /* reserved control opcodes */
        "8c",                            /* … */
        "8d",                            /* … */
        "8e",                            /* … */
        "8f",                            /* … */
        "08",                            /* fragmented close */
        "09",                            /* fragmented ping */
        "0a",                            /* fragmented pong */
        "00",                            /* continuation of nothing */
        "80",                            /* last continuation of nothing */
        "81 05",                         /* no mask */
        "89 00",                         /* no mask, empty */
        "89 fe",                         /* ping with a 16-bit length */
        "8a ff",                         /* pong with a 64-bit length */
        "88 81",                         /* close with half a code */
        "81 fe 00 7d",                   /* 125 in 16 bits */
        "82 fe 00 00",                   /* 0 in 16 bits */
        "82 ff 00 00 00 00 00 00 ff ff", /* 65535 in 64 bits */
        "82 ff 80 00 00 00 00 00 00 00", /* the top bit */
        "01 81 00 00 00 00 78 81",       /* a text inside a message */
        "01 80 00 00 00 00 82",          /* a binary inside a message that is still empty */
        "02 81 00 00 00 00 78 01",       /* a fragmented text inside a message */
        "81 81 00 00 00 00 78 80",       /* continuation of a message that has ended */
        "89 80 00 00 00 00 80",          /* continuation of a ping */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        expect_fault_at_last_byte(cases[i], WS_CLOSE_PROTOCOL_ERROR);
}

static void text_is_refused_at_its_first_bad_byte(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "81 8a 00 00 00 00 61 ff",                      /* within a frame that promises more */
        "81 8a 00 00 00 00 ed a0",                      /* a surrogate, by its second byte */
        "81 fe 01 00 00 00 00 00 61 c3 a4 f4 90",       /* over U+10FFFF, in a longer frame */
        "01 82 00 00 00 00 e2 82 80 85 00 00 00 00 61", /* a character broken off by the next fragment */
        "81 82 00 00 00 00 e2 82",                      /* cut by the end of the message */
        "01 81 00 00 00 00 c3 80 80 00 00 00 00",       /* cut, and the last fragment is empty */
        "81 81 00 00 00 00 78 81 81 00 00 00 00 80",    /* the second message */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++)
        expect_fault_at_last_byte(cases[i], WS_CLOSE_INVALID_DATA);
}

/* A whole text frame may be read in another way than one that comes in pieces. */
static void a_whole_text_frame_must_obey_the_rules_as_well(void **unused)
{
    (void)unused;
    stream inside = {0};
    add_text_frame(&inside, WS_OPCODE_TEXT, "one ");
    add_text_frame(&inside, FIN | WS_OPCODE_TEXT, "two");
    expect(&inside, "fault:1002: ");

    stream to_client = {.is_from_server = true};
    add_text_frame(&to_client, FIN | WS_OPCODE_TEXT, "Hello");
    expect(&to_client, "fault:1002: ");

    stream without_mask = {0};
    add_hex(&without_mask, "81 05 48 65 6c 6c 6f 81 80 00 00 00 00");
    expect(&without_mask, "fault:1002: ");

    stream long_form = {0};
    add_hex(&long_form, "81 fe 00 05 00 00 00 00 48 65 6c 6c 6f");
    expect(&long_form, "fault:1002: ");

    /* A length of 64 bits, whose first two bytes are no length by themselves. */
    stream huge = {0};
    uint8_t zeros[0x80 + WS_MASK_LEN] = {0};
    add_hex(&huge, "81 ff 00 80");
    add_bytes(&huge, zeros, sizeof(zeros));
    expect(&huge, "fault:1009: ");

    static const char letters[MAX_MESSAGE + 1] = "too long";
    stream too_big = {0};
    add_frame(&too_big, FIN | WS_OPCODE_TEXT, letters, sizeof(letters));
    expect(&too_big, "fault:1009: ");
}

static void binary_may_hold_any_byte(void **unused)
{
    (void)unused;
    stream s = {0};
    add_text_frame(&s, WS_OPCODE_BINARY, "\xFF\xC0");
    add_text_frame(&s, FIN | WS_OPCODE_CONTINUATION, "\x80\xE2");
    add_text_frame(&s, FIN | WS_OPCODE_TEXT, "text");
    expect(&s, "binary:\xFF\xC0\x80\xE2 text:text ");
}

static void a_message_over_the_bound_is_refused_by_the_header_that_passes_it(void **unused)
{
    (void)unused;
    expect_fault_at_last_byte("81 fe 04 01", WS_CLOSE_TOO_BIG);
    expect_fault_at_last_byte("82 ff 00 00 00 00 00 01 00 00", WS_CLOSE_TOO_BIG);
    expect_fault_at_last_byte("82 ff 7f ff ff ff ff ff ff ff", WS_CLOSE_TOO_BIG);
    expect_fault_at_last_byte("01 81 00 00 00 00 78 80 fe 04 00", WS_CLOSE_TOO_BIG);
}

static void a_message_of_just_the_bound_is_read_each_time(void **unused)
{
    (void)unused;
    char payload[MAX_MESSAGE];
    memset(payload, 'm', sizeof(payload));
    stream s = {0};
    add_frame(&s, WS_OPCODE_TEXT, payload, MAX_MESSAGE - 50);
    add_frame(&s, FIN | WS_OPCODE_PING, payload, WS_MAX_CONTROL_PAYLOAD); /* not counted */
    add_frame(&s, FIN | WS_OPCODE_CONTINUATION, payload, 50);
    add_frame(&s, FIN | WS_OPCODE_TEXT, payload, 500); /* counted anew */

    char expected[TRACE_CAP];
    snprintf(expected, sizeof(expected), "ping:%.125s text:%.1024s text:%.500s ", payload, payload, payload);
    expect(&s, expected);
}

static void a_sum_of_lengths_can_not_overflow(void **unused)
{
    (void)unused;
    uint8_t fragment[] = {WS_OPCODE_BINARY, 0x81, 0, 0, 0, 0, 'x'};
    uint8_t huge[WS_MAX_CLIENT_HEADER];
    size_t huge_len = write_header(huge, WS_OPCODE_CONTINUATION, INT64_MAX);
    ws_decoder decoder = {0};
    ws_event event;

    ws_decoder_next(&decoder, UINT32_MAX, fragment, sizeof(fragment), &event);
    assert_int_equal(event.type, WS_EVENT_DATA);
    ws_decoder_next(&decoder, UINT32_MAX, huge, huge_len, &event);
    assert_int_equal(event.type, WS_EVENT_FAULT);
    assert_int_equal(event.code, WS_CLOSE_TOO_BIG);
}

static void a_bound_of_zero_lets_only_empty_messages_in(void **unused)
{
    (void)unused;
    uint8_t empty[] = {FIN | WS_OPCODE_TEXT, 0x80, 1, 2, 3, 4};
    uint8_t one[] = {FIN | WS_OPCODE_TEXT, 0x81};
    ws_decoder decoder = {0};
    ws_event event;

    assert_int_equal(ws_decoder_next(&decoder, 0, empty, sizeof(empty), &event), sizeof(empty));
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_true(event.is_first && event.is_last);
    ws_decoder_next(&decoder, 0, one, sizeof(one), &event);
    assert_int_equal(event.code, WS_CLOSE_TOO_BIG);
}

/* ---- A client's decoder ---- */

static void an_unmasked_hello_of_the_rfc_is_read_by_a_client(void **unused)
{
    (void)unused;
    stream s = {.is_from_server = true};
    add_hex(&s, "81 05 48 65 6c 6c 6f"); /* RFC 6455, 5.7 */
    expect(&s, "text:Hello ");
}

static void a_client_reads_fragments_and_control_frames_between(void **unused)
{
    (void)unused;
    stream s = {.is_from_server = true};
    add_server_frame(&s, WS_OPCODE_TEXT, "one \xE2\x82");
    add_server_frame(&s, FIN | WS_OPCODE_PING, "p1");
    add_server_frame(&s, WS_OPCODE_CONTINUATION, "");
    add_server_frame(&s, FIN | WS_OPCODE_PONG, "");
    add_server_frame(&s, FIN | WS_OPCODE_CONTINUATION, "\xAC two");
    add_server_frame(&s, FIN | WS_OPCODE_BINARY, "\xFF");
    add_server_frame(&s, FIN | WS_OPCODE_TEXT, "");
    add_server_frame(&s, FIN | WS_OPCODE_CLOSE,
                     "\x03\xE9"
                     "bye");
    add_server_frame(&s, FIN | WS_OPCODE_TEXT, "too late");
    expect(&s, "ping:p1 pong: text:one \xE2\x82\xAC two binary:\xFF text: close:1001:bye ");
}

static void a_client_reads_every_form_of_length(void **unused)
{
    (void)unused;
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
        uint8_t *bytes = malloc(WS_MAX_SERVER_HEADER + lengths[i]);
        assert_non_null(bytes);
        size_t header_len = ws_frame_header(bytes, WS_OPCODE_BINARY, lengths[i]);
        memset(bytes + header_len, 'x', lengths[i]);

        ws_decoder decoder = {.is_client = true};
        ws_event event;
        size_t consumed = ws_decoder_next(&decoder, lengths[i], bytes, header_len + lengths[i], &event);
        assert_int_equal(consumed, header_len + lengths[i]);
        assert_int_equal(event.type, WS_EVENT_DATA);
        assert_int_equal(event.len, lengths[i]);
        assert_ptr_equal(event.data, bytes + header_len);
        for (size_t at = 0; at < lengths[i]; at++)
            assert_int_equal(event.data[at], 'x'); /* nothing is unmasked */
        free(bytes);
    }
}

static void a_mask_from_a_server_is_refused_at_the_second_byte(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "81 85",                /* a text */
        "82 80",                /* an empty binary */
        "89 80",                /* a ping */
        "88 82",                /* a close */
        "81 fe",                /* a length still to come */
        "01 01 78 80 81",       /* a later fragment */
        "01 01 78 89 81",       /* a ping between fragments */
        "81 01 78 8a 00 81 85", /* after good frames */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        stream s = {.is_from_server = true};
        add_hex(&s, cases[i]);
        expect_fault_at_last_byte_of(s, WS_CLOSE_PROTOCOL_ERROR);
    }
}

static void a_client_enforces_the_other_rules_as_well(void **unused)
{
    (void)unused;
    static const struct {
        const char *hex;
        unsigned code;
    } cases[] = {
        {"c1", 1002},                   /* RSV1 */
        {"83", 1002},                   /* a reserved opcode */
        {"09", 1002},                   /* a fragmented ping */
        {"80", 1002},                   /* continuation of nothing */
        {"89 7e", 1002},                /* a long ping */
        {"88 01", 1002},                /* close with half a code */
        {"88 02 03 ed", 1002},          /* a close code that must not be sent */
        {"81 7e 00 7d", 1002},          /* 125 in 16 bits */
        {"01 01 78 81", 1002},          /* a text inside a message */
        {"81 05 61 ff", 1007},          /* no UTF-8 */
        {"81 02 e2 82", 1007},          /* cut within a character */
        {"81 7e 04 01", 1009},          /* over the bound */
        {"01 01 78 80 7e 04 00", 1009}, /* with its fragments */
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        stream s = {.is_from_server = true};
        add_hex(&s, cases[i].hex);
        expect_fault_at_last_byte_of(s, cases[i].code);
    }
}

/* ---- The other direction ---- */

static void headers_are_written_in_their_shortest_form(void **unused)
{
    (void)unused;
    static const struct {
        ws_opcode opcode;
        uint64_t payload_len;
        const char *hex;
    } cases[] = {
        {WS_OPCODE_TEXT, 0, "81 00"},
        {WS_OPCODE_BINARY, 1, "82 01"},
        {WS_OPCODE_PING, 125, "89 7d"},
        {WS_OPCODE_PONG, 5, "8a 05"},
        {WS_OPCODE_CLOSE, 2, "88 02"},
        {WS_OPCODE_TEXT, 126, "81 7e 00 7e"},
        {WS_OPCODE_TEXT, 65535, "81 7e ff ff"},
        {WS_OPCODE_TEXT, 65536, "81 7f 00 00 00 00 00 01 00 00"},
        {WS_OPCODE_TEXT, UINT64_C(0x0102030405060708), "81 7f 01 02 03 04 05 06 07 08"},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        stream expected = {0};
        add_hex(&expected, cases[i].hex);
        uint8_t header[WS_MAX_SERVER_HEADER];
        size_t len = ws_frame_header(header, cases[i].opcode, cases[i].payload_len);
        assert_int_equal(ws_frame_header_len(cases[i].payload_len), len);
        assert_int_equal(len, expected.len);
        assert_memory_equal(header, expected.bytes, len);
    }
}

static void a_header_of_a_client_is_that_of_a_server_with_a_mask(void **unused)
{
    (void)unused;
    static const struct {
        ws_opcode opcode;
        uint64_t payload_len;
        const char *hex;
    } cases[] = {
        {WS_OPCODE_TEXT, 0, "81 80 37 fa 21 3d"},
        {WS_OPCODE_PING, 125, "89 fd 37 fa 21 3d"},
        {WS_OPCODE_BINARY, 126, "82 fe 00 7e 37 fa 21 3d"},
        {WS_OPCODE_TEXT, 65536, "81 ff 00 00 00 00 00 01 00 00 37 fa 21 3d"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        stream expected = {0};
        add_hex(&expected, cases[i].hex);
        uint8_t header[WS_MAX_CLIENT_HEADER];
        size_t len = ws_client_frame_header(header, cases[i].opcode, cases[i].payload_len, MASK);
        assert_int_equal(len, expected.len);
        assert_memory_equal(header, expected.bytes, len);
    }
}

static void masking_twice_changes_nothing_at_any_length_and_place(void **unused)
{
    (void)unused;
    uint8_t bytes[180];
    for (size_t start = 0; start < 8; start++) {
        for (size_t len = 0; len <= 160; len++) { /* through every width that is masked at once */
            for (size_t at = 0; at < sizeof(bytes); at++)
                bytes[at] = (uint8_t)(at * 5);
            ws_mask(bytes + start, len, MASK);
            for (size_t at = 0; at < sizeof(bytes); at++) {
                bool is_inside = at >= start && at < start + len;
                assert_int_equal(bytes[at], (uint8_t)(at * 5) ^ (is_inside ? MASK[(at - start) % 4] : 0));
            }
            ws_mask(bytes + start, len, MASK);
            for (size_t at = 0; at < sizeof(bytes); at++)
                assert_int_equal(bytes[at], (uint8_t)(at * 5));
        }
    }
}

/* One byte that is not ASCII, wherever it is, and none. */
static void unmasking_tells_whether_the_text_is_ascii(void **unused)
{
    (void)unused;
    uint8_t bytes[160];
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        for (size_t odd = 0; odd <= len; odd++) {
            memset(bytes, 0x7F, sizeof(bytes));
            if (odd < len)
                bytes[odd] = 0x80;
            ws_mask(bytes, len, MASK);
            assert_int_equal(ws_mask(bytes, len, MASK), odd == len);
        }
    }
}

static void what_a_client_writes_a_server_reads(void **unused)
{
    (void)unused;
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    static const uint8_t masks[][WS_MASK_LEN] = {{0x37, 0xFA, 0x21, 0x3D}, {0}, {0, 0xFF, 0, 1}};

    for (size_t i = 0; i < LENGTH_OF(lengths) * LENGTH_OF(masks); i++) {
        size_t len = lengths[i / LENGTH_OF(masks)];
        const uint8_t *mask = masks[i % LENGTH_OF(masks)];
        uint8_t *bytes = malloc(WS_MAX_CLIENT_HEADER + len);
        assert_non_null(bytes);
        size_t header_len = ws_client_frame_header(bytes, WS_OPCODE_BINARY, len, mask);
        for (size_t at = 0; at < len; at++)
            bytes[header_len + at] = (uint8_t)(at * 7);
        ws_mask(bytes + header_len, len, mask);

        ws_decoder decoder = {0};
        ws_event event;
        assert_int_equal(ws_decoder_next(&decoder, len, bytes, header_len + len, &event), header_len + len);
        assert_int_equal(event.type, WS_EVENT_DATA);
        assert_true(event.is_first && event.is_last);
        assert_int_equal(event.len, len);
        for (size_t at = 0; at < len; at++)
            if (event.data[at] != (uint8_t)(at * 7))
                fail_msg("byte %zu of %zu came back wrong", at, len);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_are_no_event),
        cmocka_unit_test(a_masked_hello_of_the_rfc_is_read),
        cmocka_unit_test(a_whole_frame_is_one_event_that_points_behind_its_header),
        cmocka_unit_test(messages_of_every_small_length_follow_each_other),
        cmocka_unit_test(fragments_make_one_message_with_control_frames_between),
        cmocka_unit_test(empty_fragments_are_fragments_at_every_place),
        cmocka_unit_test(an_empty_last_fragment_still_ends_its_message),
        cmocka_unit_test(payload_in_hand_is_passed_on_before_its_frame_is_whole),
        cmocka_unit_test(an_unfinished_message_is_told_as_far_as_it_came),
        cmocka_unit_test(lengths_around_each_form_are_read),
        cmocka_unit_test(the_largest_control_frame_is_read_and_waits_to_be_whole),
        cmocka_unit_test(a_ping_between_the_bytes_of_a_character_leaves_the_text_alone),
        cmocka_unit_test(a_close_is_told_with_its_code_and_reason),
        cmocka_unit_test(nothing_is_read_after_a_close_or_a_fault),
        cmocka_unit_test(a_close_inside_a_message_ends_everything),
        cmocka_unit_test(close_codes_that_must_not_be_sent_are_faults),
        cmocka_unit_test(a_close_reason_that_is_not_utf8_is_invalid_data),
        cmocka_unit_test(each_broken_rule_of_framing_is_seen_at_its_first_byte),
        cmocka_unit_test(text_is_refused_at_its_first_bad_byte),
        cmocka_unit_test(a_whole_text_frame_must_obey_the_rules_as_well),
        cmocka_unit_test(binary_may_hold_any_byte),
        cmocka_unit_test(a_message_over_the_bound_is_refused_by_the_header_that_passes_it),
        cmocka_unit_test(a_message_of_just_the_bound_is_read_each_time),
        cmocka_unit_test(a_sum_of_lengths_can_not_overflow),
        cmocka_unit_test(a_bound_of_zero_lets_only_empty_messages_in),
        cmocka_unit_test(an_unmasked_hello_of_the_rfc_is_read_by_a_client),
        cmocka_unit_test(a_client_reads_fragments_and_control_frames_between),
        cmocka_unit_test(a_client_reads_every_form_of_length),
        cmocka_unit_test(a_mask_from_a_server_is_refused_at_the_second_byte),
        cmocka_unit_test(a_client_enforces_the_other_rules_as_well),
        cmocka_unit_test(headers_are_written_in_their_shortest_form),
        cmocka_unit_test(a_header_of_a_client_is_that_of_a_server_with_a_mask),
        cmocka_unit_test(masking_twice_changes_nothing_at_any_length_and_place),
        cmocka_unit_test(unmasking_tells_whether_the_text_is_ascii),
        cmocka_unit_test(what_a_client_writes_a_server_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
