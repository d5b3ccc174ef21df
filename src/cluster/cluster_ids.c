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

/* No room has the first byte of this for its space. */
void cluster_tag_key(const uint8_t secret[CLUSTER_SECRET_BYTES], uint8_t out[CLUSTER_TAG_KEY_BYTES])
{
    static const char what[] = "log tags";
    int failed = crypto_generichash(out, CLUSTER_TAG_KEY_BYTES, (const uint8_t *)what, sizeof(what), secret,
                                    CLUSTER_SECRET_BYTES);
    assert(failed == 0);
    (void)failed;
}

void node_id_print(const node_id *id, char out[NODE_ID_TEXT_CAP])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < CLUSTER_ID_BYTES; i++) {
        out[2 * i] = digits[id->bytes[i] >> 4];
        out[2 * i + 1] = digits[id->bytes[i] & 0xF];
    }
    out[NODE_ID_TEXT_CAP - 1] = '\0';
}
