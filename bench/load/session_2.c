#include "session_2.h"

#include "load.h"
#include "wire/message_2_in.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* protocol/README.md, "Version 2": a message of its own acknowledges each 8 messages or after a second, if
 * none has gone out that it could ride on. A little earlier, since timers are late. */
enum { ACK_AFTER_MESSAGES = 8, ACK_AFTER_NS = 950 * 1000 * 1000 };

void session_2_init(session_2 *s, user *u, session_2_signal *unacked)
{
    *s = (session_2){.user = u, .unacked = unacked};
}

__attribute__((format(printf, 2, 3))) static void fault(session_2 *s, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    load_fault(s->user->thread, "%s: %s", s->user->name, text);
}

/* ---- Acknowledging ---- */

static void forget_owing(session_2 *s)
{
    if (s->owes_since_ns != 0)
        TAILQ_REMOVE(&s->user->thread->owing, s, owing);
    s->owes_since_ns = 0;
    s->told = s->seen;
}

static void acknowledge(session_2 *s)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "{\"type\":\"ack\",\"ack\":%llu}", (unsigned long long)s->seen);
    forget_owing(s);
    ws_client_send(&s->user->client, text, (size_t)len);
}

/* A numbered message was handled. */
static void owe(session_2 *s)
{
    load_thread *t = s->user->thread;
    if (s->state != SESSION_2_IN || s->seen == s->told)
        return;
    if (s->seen - s->told >= ACK_AFTER_MESSAGES) {
        acknowledge(s);
    } else if (s->owes_since_ns == 0) {
        s->owes_since_ns = t->clients.now_ns;
        TAILQ_INSERT_TAIL(&t->owing, s, owing);
    }
}

void session_2_acknowledge_due(load_thread *t)
{
    session_2 *s;
    while ((s = TAILQ_FIRST(&t->owing)) != NULL && t->clients.now_ns - s->owes_since_ns > ACK_AFTER_NS)
        acknowledge(s);
}

/* ---- Sending ---- */

static session_2_signal *signal_at(const session_2 *s, uint64_t n)
{
    return &s->unacked[(n + s->first) & (s->user->thread->unacked_size - 1)];
}

static void transmit(session_2 *s, uint64_t n)
{
    static const char *const types[LOAD_KINDS] = {"offer", "answer", "candidate"};
    load_thread *t = s->user->thread;
    const session_2_signal *signal = signal_at(s, n);
    int len = snprintf(t->text, DIALECT_MAX_TEXT, "{\"type\":\"%s\",\"n\":%llu", types[signal->kind],
                       (unsigned long long)n);
    if (s->owes_since_ns != 0) {
        len += snprintf(t->text + len, DIALECT_MAX_TEXT - (size_t)len, ",\"ack\":%llu",
                        (unsigned long long)s->seen);
        forget_owing(s);
    }
    char *at = t->text + len;
    at = dialect_put(at, signal->kind == LOAD_CANDIDATE ? SLICE_LITERAL(",\"candidate\":")
                                                        : SLICE_LITERAL(",\"sdp\":"));
    at += signal_payload_write(&t->texts, signal->kind, signal->number, at);
    *at++ = '}';
    ws_client_send(&s->user->client, t->text, (size_t)(at - t->text));
}

void session_2_send(session_2 *s, load_kind kind, uint32_t number)
{
    if (s->sent + 1 - s->acked > s->user->thread->unacked_size) {
        fault(s, "the server has not acknowledged %llu signals", (unsigned long long)(s->sent - s->acked));
        return;
    }
    *signal_at(s, ++s->sent) = (session_2_signal){kind, number};
    if (s->state == SESSION_2_IN)
        transmit(s, s->wired = s->sent);
}

static void send_join(session_2 *s)
{
    const user *u = s->user;
    char text[DIALECT_MAX_TEXT];
    int len =
        snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"%s\"", u->room, u->name);
    if (s->token[0] != '\0')
        len += snprintf(text + len, sizeof(text) - (size_t)len, ",\"token\":\"%s\",\"seen\":%llu", s->token,
                        (unsigned long long)s->seen);
    text[len++] = '}';
    s->state = SESSION_2_JOINING;
    s->wants_join = false;
    ws_client_send(&s->user->client, text, (size_t)len);
}

void session_2_join(session_2 *s)
{
    assert(s->state != SESSION_2_JOINING);
    if (s->state == SESSION_2_IN)
        session_2_leave(s);
    if (s->state == SESSION_2_LEAVING)
        s->wants_join = true;
    else
        send_join(s);
}

/* The session is over: what was not acknowledged is discarded, and the numbers start again. What was never
 * sent waits for the next session. */
static void start_anew(session_2 *s)
{
    uint32_t waiting = session_2_waiting(s);
    s->first += (uint32_t)s->wired;
    forget_owing(s);
    s->sent = waiting;
    s->wired = s->acked = s->seen = s->told = 0;
    s->peer[0] = s->other[0] = '\0';
    s->other_is_away = false;
}

void session_2_leave(session_2 *s)
{
    if (s->state != SESSION_2_IN)
        return;
    /* With what has come: what a peer of version 1 has sent and is not acknowledged goes back to the queue.
     */
    char text[64];
    int len = s->owes_since_ns == 0 ? snprintf(text, sizeof(text), "{\"type\":\"leave\"}")
                                    : snprintf(text, sizeof(text), "{\"type\":\"leave\",\"ack\":%llu}",
                                               (unsigned long long)s->seen);
    ws_client_send(&s->user->client, text, (size_t)len);
    forget_owing(s);
    s->state = SESSION_2_LEAVING;
}

/* ---- Joined ---- */

static void send_waiting(session_2 *s)
{
    while (s->wired < s->sent)
        transmit(s, ++s->wired);
}

/* Both ends go on. */
static void resume(session_2 *s, const message_2_joined *m)
{
    load_thread *t = s->user->thread;
    if (s->token[0] == '\0' || strcmp(m->peer, s->peer) != 0 || m->order != s->order) {
        fault(s, "it resumed a session that is not its own");
        return;
    }
    if (m->received < s->acked || m->received > s->wired) {
        fault(s, "the server has received %llu of %llu signals, of which it has acknowledged %llu",
              (unsigned long long)m->received, (unsigned long long)s->wired, (unsigned long long)s->acked);
        return;
    }
    /* A client may also send again what "received" has just told: that must be dropped (rule 5). */
    bool repeats = ws_client_random(&t->clients) % 2 == 0;
    uint64_t known = repeats ? s->acked : m->received;
    s->acked = m->received;
    s->told = s->seen; /* "seen" has told it */
    s->state = SESSION_2_IN;
    LOAD_COUNT(t, resumed, 1);
    LOAD_COUNT(t, sent_again, s->wired - known);
    for (uint64_t n = known + 1; n <= s->wired; n++)
        transmit(s, n);
    send_waiting(s);
}

/* A session of its own, where none was lost or it could not be resumed. */
static void begin(session_2 *s, const message_2_joined *m)
{
    bool is_second = s->token[0] != '\0';
    if (m->received != 0) {
        fault(s, "a new session has received %llu signals", (unsigned long long)m->received);
        return;
    }
    const user *other = s->user->peer;
    bool is_known = other != NULL && strcmp(m->other_user, other->name) == 0;
    if (m->other[0] != '\0' && !is_known) {
        fault(s, "somebody else is in its room: %s", m->other_user);
        return;
    }
    if (is_second) {
        LOAD_COUNT(s->user->thread, resumes_refused, 1);
        user_excuse_losses(s->user);
    }
    start_anew(s);
    strcpy(s->peer, m->peer);
    strcpy(s->other, m->other);
    s->other_is_away = m->other_is_away;
    s->order = m->order;
    s->state = SESSION_2_IN;
    send_waiting(s);
}

static void take_joined(session_2 *s, slice text)
{
    message_2_joined m;
    const char *why = message_2_read_joined(text, &m);
    if (why == NULL && s->state != SESSION_2_JOINING)
        why = "\"joined\" was not due";
    if (why == NULL && strcmp(m.room, s->user->room) != 0)
        why = "it joined another room";
    if (why != NULL) {
        fault(s, "%s: %.*s", why, text.len < 200 ? (int)text.len : 200, text.data);
        return;
    }
    bool had_token = s->token[0] != '\0';
    if (had_token && s->lost_ns != 0)
        load_time(s->user->thread, LATENCY_RESUME, s->lost_ns);
    s->has_resumed = m.is_resumed;
    if (m.is_resumed)
        resume(s, &m);
    else
        begin(s, &m);
    s->lost_ns = 0;
    strcpy(s->token, m.token);
    if (s->state == SESSION_2_IN)
        user_on_joined(s->user, had_token && !m.is_resumed);
}

static void take_left(session_2 *s)
{
    if (s->state != SESSION_2_LEAVING) {
        fault(s, "\"left\" was not due");
        return;
    }
    start_anew(s);
    s->token[0] = '\0';
    s->state = SESSION_2_OUT;
    if (s->wants_join)
        send_join(s);
}

/* ---- Presence ---- */

static void take_presence(session_2 *s, message_2_type_in type, slice text)
{
    message_2_presence m;
    const char *why = message_2_read_presence(text, &m);
    const user *other = s->user->peer;
    bool is_there = s->other[0] != '\0' && strcmp(m.peer, s->other) == 0;
    if (why == NULL && (other == NULL || strcmp(m.user, other->name) != 0))
        why = "presence of a stranger";
    else if (why == NULL && m.v != (other->two != NULL ? 2 : 1))
        why = "presence with a wrong version";
    else if (why == NULL && (type == MESSAGE_2_IN_PEER_JOINED ? s->other[0] != '\0' : !is_there))
        why = "presence that does not fit who is there";
    else if (why == NULL && type == MESSAGE_2_IN_PEER_AWAY && s->other_is_away)
        why = "it was away already";
    else if (why == NULL && type == MESSAGE_2_IN_PEER_BACK && !s->other_is_away)
        why = "it was not away";
    else if (why == NULL && (type == MESSAGE_2_IN_PEER_LEFT) != m.has_reason)
        why = "a reason is missing, or one too many";
    if (why != NULL) {
        fault(s, "%s: %.*s", why, text.len < 200 ? (int)text.len : 200, text.data);
        return;
    }
    LOAD_COUNT(s->user->thread, presence, 1);
    if (type == MESSAGE_2_IN_PEER_JOINED)
        strcpy(s->other, m.peer);
    if (type == MESSAGE_2_IN_PEER_LEFT)
        s->other[0] = '\0';
    s->other_is_away = type == MESSAGE_2_IN_PEER_AWAY;
}

/* ---- Everything that comes ---- */

/* Is the number of a numbered message the next one? */
static bool take_number(session_2 *s, const message_2_in *m)
{
    bool may_come = s->state == SESSION_2_IN || s->state == SESSION_2_LEAVING;
    if (m->seq == s->seen + 1 && may_come) {
        s->seen++;
        return true;
    }
    if (m->seq <= s->seen)
        LOAD_COUNT(s->user->thread, doubled, 1);
    fault(s, "seq %llu came after %llu: %.*s", (unsigned long long)m->seq, (unsigned long long)s->seen,
          m->text.len < 160 ? (int)m->text.len : 160, m->text.data);
    return false;
}

static bool take_ack(session_2 *s, const message_2_in *m)
{
    if (!m->has_ack)
        return true;
    if (m->ack < s->acked || m->ack > s->wired) {
        fault(s, "%llu was acknowledged, between %llu and %llu", (unsigned long long)m->ack,
              (unsigned long long)s->acked, (unsigned long long)s->wired);
        return false;
    }
    s->acked = m->ack;
    return true;
}

/* Only who is there sends signals; of version 1 also who was there before (rule 7). */
static void take_signal(session_2 *s, const message_2_in *m)
{
    static const load_kind kinds[] = {LOAD_OFFER, LOAD_ANSWER, LOAD_CANDIDATE};
    const user *other = s->user->peer;
    bool may_be_gone = other != NULL && other->two == NULL;
    if (!may_be_gone && !slice_equals(m->from, slice_of_text(s->other))) {
        fault(s, "a signal of %.*s came, who is not there", (int)m->from.len, m->from.data);
        return;
    }
    /* It can't be acknowledged behind "leave". So if it is of version 1, it goes back to the queue of the
     * room, and comes again (rule 7). */
    if (may_be_gone && s->state == SESSION_2_LEAVING)
        return;
    user_take_payload(s->user, kinds[m->type - MESSAGE_2_IN_OFFER], m->payload, m->text.len);
}

static void take_unnumbered(session_2 *s, const message_2_in *m)
{
    static const slice pong = {"{\"type\":\"pong\"}", 15};
    switch (m->type) {
    case MESSAGE_2_IN_JOINED:
        take_joined(s, m->text);
        break;
    case MESSAGE_2_IN_LEFT:
        take_left(s);
        break;
    case MESSAGE_2_IN_TICK:
        LOAD_COUNT(s->user->thread, ticks, 1);
        break;
    case MESSAGE_2_IN_PING:
        ws_client_send(&s->user->client, pong.data, pong.len);
        break;
    case MESSAGE_2_IN_GOAWAY:
        s->retry_ms = m->retry_after_ms > 0 ? m->retry_after_ms : 1;
        break;
    case MESSAGE_2_IN_ACK:
        break;
    default:
        fault(s, "this came: %.*s", m->text.len < 300 ? (int)m->text.len : 300, m->text.data);
    }
}

void session_2_take(session_2 *s, slice text)
{
    message_2_in m;
    if (!message_2_read(text, &m)) {
        fault(s, "this is not of version 2: %.*s", text.len < 300 ? (int)text.len : 300, text.data);
        return;
    }
    if (!take_ack(s, &m))
        return;
    if (!m.has_seq) {
        take_unnumbered(s, &m);
        return;
    }
    if (!take_number(s, &m))
        return;
    if (m.type <= MESSAGE_2_IN_CANDIDATE)
        take_signal(s, &m);
    else if (m.type <= MESSAGE_2_IN_PEER_LEFT)
        take_presence(s, m.type, text);
    else
        fault(s, "this came: %.*s", text.len < 300 ? (int)text.len : 300, text.data);
    owe(s);
}

void session_2_on_end(session_2 *s, uint16_t code)
{
    if (s->retry_ms > 0 && code != 1012 && code != 1013)
        fault(s, "after \"goaway\" it was closed with %u", code);
    if (s->state == SESSION_2_LEAVING) { /* "leave" was sent, and no answer is waited for any more */
        start_anew(s);
        s->token[0] = '\0';
    } else if (s->token[0] != '\0' && s->lost_ns == 0) {
        s->lost_ns = ws_client_clock_ns();
    }
    forget_owing(s);
    s->wants_join = false;
    s->wait_ms = s->retry_ms;
    s->retry_ms = 0;
    s->state = SESSION_2_OUT;
}
