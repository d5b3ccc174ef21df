/* The decoder looks at the bytes of a frame in their order, and refuses the frame at the first byte that
 * breaks a rule, even before its header is complete. A header is consumed only as a whole, so no part of it
 * is kept between calls. A control frame, too, stays in the caller's buffer until it is complete; it has at
 * most 125 bytes. Only the payload of data frames is passed on in parts. Bytes that are not consumed are
 * never changed.
 *
 * The usual case, a message that is one whole text frame in one read, has a way of its own in
 * ws_decoder_next(). It leaves no trace in the decoder. All else goes through read_on(), which would find the
 * same. */
#include "websocket/frame.h"

#include <string.h>

/* RFC 6455, 5.2: the first two bytes of each frame. */
enum {
    FIN_BIT = 0x80,
    RESERVED_BITS = 0x70,
    OPCODE_BITS = 0x0F,
    CONTROL_OPCODE_BIT = 0x08,

    MASK_BIT = 0x80,
    LENGTH_BITS = 0x7F,
    LENGTH_IS_16_BIT = 126,
    LENGTH_IS_64_BIT = 127,

    START_LEN = 2,
};

static bool is_control(uint8_t opcode)
{
    return (opcode & CONTROL_OPCODE_BIT) != 0;
}

/* End with a fault. It is the last event that the decoder's caller gets. */
static size_t fail(ws_decoder *decoder, ws_event *event, ws_close_code code, const char *reason)
{
    decoder->has_failed = true;
    *event = (ws_event){.type = WS_EVENT_FAULT, .code = (uint16_t)code, .reason = reason};
    return 0;
}

/* What is wrong with a frame's first byte, or NULL. */
static const char *find_opcode_fault(const ws_decoder *decoder, uint8_t first)
{
    uint8_t opcode = first & OPCODE_BITS;

    if ((first & RESERVED_BITS) != 0)
        return "reserved bit without an extension"; /* RFC 6455, 5.2 */
    if (is_control(opcode)) {
        if (opcode > WS_OPCODE_PONG)
            return "reserved opcode";                                      /* RFC 6455, 5.2 */
        return (first & FIN_BIT) != 0 ? NULL : "fragmented control frame"; /* RFC 6455, 5.5 */
    }
    if (opcode > WS_OPCODE_BINARY)
        return "reserved opcode"; /* RFC 6455, 5.2 */

    /* The fragments of a message come one behind the other (RFC 6455, 5.4). */
    if (opcode == WS_OPCODE_CONTINUATION)
        return decoder->opcode != 0 ? NULL : "continuation without a message";
    return decoder->opcode == 0 ? NULL : "new message inside a fragmented one";
}

/* What is wrong with a frame's second byte, or NULL. */
static const char *find_start_fault(const ws_decoder *decoder, uint8_t opcode, uint8_t second)
{
    uint8_t length = second & LENGTH_BITS;

    if (((second & MASK_BIT) != 0) == decoder->is_client) /* RFC 6455, 5.1 */
        return decoder->is_client ? "frame with a mask" : "frame without a mask";
    if (is_control(opcode) && length > WS_MAX_CONTROL_PAYLOAD)
        return "control frame over 125 bytes"; /* RFC 6455, 5.5 */
    if (opcode == WS_OPCODE_CLOSE && length == 1)
        return "close frame with half a code"; /* RFC 6455, 5.5.1 */
    return NULL;
}

/* Read the payload length. Returns how many bytes come before the mask, or 0 while it is incomplete. */
static size_t read_length(const uint8_t *data, size_t len, uint64_t *payload_len)
{
    if (len < START_LEN)
        return 0;

    uint8_t length = data[1] & LENGTH_BITS;
    if (length < LENGTH_IS_16_BIT) {
        *payload_len = length;
        return START_LEN;
    }

    size_t mask_at = START_LEN + (length == LENGTH_IS_16_BIT ? 2 : 8);
    if (len < mask_at)
        return 0;
    uint64_t value = 0;
    for (size_t i = START_LEN; i < mask_at; i++)
        value = value << 8 | data[i];
    *payload_len = value;
    return mask_at;
}

/* What is wrong with a payload length that read_length() has read, or NULL (RFC 6455, 5.2). */
static const char *find_length_fault(size_t mask_at, uint64_t payload_len)
{
    if ((mask_at == START_LEN + 2 && payload_len < LENGTH_IS_16_BIT) ||
        (mask_at == START_LEN + 8 && payload_len <= UINT16_MAX))
        return "length not in its shortest form";
    if (payload_len > INT64_MAX)
        return "length over 63 bits";
    return NULL;
}

/* Two words, which compilers keep in one register where the machine has such. */
typedef uint64_t word_pair __attribute__((vector_size(16)));

enum { WORD = sizeof(uint64_t), PAIR = sizeof(word_pair) };

/* Change the pair that is there, and collect its bits. */
static inline void mask_pair(uint8_t *at, word_pair mask, word_pair *bits)
{
    word_pair pair;
    memcpy(&pair, at, sizeof(pair));
    pair ^= mask;
    memcpy(at, &pair, sizeof(pair));
    *bits |= pair;
}

/* Many words at a time, with the mask twice in each. Its halves are the same, so the byte order of the
 * machine does not matter. */
static inline bool unmask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN])
{
    uint32_t one_mask;
    memcpy(&one_mask, mask, sizeof(one_mask));
    uint64_t two_masks = (uint64_t)one_mask << 32 | one_mask;
    const word_pair masks = {two_masks, two_masks};

    word_pair odd = {0, 0}, even = {0, 0}; /* the bits that are set anywhere in the result */
    size_t at = 0;
    for (; len - at >= 4 * PAIR; at += 4 * PAIR) {
        mask_pair(data + at, masks, &even);
        mask_pair(data + at + PAIR, masks, &odd);
        mask_pair(data + at + 2 * PAIR, masks, &even);
        mask_pair(data + at + 3 * PAIR, masks, &odd);
    }
    for (; len - at >= PAIR; at += PAIR)
        mask_pair(data + at, masks, &even);
    even |= odd;
    uint64_t bits = even[0] | even[1];
    if (len - at >= WORD) {
        uint64_t word;
        memcpy(&word, data + at, WORD);
        word ^= two_masks;
        memcpy(data + at, &word, WORD);
        bits |= word;
        at += WORD;
    }
    if (len - at >= WS_MASK_LEN) {
        uint32_t half;
        memcpy(&half, data + at, sizeof(half));
        half ^= one_mask;
        memcpy(data + at, &half, sizeof(half));
        bits |= half;
        at += WS_MASK_LEN;
    }
    for (; at < len; at++) {
        data[at] ^= mask[at % WS_MASK_LEN];
        bits |= data[at];
    }
    return (bits & UINT64_C(0x8080808080808080)) == 0;
}

bool ws_mask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN])
{
    return unmask(data, len, mask);
}

/* Rotate the mask by `count` payload bytes. */
static void rotate_mask(uint8_t mask[WS_MASK_LEN], size_t count)
{
    uint8_t rotated[WS_MASK_LEN];
    for (size_t i = 0; i < WS_MASK_LEN; i++)
        rotated[i] = mask[(count + i) % WS_MASK_LEN];
    memcpy(mask, rotated, sizeof(rotated));
}

/* What is wrong with the next part of a text, or NULL (RFC 6455, 8.1). A character may be cut between two
 * parts, but not by the end of the message. */
static const char *find_text_fault(utf8_state *utf8, const uint8_t *part, size_t len, bool is_last)
{
    if (!utf8_check(utf8, part, len))
        return "text is not UTF-8";
    return is_last && !utf8_is_complete(utf8) ? "text ends within a character" : NULL;
}

/* Pass on as much of the current data frame's payload as is there. Returns how many bytes that is. */
static size_t pass_on(ws_decoder *decoder, uint8_t *payload, size_t len, ws_event *event)
{
    if (len == 0 && decoder->frame_left > 0)
        return 0;

    size_t part = len < decoder->frame_left ? len : decoder->frame_left;
    decoder->frame_left -= (uint32_t)part;
    decoder->is_in_frame = decoder->frame_left > 0;
    bool is_ascii = false; /* not that we know */
    if (!decoder->is_client) {
        is_ascii = ws_mask(payload, part, decoder->mask);
        if (decoder->is_in_frame)
            rotate_mask(decoder->mask, part);
    }

    bool is_text = decoder->opcode == WS_OPCODE_TEXT;
    bool is_last = decoder->is_final && !decoder->is_in_frame;
    if (is_text && !(is_ascii && utf8_is_complete(&decoder->utf8))) {
        const char *fault = find_text_fault(&decoder->utf8, payload, part, is_last);
        if (fault != NULL)
            return fail(decoder, event, WS_CLOSE_INVALID_DATA, fault);
    }

    *event = (ws_event){
        .type = WS_EVENT_DATA,
        .data = payload,
        .len = part,
        .is_text = is_text,
        .is_first = !decoder->has_data,
        .is_last = is_last,
    };
    decoder->has_data = !is_last;
    if (is_last) {
        decoder->opcode = 0;
        decoder->message_bytes = 0;
    }
    return part;
}

/* May this code stand in a close frame on the wire (RFC 6455, 7.4)? */
static bool is_close_code(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* Read a whole close frame (RFC 6455, 5.5.1). A payload of one byte has been refused already. */
static void read_close(ws_decoder *decoder, uint8_t *payload, size_t len, ws_event *event)
{
    uint16_t code = WS_CLOSE_NO_STATUS;
    size_t code_len = len == 0 ? 0 : 2;

    if (code_len > 0) {
        code = (uint16_t)(payload[0] << 8 | payload[1]);
        if (!is_close_code(code)) { /* RFC 6455, 7.4 */
            fail(decoder, event, WS_CLOSE_PROTOCOL_ERROR, "close code that must not be sent");
            return;
        }
    }
    utf8_state utf8 = {0}; /* The reason is text of its own: RFC 6455, 5.5.1 and 8.1. */
    if (!utf8_check(&utf8, payload + code_len, len - code_len) || !utf8_is_complete(&utf8)) {
        fail(decoder, event, WS_CLOSE_INVALID_DATA, "close reason is not UTF-8");
        return;
    }

    decoder->has_failed = true;
    *event =
        (ws_event){.type = WS_EVENT_CLOSE, .data = payload + code_len, .len = len - code_len, .code = code};
}

/* Read a whole control frame. */
static void read_control(ws_decoder *decoder, uint8_t opcode, uint8_t *payload, size_t len, ws_event *event)
{
    if (opcode == WS_OPCODE_CLOSE)
        read_close(decoder, payload, len, event);
    else
        *event = (ws_event){
            .type = opcode == WS_OPCODE_PING ? WS_EVENT_PING : WS_EVENT_PONG, .data = payload, .len = len};
}

/* Take down the header of a data frame, whose length is within the bound of the message. */
static void begin_data(ws_decoder *decoder, uint8_t first, uint32_t payload_len,
                       const uint8_t mask[WS_MASK_LEN])
{
    uint8_t opcode = first & OPCODE_BITS;
    if (opcode != WS_OPCODE_CONTINUATION)
        decoder->opcode = opcode;
    decoder->is_final = (first & FIN_BIT) != 0;
    decoder->is_in_frame = true;
    decoder->frame_left = payload_len;
    decoder->message_bytes += payload_len;
    if (!decoder->is_client)
        memcpy(decoder->mask, mask, WS_MASK_LEN);
}

/* Read a frame from its first byte on, as far as it is there. Returns how many bytes are consumed. */
static size_t read_frame(ws_decoder *decoder, uint32_t max_message_bytes, uint8_t *data, size_t len,
                         ws_event *event)
{
    uint8_t opcode = data[0] & OPCODE_BITS;
    const char *fault = find_opcode_fault(decoder, data[0]);
    if (fault == NULL && len >= START_LEN)
        fault = find_start_fault(decoder, opcode, data[1]);
    if (fault != NULL)
        return fail(decoder, event, WS_CLOSE_PROTOCOL_ERROR, fault);

    uint64_t payload_len;
    size_t mask_at = read_length(data, len, &payload_len);
    if (mask_at == 0)
        return 0;
    fault = find_length_fault(mask_at, payload_len);
    if (fault != NULL)
        return fail(decoder, event, WS_CLOSE_PROTOCOL_ERROR, fault);
    /* protocol/README.md, 1.5. Written so that no sum can overflow. */
    if (!is_control(opcode) &&
        (payload_len > max_message_bytes || decoder->message_bytes > max_message_bytes - payload_len))
        return fail(decoder, event, WS_CLOSE_TOO_BIG, "message too big");

    size_t header_len = mask_at + (decoder->is_client ? 0 : WS_MASK_LEN);
    if (len < header_len)
        return 0;
    uint8_t *payload = data + header_len;
    if (!is_control(opcode)) {
        begin_data(decoder, data[0], (uint32_t)payload_len, data + mask_at);
        return header_len + pass_on(decoder, payload, len - header_len, event);
    }

    if (len - header_len < payload_len)
        return 0;
    if (!decoder->is_client)
        ws_mask(payload, (size_t)payload_len, data + mask_at);
    read_control(decoder, opcode, payload, (size_t)payload_len, event);
    return header_len + (size_t)payload_len;
}

/* Read the next event in the general way. */
static __attribute__((noinline)) size_t read_on(ws_decoder *decoder, uint32_t max_message_bytes,
                                                uint8_t *data, size_t len, ws_event *event)
{
    *event = (ws_event){.type = WS_EVENT_NONE};
    if (len == 0 || decoder->has_failed)
        return len;
    size_t consumed = decoder->is_in_frame ? pass_on(decoder, data, len, event)
                                           : read_frame(decoder, max_message_bytes, data, len, event);
    return event->type == WS_EVENT_FAULT ? len : consumed;
}

/* Check a whole text that is not ASCII. False with a fault. */
static __attribute__((noinline)) bool check_text(ws_decoder *decoder, const uint8_t *text, size_t len,
                                                 ws_event *event)
{
    const char *fault = find_text_fault(&decoder->utf8, text, len, true);
    if (fault != NULL)
        fail(decoder, event, WS_CLOSE_INVALID_DATA, fault);
    return fault == NULL;
}

/* How long the header of a client's frame is, if it is a whole message of text and its length is written in
 * at most two bytes; 0 otherwise, also where it is too short to say. */
static inline size_t read_text_header(const uint8_t *data, size_t len, size_t *payload_len)
{
    if (len < START_LEN + 2 || data[0] != (FIN_BIT | WS_OPCODE_TEXT) || (data[1] & MASK_BIT) == 0)
        return 0;
    *payload_len = data[1] & LENGTH_BITS;
    if (*payload_len < LENGTH_IS_16_BIT)
        return START_LEN + WS_MASK_LEN;
    bool is_16_bit = *payload_len == LENGTH_IS_16_BIT;
    *payload_len = (size_t)(data[START_LEN] << 8 | data[START_LEN + 1]);
    /* A shorter length is a fault in this form. */
    return is_16_bit && *payload_len >= LENGTH_IS_16_BIT ? START_LEN + 2 + WS_MASK_LEN : 0;
}

/* The usual case has a way of its own: a message that is one text frame of a client, is there as a whole, and
 * comes while no other message is under way. It leaves no trace in the decoder. */
size_t ws_decoder_next(ws_decoder *decoder, uint32_t max_message_bytes, uint8_t *data, size_t len,
                       ws_event *event)
{
    size_t payload_len;
    size_t header_len = read_text_header(data, len, &payload_len);
    if (header_len == 0 || len < header_len + payload_len || payload_len > max_message_bytes ||
        decoder->opcode != 0 || decoder->is_client || decoder->has_failed)
        return read_on(decoder, max_message_bytes, data, len, event);

    uint8_t *payload = data + header_len;
    if (!unmask(payload, payload_len, payload - WS_MASK_LEN) &&
        !check_text(decoder, payload, payload_len, event))
        return len;
    *event = (ws_event){.type = WS_EVENT_DATA,
                        .data = payload,
                        .len = payload_len,
                        .is_text = true,
                        .is_first = true,
                        .is_last = true};
    return header_len + payload_len;
}

size_t ws_frame_header(uint8_t out[WS_MAX_SERVER_HEADER], ws_opcode opcode, uint64_t payload_len)
{
    size_t len = ws_frame_header_len(payload_len);
    out[0] = (uint8_t)(FIN_BIT | opcode);
    if (len == START_LEN) {
        out[1] = (uint8_t)payload_len;
    } else if (len == START_LEN + 2) {
        out[1] = LENGTH_IS_16_BIT;
        out[2] = (uint8_t)(payload_len >> 8);
        out[3] = (uint8_t)payload_len;
    } else {
        out[1] = LENGTH_IS_64_BIT;
        for (size_t i = 0; i < 8; i++)
            out[START_LEN + i] = (uint8_t)(payload_len >> 8 * (7 - i));
    }
    return len;
}

size_t ws_client_frame_header(uint8_t out[WS_MAX_CLIENT_HEADER], ws_opcode opcode, uint64_t payload_len,
                              const uint8_t mask[WS_MASK_LEN])
{
    size_t mask_at = ws_frame_header(out, opcode, payload_len);
    out[1] |= MASK_BIT;
    memcpy(out + mask_at, mask, WS_MASK_LEN);
    return mask_at + WS_MASK_LEN;
}
