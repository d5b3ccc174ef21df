#include "rooms/waiting_line.h"

#include <assert.h>
#include <errno.h>

/* More newcomers before one room are no family on its way in, and would only cost time at each join. */
enum { MAX_WAITERS = 64 };

static bool is_alive_since(const room_member *member, uint64_t since_ms)
{
    return member->peer->face->is_alive_since(member->peer, since_ms);
}

/* Was it asked, and has it given no sign of life since? */
static bool owes_answer(const room_member *member)
{
    return member->owes_answer && !is_alive_since(member, member->asked_ms);
}

/* Has the time passed that a member has for its answer? */
static bool is_time_over(const room_manager *manager, const room_member *member, uint64_t now_ms)
{
    return now_ms >= member->asked_ms + manager->limits.probe_timeout_ms;
}

bool waiting_line_is_silent(const room_manager *manager, const room_member *member, uint64_t now_ms)
{
    return owes_answer(member) && is_time_over(manager, member, now_ms);
}

/* How often a member is asked at most. An answer that is younger than this counts for a newcomer as well:
 * otherwise newcomers who come and go could have a member pinged as often as they like. */
enum { PROBE_PAUSE_MS = 1000 };

static bool was_asked_lately(const room_manager *manager, const room_member *member, uint64_t now_ms)
{
    uint64_t answer_ms = manager->limits.probe_timeout_ms;
    uint64_t pause_ms = answer_ms < PROBE_PAUSE_MS ? answer_ms : PROBE_PAUSE_MS;
    return member->asked_ms != 0 && now_ms < member->asked_ms + pause_ms;
}

/* Ask the members of a full room for a sign of life, for a newcomer that is not in the line yet. Who has been
 * asked and still has time to answer is not asked again, nor who was asked within the last second. Where
 * nobody waits, a question whose time is over will not be judged any more, and is asked anew. Returns how
 * many owe an answer. */
static unsigned probe_members(const room_manager *manager, room *r, uint64_t now_ms)
{
    unsigned owing = 0;
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        bool is_stale = r->waiter_count == 0 && is_time_over(manager, member, now_ms);
        bool owes = owes_answer(member) && !is_stale;
        if (!owes && !is_stale && was_asked_lately(manager, member, now_ms)) {
            member->owes_answer = false; /* it was answered */
            continue;
        }
        owing++;
        if (owes)
            continue;
        member->owes_answer = true;
        member->asked_ms = now_ms;
        member->peer->face->probe(member->peer);
    }
    return owing;
}

bool waiting_line_all_are_alive(const room *r, const room_waiter *waiter)
{
    const room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (member->owes_answer && !is_alive_since(member, waiter->since_ms))
            return false;
    }
    return true;
}

int waiting_line_add(room_manager *manager, room_member *newcomer, uint64_t now_ms)
{
    room *r = newcomer->room;
    assert(r->member_count >= manager->limits.capacity);
    bool was_member =
        former_members_has(&r->formers, room_user(newcomer), now_ms, manager->limits.pending_ttl_ms);
    if (r->waiter_count >= MAX_WAITERS && !was_member)
        return -ENOSPC;
    room_waiter *waiter = room_waiter_new(newcomer, was_member, now_ms);
    if (waiter == NULL)
        return -ENOMEM;
    if (probe_members(manager, r, now_ms) == 0) { /* all are alive, as they have shown just now */
        waiter->member = NULL;
        room_waiter_free(waiter);
        return -ENOSPC;
    }
    room_add_waiter(r, waiter);
    TAILQ_INSERT_TAIL(&manager->due, waiter, due);
    manager->counts.waiters++;
    newcomer->peer->member = newcomer;
    return 0;
}

room_waiter *waiting_line_surplus(const room *r)
{
    if (r->waiter_count <= MAX_WAITERS)
        return NULL;
    room_waiter *last = NULL;
    room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        last = waiter;
    }
    return last;
}

room_member *waiting_line_take(room_manager *manager, room_waiter *waiter)
{
    room_member *member = waiter->member;
    room_remove_waiter(member->room, waiter);
    TAILQ_REMOVE(&manager->due, waiter, due);
    manager->counts.waiters--;
    waiter->member = NULL;
    room_waiter_free(waiter);
    return member;
}

static uint64_t deadline_of(const room_manager *manager, const room_waiter *waiter)
{
    return waiter->since_ms + manager->limits.probe_timeout_ms;
}

room_waiter *waiting_line_due(const room_manager *manager, uint64_t now_ms)
{
    room_waiter *waiter = TAILQ_FIRST(&manager->due);
    if (waiter == NULL || deadline_of(manager, waiter) > now_ms)
        return NULL;
    return waiter;
}

uint64_t waiting_line_next_due_ms(const room_manager *manager)
{
    const room_waiter *waiter = TAILQ_FIRST(&manager->due);
    return waiter == NULL ? UINT64_MAX : deadline_of(manager, waiter);
}
