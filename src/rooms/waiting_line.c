#include "rooms/waiting_line.h"

#include <assert.h>
#include <errno.h>

/* More newcomers before one room are no family on its way in, and would only cost time at each join. */
enum { MAX_WAITERS = 64 };

/* Since when its connection is not there; 0 where it is. */
static uint64_t away_since_ms(const room_member *member)
{
    const room_peer_face *face = member->peer->face;
    return face->away_since_ms == NULL ? 0 : face->away_since_ms(member->peer);
}

static bool is_alive_since(const room_member *member, uint64_t since_ms)
{
    return away_since_ms(member) == 0 && member->peer->face->is_alive_since(member->peer, since_ms);
}

static bool is_in_doubt(const room_member *member)
{
    const room_peer_face *face = member->peer->face;
    return face->is_in_doubt != NULL && face->is_in_doubt(member->peer);
}

bool waiting_line_has_doubtful(const room *r)
{
    const room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (is_in_doubt(member))
            return true;
    }
    return false;
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
    return away_since_ms(member) == 0 && !is_in_doubt(member) && owes_answer(member) &&
           is_time_over(manager, member, now_ms);
}

room_member *waiting_line_longest_away(const room *r)
{
    room_member *longest = NULL;
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        uint64_t since_ms = away_since_ms(member);
        if (since_ms != 0 && (longest == NULL || since_ms < away_since_ms(longest)))
            longest = member;
    }
    return longest;
}

/* protocol/README.md, S.2: who was heard from within this time is no ghost. */
enum { TRUST_MS = 1000 };

bool waiting_line_doubts(const room_member *newcomer, uint64_t since_ms)
{
    const room *r = newcomer->room;
    if (!newcomer->peer->face->doubts_company || r->member_count != 1)
        return false;
    return !is_alive_since(SLIST_FIRST(&r->members), since_ms > TRUST_MS ? since_ms - TRUST_MS : 0);
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

/* A member that was asked and still has time to answer is not asked again, nor one that was asked within the
 * last second. Where nobody waits, a question whose time is over will not be judged any more, and is asked
 * anew.
 */
unsigned waiting_line_probe(const room_manager *manager, room *r, uint64_t now_ms)
{
    unsigned owing = 0;
    room_member *member;
    SLIST_FOREACH(member, &r->members, link)
    {
        if (away_since_ms(member) != 0) {
            owing++;
            continue;
        }
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
        if (away_since_ms(member) != 0 || is_in_doubt(member))
            return false;
        if (member->owes_answer && !is_alive_since(member, waiter->since_ms))
            return false;
    }
    return true;
}

int waiting_line_add(room_manager *manager, room_member *newcomer, uint64_t now_ms)
{
    room *r = newcomer->room;
    bool was_member = newcomer->has_user && former_members_has(&r->formers, room_user(newcomer), now_ms,
                                                               manager->limits.pending_ttl_ms);
    if (r->waiter_count >= MAX_WAITERS && !was_member)
        return -ENOSPC;
    room_waiter *waiter = room_waiter_new(newcomer, was_member, now_ms);
    if (waiter == NULL)
        return -ENOMEM;
    if (waiting_line_probe(manager, r, now_ms) == 0) { /* all are alive, as they have shown just now */
        assert(room_manager_is_full(manager, r));
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

void waiting_line_renew(room_manager *manager, room_waiter *waiter, uint64_t now_ms)
{
    waiter->since_ms = now_ms;
    TAILQ_REMOVE(&manager->due, waiter, due);
    TAILQ_INSERT_TAIL(&manager->due, waiter, due);
}

void waiting_line_suspend(room_manager *manager, const room *r)
{
    room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        TAILQ_REMOVE(&manager->due, waiter, due);
    }
}

void waiting_line_resume(room_manager *manager, const room *r, uint64_t now_ms)
{
    room_waiter *waiter;
    SLIST_FOREACH(waiter, &r->waiters, line)
    {
        waiter->since_ms = now_ms;
        TAILQ_INSERT_TAIL(&manager->due, waiter, due);
    }
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
