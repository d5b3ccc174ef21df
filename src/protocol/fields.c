/* A word or a name without escapes is used where it lies, without heap and without cJSON. Browsers write
 * nearly all of them so. */
#include "protocol/fields.h"

#include "base/ascii.h"
#include "base/wipe.h"
#include "protocol/json_text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- Words ---- */

static unsigned hex_value(char digit)
{
    return ascii_is_digit(digit) ? (unsigned)(digit - '0') : (unsigned)(ascii_lower(digit) - 'a') + 10;
}

/* The character of an escape: \uXXXX for a letter, as our words have them. 0 for all other escapes. */
static char letter_of_escape(const char *escape)
{
    if (escape[1] != 'u')
        return '\0';
    unsigned unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit << 4 | hex_value(escape[i]);
    return unit < 0x80 ? (char)unit : '\0';
}

slice fields_decode_word(slice raw, char *decoded, size_t cap)
{
    const slice none = {decoded, 0};
    size_t len = 0;
    for (size_t at = 0; at < raw.len; len++) {
        bool is_escape = raw.data[at] == '\\';
        char letter = is_escape ? letter_of_escape(raw.data + at) : raw.data[at];
        if (letter == '\0' || len == cap)
            return none;
        decoded[len] = letter;
        at += is_escape ? 6 : 1;
    }
    return (slice){decoded, len};
}

/* ---- Names ---- */

/* What String.prototype.trim takes away: WhiteSpace and LineTerminator of ECMAScript. */
static bool is_blank(uint32_t character)
{
    switch (character) {
    case 0x09: /* TAB, LF, VT, FF, CR */
    case 0x0A:
    case 0x0B:
    case 0x0C:
    case 0x0D:
    case 0x20:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
    case 0xFEFF:
        return true;
    default:
        return character >= 0x2000 && character <= 0x200A;
    }
}

/* How many bytes the blank at the start of [at, at + len) has; 0 if there is none. */
static inline size_t measure_blank(const char *at, size_t len)
{
    const unsigned char *b = (const unsigned char *)at;
    if (len >= 1 && b[0] < 0x80)
        return is_blank(b[0]) ? 1 : 0;
    if (len >= 2 && b[0] >> 5 == 0x6)
        return is_blank((b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu)) ? 2 : 0;
    if (len >= 3 && b[0] >> 4 == 0xE)
        return is_blank((b[0] & 0xFu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu)) ? 3 : 0;
    return 0; /* no blank needs four bytes */
}

slice fields_trim(slice text)
{
    size_t blank;
    while ((blank = measure_blank(text.data, text.len)) > 0) {
        text.data += blank;
        text.len -= blank;
    }
    while (text.len > 0) {
        size_t last = text.len - 1;
        while (last > 0 && (text.data[last] & 0xC0) == 0x80)
            last--;
        if (measure_blank(text.data + last, text.len - last) != text.len - last)
            break;
        text.len = last;
    }
    return text;
}

/* Decode a name with escapes and trim it, into `storage`. With its escapes and blanks it may be longer than a
 * name may be, for only what remains counts. The size of a message bounds it. 0, -EINVAL, -ENOSPC or -ENOMEM.
 */
static int decode_name(slice raw, size_t max_bytes, char storage[FIELDS_MAX_NAME_BYTES], slice *name)
{
    char *decoded = raw.len <= FIELDS_MAX_NAME_BYTES ? storage : malloc(raw.len);
    if (decoded == NULL)
        return -ENOMEM;

    int status = 0;
    long len = json_text_decode(raw, decoded, raw.len); /* no escape is shorter than its character */
    slice trimmed = len > 0 ? fields_trim((slice){decoded, (size_t)len}) : (slice){decoded, 0};
    if (len < 0) {
        status = len == -ENOMEM ? -ENOMEM : -EINVAL;
    } else if (trimmed.len > max_bytes) {
        status = -ENOSPC;
    } else {
        memmove(storage, trimmed.data, trimmed.len);
        *name = (slice){storage, trimmed.len};
    }
    if (decoded != storage)
        wipe_and_free(decoded, raw.len);
    return status;
}

int fields_read_name(const found_fields *found, unsigned id, size_t max_bytes,
                     char storage[FIELDS_MAX_NAME_BYTES], slice *name)
{
    assert(max_bytes <= FIELDS_MAX_NAME_BYTES);

    const json_member *member = fields_get_value(found, id);
    if (member == NULL)
        return -ENOENT;
    if (member->type != JSON_STRING)
        return -EINVAL;
    slice raw = fields_unquote(member->value);
    if (member->value_has_escapes)
        return decode_name(raw, max_bytes, storage, name);
    raw = fields_trim(raw);
    if (raw.len > max_bytes)
        return -ENOSPC;
    *name = raw;
    return 0;
}

/* ---- Other values ---- */

int fields_read_integer(const found_fields *found, unsigned id, uint64_t least, uint64_t *number)
{
    const json_member *member = fields_get_value(found, id);
    if (member == NULL)
        return -ENOENT;
    if (member->type != JSON_NUMBER)
        return -EINVAL;
    uint64_t read = 0;
    for (size_t i = 0; i < member->value.len; i++) { /* the grammar allows no leading zero */
        if (!ascii_is_digit(member->value.data[i]))
            return -EINVAL;
        read = read * 10 + (uint64_t)(member->value.data[i] - '0');
        if (read > FIELDS_MAX_INTEGER) /* ten times this fits into 64 bits */
            return -EINVAL;
    }
    if (read < least)
        return -EINVAL;
    *number = read;
    return 0;
}

int fields_read_boolean(const found_fields *found, unsigned id, bool *value)
{
    const json_member *member = fields_get_value(found, id);
    if (member == NULL)
        return -ENOENT;
    if (member->type != JSON_TRUE && member->type != JSON_FALSE)
        return -EINVAL;
    *value = member->type == JSON_TRUE;
    return 0;
}
