/* What the messages of all dialects have in common: a flat JSON object with a few members that count.
 *
 * A dialect gives a table of the names that it knows. One pass of json_scan finds these members, and the
 * functions below read their values. Pure. The text must be valid UTF-8.
 *
 * Of several members with one name the last counts, as in JavaScript's JSON.parse. A member that is `null` is
 * as if it were absent, but fields_get() shows it. Members of nested objects are not looked at. */
#ifndef HOMECALL_PROTOCOL_FIELDS_H
#define HOMECALL_PROTOCOL_FIELDS_H

#include "base/slice.h"
#include "protocol/json_scan.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FIELDS_MAX = 32,             /* names in a table */
    FIELDS_LONGEST_WORD = 16,    /* bytes of a name in a table, or of a word in a list */
    FIELDS_MAX_NAME_BYTES = 4096 /* the largest bound of fields_read_name(), and its storage */
};

/* The largest integer that JavaScript's numbers hold exactly, and all below it: 2^53 - 1. */
#define FIELDS_MAX_INTEGER ((UINT64_C(1) << 53) - 1)

/* A slice over a literal for static tables: SLICE_LITERAL, a compound literal, is no constant. */
#define FIELDS_TEXT(literal)           \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* The members that were found. They point into the text. A member's id is its place in the table. */
typedef struct found_fields {
    uint32_t given;               /* bit `id`: last[id] is set */
    json_member last[FIELDS_MAX]; /* not initialised */
} found_fields;

/* Decode a word of ASCII with escapes into [decoded, decoded + cap). `raw` is a valid string without its
 * quotes. A word that is longer, that has a NUL or a longer character as an escape, or one of the escapes of
 * two characters as \n, comes out empty: it is in no table. This needs neither heap nor cJSON, because a
 * message may have twenty thousand names with escapes. */
slice fields_decode_word(slice raw, char *decoded, size_t cap);

/* The place in a table of a string, given by its raw text without its quotes; `count` if it is not there. The
 * names in the table are neither empty nor longer than FIELDS_LONGEST_WORD. Inline, and so are its callers:
 * where the table is a constant, each of its names becomes a comparison of a few instructions. */
static inline __attribute__((always_inline)) unsigned fields_find_word(const slice *words, unsigned count,
                                                                       slice raw, bool has_escapes)
{
    char decoded[FIELDS_LONGEST_WORD];
    slice word = has_escapes ? fields_decode_word(raw, decoded, sizeof(decoded)) : raw;
    unsigned i = 0;
    while (i < count && !slice_equals(words[i], word))
        i++;
    return i;
}

/* Find the members of `text` whose names are in the table, written with escapes or without. The names are not
 * empty, at most FIELDS_LONGEST_WORD long, and FIELDS_MAX of them at most. Needs no heap. 0, or -EINVAL if
 * the text is not a JSON object; *found is of no use then. */
static inline __attribute__((always_inline)) int fields_find(found_fields *found, slice text,
                                                             const slice *names, unsigned name_count)
{
    assert(name_count <= FIELDS_MAX);

    found->given = 0;
    json_scan scan = {.rest = text};
    json_member member;
    int result;
    while ((result = json_scan_next(&scan, &member)) > 0) {
        unsigned id = fields_find_word(names, name_count, member.key, member.key_has_escapes);
        if (id < name_count) {
            found->last[id] = member;
            found->given |= UINT32_C(1) << id;
        }
    }
    return result;
}

/* The member, also if it is null; NULL when it is absent. */
static inline const json_member *fields_get(const found_fields *found, unsigned id)
{
    return (found->given & (UINT32_C(1) << id)) != 0 ? &found->last[id] : NULL;
}

/* The member, or NULL when it is absent or null. */
static inline const json_member *fields_get_value(const found_fields *found, unsigned id)
{
    const json_member *member = fields_get(found, id);
    return member != NULL && member->type != JSON_NULL ? member : NULL;
}

/* A string's raw text, without its quotes. */
static inline slice fields_unquote(slice value)
{
    return (slice){value.data + 1, value.len - 2};
}

/* Which of the words does the member hold? Compared after decoding; the words are like the names of
 * fields_find(). Needs no heap. The word's place in the list; -EINVAL when the member is absent or no string;
 * -ENOENT when it holds another word. */
static inline __attribute__((always_inline)) int fields_read_word(const found_fields *found, unsigned id,
                                                                  const slice *words, unsigned word_count)
{
    const json_member *member = fields_get(found, id);
    if (member == NULL || member->type != JSON_STRING)
        return -EINVAL;
    unsigned place =
        fields_find_word(words, word_count, fields_unquote(member->value), member->value_has_escapes);
    return place < word_count ? (int)place : -ENOENT;
}

/* The text without the blanks around it that JavaScript's trim() takes away. It is valid UTF-8. */
slice fields_trim(slice text);

/* Read a name: decoded, and trimmed as JavaScript's trim() does. It lies in the text, or if it has escapes in
 * `storage`, so it lives as long as both. `max_bytes`, at most FIELDS_MAX_NAME_BYTES, bounds what is left
 * after trimming. 0 with *name, which is empty if only blanks were there. Otherwise *name is not touched:
 * -ENOENT (absent or null), -EINVAL (no string, or half a surrogate pair), -ENOSPC (too long), or -ENOMEM,
 * but only for a name with escapes. */
int fields_read_name(const found_fields *found, unsigned id, size_t max_bytes,
                     char storage[FIELDS_MAX_NAME_BYTES], slice *name);

/* Read an integer from `least`, which is 0 or 1, to FIELDS_MAX_INTEGER. It is written in digits alone: a
 * sign, a fraction or an exponent is a fault, whatever the value. 0; otherwise *number is not touched:
 * -ENOENT (absent or null), -EINVAL. */
int fields_read_integer(const found_fields *found, unsigned id, uint64_t least, uint64_t *number);

/* Read true or false. 0; otherwise *value is not touched: -ENOENT (absent or null), -EINVAL. */
int fields_read_boolean(const found_fields *found, unsigned id, bool *value);

#endif
