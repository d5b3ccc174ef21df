/* The tags that stand in the log for codewords and user names, and a cache of those that were made last.
 *
 * A tag is the keyed hash of a name, as text. The names in the lines of a thread repeat, since a sender sends
 * many signals to the same peer. So each thread remembers the tags of some names, where it finds them sooner
 * than it could hash. Names that come to the same place push each other out: that is slower, not wrong. */
#ifndef HOMECALL_BASE_LOG_TAGS_H
#define HOMECALL_BASE_LOG_TAGS_H

#include "base/keyed_hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    LOG_TAG_LEN = 9,   /* of "#0123abcd" */
    LOG_TAG_SPARE = 7, /* more bytes behind it may be read, so that it is copied as two words */
    LOG_TAGS_NAME_MAX = 31,
    LOG_TAGS_COUNT = 256, /* with their tags 16 KiB: no more than a share of a processor's first cache */
};

/* Zeroed, it is empty. Of one thread. */
typedef struct log_tags {
    struct log_tagged_name {
        char tag[LOG_TAG_LEN + LOG_TAG_SPARE];
        uint64_t first; /* eight bytes of the name, or all that it has */
        uint64_t last;  /* eight bytes; 0 where the name is shorter than that */
        uint8_t len;    /* of the name; 0 = nothing is here */
        char name[LOG_TAGS_NAME_MAX];
    } names[LOG_TAGS_COUNT];
    char other[LOG_TAG_LEN + LOG_TAG_SPARE]; /* the last tag of a name that is too long to be kept */
} log_tags;

/* The tag of a name that is not empty, always made with the same key. Good until the next call; no NUL is
 * behind it, but LOG_TAG_SPARE bytes. */
static inline const char *log_tags_find(log_tags *tags, const keyed_hash *key, slice name);

/* ---- Inside ---- */

/* The ends of a name, which tell most names apart; if it is not longer than they are, all of it. */
static inline void log_tags_read_ends(slice name, uint64_t *first, uint64_t *last)
{
    *first = 0;
    *last = 0;
    if (name.len >= sizeof(*first)) {
        memcpy(first, name.data, sizeof(*first));
        memcpy(last, name.data + name.len - sizeof(*last), sizeof(*last));
    } else {
        for (size_t i = 0; i < name.len; i++)
            *first = *first << 8 | (uint8_t)name.data[i];
    }
}

static inline size_t log_tags_place(uint64_t first, uint64_t last)
{
    uint64_t mixed = (first ^ (last << 29 | last >> 35)) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mixed >> 32) % LOG_TAGS_COUNT;
}

/* The tag of a name that is not kept yet. */
const char *log_tags_add(log_tags *tags, const keyed_hash *key, slice name);

static inline const char *log_tags_find(log_tags *tags, const keyed_hash *key, slice name)
{
    uint64_t first;
    uint64_t last;
    log_tags_read_ends(name, &first, &last);
    const struct log_tagged_name *n = &tags->names[log_tags_place(first, last)];
    bool is_known = n->len == name.len && n->first == first && n->last == last &&
                    (name.len <= 2 * sizeof(first) || memcmp(n->name, name.data, name.len) == 0);
    return is_known ? n->tag : log_tags_add(tags, key, name);
}

#endif
