/* A string is read in blocks as long as it has whole ones, then in steps, and its last bytes one by one. */
#include "protocol/json_string.h"

#include "base/ascii.h"

const char *json_string_skip_long(const char *at, const char *end)
{
    uint64_t marks = 0;
    for (; end - at >= JSON_BLOCK && marks == 0; at += JSON_BLOCK)
        marks = json_mark_block(at);
    if (marks != 0)
        return at - JSON_BLOCK + __builtin_ctzll(marks);
    for (; end - at >= JSON_STEP && marks == 0; at += JSON_STEP)
        marks = json_mark_step(at);
    if (marks != 0)
        return at - JSON_STEP + __builtin_ctzll(marks);
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at < end ? at : NULL;
}

static bool is_hex_digit(char byte)
{
    return ascii_is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* RFC 8259, 7. The grammar asks for four digits and no more: half a surrogate pair is valid JSON. */
static const char *scan_code_unit(const char *at)
{
    for (int i = 0; i < 4; i++) {
        if (!is_hex_digit(*at++))
            return NULL;
    }
    return at;
}

/* RFC 8259, 7 */
static const char *scan_escape(const char *at)
{
    static const bool is_short[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                       ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};
    if (*at++ != '\\')
        return NULL;
    if (is_short[(unsigned char)*at])
        return at + 1;
    return *at == 'u' ? scan_code_unit(at + 1) : NULL;
}

/* The end of a line of an SDP, which is most of what there is to escape. */
enum { LINE_END_LEN = 4 };

static inline bool is_line_end(const char *at)
{
    return memcmp(at, "\\r\\n", LINE_END_LEN) == 0;
}

/* Read a block of a string by its marks. Returns where to go on, which is in the next block; its closing
 * quote; or NULL. */
static const char *scan_block(const char *at)
{
    const char *end = at + JSON_BLOCK;
    for (uint64_t marks = json_mark_block(at); marks != 0;) {
        const char *special = at + __builtin_ctzll(marks);
        if (*special == '"')
            return special;
        const char *after = is_line_end(special) ? special + LINE_END_LEN : scan_escape(special);
        if (after == NULL || after >= end)
            return after;
        marks &= UINT64_MAX << (after - at); /* the escape itself may have marks */
    }
    return end;
}

/* Go over the blocks of a string from an escape on. Returns its closing quote; or, where what is left is
 * shorter than a block, how far this came, which may be `end`; or NULL. */
static const char *scan_blocks(const char *at, const char *end)
{
    while (end - at >= JSON_BLOCK + LINE_END_LEN) {
        /* Behind the block there may be the letter of its last escape, which is read as if it were plain. */
        const char *next = json_is_lines(at) ? at + JSON_BLOCK : scan_block(at);
        if (next == NULL || next < at + JSON_BLOCK)
            return next;
        at = next;
    }
    return at;
}

const char *json_string_scan_escapes(const char *at, const char *end)
{
    at = scan_blocks(at, end);
    if (at == NULL)
        return NULL;
    while ((at = json_string_skip_plain(at, end)) != NULL && *at != '"') {
        at = scan_escape(at);
        if (at == NULL)
            return NULL;
    }
    return at == NULL ? NULL : at + 1;
}
