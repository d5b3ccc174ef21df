#include "session/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "proxy/forwarded.h"
#include "session/rules.h"
#include "session/session_log.h"
#include "session/session_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* The connection is the session's first member. */
static session *session_of(connection *c)
{
    return (session *)c;
}

enum { MAX_FORWARDED_LINES = 16 };

/* The values of every header field of this name; the last ones where there are too many. */
static forwarded_values values_of(slice fields, slice name, slice lines[MAX_FORWARDED_LINES])
{
    size_t count = 0;
    slice value;
    while (ws_handshake_next_field(&fields, name, &value)) {
        if (count == MAX_FORWARDED_LINES)
            memmove(lines, lines + 1, --count * sizeof(lines[0]));
        lines[count++] = value;
    }
    return (forwarded_values){lines, count};
}

/* Who is at the other end, behind the proxies that are trusted. A port would only tell connections apart. */
static address find_client(const session *s, const ws_handshake *handshake)
{
    address peer = connection_peer(&s->connection);
    peer.port = 0;
    const address_list *proxies = session_host_of(s)->proxies;
    if (!address_list_has(proxies, &peer))
        return peer;

    slice common[MAX_FORWARDED_LINES];
    slice standard[MAX_FORWARDED_LINES];
    address client;
    (void)forwarded_find_client(&peer, proxies,
                                values_of(handshake->fields, SLICE_LITERAL("X-Forwarded-For"), common),
                                values_of(handshake->fields, SLICE_LITERAL("Forwarded"), standard), &client);
    client.port = 0;
    return client;
}

static const char *event_of(int status)
{
    return status == 101 ? "upgraded" : status == 0 ? "ice servers told" : "request refused";
}

/* Answer GET /ice. Returns 0, or the status of the fault to answer with instead. */
static int answer_ice(session *s, const ws_handshake *handshake, const address *client)
{
    session_host *host = session_host_of(s);
    if (!ice_rate_take(host->ice_rate, host->hash, client, net_loop_now_ms(host->loop)))
        return 429;
    ice_page page;
    if (ice_page_make(host->ice, host->hash, client, handshake->origin, clock_utc_ms() / 1000, &page) != 0)
        return 503;
    connection_answer(&s->connection, (slice){page.head, strlen(page.head)},
                      (slice){page.body, strlen(page.body)});
    free(page.head);
    free(page.body);
    return 0;
}

static int on_handshake(connection *c, const ws_handshake *handshake)
{
    session *s = session_of(c);
    session_host *host = session_host_of(s);
    const address client = find_client(s, handshake);
    int status = handshake->status;
    if (status == 101 && !host->admit(host, s, &client))
        status = 503;
    if (status == 200)
        status = answer_ice(s, handshake, &client);

    char text[ADDRESS_MAX_TEXT];
    slice client_text = {text, address_format(&client, text)};
    LOG_SESSION(LOG_INFO, log_namespace, event_of(status), s,
                LOG_NUMBER("status", (uint64_t)(status == 0 ? 200 : status)),
                LOG_PRIVATE("address", client_text), LOG_BYTES("path", handshake->path),
                LOG_BYTES("origin", handshake->origin));
    return status;
}

static connection_verdict on_message(connection *c, bool is_text, slice data)
{
    return rules_handle(session_of(c), is_text, data);
}

static void on_pong(connection *c)
{
    session *s = session_of(c);
    if (room_peer_is_joined(&s->peer))
        room_manager_on_alive(session_host_of(s)->rooms, &s->peer, net_loop_now_ms(session_host_of(s)->loop));
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

    if (room_peer_is_joined(&s->peer))
        counter_add(&host->counters.leaves[SESSION_LEAVE_LOST], 1);
    if (s->peer.member != NULL)
        room_manager_lose(host->rooms, &s->peer, net_loop_now_ms(host->loop));
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

int session_open(session_host *host, int fd, uint64_t id, void *place, const char *refusal, bool awaits_proxy,
                 tls_context *tls)
{
    session *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        close(fd);
        return -ENOMEM;
    }
    s->peer.face = &session_peer_face;
    s->place = place;
    int error = connection_open_tls(&s->connection, fd, id, host->loop, tls);
    if (error != 0) {
        free(s);
        return error;
    }
    counter_add(&host->counters.accepted, 1);
    if (awaits_proxy)
        connection_await_proxy(&s->connection);
    if (refusal != NULL)
        connection_refuse(&s->connection, 503, CLOSE_REASON_NO_PLACE, refusal);
    return 0;
}

void session_attach(session *s, session_host *host)
{
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
    connection_abandon(&s->connection, "no thread takes it");
}
