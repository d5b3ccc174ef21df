#include "session/session_host.h"

#include "base/clock.h"
#include "rooms/room_hash.h"
#include "session/guessing.h"
#include "session/session.h"

#include <assert.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

static dialect_hall *hall(const participant *p)
{
    return &session_group_of(session_of_participant(p))->hall;
}

/* ---- Its connection ---- */

static bool send_text(participant *p, const struct iovec *parts, int count)
{
    return connection_send(&session_of_participant(p)->connection, WS_OPCODE_TEXT, parts, count);
}

static bool send_signal(participant *p, const struct iovec *parts, int count)
{
    connection *c = &session_of_participant(p)->connection;
    if (!connection_send(c, WS_OPCODE_TEXT, parts, count))
        return false;
    connection_time_message(c);
    return true;
}

static close_reason reason_of(participant_end end)
{
    switch (end) {
    case PARTICIPANT_INVALID_MESSAGES:
        return CLOSE_REASON_INVALID_MESSAGES;
    case PARTICIPANT_TAKEN_OVER:
        return CLOSE_REASON_TAKEN_OVER;
    case PARTICIPANT_REPLACED:
        return CLOSE_REASON_REPLACED;
    case PARTICIPANT_FULL:
        return CLOSE_REASON_SESSION_FULL;
    case PARTICIPANT_NOT_ALLOWED:
        return CLOSE_REASON_NOT_ALLOWED;
    case PARTICIPANT_SILENT:
        return CLOSE_REASON_SILENT;
    case PARTICIPANT_OVERLOADED:
        return CLOSE_REASON_OVERLOADED;
    case PARTICIPANT_STOPS:
        return CLOSE_REASON_SERVER_STOPS;
    case PARTICIPANT_RESTARTS:
        return CLOSE_REASON_RESTARTS;
    case PARTICIPANT_SLOW:
        return CLOSE_REASON_NOT_READ;
    case PARTICIPANT_NO_MEMORY:
        break;
    }
    return CLOSE_REASON_NO_MEMORY;
}

static void close_it(participant *p, participant_end end, const char *text)
{
    connection_close(&session_of_participant(p)->connection, reason_of(end), text);
}

static void drop(participant *p, participant_end end, const char *text)
{
    connection_drop(&session_of_participant(p)->connection, reason_of(end), text);
}

static void give_up(participant *p)
{
    connection_give_up(&session_of_participant(p)->connection);
}

static void ping(participant *p)
{
    connection_ping(&session_of_participant(p)->connection);
}

static bool has_spoken_since(const participant *p, uint64_t since_ms)
{
    return connection_has_read_since(&session_of_participant(p)->connection, since_ms);
}

static void resume(participant *p)
{
    connection_resume(&session_of_participant(p)->connection);
}

static uint64_t id(const participant *p)
{
    return session_of_participant(p)->connection.id;
}

/* ---- What it counts as ---- */

static void *keep_place(participant *p)
{
    net_allowance *place = session_of_participant(p)->connection.allowance;
    p->join.keeps_place = place != NULL;
    return place;
}

static void free_place(dialect_hall *of, void *place)
{
    session_group *group = (session_group *)(void *)((char *)of - offsetof(session_group, hall));
    group->shared->on_place_free(group, place);
}

/* ---- ICE servers ---- */

/* The request was charged for them, where it asked for a dialect that tells them. */
static char *ice_servers(participant *p)
{
    if (!p->join.may_have_ice)
        return NULL;
    p->join.may_have_ice = false;
    const session_shared *shared = session_group_of(session_of_participant(p))->shared;
    return ice_page_servers(&shared->ice, clock_utc_ms() / 1000);
}

/* ---- The way to a room ---- */

/* The shard that a room belongs to. It is chosen by the upper half of the hash. The table of a shard uses the
 * lower half, which is spread evenly in each shard. In a cluster other nodes must find the shard, too. */
static int shard_of(const session_shared *shared, room_space space, slice room)
{
    if (shared->shards == 1)
        return 0; /* two hashes less for each join */
    if (shared->is_in_cluster) {
        const room_key key = room_key_of(shared->cluster_secret, space, room);
        return (int)room_share_worker(room_key_share(&key), (unsigned)shared->shards);
    }
    uint64_t upper = room_hash(&shared->hash, space, room) >> 32;
    return (int)(upper * (uint64_t)shared->shards >> 32);
}

static participant_way find_way(participant *p, room_space space, slice room)
{
    session *s = session_of_participant(p);
    const session_group *group = session_group_of(s);
    int shard = shard_of(group->shared, space, room);
    if (shard != group->shard) {
        p->join.next_shard = (uint8_t)shard;
        return PARTICIPANT_ELSEWHERE;
    }
    int held = guessing_hold(s, space, room);
    return held < 0 ? PARTICIPANT_NO_WAY : held > 0 ? PARTICIPANT_LATER : PARTICIPANT_HERE;
}

static bool may_join(const participant *p, room_space space, slice room, slice user,
                     char refusal[PARTICIPANT_REFUSAL_MAX])
{
    const session *s = session_of_participant(p);
    const session_hooks *hooks = &session_group_of(s)->shared->hooks;
    if (hooks->may_join == NULL)
        return true;
    const session_join_request join = {
        .dialect = dialect_of(p)->name,
        .space = space,
        .room = room,
        .user = user,
        .client = s->client,
        .connection = s->connection.id,
    };
    return hooks->may_join(hooks->context, &join, refusal);
}

static bool is_overloaded(const participant *p)
{
    return session_group_is_overloaded(session_group_of(session_of_participant(p)));
}

/* ---- Its log lines ---- */

/* Lines about a client were left out until now. */
static void log_left_out(const session *s, client_account *client)
{
    uint32_t left_out = atomic_exchange_explicit(&client->left_out, 0, memory_order_relaxed);
    if (left_out > 0)
        LOG(LOG_WARN, log_namespace, "lines about this client's address were left out",
            LOG_NUMBER("conn", s->connection.id), LOG_NUMBER("lines", left_out));
}

/* Who floods is logged about only so often (session_limits.log_lines); then the next line says how many were
 * left out. */
static bool may_log(const participant *p, log_level level)
{
    const session *s = session_of_participant(p);
    client_account *client = session_client(s);
    if (!log_is_on(level))
        return false;
    if (client == NULL)
        return true;
    session_shared *shared = session_group_of(s)->shared;
    /* Not the loop's time: while the session is detached, that loop is another thread's. */
    if (!shared_bucket_take(&client->log_lines, shared->limits.log_lines, 1, clock_monotonic_us())) {
        atomic_fetch_add_explicit(&client->left_out, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&shared->lines_left_out, 1, memory_order_relaxed);
        return false;
    }
    log_left_out(s, client);
    return true;
}

const participant_host session_host = {
    .hall = hall,
    .send = send_text,
    .send_signal = send_signal,
    .close = close_it,
    .drop = drop,
    .give_up = give_up,
    .ping = ping,
    .has_spoken_since = has_spoken_since,
    .resume = resume,
    .id = id,
    .find_way = find_way,
    .may_join = may_join,
    .is_overloaded = is_overloaded,
    .ice_servers = ice_servers,
    .keep_place = keep_place,
    .free_place = free_place,
    .may_log = may_log,
};
