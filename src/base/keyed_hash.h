/* The keyed hash of bytes that clients choose (codewords of rooms, user names): libsodium's SipHash-2-4.
 *
 * The key is drawn when the process starts, but for that of log tags in a cluster. So nobody outside can find
 * names that collide in a table, or that all belong to one shard. Nor can anybody find the name behind a tag
 * in a log by hashing likely words. */
#ifndef HOMECALL_BASE_KEYED_HASH_H
#define HOMECALL_BASE_KEYED_HASH_H

#include "base/slice.h"

#include <stdint.h>

typedef struct keyed_hash {
    uint8_t key[16]; /* secret; copied freely inside the process, never written out */
} keyed_hash;

/* Draw a new key from the kernel's random source. 0, or -EIO when libsodium can't start. */
int keyed_hash_init(keyed_hash *hash);

/* The 64-bit hash of `bytes`. Any thread; `hash` is only read. */
uint64_t keyed_hash_of(const keyed_hash *hash, slice bytes);

#endif
