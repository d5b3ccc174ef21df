#include "dialect/rules.h"

#include "base/wipe.h"
#include "protocol/json_text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Session";
static const char rooms_namespace[] = "HomeCall_Signal_Rooms";

/* ---- Faults ---- */

dialect_verdict rules_count_invalid(participant *p)
{
    dialect_hall *hall = participant_hall(p);
    counter_add(&hall->counters->invalid_messages, 1);
    participant_log(LOG_INFO, log_namespace, "invalid message", p, NULL, 0);
    if (!token_bucket_take(&p->faults, hall->limits->faults, hall->now_ms(hall)))
        participant_host_of(p)->close(p, PARTICIPANT_INVALID_MESSAGES, "too many invalid messages");
    return DIALECT_GO_ON;
}

dialect_verdict rules_answer_invalid(participant *p, slice json)
{
    (void)participant_say(p, json);
    return rules_count_invalid(p);
}

dialect_verdict rules_close_without_memory(participant *p)
{
    participant_log(LOG_WARN, log_namespace, "out of memory", p, NULL, 0);
    participant_host_of(p)->close(p, PARTICIPANT_NO_MEMORY, "out of memory");
    return DIALECT_GO_ON;
}

dialect_verdict rules_refuse_overloaded(participant *p)
{
    participant_log(LOG_INFO, log_namespace, "join refused: overloaded", p, NULL, 0);
    participant_end_it(p, PARTICIPANT_OVERLOADED, "overloaded");
    return DIALECT_GO_ON;
}

/* The text may contain a codeword or a user name, so it is logged as private. */
void rules_report_client_error(participant *p, slice text)
{
    dialect_hall *hall = participant_hall(p);
    counter_add(&hall->counters->client_errors, 1);
    if (token_bucket_take(&p->reports, hall->limits->faults, hall->now_ms(hall)))
        LOG_PARTICIPANT(LOG_INFO, log_namespace, "the client reports", p, LOG_NUMBER("bytes", text.len),
                        LOG_PRIVATE("message", text));
}

/* ---- Joining and leaving ---- */

bool rules_may_join_here(participant *p, room_space space, slice room, dialect_verdict *verdict)
{
    switch (participant_host_of(p)->find_way(p, space, room)) {
    case PARTICIPANT_HERE:
        return true;
    case PARTICIPANT_ELSEWHERE:
        *verdict = DIALECT_HAND_OVER;
        return false;
    case PARTICIPANT_LATER:
        *verdict = DIALECT_HOLD_MESSAGE;
        return false;
    case PARTICIPANT_NO_WAY:
        break;
    }
    *verdict = rules_close_without_memory(p);
    return false;
}

bool rules_is_allowed(participant *p, room_space space, slice room, slice user, char **why_json)
{
    const participant_host *host = participant_host_of(p);
    char refusal[PARTICIPANT_REFUSAL_MAX];
    if (host->may_join == NULL || host->may_join(p, space, room, user, refusal))
        return true;
    counter_add(&participant_hall(p)->counters->joins[SESSION_JOIN_NOT_ALLOWED], 1);
    if (host->may_log(p, LOG_INFO))
        LOG(LOG_INFO, log_namespace, "join not allowed", LOG_NUMBER("conn", host->id(p)),
            LOG_PRIVATE("room", room), LOG_PRIVATE("user", user));
    size_t len;
    *why_json = json_text_encode(slice_of_text(refusal), &len);
    return false;
}

/* Count and log what the RoomManager has returned for a join. */
static void report_join(const participant *p, slice room, slice user, int result)
{
    static const char *const events[] = {
        [ROOM_JOINED] = "joined",
        [ROOM_WAITING] = "waiting before a full room",
        [ROOM_FULL] = "room is full",
    };
    session_counters *counters = participant_hall(p)->counters;
    if (result != ROOM_WAITING) /* that is counted when the wait ends */
        counter_add(&counters->joins[result == ROOM_JOINED ? SESSION_JOIN_JOINED : SESSION_JOIN_FULL], 1);
    const participant_host *host = participant_host_of(p);
    if (host->may_log(p, LOG_INFO))
        LOG(LOG_INFO, log_namespace, events[result], LOG_NUMBER("conn", host->id(p)),
            LOG_PRIVATE("room", room), LOG_PRIVATE("user", user));
}

/* The names of a join, plain and as JSON. */
typedef struct join_names {
    room_join join;
    char *room_text, *user_text; /* owned */
} join_names;

/* False without memory. The names are freed in any case. */
static bool name_join(join_names *names, const dialect_hall *hall, room_space space, slice room, slice user)
{
    names->join = (room_join){.space = space, .room = room, .user = user, .now_ms = hall->now_ms(hall)};
    names->room_text = json_text_encode(room, &names->join.room_json.len);
    names->user_text = json_text_encode(user, &names->join.user_json.len);
    names->join.room_json.data = names->room_text;
    names->join.user_json.data = names->user_text;
    return names->room_text != NULL && names->user_text != NULL;
}

static void free_names(join_names *names)
{
    wipe_and_free(names->room_text, names->join.room_json.len);
    wipe_and_free(names->user_text, names->join.user_json.len);
}

int rules_join_with(participant *p, room_peer *peer, room_space space, slice room, slice user, slice extra)
{
    const dialect_hall *hall = participant_hall(p);
    join_names names;
    int result = -ENOMEM;
    if (name_join(&names, hall, space, room, user))
        result = room_access_join(p, hall, peer, &names.join, extra);
    free_names(&names);
    if (result >= 0 && hall->edge == NULL) /* else that is told later */
        report_join(p, room, user, result);
    return result;
}

int rules_succeed(participant *p, room_peer *former, room_peer *peer, slice room, slice user,
                  room_news_kind why)
{
    const dialect_hall *hall = participant_hall(p);
    join_names names;
    int error = -ENOMEM;
    if (name_join(&names, hall, ROOM_SPACE_ROOMS, room, user))
        error = room_manager_succeed(hall->manager, former, peer, &names.join, why);
    free_names(&names);
    if (error != 0)
        return error;
    counter_add(
        &hall->counters->leaves[why == ROOM_NEWS_REPLACED ? SESSION_LEAVE_TAKEN_OVER : SESSION_LEAVE_LOST],
        1);
    report_join(p, room, user, ROOM_JOINED);
    return 0;
}

void rules_report_admitted(const participant *p)
{
    assert(participant_is_joined(p));
    counter_add(&participant_hall(p)->counters->joins[SESSION_JOIN_JOINED], 1);
    participant_log(LOG_INFO, rooms_namespace, "joined", p, NULL, 0);
}

void rules_report_refused(const participant *p)
{
    counter_add(&participant_hall(p)->counters->joins[SESSION_JOIN_FULL], 1);
    participant_log(LOG_INFO, rooms_namespace, "room is full", p, NULL, 0);
}

void rules_leave(participant *p, session_leave how)
{
    assert(participant_is_joined(p));
    dialect_hall *hall = participant_hall(p);
    counter_add(&hall->counters->leaves[how], 1);
    participant_log(LOG_INFO, log_namespace, "left", p, NULL, 0);
    room_access_leave(p, hall, &(room_leaving){.why = ROOM_NEWS_LEFT, .now_ms = hall->now_ms(hall)});
}

/* ---- Signals ---- */

void rules_refuse_signal(participant *p, signal_kind kind, size_t len, const char *why)
{
    session_counters *counters = participant_hall(p)->counters;
    counter_add(&counters->signals[kind][ROOM_SIGNAL_REFUSED], 1);
    counter_add(&counters->not_in_room, 1);
    LOG_PARTICIPANT(LOG_INFO, log_namespace, "refused", p, LOG_LITERAL("kind", signal_kind_name(kind)),
                    LOG_NUMBER("bytes", len), LOG_LITERAL("why", why));
}
