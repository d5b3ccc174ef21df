#include "base/log_tags.h"

#include <assert.h>

static_assert(sizeof(struct log_tagged_name) == 64, "a name and its tag fill a cache line");

static void make_tag(char *tag, const keyed_hash *key, slice name)
{
    uint32_t hash = (uint32_t)keyed_hash_of(key, name);
    tag[0] = '#';
    for (size_t i = LOG_TAG_LEN - 1; i > 0; hash >>= 4)
        tag[i--] = "0123456789abcdef"[hash & 0xF];
}

const char *log_tags_add(log_tags *tags, const keyed_hash *key, slice name)
{
    assert(name.len > 0);
    if (name.len > LOG_TAGS_NAME_MAX) {
        make_tag(tags->other, key, name);
        return tags->other;
    }
    uint64_t first;
    uint64_t last;
    log_tags_read_ends(name, &first, &last);
    struct log_tagged_name *n = &tags->names[log_tags_place(first, last)];
    make_tag(n->tag, key, name);
    memcpy(n->name, name.data, name.len);
    n->len = (uint8_t)name.len;
    n->first = first;
    n->last = last;
    return n->tag;
}
