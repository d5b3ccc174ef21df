#include "dialect_2/outbox.h"

#include "base/parts.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void outbox_init(outbox *box)
{
    *box = (outbox){.next_seq = 1};
    STAILQ_INIT(&box->entries);
}

static void drop_oldest(outbox *box, const outbox_bounds *bounds)
{
    outbox_entry *oldest = STAILQ_FIRST(&box->entries);
    assert(oldest != NULL && box->count > 0 && box->bytes >= oldest->len);
    STAILQ_REMOVE_HEAD(&box->entries, link);
    box->count--;
    box->bytes -= oldest->len;
    bounds->release(bounds->context, oldest->account, oldest->len);
    wipe_and_free(oldest, sizeof(*oldest) + oldest->len);
}

void outbox_clear(outbox *box, const outbox_bounds *bounds)
{
    while (box->count > 0)
        drop_oldest(box, bounds);
}

static bool has_space(const outbox *box, const outbox_bounds *bounds, size_t len)
{
    return box->count < bounds->max_messages && box->bytes + len <= bounds->max_bytes;
}

/* Make space for `len` bytes more, and take them from the budget. False when it can't be. */
static bool make_space(outbox *box, const outbox_bounds *bounds, uint32_t account, size_t len)
{
    while (!has_space(box, bounds, len) && box->count > 0)
        drop_oldest(box, bounds);
    return has_space(box, bounds, len) && len <= UINT32_MAX && bounds->reserve(bounds->context, account, len);
}

static outbox_entry *gather(const struct iovec *parts, int count, size_t len)
{
    outbox_entry *entry = malloc(sizeof(*entry) + len);
    if (entry == NULL)
        return NULL;
    *entry = (outbox_entry){.len = (uint32_t)len};
    parts_copy(entry->text, parts, count);
    return entry;
}

outbox_entry *outbox_add(outbox *box, const outbox_bounds *bounds, uint32_t account,
                         const struct iovec *parts, int count)
{
    size_t len = parts_len(parts, count);
    uint64_t seq = box->next_seq++;
    bool has_bytes = make_space(box, bounds, account, len);
    outbox_entry *entry = has_bytes ? gather(parts, count, len) : NULL;
    if (entry == NULL) {
        if (has_bytes)
            bounds->release(bounds->context, account, len);
        outbox_clear(box, bounds); /* a gap can't be told again */
        return NULL;
    }
    entry->seq = seq;
    entry->account = account;
    STAILQ_INSERT_TAIL(&box->entries, entry, link);
    box->bytes += len;
    box->count++;
    return entry;
}

void outbox_skip(outbox *box, const outbox_bounds *bounds)
{
    box->next_seq++;
    outbox_clear(box, bounds);
}

bool outbox_acknowledge(outbox *box, const outbox_bounds *bounds, uint64_t seq)
{
    if (seq >= box->next_seq)
        return false;
    while (box->count > 0 && STAILQ_FIRST(&box->entries)->seq <= seq)
        drop_oldest(box, bounds);
    return true;
}

bool outbox_can_resume(const outbox *box, uint64_t seq)
{
    if (seq >= box->next_seq)
        return false;
    uint64_t first_kept = box->count > 0 ? STAILQ_FIRST(&box->entries)->seq : box->next_seq;
    return seq + 1 >= first_kept;
}
