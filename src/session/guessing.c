#include "session/guessing.h"

#include "rooms/room_hash.h"

static const char log_namespace[] = "HomeCall_Signal_Session";

/* What the session's client has joined; NULL where this join can't be one that counts. */
static guess_record *record_for(const session *s, slice codeword)
{
    client_account *client = session_client(s);
    bool counts = client != NULL && session_group_of(s)->shared->limits.guesses.per_minute != 0;
    return counts && !guess_is_free(codeword) ? &client->guesses : NULL;
}

/* A join is held for the longest time: its client goes on all the same, so somebody guesses. That is logged
 * once a minute. */
static void warn(const session *s, uint64_t now_ms)
{
    if (seldom_is_due(&session_group_of(s)->shared->guess_warning, SESSION_WARN_EVERY_MS, now_ms))
        LOG(LOG_WARN, log_namespace, "somebody guesses codewords: GUESS_RATE",
            LOG_NUMBER("conn", s->connection.id)); /* whatever else is logged about this client */
}

static int hold(session *s, uint32_t hold_ms)
{
    session_group *group = session_group_of(s);
    uint64_t now_ms = net_loop_now_ms(group->loop);
    int error = held_joins_add(&group->held, &s->participant.join, &s->connection, now_ms + hold_ms);
    if (error != 0)
        return error;
    counter_add(&group->counters.guesses_held, 1);
    LOG_PARTICIPANT(LOG_INFO, log_namespace, "join held", &s->participant, LOG_NUMBER("held_ms", hold_ms));
    if (hold_ms == GUESS_MAX_HOLD_MS)
        warn(s, now_ms);
    return 1;
}

int guessing_hold(session *s, room_space space, slice codeword)
{
    guess_record *record = record_for(s, codeword);
    if (record == NULL)
        return 0;

    const session_group *group = session_group_of(s);
    uint32_t room = guess_room(room_hash(&group->shared->hash, space, codeword));
    if (!s->participant.join.has_waited) {
        uint32_t hold_ms =
            guess_hold_ms(record, group->shared->limits.guesses, room, net_loop_now_us(group->loop));
        if (hold_ms > 0)
            return hold(s, hold_ms);
    }
    s->participant.join.has_waited = false;
    guess_remember(record, room);
    return 0;
}
