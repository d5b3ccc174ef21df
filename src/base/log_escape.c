#include "base/log_escape.h"

#include <stdint.h>

static char *put(char *at, const char *data, size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

/* The lowest `count` digits. */
static char *put_hex(char *at, uint32_t number, size_t count)
{
    for (size_t i = count; i > 0; number >>= 4)
        at[--i] = "0123456789abcdef"[number & 0xF];
    return at + count;
}

/* Read the first character of `text`, which is not empty: returns its length, or 0 where the bytes are not
 * UTF-8 (RFC 3629). src/websocket has another decoder, but is in a layer above this one. */
static size_t decode(slice text, uint32_t *code_point)
{
    const uint8_t *byte = (const uint8_t *)text.data;
    *code_point = byte[0];
    if (byte[0] < 0x80)
        return 1;

    size_t len = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || text.len < len)
        return 0;

    *code_point = byte[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        *code_point = *code_point << 6 | (byte[i] & 0x3Fu);
    }
    bool is_surrogate = *code_point >= 0xD800 && *code_point <= 0xDFFF;
    return *code_point < smallest[len] || *code_point > 0x10FFFF || is_surrogate ? 0 : len;
}

/* Characters beyond ASCII that are not shown but do something: control characters, which some terminals obey
 * in UTF-8, too; separators of lines and paragraphs; and those that change the direction of writing. */
static bool is_acting(uint32_t code_point)
{
    return (code_point >= 0x80 && code_point < 0xA0) || code_point == 0x061C || code_point == 0xFEFF ||
           (code_point >= 0x200B && code_point <= 0x200F) || (code_point >= 0x2028 && code_point <= 0x202E) ||
           (code_point >= 0x2060 && code_point <= 0x2069);
}

/* Characters that need no escape in a quoted text of either format. */
static bool is_harmless(uint32_t code_point)
{
    return code_point >= 0x20 && code_point != '"' && code_point != '\\' && code_point != 0x7F &&
           !is_acting(code_point);
}

/* The letter of an escape like \n, in C and in JSON; 0 when there is none. */
static char short_escape(uint32_t code_point)
{
    switch (code_point) {
    case '"':
    case '\\':
        return (char)code_point;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

static char *put_letter(char *at, char letter)
{
    *at++ = '\\';
    *at++ = letter;
    return at;
}

/* Show what is not harmless: a character, or else a single byte that is not UTF-8. */
static char *put_text_escape(char *at, uint32_t code_point, bool is_character)
{
    char letter = short_escape(code_point);
    if (letter != '\0')
        return put_letter(at, letter);
    if (is_character && code_point >= 0x80)
        return put_hex(put_letter(at, 'u'), code_point, 4);
    return put_hex(put_letter(at, 'x'), code_point, 2);
}

/* JSON has escapes for control characters only. Whatever else can't be shown becomes U+FFFD. */
static char *put_json_escape(char *at, uint32_t code_point, bool is_character)
{
    char letter = code_point == '\b' ? 'b' : code_point == '\f' ? 'f' : short_escape(code_point);
    if (letter != '\0')
        return put_letter(at, letter);
    if (is_character && code_point > 0 && code_point < 0x20)
        return put_hex(put_letter(at, 'u'), code_point, 4);
    return put(at, "\xEF\xBF\xBD", 3);
}

char *log_escape_put(char *at, slice text, bool is_cut, signal_log_format format)
{
    *at++ = '"';
    while (text.len > 0) {
        uint32_t code_point;
        size_t len = decode(text, &code_point);
        if (len > 0 && is_harmless(code_point))
            for (size_t i = 0; i < len; i++)
                *at++ = text.data[i];
        else if (format == SIGNAL_LOG_JSON)
            at = put_json_escape(at, len == 0 ? (uint8_t)text.data[0] : code_point, len > 0);
        else
            at = put_text_escape(at, len == 0 ? (uint8_t)text.data[0] : code_point, len > 0);
        len += len == 0;
        text = (slice){text.data + len, text.len - len};
    }
    if (is_cut)
        at = put(at, "…", sizeof("…") - 1);
    *at++ = '"';
    return at;
}
