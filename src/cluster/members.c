#include "cluster/members.h"

#include <assert.h>
#include <errno.h>

void members_init(members *m, const node_id *self, const members_events *events, uint64_t now_ms)
{
    assert(!node_id_is_nobody(self));
    *m = (members){.self = *self,
                   .events = *events,
                   .engine_since_ms = UINT64_MAX,
                   .listening_ms = UINT64_MAX,
                   .ticked_ms = now_ms,
                   .beat_ms = now_ms};
}

void members_on_engine(members *m, bool is_there, uint64_t now_ms)
{
    m->engine_since_ms = m->listening_ms = is_there ? now_ms : UINT64_MAX;
    if (is_there)
        m->beat_ms = now_ms;
}

/* The only function that changes a state. */
static void enter_state(members *m, unsigned slot, member_state state)
{
    member_state before = m->slots[slot].state;
    if (before == state)
        return;
    m->slots[slot].state = state;
    m->events.on_change(m->events.context, slot, before);
}

/* ---- What is heard ---- */

bool members_is_gone(const members *m, const node_id *id)
{
    for (unsigned i = 0; i < MEMBERS_GONE_MAX; i++) {
        if (node_id_equals(&m->gone[i], id))
            return true;
    }
    return false;
}

static int find_free(const members *m)
{
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (m->slots[slot].state == MEMBER_LOST)
            return slot;
    }
    return -1;
}

static uint8_t keep_text(char out[WIRE_MAX_NODE_NAME], slice text)
{
    assert(text.len <= WIRE_MAX_NODE_NAME);
    if (text.len > 0)
        memcpy(out, text.data, text.len);
    return (uint8_t)text.len;
}

int members_on_beat(members *m, const wire_message *beat, uint64_t now_ms)
{
    if (node_id_equals(&beat->from, &m->self) || members_is_gone(m, &beat->from))
        return -EALREADY;
    int slot = members_find(m, &beat->from);
    if (slot < 0) {
        slot = find_free(m);
        if (slot < 0)
            return -ENOSPC;
        m->slots[slot] = (cluster_member){.id = beat->from};
    }
    cluster_member *member = &m->slots[slot];
    bool is_draining = (beat->flags & WIRE_IS_DRAINING) != 0;
    bool begins_to_drain = is_draining && !member->is_draining;
    member->heard_ms = now_ms;
    member->is_draining = is_draining;
    member->name_len = keep_text(member->name, beat->name);
    member->version_len = keep_text(member->version, beat->version);
    if (member->state == MEMBER_LIVE && begins_to_drain)
        m->events.on_change(m->events.context, (unsigned)slot, MEMBER_LIVE);
    enter_state(m, (unsigned)slot, MEMBER_LIVE);
    return 0;
}

int members_on_bye(members *m, const node_id *from)
{
    if (node_id_equals(from, &m->self) || members_is_gone(m, from))
        return -EALREADY;
    m->gone[m->gone_at++ % MEMBERS_GONE_MAX] = *from;
    int slot = members_find(m, from);
    if (slot >= 0)
        enter_state(m, (unsigned)slot, MEMBER_LOST);
    return 0;
}

/* ---- Time ---- */

static uint64_t silent_since_ms(const members *m, const cluster_member *member)
{
    return member->heard_ms > m->engine_since_ms ? member->heard_ms : m->engine_since_ms;
}

static void judge(members *m, unsigned slot, uint64_t now_ms)
{
    const cluster_member *member = &m->slots[slot];
    uint64_t since_ms = silent_since_ms(m, member);
    if (now_ms >= since_ms + MEMBERS_LOST_MS)
        enter_state(m, slot, MEMBER_LOST);
    else if (now_ms >= since_ms + MEMBERS_DOUBT_MS)
        enter_state(m, slot, MEMBER_DOUBTFUL);
}

void members_tick(members *m, uint64_t now_ms)
{
    /* What came meanwhile may not have been read yet. */
    bool has_stood_still = now_ms >= m->ticked_ms + MEMBERS_STALL_MS;
    m->ticked_ms = now_ms;
    if (!members_has_engine(m))
        return;
    if (has_stood_still)
        m->engine_since_ms = now_ms;
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (m->slots[slot].state != MEMBER_LOST)
            judge(m, slot, now_ms);
    }
    if (now_ms >= m->beat_ms) {
        m->beat_ms = now_ms + MEMBERS_BEAT_MS;
        m->events.beat(m->events.context);
    }
}

/* Often enough that an ordinary tick is never taken for a stall. */
uint64_t members_next_due_ms(const members *m)
{
    uint64_t due_ms = m->ticked_ms + MEMBERS_STALL_MS / 2;
    if (!members_has_engine(m))
        return due_ms;
    if (m->beat_ms < due_ms)
        due_ms = m->beat_ms;
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        const cluster_member *member = &m->slots[slot];
        if (member->state == MEMBER_LOST)
            continue;
        uint64_t since_ms = silent_since_ms(m, member);
        uint64_t at_ms = since_ms + (member->state == MEMBER_LIVE ? MEMBERS_DOUBT_MS : MEMBERS_LOST_MS);
        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    return due_ms;
}

/* ---- Questions ---- */

bool members_may_claim(const members *m, uint64_t now_ms)
{
    return m->listening_ms != UINT64_MAX && now_ms >= m->listening_ms + MEMBERS_LISTEN_MS;
}

int members_find(const members *m, const node_id *id)
{
    for (int slot = 0; slot < MEMBERS_MAX; slot++) {
        if (m->slots[slot].state != MEMBER_LOST && node_id_equals(&m->slots[slot].id, id))
            return slot;
    }
    return -1;
}

uint64_t members_present(const members *m)
{
    uint64_t present = 0;
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (m->slots[slot].state != MEMBER_LOST)
            present |= UINT64_C(1) << slot;
    }
    return present;
}

bool members_shares_name(const members *m, unsigned slot)
{
    const cluster_member *member = &m->slots[slot];
    for (unsigned other = 0; other < MEMBERS_MAX; other++) {
        const cluster_member *o = &m->slots[other];
        if (other != slot && o->state != MEMBER_LOST && o->name_len == member->name_len &&
            memcmp(o->name, member->name, o->name_len) == 0)
            return true;
    }
    return false;
}
