/* Frames, fuzzed: any bytes, played whole and in blocks, must make the same messages, control frames and
 * faults, and leave the decoder in the same state. Text that was passed on is checked by a decoder of another
 * make. What a client writes around the same bytes, a server must read back.
 *
 * Input: one byte for the message bound; one for the largest block (the lowest five bits) and the role (the
 * highest: a client's decoder instead of a server's); one to seed the block sizes; then the stream. */
#include "websocket/frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_BIT = 0x80, SETTINGS = 3, MAX_LEFT = WS_MAX_CLIENT_HEADER + WS_MAX_CONTROL_PAYLOAD - 1 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A growing block of bytes. */
typedef struct record {
    uint8_t *data;
    size_t len;
    size_t cap;
} record;

static void append(record *r, const void *data, size_t len)
{
    if (r->cap - r->len < len) {
        r->cap = 2 * r->cap + len;
        r->data = realloc(r->data, r->cap);
        require(r->data != NULL);
    }
    if (len > 0)
        memcpy(r->data + r->len, data, len);
    r->len += len;
}

typedef struct player {
    ws_decoder decoder;
    uint32_t max_message_bytes;
    record trace;   /* what came out, in a form that does not depend on the cuts */
    record message; /* put together so far */
    bool is_in_message;
    bool has_ended;
} player;

/* RFC 3629, 3, by computing code points. */
static bool is_utf8(const uint8_t *data, size_t len)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};

    for (size_t at = 0; at < len;) {
        uint8_t first = data[at++];
        if (first < 0x80)
            continue;
        unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC0 || first >= 0xF8 || len - at < more)
            return false;
        uint32_t code_point = first & (0x3Fu >> more);
        for (unsigned i = 0; i < more; i++, at++) {
            if ((data[at] & 0xC0) != 0x80)
                return false;
            code_point = code_point << 6 | (data[at] & 0x3F);
        }
        if (code_point < smallest[more] || code_point > 0x10FFFF ||
            (code_point >= 0xD800 && code_point <= 0xDFFF))
            return false;
    }
    return true;
}

static void note(player *p, char what, uint64_t number, const void *data, size_t len)
{
    append(&p->trace, &what, 1);
    append(&p->trace, &number, sizeof(number));
    append(&p->trace, &len, sizeof(len));
    append(&p->trace, data, len);
}

static void take_data(player *p, const ws_event *event)
{
    require(event->is_first == !p->is_in_message);
    p->is_in_message = true;
    append(&p->message, event->data, event->len);
    require(p->message.len <= p->max_message_bytes);
    if (!event->is_last)
        return;

    require(!event->is_text || is_utf8(p->message.data, p->message.len));
    note(p, 'm', event->is_text, p->message.data, p->message.len);
    p->message.len = 0;
    p->is_in_message = false;
}

/* RFC 6455, 7.4: 1004 to 1006, 1015 and all below 1000 mean something else than a code on the wire. */
static bool may_be_sent(unsigned code)
{
    return code >= 1000 && code < 5000 && !(code >= 1004 && code <= 1006) && !(code >= 1015 && code < 3000);
}

static void take_end(player *p, const ws_event *event)
{
    p->has_ended = true;
    /* How much of a bad text is passed on before its fault depends on the cuts. */
    p->is_in_message = false;
    if (event->type == WS_EVENT_CLOSE) {
        require(event->code == WS_CLOSE_NO_STATUS ? event->len == 0 : may_be_sent(event->code));
        require(is_utf8(event->data, event->len));
    } else {
        require(event->code == WS_CLOSE_PROTOCOL_ERROR || event->code == WS_CLOSE_INVALID_DATA ||
                event->code == WS_CLOSE_TOO_BIG);
        require(event->reason != NULL && strlen(event->reason) < 123);
        note(p, 'r', 0, event->reason, strlen(event->reason));
    }
}

static void take_event(player *p, const ws_event *event)
{
    require(!p->has_ended || event->type == WS_EVENT_NONE);
    if (event->type == WS_EVENT_NONE)
        return;
    if (event->type == WS_EVENT_DATA) {
        take_data(p, event);
        return;
    }

    require(event->len <= WS_MAX_CONTROL_PAYLOAD);
    note(p, 'c', (uint64_t)event->type << 16 | event->code, event->data, event->len);
    if (event->type == WS_EVENT_CLOSE || event->type == WS_EVENT_FAULT)
        take_end(p, event);
    else
        note(p, 'p', p->message.len, NULL, 0); /* where in the message it came */
}

/* Give the decoder these bytes in a block of just their size; returns how many it wants again. */
static size_t feed(player *p, const uint8_t *data, size_t len)
{
    uint8_t *block = malloc(len > 0 ? len : 1);
    require(block != NULL);
    memcpy(block, data, len);

    size_t at = 0;
    ws_event event;
    do {
        size_t consumed = ws_decoder_next(&p->decoder, p->max_message_bytes, block + at, len - at, &event);
        require(consumed <= len - at);
        if (event.data != NULL)
            require(event.data >= block + at && event.len <= consumed &&
                    event.data + event.len <= block + at + consumed);
        require(event.type == WS_EVENT_NONE || consumed > 0);
        take_event(p, &event);
        at += consumed;
    } while (event.type != WS_EVENT_NONE);

    require(len - at <= MAX_LEFT);
    require(memcmp(block + at, data + at, len - at) == 0);
    free(block);
    return len - at;
}

/* Play the stream in blocks of 1 to `largest` bytes, drawn from `seed`, or whole where that is 0. Returns how
 * many bytes were left over. */
static size_t play(player *p, const uint8_t *data, size_t len, size_t largest, uint32_t seed)
{
    size_t left = 0;
    for (size_t end = 0; end < len;) {
        seed = seed * 1664525 + 1013904223;
        size_t more = largest == 0 ? len : 1 + (seed >> 8) % largest;
        if (more > len - end)
            more = len - end;
        left = feed(p, data + end - left, left + more);
        end += more;
    }
    if (p->is_in_message)
        note(p, 'u', 0, p->message.data, p->message.len);
    return left;
}

static void require_same(const player *a, const player *b)
{
    require(a->trace.len == b->trace.len);
    require(a->trace.len == 0 || memcmp(a->trace.data, b->trace.data, a->trace.len) == 0);
    require(a->decoder.has_failed == b->decoder.has_failed);
    if (a->decoder.has_failed)
        return;
    require(a->decoder.frame_left == b->decoder.frame_left);
    require(a->decoder.message_bytes == b->decoder.message_bytes);
    require(a->decoder.opcode == b->decoder.opcode);
    require(a->decoder.is_in_frame == b->decoder.is_in_frame);
    require(a->decoder.utf8.needed == b->decoder.utf8.needed);
    require(!a->decoder.is_in_frame || a->decoder.is_client ||
            memcmp(a->decoder.mask, b->decoder.mask, sizeof(a->decoder.mask)) == 0);
}

/* What a client writes, a server reads: the mask is drawn from `seed`. */
static void require_round_trip(const uint8_t *payload, size_t len, uint32_t seed)
{
    uint8_t mask[WS_MASK_LEN];
    seed *= 2654435761u;
    memcpy(mask, &seed, sizeof(mask));
    uint8_t *frame = malloc(WS_MAX_CLIENT_HEADER + len);
    require(frame != NULL);
    size_t header_len = ws_client_frame_header(frame, WS_OPCODE_BINARY, len, mask);
    memcpy(frame + header_len, payload, len);
    ws_mask(frame + header_len, len, mask);

    ws_decoder decoder = {0};
    ws_event event;
    require(ws_decoder_next(&decoder, len, frame, header_len + len, &event) == header_len + len);
    require(event.type == WS_EVENT_DATA && event.is_first && event.is_last && event.len == len);
    require(len == 0 || memcmp(event.data, payload, len) == 0);
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SETTINGS)
        return 0;

    player whole = {.max_message_bytes = data[0] == 0xFF ? UINT32_MAX : (uint32_t)data[0] * 8};
    whole.decoder.is_client = (data[1] & CLIENT_BIT) != 0;
    player parts = whole;
    size_t len = size - SETTINGS;
    size_t left = play(&whole, data + SETTINGS, len, 0, 0);
    require(play(&parts, data + SETTINGS, len, 1 + data[1] % 32, data[2]) == left);
    require_same(&whole, &parts);
    require_round_trip(data + SETTINGS, len, data[2]);

    free(whole.trace.data);
    free(whole.message.data);
    free(parts.trace.data);
    free(parts.message.data);
    return 0;
}
