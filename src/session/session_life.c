#include "session/session_life.h"

#include "base/clock.h"
#include "net/connection_handshake.h"
#include "session/upgrade.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* ---- The callbacks of its connection ---- */

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    static_assert((int)DIALECT_GO_ON == (int)CONNECTION_GO_ON && (int)DIALECT_HOLD == (int)CONNECTION_HOLD &&
                      (int)DIALECT_HOLD_MESSAGE == (int)CONNECTION_HOLD_MESSAGE &&
                      (int)DIALECT_HAND_OVER == (int)CONNECTION_HAND_OVER,
                  "a dialect's verdicts are those of connections");
    assert(connection_is_open(c));
    session *s = session_of(c);
    participant *p = &s->participant;
    return (connection_verdict)dialect_of(p)->on_message(p, &session_group_of(s)->hall, is_text, data);
}

/* Is the connection in the lobby, and is there only one shard for it to go to? Then it goes there with what
 * its client says next, whatever that is. So the acceptor neither reads nor keeps anything of it. */
static bool leaves_for_only_shard(const session_group *group)
{
    return group->shard == SESSION_NO_SHARD && group->shared->shards == 1;
}

/* A dialect whose clients join by their request is given that as the first message. */
static void on_open(connection *c, const ws_handshake *handshake)
{
    participant *p = &session_of(c)->participant;
    if (leaves_for_only_shard(session_group_of(session_of(c)))) {
        p->join.next_shard = 0;
        connection_leave_for_input(c);
    }
    const dialect *d = dialect_of(p);
    char invitation[DIALECT_MAX_INVITATION];
    if (d->find_invitation == NULL)
        return;
    size_t len = d->find_invitation(handshake->query, participant_hall(p)->limits, invitation);
    if (len > 0)
        connection_give_message(c, (slice){invitation, len});
}

static void on_pong(connection *c)
{
    participant *p = &session_of(c)->participant;
    dialect_of(p)->on_pong(p);
}

static void on_ping(connection *c)
{
    participant *p = &session_of(c)->participant;
    if (dialect_of(p)->on_ping != NULL)
        dialect_of(p)->on_ping(p);
}

/* One line with the numbers of the whole connection. bytes_out includes its last bytes, which are not written
 * yet. bytes_in lacks what the peer sends from now on. */
static void log_end(const session *s, const connection_end *end)
{
    if (!log_is_on(LOG_INFO)) /* then its age need not be asked for */
        return;
    const connection *c = &s->connection;
    log_field fields[PARTICIPANT_LOG_MAX_FIELDS] = {
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
    participant_log(LOG_INFO, log_namespace, "ended", &s->participant, fields, count);
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

/* Did the server end it for what the client has done? Then the client does not get back what it had. */
static bool is_for_fault(const connection_end *end)
{
    return end->reason != CLOSE_REASON_BY_PEER &&
           (end->code == WS_CLOSE_PROTOCOL_ERROR || end->code == WS_CLOSE_INVALID_DATA ||
            end->code == WS_CLOSE_POLICY || end->code == WS_CLOSE_TOO_BIG);
}

static void on_end(connection *c, const connection_end *end)
{
    session *s = session_of(c);
    log_end(s, end);
    warn_of_flood(s, end);
    held_joins_remove(&session_group_of(s)->held, &s->participant.join);
    dialect_of(&s->participant)->on_end(&s->participant, is_for_fault(end));
}

static void on_hand_over(connection *c)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    assert(s->participant.peer.member == NULL && (int)s->participant.join.next_shard != group->shard &&
           s->participant.join.held_at == 0);
    counter_add(&group->counters.handed_over, 1);
    group->shared->hand_over(group, s, (int)s->participant.join.next_shard);
}

static void on_free(connection *c)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    assert(s->participant.peer.member == NULL && s->participant.join.held_at == 0);
    if (!s->participant.join.keeps_place)
        group->shared->on_gone(group, s);
    free(s);
}

const connection_events session_events = {
    .on_handshake = upgrade_answer,
    .on_open = on_open,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_ping = on_ping,
    .on_end = on_end,
    .on_hand_over = on_hand_over,
    .on_free = on_free,
};

/* ---- Starting and moving ---- */

int session_open(session_group *group, const session_start *start)
{
    bool has_client = group->shared->hooks.may_join != NULL;
    session *s = calloc(1, sizeof(*s) + (has_client ? sizeof(s->client[0]) : 0));
    if (s == NULL) {
        close(start->fd);
        return -ENOMEM;
    }
    s->participant.peer.face = &dialects_default(&group->shared->dialects)->face;
    int error = connection_open(&s->connection, start->fd, start->id, &group->connections, start->tls);
    if (error != 0) {
        free(s);
        return error;
    }
    s->connection.allowance = start->client == NULL ? NULL : &start->client->allowance;
    counter_add(&group->counters.accepted, 1);
    if (start->peer != NULL)
        connection_set_peer(&s->connection, start->peer);
    if (start->awaits_proxy)
        connection_await_proxy(&s->connection);
    if (start->refusal != NULL)
        connection_refuse(&s->connection, 503, CLOSE_REASON_NO_PLACE, start->refusal);
    return 0;
}

void session_attach(session *s, session_group *group)
{
    assert(s->participant.peer.member == NULL);
    connection_attach(&s->connection, &group->connections);
    if (group->is_draining)
        session_stop(s);
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

/* ---- The end of all, or of some of them ---- */

static void close_one(connection_entry *entry)
{
    session_stop(session_of(connection_of(entry)));
}

void session_close_all(session_group *group)
{
    connection_set_each(&group->connections, close_one);
}

typedef struct closing_some {
    size_t left;
    session_closing which;
    bool spares_calls;
} closing_some;

static bool close_if_meant(connection_entry *entry, void *context)
{
    closing_some *some = context;
    connection *c = connection_of(entry);
    session *s = session_of(c);
    bool is_meant =
        connection_is_open(c) || (entry->state == CONNECTION_HANDSHAKE && some->which == SESSION_CLOSING_ALL);
    bool is_in_call =
        participant_is_joined(&s->participant) && room_member_has_company(s->participant.peer.member);
    if (!is_meant || (is_in_call && some->spares_calls))
        return true;
    session_stop(s);
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
