/* The keyed hash over bytes that clients choose (room codewords, user names).
 *
 * SipHash-2-4, by libsodium. The key is drawn when the process starts, so nobody outside can find names that
 * collide in a table or that pile up on one shard, and a tag in a log can't be turned back by guessing words.
 */
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
