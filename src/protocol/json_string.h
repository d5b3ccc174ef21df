/* Strings of JSON texts (RFC 8259, 7): where do they end?
 *
 * Pure. They are the hot part of a text (an SDP is a string of several kilobytes), so their plain bytes are
 * skipped many at a time. What each string needs is inline: half of all strings are so short that a call
 * would cost as much as reading them.
 *
 * In all functions, [at, end) ends with a '}' that belongs to no string. Only a string whose closing quote is
 * missing can run over it, and that is checked. So escapes need not check at each byte whether the text goes
 * on: they stop at the bracket. */
#ifndef HOMECALL_PROTOCOL_JSON_STRING_H
#define HOMECALL_PROTOCOL_JSON_STRING_H

#include "protocol/json_block.h"

#include <stdbool.h>
#include <stddef.h>

/* The next special byte (protocol/json_block.h) of a string that is not short, or of one near the end; NULL
 * if there is none. */
const char *json_string_skip_long(const char *at, const char *end);

/* The rest of a string, from its first escape on. Returns where it ends, or NULL. A control character, which
 * must be escaped, is refused as a broken escape. */
const char *json_string_scan_escapes(const char *at, const char *end);

/* The next special byte, or NULL if there is none. */
static inline const char *json_string_skip_plain(const char *at, const char *end)
{
    if (end - at < JSON_STEP)
        return json_string_skip_long(at, end);
    uint64_t marks = json_mark_step(at);
    return marks != 0 ? at + __builtin_ctzll(marks) : json_string_skip_long(at + JSON_STEP, end);
}

/* Read a string from its first quote on. Returns where it ends, behind its last quote; NULL if it is missing
 * or broken. */
static inline const char *json_string_scan(const char *at, const char *end, bool *has_escapes)
{
    if (*at != '"')
        return NULL;
    at = json_string_skip_plain(at + 1, end);
    if (at == NULL)
        return NULL;
    *has_escapes = *at != '"';
    return *has_escapes ? json_string_scan_escapes(at, end) : at + 1;
}

#endif
