#include "base/log_tags.h"

#include <assert.h>
#include <string.h>

void log_tags_init(log_tags *tags, const keyed_hash *key)
{
    *tags = (log_tags){.key = key};
    for (size_t i = 0; i < 2 * (size_t)LOG_TAGS_FACTORS; i++) {
        const char purpose[] = {'f', 'a', 'c', 't', 'o', 'r', (char)i};
        tags->factors[i / LOG_TAGS_FACTORS][i % LOG_TAGS_FACTORS] =
            keyed_hash_of(key, (slice){purpose, sizeof(purpose)});
    }
}

/* The sums of a length and `count` words with their factors. Inline, so that `count` is a constant. */
static inline uint64_t sum_up(const log_tags *tags, size_t len, const uint32_t *words, size_t count)
{
    const uint64_t *upper = tags->factors[0];
    const uint64_t *lower = tags->factors[1];
    uint64_t up = upper[0] + upper[1] * len;
    uint64_t low = lower[0] + lower[1] * len;
    for (size_t i = 0; i < count; i++) {
        up += upper[2 + i] * words[i];
        low += lower[2 + i] * words[i];
    }
    return (up >> 32 << 32) | low >> 32 | 1; /* never 0 */
}

/* Read the name as words that, together with its length, are those of no other name. */
static uint64_t fingerprint_of(const log_tags *tags, slice name)
{
    uint32_t words[LOG_TAGS_NAME_MAX / 4];
    const char *end = name.data + name.len;
    if (name.len > 16) {
        memcpy(words, name.data, 16);
        memcpy(words + 4, end - 16, 16);
        return sum_up(tags, name.len, words, 8);
    }
    if (name.len >= 8) {
        memcpy(words, name.data, 8);
        memcpy(words + 2, end - 8, 8);
        return sum_up(tags, name.len, words, 4);
    }
    words[0] = 0;
    words[1] = 0;
    for (size_t i = 0; i < name.len; i++)
        words[i / 4] = words[i / 4] << 8 | (uint8_t)name.data[i];
    return sum_up(tags, name.len, words, 2);
}

static const char *make_tag(char *tag, const keyed_hash *key, slice name)
{
    uint32_t hash = (uint32_t)keyed_hash_of(key, name);
    tag[0] = '#';
    for (size_t i = LOG_TAG_LEN - 1; i > 0; hash >>= 4)
        tag[i--] = "0123456789abcdef"[hash & 0xF];
    return tag;
}

const char *log_tags_find(log_tags *tags, slice name)
{
    assert(name.len > 0);
    if (name.len > LOG_TAGS_NAME_MAX)
        return make_tag(tags->other, tags->key, name);
    uint64_t fingerprint = fingerprint_of(tags, name);
    struct log_tag *tag = &tags->kept[(size_t)(fingerprint >> 32) % LOG_TAGS_KEPT];
    if (tag->fingerprint != fingerprint) {
        make_tag(tag->text, tags->key, name);
        tag->fingerprint = fingerprint;
    }
    return tag->text;
}
