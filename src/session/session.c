#include "session/session.h"

#include "base/log.h"
#include "session/rules.h"

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
    LOG(handshake->status == 101 ? LOG_DEBUG : LOG_INFO, log_namespace,
        handshake->status == 101 ? "upgraded" : "upgrade refused", LOG_NUMBER("conn", c->id),
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
        room_manager_on_alive(s->host->rooms, s->member, net_loop_now_ms(s->host->loop));
}

/* PROTOCOL.md, rule 4: the end of a connection is a leave, with the grace of rule 3. */
static void on_end(connection *c, uint16_t code, const char *why)
{
    session *s = session_of(c);
    LOG(LOG_INFO, log_namespace, "ended", LOG_NUMBER("conn", c->id), LOG_NUMBER("code", code),
        LOG_LITERAL("why", why));

    room_member *member = s->member;
    room_waiter *waiter = s->waiter;
    s->member = NULL;
    s->waiter = NULL;
    if (member != NULL)
        room_manager_lose(s->host->rooms, member, net_loop_now_ms(s->host->loop));
    if (waiter != NULL)
        room_manager_cancel(s->host->rooms, waiter);
}

static void on_hand_over(connection *c)
{
    session *s = session_of(c);
    counter_add(&s->host->counters.handed_over, 1);
    s->host->hand_over(s->host, s, s->next_shard);
}

static void on_free(connection *c)
{
    session *s = session_of(c);
    s->host->on_gone(s->host, s);
    free(s);
}

static const connection_events events = {
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
    s->host = host;
    s->place = place;
    int error = connection_open(&s->connection, fd, id, &events, host->loop);
    if (error != 0) {
        free(s);
        return error;
    }
    counter_add(&host->counters.accepted, 1);
    if (refusal != NULL) {
        counter_add(&host->counters.refused, 1);
        connection_refuse(&s->connection, 503, refusal);
    }
    return 0;
}

void session_attach(session *s, session_host *host)
{
    s->waiter = NULL; /* a mailbox's link lay there */
    if (connection_attach(&s->connection, host->loop) != 0) {
        LOG(LOG_WARN, log_namespace, "out of memory", LOG_NUMBER("conn", s->connection.id));
        session_abandon(s);
        return;
    }
    s->host = host;
    if (host->is_draining)
        connection_close(&s->connection, WS_CLOSE_GOING_AWAY, "the server stops");
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
