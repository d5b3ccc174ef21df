#include "cluster/cluster_ids.h"

#include <assert.h>
#include <sodium.h>

static_assert(CLUSTER_ID_BYTES >= crypto_generichash_BYTES_MIN &&
                  CLUSTER_SECRET_BYTES >= crypto_generichash_KEYBYTES_MIN &&
                  CLUSTER_SECRET_BYTES <= crypto_generichash_KEYBYTES_MAX,
              "what BLAKE2b can do");

room_key room_key_of(const uint8_t secret[CLUSTER_SECRET_BYTES], room_space space, slice codeword)
{
    const uint8_t first = (uint8_t)space;
    room_key key;
    crypto_generichash_state state;
    int failed = crypto_generichash_init(&state, secret, CLUSTER_SECRET_BYTES, sizeof(key.bytes));
    failed |= crypto_generichash_update(&state, &first, sizeof(first));
    failed |= crypto_generichash_update(&state, (const uint8_t *)codeword.data, codeword.len);
    failed |= crypto_generichash_final(&state, key.bytes, sizeof(key.bytes));
    assert(failed == 0); /* the sizes are those above, and nothing else can fail */
    (void)failed;
    sodium_memzero(&state, sizeof(state));
    return key;
}
