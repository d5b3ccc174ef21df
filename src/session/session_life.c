#include "session/session_life.h"

#include "base/clock.h"
#include "net/connection_handshake.h"
#include "session/rules.h"
#include "session/session_peer.h"
#include "session/upgrade.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* ---- The callbacks of its connection ---- */

static void on_pong(connection *c)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    if (session_is_joined(s))
        room_manager_on_alive(group->rooms.manager, &s->peer, net_loop_now_ms(group->loop));
}

/* One line with the numbers of the whole connection. bytes_out includes its last bytes, which are not written
 * yet. bytes_in lacks what the peer sends from now on. */
static void log_end(const session *s, const connection_end *end)
{
    const connection *c = &s->connection;
    log_field fields[SESSION_LOG_MAX_FIELDS] = {
        LOG_LITERAL("reason", close_reason_name(end->reason)),
        LOG_NUMBER("code", end->code),
        LOG_LITERAL("why", end->why),
        LOG_NUMBER("age_ms", connection_age_ms(c)),
        LOG_NUMBER("messages_in", c->messages_in),
        LOG_NUMBER("messages_out", c->messages_out),
        LOG_NUMBER("bytes_in", c->bytes_in),
        LOG_NUMBER("bytes_out", c->bytes_out),
    };
    size_t count = 8;
    if (c->ping_rtt_us > 0)
        fields[count++] = LOG_NUMBER("ping_rtt_us", c->ping_rtt_us);
    session_log(LOG_INFO, log_namespace, "ended", s, fields, count);
}

/* A single end is logged at the level of each connection; that somebody floods is for who watches the server.
 */
static void warn_of_flood(const session *s, const connection_end *end)
{
    bool is_flood = end->reason == CLOSE_REASON_FLOOD || end->reason == CLOSE_REASON_ADDRESS_FLOOD;
    if (is_flood && seldom_is_due(&session_group_of(s)->shared->flood_warning, SESSION_WARN_EVERY_MS,
                                  clock_monotonic_ms()))
        LOG(LOG_WARN, log_namespace, "a client floods", LOG_NUMBER("conn", s->connection.id),
            LOG_LITERAL("why", end->why));
}

/* PROTOCOL.md, rule 4: the end of a connection is a leave, with the grace of rule 3. */
static void on_end(connection *c, const connection_end *end)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    log_end(s, end);
    warn_of_flood(s, end);
    held_joins_remove(&group->held, &s->join);
    if (s->peer.member == NULL)
        return;
    if (session_is_joined(s))
        counter_add(&group->counters.leaves[SESSION_LEAVE_LOST], 1);
    room_manager_lose(group->rooms.manager, &s->peer, net_loop_now_ms(group->loop));
}

static void on_hand_over(connection *c)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    assert(s->peer.member == NULL && (int)s->join.next_shard != group->shard && s->join.held_at == 0);
    counter_add(&group->counters.handed_over, 1);
    group->shared->hand_over(group, s, (int)s->join.next_shard);
}

static void on_free(connection *c)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    assert(s->peer.member == NULL && s->join.held_at == 0);
    group->shared->on_gone(group, s);
    free(s);
}

const connection_events session_events = {
    .on_handshake = upgrade_answer,
    .on_message = rules_handle,
    .on_pong = on_pong,
    .on_end = on_end,
    .on_hand_over = on_hand_over,
    .on_free = on_free,
};

/* ---- Starting and moving ---- */

int session_open(session_group *group, const session_start *start)
{
    session *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        close(start->fd);
        return -ENOMEM;
    }
    s->peer.face = &session_peer_face;
    int error = connection_open(&s->connection, start->fd, start->id, &group->connections, start->tls);
    if (error != 0) {
        free(s);
        return error;
    }
    s->connection.allowance = start->client == NULL ? NULL : &start->client->allowance;
    counter_add(&group->counters.accepted, 1);
    if (start->awaits_proxy)
        connection_await_proxy(&s->connection);
    if (start->refusal != NULL)
        connection_refuse(&s->connection, 503, CLOSE_REASON_NO_PLACE, start->refusal);
    return 0;
}

void session_attach(session *s, session_group *group)
{
    assert(s->peer.member == NULL);
    if (connection_attach(&s->connection, &group->connections) != 0) {
        session_log(LOG_WARN, log_namespace, "out of memory", s, NULL, 0);
        session_abandon(s);
        return;
    }
    if (group->is_draining)
        connection_close(&s->connection, CLOSE_REASON_SERVER_STOPS, "the server stops");
}

void session_take_back(session *s, session_group *group)
{
    group->is_draining = true; /* the server stops; the order for this thread comes as well */
    session_attach(s, group);
}

void session_abandon(session *s)
{
    connection_abandon(&s->connection, "no thread takes it");
}

/* ---- The end of some of them ---- */

typedef struct closing_some {
    size_t left;
    session_closing which;
    bool spares_calls;
} closing_some;

static bool close_if_meant(connection_entry *entry, void *context)
{
    closing_some *some = context;
    connection *c = connection_of(entry);
    const session *s = session_of(c);
    bool is_meant =
        connection_is_open(c) || (entry->state == CONNECTION_HANDSHAKE && some->which == SESSION_CLOSING_ALL);
    bool is_in_call = session_is_joined(s) && room_member_has_company(s->peer.member);
    if (!is_meant || (is_in_call && some->spares_calls))
        return true;
    connection_close(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server stops");
    return --some->left > 0;
}

void session_close_some(session_group *group, size_t count, session_closing which)
{
    closing_some some = {.left = count, .which = which, .spares_calls = true};
    if (some.left > 0)
        connection_set_each_while(&group->connections, close_if_meant, &some);
    some.spares_calls = false;
    if (some.left > 0)
        connection_set_each_while(&group->connections, close_if_meant, &some);
}
