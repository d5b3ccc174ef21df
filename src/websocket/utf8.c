/* The first byte of a character tells how many bytes follow, and which values the second byte may have. All
 * other bytes are 80..BF. The narrower ranges of the second byte keep out over-long forms, surrogates and
 * what is over U+10FFFF, so no code point is ever computed. Nearly all signaling text is ASCII, which is
 * skipped several words at a time. */
#include "websocket/utf8.h"

#include <string.h>

enum { CONTINUATION_LOW = 0x80, CONTINUATION_HIGH = 0xBF };

enum { WORD = sizeof(uint64_t), BLOCK = 4 * WORD };

/* Are all `len` bytes ASCII? `len` is a multiple of WORD. */
static inline bool is_ascii(const uint8_t *data, size_t len)
{
    uint64_t bits = 0;
    for (size_t at = 0; at < len; at += WORD) {
        uint64_t word;
        memcpy(&word, data + at, WORD);
        bits |= word;
    }
    return (bits & UINT64_C(0x8080808080808080)) == 0;
}

/* How many bytes there are before the first that is not ASCII. */
static size_t skip_ascii(const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (len - at >= BLOCK && is_ascii(data + at, BLOCK))
        at += BLOCK;
    while (len - at >= WORD && is_ascii(data + at, WORD))
        at += WORD;
    while (at < len && data[at] < 0x80)
        at++;
    return at;
}

/* Take the first byte of a character that is not ASCII (RFC 3629, 4). */
static bool begin(utf8_state *state, uint8_t byte)
{
    /* Smaller ones are continuation bytes, and C0 and C1, which begin over-long forms only. Larger ones begin
     * what is over U+10FFFF. */
    if (byte < 0xC2 || byte > 0xF4)
        return false;

    state->needed = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    state->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : CONTINUATION_LOW;
    state->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : CONTINUATION_HIGH;
    return true;
}

/* Take a byte inside a character. */
static bool go_on(utf8_state *state, uint8_t byte)
{
    if (byte < state->low || byte > state->high)
        return false;

    state->needed--;
    state->low = CONTINUATION_LOW;
    state->high = CONTINUATION_HIGH;
    return true;
}

bool utf8_check(utf8_state *state, const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        if (state->needed > 0) {
            if (!go_on(state, data[at]))
                return false;
            at++;
        } else if (data[at] >= 0x80) {
            if (!begin(state, data[at]))
                return false;
            at++;
        } else {
            at += skip_ascii(data + at, len - at);
        }
    }
    return true;
}
