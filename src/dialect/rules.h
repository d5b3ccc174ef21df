/* Rules: what the dialects have in common when somebody joins, leaves, sends a signal or sends nonsense. Each
 * of these counts and logs what it does; what is told to the client in words is the dialect's part.
 *
 * All functions: the thread of the participant's hall. */
#ifndef HOMECALL_DIALECT_RULES_H
#define HOMECALL_DIALECT_RULES_H

#include "dialect/room_access.h"
#include "dialect/signal_kind.h"

/* A message that is none: count it, tell `json`, and close the connection when it sends too many. */
dialect_verdict rules_answer_invalid(participant *p, slice json);

/* The same for a dialect that has told it already. */
dialect_verdict rules_count_invalid(participant *p);

/* There is no memory for what the client asks for. That is no fault of its own, but the server can only go on
 * without it. */
dialect_verdict rules_close_without_memory(participant *p);

/* Some thread of the server is late with its work, so nobody new is let in. */
dialect_verdict rules_refuse_overloaded(participant *p);

/* May the participant join this room here and now? If not, *verdict is what its dialect returns for the
 * message that asks for it: it is handed over, held, or closed without memory. */
bool rules_may_join_here(participant *p, room_space space, slice room, dialect_verdict *verdict);

/* May the participant be a new member of this room, which is in this hall? The program that embeds the server
 * decides. If not, it is counted and logged, and *why_json is what the client is to be told: a JSON string
 * with its quotes on the heap, which the caller owns, or NULL without memory. */
bool rules_is_allowed(participant *p, room_space space, slice room, slice user, char **why_json);

/* Let a peer into a room of this hall: the participant's own, or another that the dialect has for it. The
 * names are made JSON and copied. A room_join_result, or -ENOMEM. In a cluster it always has to wait, and the
 * owner of the room is told `extra` besides. */
int rules_join_with(participant *p, room_peer *peer, room_space space, slice room, slice user, slice extra);

/* The same with nothing besides. */
static inline int rules_join(participant *p, room_peer *peer, room_space space, slice room, slice user)
{
    return rules_join_with(p, peer, space, room, user, (slice){NULL, 0});
}

/* The place of a peer passes to another one, which joins the same room under this name. 0 or a fault, as
 * room_manager_succeed(). */
int rules_succeed(participant *p, room_peer *former, room_peer *peer, slice room, slice user,
                  room_news_kind why);

/* One who waited was let in, or was refused. */
void rules_report_admitted(const participant *p);
void rules_report_refused(const participant *p);

/* The participant, which is in a room, leaves it by its own peer. */
void rules_leave(participant *p, session_leave how);

/* Pass on a signal of a peer that is in a room of this hall. As room_manager_signal(). */
static inline int rules_signal(participant *p, dialect_hall *hall, room_peer *from, const room_signal *signal)
{
    if (log_is_on(LOG_INFO))
        hall->is_quiet = !participant_host_of(p)->may_log(p, LOG_INFO);
    return room_access_signal(p, hall, from, signal);
}

/* A signal whose sender is not in that room, of `len` bytes: it is an attempt like others, so it is counted
 * and logged (protocol/README.md, 1.3). `why` is a literal. */
void rules_refuse_signal(participant *p, signal_kind kind, size_t len, const char *why);

/* The client reports a fault, whose text in JSON this is: that is logged, but only so often that a client
 * can't fill the log. */
void rules_report_client_error(participant *p, slice text);

#endif
