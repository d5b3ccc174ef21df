/* What the fuzz targets of the readers of messages compare with: a plain reading of the cJSON tree, or of the
 * members that the scanner tells, which fuzz_message compares with cJSON. */
#ifndef HOMECALL_TESTS_FUZZ_JSON_REFERENCE_H
#define HOMECALL_TESTS_FUZZ_JSON_REFERENCE_H

#include "fuzz.h"

#include "base/slice.h"
#include "protocol/json_scan.h"
#include "protocol/json_text.h"
#include "websocket/utf8.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool reference_is_utf8(slice text)
{
    utf8_state utf8 = {0};
    return utf8_check(&utf8, (const uint8_t *)text.data, text.len) && utf8_is_complete(&utf8);
}

/* May cJSON judge this text? It refuses some valid ones: with \u escapes for lone surrogates, with numbers
 * over 63 characters, nested over 1,000 levels. And its strings end at NUL. */
static inline bool reference_is_in_common(slice text)
{
    size_t brackets = 0;
    size_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        brackets += c == '[' || c == '{';
        number = c != '\0' && strchr("0123456789+-.eE", c) != NULL ? number + 1 : 0;
        bool is_delicate =
            text.len - i >= 6 && c == '\\' && text.data[i + 1] == 'u' &&
            (text.data[i + 2] == 'd' || text.data[i + 2] == 'D' || memcmp(text.data + i + 2, "0000", 4) == 0);
        if (is_delicate || number > 60 || brackets > 900)
            return false;
    }
    return true;
}

/* Of several members with this name the last, as in JavaScript. */
static inline const cJSON *reference_find_last(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (strcmp(member->string, name) == 0)
            found = member;
    }
    return found;
}

/* What JavaScript's trim takes away, as strings: another way than the one under test. */
static const char *const reference_blanks[] = {
    "\t",       "\n",       "\v",       "\f",       "\r",       " ",        u8"\u00a0",
    u8"\u1680", u8"\u2000", u8"\u2001", u8"\u2002", u8"\u2003", u8"\u2004", u8"\u2005",
    u8"\u2006", u8"\u2007", u8"\u2008", u8"\u2009", u8"\u200a", u8"\u2028", u8"\u2029",
    u8"\u202f", u8"\u205f", u8"\u3000", u8"\ufeff",
};

static inline slice reference_trim_bytes(slice text)
{
    for (size_t i = 0; i < sizeof(reference_blanks) / sizeof(reference_blanks[0]);) {
        size_t len = strlen(reference_blanks[i]);
        if (text.len >= len && memcmp(text.data, reference_blanks[i], len) == 0) {
            text.data += len;
            text.len -= len;
            i = 0;
        } else if (text.len >= len && memcmp(text.data + text.len - len, reference_blanks[i], len) == 0) {
            text.len -= len;
            i = 0;
        } else {
            i++;
        }
    }
    return text;
}

static inline slice reference_trim(const char *string)
{
    return reference_trim_bytes(slice_of_text(string));
}

/* Is it a valid JSON object? */
static inline bool reference_is_object(slice text)
{
    json_scan scan = {.rest = text};
    json_member member;
    int result;
    while ((result = json_scan_next(&scan, &member)) > 0)
        continue;
    return result == 0;
}

/* A string of the text, decoded, in a heap block that the caller owns. Its length, or -EINVAL with *out =
 * NULL. `raw` has no quotes. */
static inline long reference_decode(slice raw, char **out)
{
    char *decoded = malloc(raw.len + 1);
    REQUIRE(decoded != NULL);
    long len = json_text_decode(raw, decoded, raw.len);
    if (len < 0) {
        free(decoded);
        decoded = NULL;
    }
    *out = decoded;
    return len;
}

/* The last member of this name in a valid object. */
static inline bool reference_find_member(slice text, const char *name, json_member *found)
{
    bool is_there = false;
    json_scan scan = {.rest = text};
    json_member member;
    while (json_scan_next(&scan, &member) > 0) {
        char *key;
        long len = reference_decode(member.key, &key);
        if (len >= 0 && slice_equals((slice){key, (size_t)len}, slice_of_text(name))) {
            *found = member;
            is_there = true;
        }
        free(key);
    }
    return is_there;
}

/* The same, but null is as if it were absent. */
static inline bool reference_find_value(slice text, const char *name, json_member *found)
{
    return reference_find_member(text, name, found) && found->type != JSON_NULL;
}

/* The place of the type in a list of names; -1 when it is no string, -2 when it is another one. */
static inline int reference_find_type(slice text, const char *const names[], int count)
{
    json_member member;
    if (!reference_find_member(text, "type", &member) || member.type != JSON_STRING)
        return -1;
    char *type;
    long len = reference_decode((slice){member.value.data + 1, member.value.len - 2}, &type);
    int place = 0;
    while (place < count &&
           (len < 0 || !slice_equals((slice){type, (size_t)len}, slice_of_text(names[place]))))
        place++;
    free(type);
    return place < count ? place : -2;
}

/* What a name is: 0 when it is fine and equals `read`, which is empty for a name that is absent, null or
 * blank; otherwise -EINVAL or -ENOSPC as the reader says. */
static inline int reference_judge_name(slice text, const char *name, size_t max_bytes, slice read)
{
    json_member member;
    if (!reference_find_value(text, name, &member))
        return read.len == 0 ? 0 : -EIO;
    if (member.type != JSON_STRING)
        return -EINVAL;
    char *decoded;
    long len = reference_decode((slice){member.value.data + 1, member.value.len - 2}, &decoded);
    if (len < 0)
        return -EINVAL;
    slice trimmed = reference_trim_bytes((slice){decoded, (size_t)len});
    int status = trimmed.len > max_bytes ? -ENOSPC : slice_equals(trimmed, read) ? 0 : -EIO;
    free(decoded);
    return status;
}

#endif
