#include "base/keyed_hash.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

static_assert(sizeof(((keyed_hash *)0)->key) == crypto_shorthash_KEYBYTES, "the key is libsodium's size");
static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "the hash is libsodium's size");

int keyed_hash_init(keyed_hash *hash)
{
    if (sodium_init() < 0)
        return -EIO;
    randombytes_buf(hash->key, sizeof(hash->key));
    return 0;
}

uint64_t keyed_hash_of(const keyed_hash *hash, slice bytes)
{
    uint64_t value;
    crypto_shorthash((unsigned char *)&value, (const unsigned char *)bytes.data, bytes.len, hash->key);
    return value;
}
