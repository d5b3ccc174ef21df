#include "dialect_2/seat_pack.h"

#include "dialect_2/message_2.h"

enum { NUMBER_BYTES = 8, SMALL_BYTES = 4, KIND_BYTES = 1, COUNT_BYTES = 2, AWAY_BYTES = 8 };

/* ---- The outbox ---- */

/* What an entry takes. Its text is shorter than 64 KiB, or it does not fit anyhow. */
static size_t entry_size(const outbox_entry *entry)
{
    return SMALL_BYTES + SMALL_BYTES + SMALL_BYTES + KIND_BYTES + COUNT_BYTES + entry->len;
}

/* How many entries must be left out, from the oldest on, for the others to fit. */
static unsigned count_left_out(const outbox *box, size_t space)
{
    size_t size = 0;
    unsigned left_out = 0;
    const outbox_entry *entry;
    STAILQ_FOREACH(entry, &box->entries, link)
    {
        size += entry_size(entry);
    }
    STAILQ_FOREACH(entry, &box->entries, link)
    {
        if (size <= space)
            break;
        size -= entry_size(entry);
        left_out++;
    }
    return left_out;
}

static void put_entry(extra_writer *w, const outbox_entry *entry)
{
    extra_put(w, entry->account, SMALL_BYTES);
    extra_put(w, entry->sender, SMALL_BYTES);
    extra_put(w, entry->sender != 0 ? entry->body_at : 0, SMALL_BYTES);
    extra_put(w, entry->sender != 0 ? entry->kind : 0, KIND_BYTES);
    extra_put_text(w, (slice){entry->text, entry->len});
}

static void put_outbox(extra_writer *w, const outbox *box)
{
    size_t space = sizeof(w->data) - w->len - NUMBER_BYTES - COUNT_BYTES;
    unsigned left_out = count_left_out(box, space);
    extra_put(w, box->next_seq, NUMBER_BYTES);
    extra_put(w, box->count - left_out, COUNT_BYTES);
    unsigned i = 0;
    const outbox_entry *entry;
    STAILQ_FOREACH(entry, &box->entries, link)
    {
        if (i++ >= left_out)
            put_entry(w, entry);
    }
}

/* Without memory for one of them none is kept, as outbox_add() says. */
static bool take_entry(seat *s, extra_reader *from)
{
    uint32_t account = (uint32_t)extra_take(from, SMALL_BYTES);
    uint32_t sender = (uint32_t)extra_take(from, SMALL_BYTES);
    uint32_t body_at = (uint32_t)extra_take(from, SMALL_BYTES);
    unsigned kind = (unsigned)extra_take(from, KIND_BYTES);
    const struct iovec text = slice_to_iovec(extra_take_text(from, UINT16_MAX));
    if (from->is_bad || body_at > text.iov_len || ((s->peer->face->kinds >> (kind & 31)) & 1) == 0)
        return false;
    outbox_entry *entry = outbox_add(&s->outbox, &s->house->bounds, account, &text, 1);
    if (entry == NULL)
        return true;
    entry->sender = sender;
    entry->body_at = body_at;
    entry->kind = (uint8_t)kind;
    return true;
}

static bool take_outbox(seat *s, extra_reader *from)
{
    uint64_t next_seq = extra_take(from, NUMBER_BYTES);
    unsigned count = (unsigned)extra_take(from, COUNT_BYTES);
    if (from->is_bad || next_seq <= count || next_seq > FIELDS_MAX_INTEGER)
        return false;
    s->outbox.next_seq = next_seq - count;
    for (unsigned i = 0; i < count; i++) {
        if (!take_entry(s, from))
            return false;
    }
    return true;
}

/* ---- The session ---- */

void seat_pack(const seat *s, uint64_t now_ms, extra_writer *w)
{
    extra_put(w, s->lost_ms == 0 ? 0 : 1 + now_ms - s->lost_ms, AWAY_BYTES);
    extra_put_raw(w, s->current.bytes, TOKEN_BYTES);
    extra_put(w, (uint64_t)s->former_kind, KIND_BYTES);
    extra_put_raw(w, s->former.bytes, TOKEN_BYTES);
    extra_put(w, s->received, NUMBER_BYTES);
    extra_put(w, s->acknowledged, NUMBER_BYTES);
    extra_put(w, s->owes_since_ms == 0 ? 0 : 1 + now_ms - s->owes_since_ms, AWAY_BYTES);
    extra_put(w, s->ice_told_ms == 0 ? 0 : 1 + now_ms - s->ice_told_ms, AWAY_BYTES);
    extra_put_text(w, seat_formerly(s));
    extra_put_text(w, seat_data(s));
    put_outbox(w, &s->outbox);
}

/* A duration and 1, or 0: when it began. */
static uint64_t begin_of(uint64_t lasts, uint64_t now_ms)
{
    if (lasts == 0)
        return 0;
    return lasts <= now_ms ? now_ms + 1 - lasts : 1;
}

seat *seat_unpack(seat_house *house, room_peer *peer, uint64_t now_ms, extra_reader *from)
{
    uint64_t lost_ms = begin_of(extra_take(from, AWAY_BYTES), now_ms);
    const uint8_t *current = extra_take_raw(from, TOKEN_BYTES);
    unsigned former_kind = (unsigned)extra_take(from, KIND_BYTES);
    const uint8_t *former = extra_take_raw(from, TOKEN_BYTES);
    uint64_t received = extra_take(from, NUMBER_BYTES);
    uint64_t acknowledged = extra_take(from, NUMBER_BYTES);
    uint64_t owes_since_ms = begin_of(extra_take(from, AWAY_BYTES), now_ms);
    uint64_t ice_told_ms = begin_of(extra_take(from, AWAY_BYTES), now_ms);
    slice formerly = extra_take_text(from, MESSAGE_2_MAX_PEER_BYTES);
    slice data = extra_take_text(from, MESSAGE_2_MAX_DATA_BYTES);
    if (from->is_bad || former_kind > SEAT_FORMER_OTHER || acknowledged > received ||
        received > FIELDS_MAX_INTEGER)
        return NULL;
    seat *s = seat_new(house, peer, NULL, formerly, data);
    if (s == NULL)
        return NULL;
    memcpy(s->current.bytes, current, TOKEN_BYTES);
    memcpy(s->former.bytes, former, TOKEN_BYTES);
    s->former_kind = (seat_former)former_kind;
    s->received = received;
    s->acknowledged = acknowledged;
    s->ice_told_ms = ice_told_ms;
    if (lost_ms != 0)
        seat_begin_away(s, lost_ms);
    else if (owes_since_ms != 0)
        seat_begin_owing(s, owes_since_ms);
    if (take_outbox(s, from) && extra_is_whole(from))
        return s;
    seat_free(s);
    return NULL;
}
