#include "rooms/room_signals.h"

#include "base/parts.h"

#include <assert.h>
#include <errno.h>

const char *room_failure_text(room_failure failure)
{
    static const char *const texts[ROOM_FAILURES] = {
        [ROOM_FAILURE_QUEUE_FULL] = "room queue is full",
        [ROOM_FAILURE_BUDGET_USED_UP] = "server queue budget is used up",
        [ROOM_FAILURE_NO_MEMORY] = "out of memory",
        [ROOM_FAILURE_RECEIVER_ENDING] = "receiver is ending",
        [ROOM_FAILURE_SENDER_LEFT] = "sender left",
        [ROOM_FAILURE_EXPIRED] = "expired",
        [ROOM_FAILURE_SERVER_STOPS] = "server stops",
        [ROOM_FAILURE_SENDER_LOST] = "sender lost",
        [ROOM_FAILURE_NOT_UNDERSTOOD] = "not understood",
        [ROOM_FAILURE_NOBODY_THERE] = "nobody there",
        [ROOM_FAILURE_MERGED] = "rooms were merged",
    };
    return texts[failure];
}

/* What will be told of a signal that is borrowed from the sender's message or from the queue. */
static room_signal_report report_of(const room_signal *signal, const room_member *from)
{
    return (room_signal_report){
        .kind = signal->kind, .bytes = parts_len(signal->parts, signal->count), .from = from};
}

/* It has reached somebody. If it is the first of its kind in the room, say so. */
static void mark_passed(const room_manager *manager, room_signal_report *told)
{
    room *r = told->from->room;
    uint16_t bit = (uint16_t)(1U << (told->kind & (ROOM_KINDS - 1)));
    told->is_first = (r->passed_kinds & bit) == 0;
    if (told->is_first)
        told->room_age_ms = (uint32_t)manager->now_ms - r->opened_ms;
    r->passed_kinds |= bit;
}

static void report(const room_manager *manager, room_signal_report *told, room_outcome outcome,
                   room_failure failure)
{
    told->outcome = outcome;
    told->failure = failure;
    manager->effects.on_signal(manager->effects.context, told);
}

static room_failure send_to(const room_member *to, const room_signal *signal, const room_member *from)
{
    const room_peer_face *face = to->peer->face;
    if ((face->kinds >> (signal->kind & 31) & 1) == 0)
        return ROOM_FAILURE_NOT_UNDERSTOOD;
    return face->send(to->peer, signal, from) ? ROOM_FAILURE_NONE : ROOM_FAILURE_RECEIVER_ENDING;
}

/* Pass a signal to a present member; `outcome` is what that is called where it succeeds. `told` is what there
 * is to say about the signal itself. */
static void deliver(const room_manager *manager, room_outcome outcome, const room_signal *signal,
                    const room_member *to, room_signal_report *told)
{
    told->to = to;
    room_failure failure = send_to(to, signal, told->from);
    told->is_first = false;
    if (failure == ROOM_FAILURE_NONE)
        mark_passed(manager, told);
    else
        outcome = ROOM_SIGNAL_DROPPED;
    report(manager, told, outcome, failure);
}

/* ---- Into the queue ---- */

static room_failure failure_of(int err)
{
    if (err == -ENOSPC)
        return ROOM_FAILURE_QUEUE_FULL;
    return err == -EDQUOT ? ROOM_FAILURE_BUDGET_USED_UP : ROOM_FAILURE_NO_MEMORY;
}

/* Put a signal behind what waits; the first one begins the backlog. */
static int push(const room_manager *manager, room_member *from, const room_signal *signal)
{
    room *r = from->room;
    room_backlog *backlog = r->backlog != NULL ? r->backlog : room_backlog_new(from);
    if (backlog == NULL)
        return -ENOMEM;
    int err = pending_queue_push(&backlog->signals, &manager->bounds, signal->kind, signal->parts,
                                 signal->count, from->peer->face->account(from->peer), manager->now_ms);
    if (err == 0)
        r->backlog = backlog;
    else if (r->backlog == NULL)
        room_backlog_free(backlog);
    return err;
}

static int enqueue(room_manager *manager, room_member *from, const room_signal *signal,
                   room_signal_report *told)
{
    int err = push(manager, from, signal);
    if (err != 0) { /* protocol/README.md, 1.3: what is queued already stays */
        report(manager, told, ROOM_SIGNAL_REFUSED, failure_of(err));
        return err == -ENOMEM ? -ENOMEM : -ENOSPC;
    }
    manager->counts.pending_messages++;
    manager->counts.pending_bytes += told->bytes;
    report(manager, told, ROOM_SIGNAL_QUEUED, ROOM_FAILURE_NONE);
    return 0;
}

/* Nobody else is there. */
static int keep(room_manager *manager, room_member *from, const room_signal *signal, room_signal_report *told)
{
    if (!signal->is_fleeting)
        return enqueue(manager, from, signal, told);
    report(manager, told, ROOM_SIGNAL_DROPPED, ROOM_FAILURE_NOBODY_THERE);
    return 0;
}

int room_signals_pass(room_manager *manager, room_member *from, const room_signal *signal)
{
    room_signal_report told = report_of(signal, from);
    const room *r = from->room;
    assert(r->member_count > 1 ? r->backlog == NULL : r->backlog == NULL || r->backlog->owner == from);
    const room_member *only = signal->to;
    assert(only == NULL || (only->room == r && !only->is_waiting));
    if (r->member_count == 1 && only == NULL)
        return keep(manager, from, signal, &told);

    /* protocol/README.md, 1.2: to every other user of the room. */
    const room_member *to;
    SLIST_FOREACH(to, &r->members, link)
    {
        if (only == NULL ? to != from : to == only)
            deliver(manager, ROOM_SIGNAL_RELAYED, signal, to, &told);
    }
    return 0;
}

/* protocol/README.md, 2.7 */
bool room_signals_take_back(room_manager *manager, room_member *from, const room_signal *signal)
{
    if (from->room->member_count != 1 || signal->is_fleeting)
        return false;
    room_signal again = *signal;
    again.to = NULL;
    return room_signals_pass(manager, from, &again) == 0;
}

/* ---- Out of the queue ---- */

static pending_signal *dequeue(room_manager *manager, room_backlog *backlog)
{
    pending_signal *signal = pending_queue_take(&backlog->signals, &manager->bounds);
    if (signal != NULL) {
        manager->counts.pending_messages--;
        manager->counts.pending_bytes -= signal->len;
    }
    return signal;
}

/* The backlog gets another owner, or none: an owner who was lost is not needed any more. */
static void set_owner(room_manager *manager, room_backlog *backlog, room_member *owner)
{
    if (backlog->is_owner_lost) {
        TAILQ_REMOVE(&manager->lapsing, backlog, lapse);
        room_member_free(backlog->owner);
    }
    backlog->is_owner_lost = false;
    backlog->owner = owner;
}

/* To a member, or to nobody, for which `failure` is the reason. */
void room_signals_hand_out(room_manager *manager, room_backlog *backlog, const room_member *to,
                           room_failure failure)
{
    pending_signal *queued;
    while ((queued = dequeue(manager, backlog)) != NULL) {
        const struct iovec part = {.iov_base = queued->data, .iov_len = queued->len};
        const room_signal signal = {.kind = queued->kind, .count = 1, .parts = &part};
        room_signal_report told = report_of(&signal, backlog->owner);
        told.waited_ms = manager->now_ms - queued->since_ms;
        if (to != NULL)
            deliver(manager, ROOM_SIGNAL_DELIVERED, &signal, to, &told);
        else
            report(manager, &told, ROOM_SIGNAL_DROPPED, failure);
        pending_signal_free(queued);
    }
    set_owner(manager, backlog, NULL);
    room_backlog_free(backlog);
}

/* Empty a room's queue. */
static void empty_queue(room_manager *manager, room *r, const room_member *to, room_failure failure)
{
    room_signals_hand_out(manager, r->backlog, to, failure);
    r->backlog = NULL;
}

void room_signals_drop(room_manager *manager, room *r, room_failure why)
{
    if (r->backlog != NULL)
        empty_queue(manager, r, NULL, why);
}

/* protocol/README.md, 1.3: a newcomer gets the queue of another user at once, and owns again the one that it
 * left. */
void room_signals_receive(room_manager *manager, room_member *newcomer)
{
    room *r = newcomer->room;
    if (r->backlog == NULL)
        return;
    const room_member *owner = r->backlog->owner;
    if (owner->has_user && newcomer->has_user && slice_equals(room_user(owner), room_user(newcomer)))
        set_owner(manager, r->backlog, newcomer);
    else
        empty_queue(manager, r, newcomer, ROOM_FAILURE_NONE);
}

/* ---- A lost owner ---- */

/* protocol/README.md, 1.3: what it has queued stays for the TTL. */
void room_signals_lose_owner(room_manager *manager, room_member *member, uint64_t now_ms)
{
    assert(room_signals_has_queue_of(member));
    room_backlog *backlog = member->room->backlog;
    member->peer = NULL;
    backlog->is_owner_lost = true;
    backlog->lapses_ms = now_ms + manager->limits.pending_ttl_ms;
    TAILQ_INSERT_TAIL(&manager->lapsing, backlog, lapse);
}

room *room_signals_lapsed(const room_manager *manager, uint64_t now_ms)
{
    const room_backlog *first = TAILQ_FIRST(&manager->lapsing);
    return first == NULL || first->lapses_ms > now_ms ? NULL : first->owner->room;
}

uint64_t room_signals_next_due_ms(const room_manager *manager)
{
    const room_backlog *first = TAILQ_FIRST(&manager->lapsing);
    return first == NULL ? UINT64_MAX : first->lapses_ms;
}

/* ---- Rooms that move ---- */

void room_signals_collect(room_manager *manager, room_backlog *backlog, int kind, slice body,
                          uint32_t account, uint64_t since_ms)
{
    const struct iovec part = slice_to_iovec(body);
    int err = pending_queue_push(&backlog->signals, &manager->bounds, kind, &part, 1, account, since_ms);
    if (err == 0) {
        manager->counts.pending_messages++;
        manager->counts.pending_bytes += body.len;
        return;
    }
    const room_signal signal = {.kind = kind, .count = 1, .parts = &part};
    room_signal_report told = report_of(&signal, backlog->owner);
    told.waited_ms = manager->now_ms - since_ms;
    report(manager, &told, ROOM_SIGNAL_REFUSED, failure_of(err));
}

void room_signals_adopt(room_manager *manager, room *r, room_backlog *backlog, room_member *owner)
{
    if (owner != NULL)
        set_owner(manager, backlog, owner);
    if (r->backlog == NULL) {
        r->backlog = backlog;
        return;
    }
    pending_queue_merge(&r->backlog->signals, &backlog->signals); /* both are of one sender */
    set_owner(manager, backlog, NULL);
    room_backlog_free(backlog);
}

void room_signals_forget(room_manager *manager, room *r)
{
    pending_signal *queued;
    while ((queued = dequeue(manager, r->backlog)) != NULL)
        pending_signal_free(queued);
    set_owner(manager, r->backlog, NULL);
    room_backlog_free(r->backlog);
    r->backlog = NULL;
}

void room_signals_suspend(room_manager *manager, room_backlog *backlog)
{
    if (backlog->is_owner_lost)
        TAILQ_REMOVE(&manager->lapsing, backlog, lapse);
}

void room_signals_resume(room_manager *manager, room_backlog *backlog)
{
    if (!backlog->is_owner_lost)
        return;
    room_backlog *later = TAILQ_FIRST(&manager->lapsing);
    while (later != NULL && later->lapses_ms <= backlog->lapses_ms)
        later = TAILQ_NEXT(later, lapse);
    if (later != NULL)
        TAILQ_INSERT_BEFORE(later, backlog, lapse);
    else
        TAILQ_INSERT_TAIL(&manager->lapsing, backlog, lapse);
}
