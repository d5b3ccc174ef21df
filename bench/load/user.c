#include "user.h"

#include "load.h"
#include "run.h"

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
    if (u->thread->options->dialect->joins_by_connecting && number > 0)
        snprintf(u->name, sizeof(u->name), "%su%u-%u", tag, u->index, number);
    else
        snprintf(u->name, sizeof(u->name), "%su%u", tag, u->index);
}

/* ---- Sending ---- */

bool user_connect(user *u)
{
    load_thread *t = u->thread;
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
    send_message(u, u->thread->options->dialect->join);
    u->is_in_room = true;
    LOAD_COUNT(u->thread, joins, u->thread->options->dialect->join != NULL);
}

void user_leave(user *u)
{
    if (u->is_in_room)
        send_message(u, u->thread->options->dialect->leave);
    u->is_in_room = false;
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
    size_t len = signal_text_write(&t->texts, kind, &names, u->sent, t->text);
    u->sent++;
    ws_client_send(&u->client, t->text, len);
}

void user_settle(user *u)
{
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

static void on_pong(ws_client *c)
{
    user *u = user_of(c);
    if (u->is_starting) {
        u->is_starting = false;
        u->thread->starting--;
    }
    if (u->events->on_settled != NULL)
        u->events->on_settled(u);
}

/* Only one text may come: the peer's oldest signal that has not arrived yet. */
static void on_text(ws_client *c, slice text)
{
    user *u = user_of(c);
    load_thread *t = u->thread;
    const load_dialect *d = t->options->dialect;
    if (d->is_notice != NULL && d->is_notice(text))
        return;
    user *from = u->peer;
    if (from == NULL || user_under_way(from) == 0) {
        load_fault(t, "%s got what nobody sent: %.*s", u->name, text.len < 200 ? (int)text.len : 200,
                   text.data);
        return;
    }

    const sent_signal *expected = under_way(from, from->arrived);
    const dialect_names names = names_of(from);
    char why[SIGNAL_TEXT_MAX_WHY];
    if (!signal_text_check(&t->texts, expected->kind, &names, from->arrived, text, why)) {
        load_fault(t, "%s", why);
        return;
    }
    from->arrived++;
    LOAD_COUNT(t, signals, 1);
    LOAD_COUNT(t, offers, expected->kind == LOAD_OFFER);
    LOAD_COUNT(t, answers, expected->kind == LOAD_ANSWER);
    LOAD_COUNT(t, candidates, expected->kind == LOAD_CANDIDATE);
    LOAD_COUNT(t, signal_bytes, text.len);
    if (expected->at_ns != 0)
        load_time(t, LATENCY_SIGNAL, expected->at_ns);
    if (u->events->on_signal != NULL)
        u->events->on_signal(u, expected->kind);
}

static void on_end(ws_client *c, uint16_t code, const char *why)
{
    user *u = user_of(c);
    u->is_in_room = false;
    if (u->thread->phase >= PHASE_CLOSE)
        return;
    if (u->events->on_end != NULL)
        u->events->on_end(u, code, why);
    else
        load_fault(u->thread, "%s lost its connection: %s (close code %u)", u->name, why, code);
}

static void write_request_target(const ws_client *c, char out[WS_CLIENT_MAX_TARGET])
{
    const user *u = (const user *)c;
    const char *path = c->loop->server->path;
    if (u->thread->options->dialect->request_target != NULL)
        u->thread->options->dialect->request_target(out, path, u->name);
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
    *u = (user){.thread = thread, .index = index, .peer = peer, .events = events};
    ws_client_init(&u->client, &thread->clients, &client_events);
    user_choose_room(u, 0);
    user_rename(u, 0);
}
