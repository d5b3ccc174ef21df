#include "dialect_2/joining.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/unjoined.h"

#include <assert.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* ---- Finding a session by its token ---- */

typedef struct find {
    seat *seat; /* NULL = none has this token */
    seat_former former;
    bool is_current;
} find;

/* Look for the session in the room that the client wants to join. All of its members are looked at, so that
 * the time tells nothing. */
static find find_seat(const participant *p, const message_2 *m, const token *shown)
{
    const dialect_hall *hall = participant_hall(p);
    find found = {0};
    room_member *first = room_manager_find_room_members(hall->manager, ROOM_SPACE_ROOMS, m->room);
    for (room_member *member = first; member != NULL; member = room_member_next(first, member)) {
        room_peer *peer = room_member_peer(member);
        if (peer->face != p->peer.face)
            continue;
        bool is_current = false;
        seat_former former = seat_match_token(seat_of_peer(peer), shown, &is_current);
        if (is_current || former != SEAT_FORMER_NONE)
            found = (find){seat_of_peer(peer), former, is_current};
    }
    return found;
}

/* ---- Resuming ---- */

bool joining_can_go_on(const seat *s, seat_former former, bool is_current, uint64_t seen)
{
    return (is_current || former == SEAT_FORMER_OWN) && outbox_can_resume(&s->outbox, seen);
}

static bool can_resume(const find *found, const message_2 *m)
{
    return m->has_seen && joining_can_go_on(found->seat, found->former, found->is_current, m->seen);
}

/* protocol/README.md, 2.2: both ends go on. */
void joining_go_on(seat *s, bool was_away, bool is_current, uint64_t seen)
{
    const dialect_hall *hall = s->house->hall;
    (void)outbox_acknowledge(&s->outbox, &s->house->bounds, seen); /* joining_can_go_on() has looked at it */
    if (is_current)
        seat_renew_token(s);
    else
        seat_keep_former(s);
    counter_add(&hall->counters->resumes[SESSION_RESUME_RESUMED], 1);
    participant_log(LOG_INFO, log_namespace, "resumed", s->wire, NULL, 0);
    answers_joined(s, true);
    seat_tell_again(s, seen);
    if (!was_away)
        room_manager_on_alive(hall->manager, s->peer, hall->now_ms(hall));
}

static dialect_verdict resume(participant *p, const find *found, const message_2 *m)
{
    seat *s = found->seat;
    const dialect_hall *hall = participant_hall(p);
    bool was_away = s->wire == NULL;
    seat_give_wire(s, p);
    joining_go_on(s, was_away, found->is_current, m->seen);
    if (was_away)
        room_manager_back(hall->manager, s->peer, hall->now_ms(hall));
    return DIALECT_GO_ON;
}

/* ---- Joining anew ---- */

/* The place of the former session passes to the new one. */
static dialect_verdict replace(participant *p, seat *former, seat *s, const message_2 *m)
{
    dialect_hall *hall = participant_hall(p);
    bool is_reload = !m->has_seen;
    int error = rules_succeed(p, former->peer, s->peer, m->room, m->user,
                              is_reload ? ROOM_NEWS_REPLACED : ROOM_NEWS_LOST);
    if (error != 0) {
        seat_free(s);
        answers_error(p, ANSWER_BUSY, false);
        return DIALECT_GO_ON;
    }
    counter_add(&hall->counters->resumes[is_reload ? SESSION_RESUME_REPLACED : SESSION_RESUME_FAILED], 1);
    participant *before = former->wire;
    seat_free(former);
    if (before != NULL)
        participant_host_of(before)->close(before, PARTICIPANT_REPLACED,
                                           "the session goes on with another connection");
    return DIALECT_GO_ON;
}

static dialect_verdict enter(participant *p, seat *s, const message_2 *m)
{
    int result = rules_join(p, s->peer, ROOM_SPACE_ROOMS, m->room, m->user);
    if (result == ROOM_JOINED)
        return DIALECT_GO_ON;
    if (result == ROOM_WAITING) {
        p->peer.member = s->peer->member;
        return DIALECT_HOLD;
    }
    seat_free(s);
    answers_error(p, result == ROOM_FULL ? ANSWER_ROOM_FULL : ANSWER_BUSY, false);
    return DIALECT_GO_ON;
}

static dialect_verdict join_here(participant *p, const message_2 *m)
{
    token shown;
    bool has_token = token_read(m->token, &shown);
    const find found = has_token ? find_seat(p, m, &shown) : (find){0};
    if (found.seat != NULL && can_resume(&found, m))
        return resume(p, &found, m);
    if (found.seat == NULL && participant_host_of(p)->is_overloaded(p))
        return rules_refuse_overloaded(p);
    if (unjoined_is_refused(p, m)) /* a session that is there goes on as it was */
        return DIALECT_GO_ON;
    if (found.seat == NULL && m->token.len > 0 && m->has_seen)
        counter_add(&participant_hall(p)->counters->resumes[SESSION_RESUME_FAILED], 1);
    seat *s = seat_new(seat_house_of(p), NULL, p, m->formerly, m->data);
    if (s == NULL) {
        answers_error(p, ANSWER_BUSY, false);
        return DIALECT_GO_ON;
    }
    if (has_token)
        seat_inherit_token(s, &shown);
    return found.seat != NULL ? replace(p, found.seat, s, m) : enter(p, s, m);
}

/* An overloaded server lets nobody new in. Whether somebody with a token is new is seen where the room is. */
dialect_verdict joining_join(participant *p, const message_2 *m)
{
    if (m->token.len == 0 && participant_host_of(p)->is_overloaded(p))
        return rules_refuse_overloaded(p);
    dialect_verdict verdict;
    return rules_may_join_here(p, ROOM_SPACE_ROOMS, m->room, &verdict) ? join_here(p, m) : verdict;
}

/* ---- Leaving ---- */

void joining_leave(participant *p, slice text)
{
    participant_log(LOG_INFO, log_namespace, "left", p, NULL, 0);
    seat_house_end(seat_of(p), SESSION_LEAVE_LEFT, ROOM_NEWS_LEFT, text);
    answers_left(p);
}

void joining_lose(participant *p, bool is_fault)
{
    seat *s = seat_of(p);
    if (s == NULL)
        return;
    dialect_hall *hall = participant_hall(p);
    if (room_peer_is_waiting(s->peer)) {
        room_manager_lose(hall->manager, s->peer, hall->now_ms(hall));
        seat_free(s);
        return;
    }
    if (is_fault || hall->limits->resume_for_ms == 0) {
        seat_house_end(s, SESSION_LEAVE_LOST, ROOM_NEWS_LOST, (slice){NULL, 0});
        return;
    }
    seat_lose_wire(s, hall->now_ms(hall));
    room_manager_away(hall->manager, s->peer);
}
