/* The tags that stand in the log for codewords and user names, and a cache of those that were made last.
 *
 * A tag is the keyed hash of a name, as text. The names in the lines of a thread repeat, since a sender sends
 * many signals to the same peer. So each thread remembers the tags of some names, where it finds them sooner
 * than it could hash. Tags that come to the same place push each other out: that is slower, not wrong.
 *
 * No name is kept, since what was said in a call must not be in memory after it. A name is known by a
 * fingerprint of 63 bits, by the multilinear hash of Carter and Wegman with secret words: two names, of
 * whatever choice, have the same one with a probability of 2^-63. */
#ifndef HOMECALL_BASE_LOG_TAGS_H
#define HOMECALL_BASE_LOG_TAGS_H

#include "base/keyed_hash.h"

enum {
    LOG_TAG_LEN = 9,     /* of "#0123abcd" */
    LOG_TAG_SPARE = 7,   /* more bytes behind it may be read, so that it is copied as two words */
    LOG_TAGS_KEPT = 256, /* 8 KiB: no more than a share of a processor's first cache */
    LOG_TAGS_NAME_MAX = 32,
    LOG_TAGS_FACTORS =
        2 + LOG_TAGS_NAME_MAX / 4, /* one to begin with, for the length, and for each four bytes */
};

/* Of one thread. */
typedef struct log_tags {
    const keyed_hash *key;                 /* borrowed */
    uint64_t factors[2][LOG_TAGS_FACTORS]; /* secret; for the upper and the lower half of a fingerprint */
    struct log_tag {
        uint64_t fingerprint; /* 0 = nothing is here */
        char text[LOG_TAG_LEN + LOG_TAG_SPARE];
        char unused[8]; /* so that none is in two cache lines */
    } kept[LOG_TAGS_KEPT];
    char other[LOG_TAG_LEN + LOG_TAG_SPARE]; /* the last tag of a name that is too long for a fingerprint */
} log_tags;

/* Make an empty cache for tags that are made with this key, which must live as long. */
void log_tags_init(log_tags *tags, const keyed_hash *key);

/* The tag of a name that is not empty. Good until the next call; no NUL is behind it, but LOG_TAG_SPARE
 * bytes. */
const char *log_tags_find(log_tags *tags, slice name);

#endif
