#include "session/session.h"

#include "base/log.h"
#include "session/rules.h"
#include "session/session_log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* The connection is the session's first member. */
static session *session_of(connection *c)
{
    return (session *)c;
}

static void on_handshake(connection *c, const ws_handshake *handshake)
{
    LOG_SESSION(handshake->status == 101 ? LOG_DEBUG : LOG_INFO, log_namespace,
                handshake->status == 101 ? "upgraded" : "upgrade refused", session_of(c),
                LOG_NUMBER("status", (uint64_t)handshake->status), LOG_BYTES("path", handshake->path),
                LOG_BYTES("origin", handshake->origin));
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    return rules_handle(session_of(c), is_text, data);
}

static void on_pong(connection *c)
{
    session *s = session_of(c);
    if (s->member != NULL)
        room_manager_on_alive(session_host_of(s)->rooms, s->member,
                              net_loop_now_ms(session_host_of(s)->loop));
}

/* The one line that sums a connection up. The bytes out are those that its peer gets if it reads to the end;
 * what it still sends is thrown away. */
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
    if (c->has_ping_rtt && !c->awaits_pong)
        fields[count++] = LOG_NUMBER("ping_rtt_us", c->ping_us);
    session_log(LOG_INFO, log_namespace, "ended", s, fields, count);
}

/* PROTOCOL.md, rule 4: the end of a connection is a leave, with the grace of rule 3. */
static void on_end(connection *c, const connection_end *end)
{
    session *s = session_of(c);
    session_host *host = session_host_of(s);
    log_end(s, end);

    room_member *member = s->member;
    room_waiter *waiter = s->waiter;
    s->member = NULL;
    s->waiter = NULL;
    if (member != NULL) {
        counter_add(&host->counters.leaves[SESSION_LEAVE_LOST], 1);
        room_manager_lose(host->rooms, member, net_loop_now_ms(host->loop));
    }
    if (waiter != NULL)
        room_manager_cancel(host->rooms, waiter);
}

static void on_hand_over(connection *c)
{
    session *s = session_of(c);
    session_host *host = session_host_of(s);
    counter_add(&host->counters.handed_over, 1);
    host->hand_over(host, s, s->next_shard);
}

static void on_free(connection *c)
{
    session *s = session_of(c);
    session_host *host = session_host_of(s);
    host->on_gone(host, s);
    free(s);
}

const connection_events session_events = {
    .on_handshake = on_handshake,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_end = on_end,
    .on_hand_over = on_hand_over,
    .on_free = on_free,
};

int session_open(session_host *host, int fd, uint64_t id, void *place, const char *refusal)
{
    session *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        close(fd);
        return -ENOMEM;
    }
    s->place = place;
    int error = connection_open(&s->connection, fd, id, host->loop);
    if (error != 0) {
        free(s);
        return error;
    }
    counter_add(&host->counters.accepted, 1);
    if (refusal != NULL)
        connection_refuse(&s->connection, 503, CLOSE_REASON_NO_PLACE, refusal);
    return 0;
}

void session_attach(session *s, session_host *host)
{
    s->waiter = NULL; /* a mailbox's link lay there */
    if (connection_attach(&s->connection, host->loop) != 0) {
        session_log(LOG_WARN, log_namespace, "out of memory", s, NULL, 0);
        session_abandon(s);
        return;
    }
    if (host->is_draining)
        connection_close(&s->connection, CLOSE_REASON_SERVER_STOPS, "the server stops");
}

void session_take_back(session *s, session_host *host)
{
    host->is_draining = true; /* our own order to stop is on its way */
    session_attach(s, host);
}

void session_abandon(session *s)
{
    s->waiter = NULL; /* a mailbox's link lay there */
    connection_abandon(&s->connection, "no thread takes it");
}
