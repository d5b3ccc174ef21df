/* A table says for each byte whether hosts and base64 may have it. It is computed by the compiler, from the
 * macros below. A value may have almost any byte, so there eight bytes at a time are looked at. */
#include "websocket/http_text.h"

#include "base/ascii.h"

#include <stdint.h>
#include <string.h>

/* ---- Kinds of characters ---- */

enum { HOST = 1, BASE64 = 2 };

#define IS_ONE_OF_THREE(c, x, y, z) ((c) == (x) || (c) == (y) || (c) == (z))
#define IS_FROM_TO(c, first, last)  ((c) >= (first) && (c) <= (last))
#define IS_LETTER_OR_DIGIT(c)       (IS_FROM_TO(c, '0', '9') || IS_FROM_TO(c, 'A', 'Z') || IS_FROM_TO(c, 'a', 'z'))

/* All that is visible but /?#@\"<> */
#define IS_HOST(c)                                                                                           \
    (IS_FROM_TO(c, '!', '~') && !IS_ONE_OF_THREE(c, '/', '?', '#') && !IS_ONE_OF_THREE(c, '@', '\\', '"') && \
     (c) != '<' && (c) != '>')

#define IS_BASE64(c) (IS_LETTER_OR_DIGIT(c) || (c) == '+' || (c) == '/')

#define KINDS(c)    ((IS_HOST(c) ? HOST : 0) | (IS_BASE64(c) ? BASE64 : 0))
#define KINDS_4(c)  KINDS(c), KINDS((c) + 1), KINDS((c) + 2), KINDS((c) + 3)
#define KINDS_16(c) KINDS_4(c), KINDS_4((c) + 4), KINDS_4((c) + 8), KINDS_4((c) + 12)

/* The bytes over ASCII are of none of the kinds. */
static const uint8_t kinds[256] = {
    KINDS_16(0x00), KINDS_16(0x10), KINDS_16(0x20), KINDS_16(0x30),
    KINDS_16(0x40), KINDS_16(0x50), KINDS_16(0x60), KINDS_16(0x70),
};

/* Are all of its characters of this kind? */
static bool is_all(slice text, unsigned kind)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((kinds[(unsigned char)text.data[i]] & kind) == 0)
            return false;
    }
    return true;
}

bool http_text_is_token(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_token_char(text.data[i]))
            return false;
    }
    return text.len > 0;
}

bool http_text_is_host(slice text)
{
    return text.len > 0 && is_all(text, HOST);
}

bool http_text_is_base64(slice text)
{
    return is_all(text, BASE64);
}

/* ---- Values ---- */

enum { WORD_BYTES = sizeof(uint64_t) };

static const uint64_t each_byte = 0x0101010101010101; /* times n: n in each byte */

/* The highest bit of some byte is set in the result if a byte is less than `bound`, at most 128. */
static uint64_t less(uint64_t word, unsigned bound)
{
    return (word - each_byte * bound) & ~word;
}

/* Has one of these bytes the value of a control character? A tab is one here. */
static bool has_control(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return ((less(word, ' ') | less(word ^ each_byte * 0x7F, 1)) & each_byte * 0x80) != 0;
}

static bool is_plain_value(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

bool http_text_is_value(slice text)
{
    size_t at = 0;
    for (; at + WORD_BYTES <= text.len; at += WORD_BYTES) {
        if (has_control(text.data + at) && !is_plain_value((slice){text.data + at, WORD_BYTES}))
            return false;
    }
    return is_plain_value((slice){text.data + at, text.len - at});
}
