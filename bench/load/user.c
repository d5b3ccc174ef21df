#include "user.h"

#include "load.h"
#include "run.h"
#include "scenario/scenario.h"
#include "session_2.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

static_assert(offsetof(user, client) == 0, "user_of() casts");

static user *user_of(ws_client *c)
{
    return (user *)c;
}

static dialect_names names_of(const user *u)
{
    const char *to = u->peer != NULL ? u->peer->name : "";
    return (dialect_names){
        .room = slice_of_text(u->room),
        .from = slice_of_text(u->name),
        .to = slice_of_text(to),
    };
}

void user_choose_room(user *u, uint32_t number)
{
    const char *tag = run_tag(u->thread->run);
    if (number == 0)
        snprintf(u->room, sizeof(u->room), "%s-%u", tag, u->index / 2);
    else
        snprintf(u->room, sizeof(u->room), "%s-%u-%u", tag, u->index / 2, number);
}

void user_rename(user *u, uint32_t number)
{
    const char *tag = run_tag(u->thread->run);
    if (u->dialect->keeps_lost_names && number > 0)
        snprintf(u->name, sizeof(u->name), "%su%u-%u", tag, u->index, number);
    else
        snprintf(u->name, sizeof(u->name), "%su%u", tag, u->index);
}

/* ---- Sending ---- */

/* With several servers, the users of a pair are at two of them, or at the same one. A user stays at its
 * server, or goes on to the next one with each connection. */
static const load_server *server_of(const user *u)
{
    const load_options *o = u->thread->options;
    const server_list *list = u->thread->servers;
    uint64_t place = o->local_rooms ? u->index / 2 : u->index;
    return &list->servers[(place + (o->roaming ? u->client.lives : 0)) % list->count];
}

bool user_connect(user *u)
{
    load_thread *t = u->thread;
    u->client.server = server_of(u);
    int error = ws_client_connect(&u->client);
    if (error != 0)
        load_fault(t, "can't connect: %s", strerror(-error));
    return error == 0;
}

static void send_message(user *u, size_t (*write)(char *out, const dialect_names *names))
{
    if (write == NULL)
        return;
    char text[DIALECT_MAX_TEXT];
    const dialect_names names = names_of(u);
    ws_client_send(&u->client, text, write(text, &names));
}

void user_join(user *u)
{
    if (u->two != NULL)
        session_2_join(u->two);
    else
        send_message(u, u->dialect->join);
    u->is_in_room = true;
    LOAD_COUNT(u->thread, joins, u->dialect->join != NULL || u->two != NULL);
}

bool user_is_joining(const user *u)
{
    return u->two != NULL && session_2_is_joining(u->two);
}

void user_leave(user *u)
{
    if (u->two != NULL)
        session_2_leave(u->two);
    else if (u->is_in_room)
        send_message(u, u->dialect->leave);
    u->is_in_room = false;
}

void user_hang_up(user *u)
{
    if (u->dialect->has_hangup)
        user_send(u, LOAD_HANGUP, u->thread->clients.now_ns);
}

void user_close(user *u)
{
    if (u->two != NULL)
        session_2_leave(u->two);
    ws_client_close(&u->client, WS_CLOSE_NORMAL);
}

void user_lose(user *u)
{
    ws_client_drop(&u->client);
    u->is_in_room = false;
    LOAD_COUNT(u->thread, losses, 1);
    if (u->two != NULL)
        session_2_on_end(u->two, WS_CLOSE_ABNORMAL);
}

/* The first signal of a user that waits for a session, or the next one. */
static uint32_t first_waiting(const user *u)
{
    return u->sent - (u->two != NULL ? session_2_waiting(u->two) : 0);
}

/* protocol/README.md, 2.2 and 2.7: a session that is not resumed takes the outbox with it, and what its
 * client has sent and the server has not taken or passed on. What a peer of version 1 has sent to it goes
 * back to the queue as far as it was not acknowledged. */
void user_excuse_losses(user *u)
{
    user *peer = u->peer;
    if (u->excused != UINT32_MAX) /* see scenario/churn.c */
        u->excused = first_waiting(u);
    if (peer == NULL)
        return;
    if (peer->excused != UINT32_MAX)
        peer->excused = first_waiting(peer);
    peer->may_repeat = u->two != NULL && peer->two == NULL;
    peer->repeatable = 0;
}

static sent_signal *under_way(const user *u, uint32_t number)
{
    return &u->under_way[number & (u->thread->ring_size - 1)];
}

void user_send(user *u, load_kind kind, uint64_t at_ns)
{
    load_thread *t = u->thread;
    const dialect_names names = names_of(u);
    assert(user_under_way(u) < t->ring_size);
    *under_way(u, u->sent) = (sent_signal){.at_ns = at_ns, .kind = kind};
    uint32_t number = u->sent++;
    if (u->two != NULL)
        session_2_send(u->two, kind, number);
    else
        ws_client_send(&u->client, t->text, signal_text_write(&t->texts, kind, &names, number, t->text));
}

void user_settle(user *u)
{
    u->is_waiting_to_settle = user_is_joining(u);
    if (!u->is_waiting_to_settle)
        ws_client_ping(&u->client);
}

/* ---- The callbacks of its connection ---- */

static void on_open(ws_client *c)
{
    user *u = user_of(c);
    LOAD_COUNT(u->thread, connects, 1);
    if (u->is_starting) {
        if (u->joins_first)
            user_join(u);
        user_settle(u);
    } else if (u->events->on_open != NULL) {
        u->events->on_open(u);
    }
}

static void settle(user *u)
{
    if (u->is_starting) {
        u->is_starting = false;
        u->thread->starting--;
    }
    if (u->events->on_settled != NULL)
        u->events->on_settled(u);
}

static void on_pong(ws_client *c)
{
    settle(user_of(c));
}

void user_on_joined(user *u, bool is_anew)
{
    if (u->events->on_joined != NULL)
        u->events->on_joined(u, is_anew);
    if (u->is_waiting_to_settle) {
        u->is_waiting_to_settle = false;
        settle(u);
    }
}

/* Pass over signals that are lost with a reason. */
static void skip_lost(user *from, long long came)
{
    if (came < (long long)from->arrived || from->arrived >= from->excused)
        return;
    uint32_t next = came < (long long)from->excused ? (uint32_t)came : from->excused;
    uint32_t count = next - from->arrived;
    from->arrived = next;
    LOAD_COUNT(from->thread, lost, count);
    if (count > 0 && from->events->on_lost != NULL)
        from->events->on_lost(from, count);
}

/* Is it one that may come once more? The next one must be behind it. */
static bool is_allowed_repeat(user *from, long long came)
{
    if (!from->may_repeat || came < (long long)from->repeatable || came >= (long long)from->arrived)
        return false;
    from->repeatable = (uint32_t)came + 1;
    return true;
}

/* Only one signal may come: the peer's oldest that has not arrived yet. `text` is the payload of one of this
 * kind, or with LOAD_KINDS the whole text. False after a fault, or if there is nothing to do any more. */
static bool is_expected(user *u, load_kind kind, slice text)
{
    load_thread *t = u->thread;
    user *from = u->peer;
    if (from != NULL && (from->may_repeat || from->arrived < from->excused)) {
        long long came = signal_text_number_of_any(text);
        if (is_allowed_repeat(from, came))
            return false;
        skip_lost(from, came);
    }
    if (from == NULL || user_under_way(from) == 0) {
        load_fault(t, "%s got what nobody sent: %.*s", u->name, text.len < 200 ? (int)text.len : 200,
                   text.data);
        return false;
    }
    const sent_signal *expected = under_way(from, from->arrived);
    const dialect_names names = names_of(from);
    char why[SIGNAL_TEXT_MAX_WHY];
    bool is_right = kind == LOAD_KINDS
                        ? signal_text_check(&t->texts, expected->kind, &names, from->arrived, text, why)
                        : signal_payload_check(&t->texts, expected->kind, &names, from->arrived, text, why);
    if (is_right && (kind == LOAD_KINDS || kind == expected->kind)) {
        from->may_repeat = false;
        return true;
    }
    long long came = signal_text_number_of_any(text);
    LOAD_COUNT(t, doubled, came >= 0 && came < (long long)from->arrived);
    load_fault(t, "%s", is_right ? "a signal came as one of another kind" : why);
    return false;
}

static void take_signal(user *u, load_kind kind, slice text, size_t len)
{
    if (!is_expected(u, kind, text))
        return;
    load_thread *t = u->thread;
    user *from = u->peer;
    const sent_signal *expected = under_way(from, from->arrived);
    from->arrived++;
    LOAD_COUNT(t, signals, 1);
    LOAD_COUNT(t, offers, expected->kind == LOAD_OFFER);
    LOAD_COUNT(t, answers, expected->kind == LOAD_ANSWER);
    LOAD_COUNT(t, candidates, expected->kind == LOAD_CANDIDATE);
    LOAD_COUNT(t, signal_bytes, len);
    if (expected->at_ns != 0)
        load_time(t, LATENCY_SIGNAL, expected->at_ns);
    if (u->events->on_signal != NULL)
        u->events->on_signal(u, expected->kind);
}

void user_take_payload(user *u, load_kind kind, slice payload, size_t len)
{
    take_signal(u, kind, payload, len);
}

static void on_text(ws_client *c, slice text)
{
    user *u = user_of(c);
    const load_dialect *d = u->dialect;
    if (d->is_notice != NULL && d->is_notice(text))
        return;
    if (u->two != NULL)
        session_2_take(u->two, text);
    else
        take_signal(u, LOAD_KINDS, text, text.len);
}

void user_fault_lost(user *u, uint16_t code, const char *why)
{
    load_fault(u->thread, "%s lost its connection: %s (close code %u%s)", u->name, why, code,
               code == WS_CLOSE_POLICY
                   ? ": more than the server's limits allow? MESSAGE_RATE=0, "
                     "MESSAGE_RATE_PER_ADDRESS=0 and BYTE_RATE_PER_ADDRESS=0 take them off"
                   : "");
}

/* The server has refused its upgrade. Those that connect before the load go on with the others, so that all
 * refusals are counted; the run ends behind them. True unless the scenario has to know. */
static bool take_refusal(user *u)
{
    load_thread *t = u->thread;
    LOAD_COUNT(t, refused, 1);
    refusals_count(&t->refusals, u->client.refusal, 1);
    if (u->is_starting) {
        u->is_starting = false;
        t->starting--;
        return true;
    }
    if (!t->scenario->outlives_refusals)
        load_fault(t, "%s was refused", u->name);
    return !t->scenario->outlives_refusals;
}

static void on_end(ws_client *c, uint16_t code, const char *why)
{
    user *u = user_of(c);
    u->is_in_room = false;
    if (u->two != NULL)
        session_2_on_end(u->two, code);
    if (u->thread->phase >= PHASE_CLOSE)
        return;
    if (c->refusal != 0 && take_refusal(u))
        return;
    if (u->events->on_end != NULL)
        u->events->on_end(u, code, why);
    else
        user_fault_lost(u, code, why);
}

static void write_request_target(const ws_client *c, char out[WS_CLIENT_MAX_TARGET])
{
    const user *u = (const user *)c;
    const char *path = c->server->at.path;
    const dialect_names names = names_of(u);
    if (u->dialect->request_target != NULL)
        u->dialect->request_target(out, path, &names);
    else
        snprintf(out, WS_CLIENT_MAX_TARGET, "%s", path);
}

static const ws_client_events client_events = {
    .write_request_target = write_request_target,
    .on_open = on_open,
    .on_text = on_text,
    .on_pong = on_pong,
    .on_end = on_end,
};

void user_init(user *u, load_thread *thread, uint32_t index, user *peer, const user_events *events)
{
    const load_options *o = thread->options;
    bool is_second = index % 2 == 1 && o->second_dialect != NULL;
    *u = (user){.thread = thread, .index = index, .peer = peer, .events = events};
    u->dialect = is_second ? o->second_dialect : o->dialect;
    ws_client_init(&u->client, &thread->clients, &client_events);
    u->client.subprotocol = u->dialect->subprotocol;
    user_choose_room(u, 0);
    user_rename(u, 0);
}
