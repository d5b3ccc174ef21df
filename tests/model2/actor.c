#include "model2/actor.h"

#include "support/run_fail.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static witness *witness_of(const actor *a)
{
    return &a->world->witness;
}

static void end_session(actor *a)
{
    witness_end(witness_of(a), a->session);
    a->session = WITNESS_NOBODY;
}

static void begin_session(actor *a, const char *room, const char *peer)
{
    a->session = witness_begin(witness_of(a), a->index, a->version, room, peer, a->user);
    REQUIRE(a->session != WITNESS_NOBODY);
}

static void dial(actor *a)
{
    a->has_moved = false;
    line_close(&a->line);
    site_accept(&a->world->site, line_dial(&a->line, a->version == 2));
    a->line_life = a->world->lives;
    if (a->cuts_next == 0)
        return;
    line_cut(&a->line, a->next_up, a->next_down, a->next_how);
    a->cuts_next--;
}

/* ---- Its client of version 2 ---- */

static void on_dial(void *context)
{
    dial(context);
}

static void on_say(void *context, const char *text)
{
    line_say(&((actor *)context)->line, text);
}

/* What it has said last may have arrived or not. */
static void note_ghost(actor *a)
{
    const client_2 *c = &a->client;
    bool may_be_one = c->state == CLIENT_2_LEAVING ||
                      (c->state == CLIENT_2_JOINING && !c->has_session && c->token[0] == '\0');
    a->world->has_ghosts = a->world->has_ghosts || may_be_one;
}

/* It takes its line for lost, so the server may not see the end of that. */
static void on_hang_up(void *context)
{
    line *l = &((actor *)context)->line;
    note_ghost(context);
    if (((actor *)context)->is_ticking && !l->was_cut)
        run_fail("actor %d takes a line that stands for lost", ((actor *)context)->index);
    if (l->is_silent)
        line_abandon(l);
    else
        line_close(l);
}

static void on_joined(void *context, bool is_resumed)
{
    actor *a = context;
    if (is_resumed)
        return;
    a->life = a->line_life;
    begin_session(a, a->client.room, a->client.peer);
}

/* Its session was there a while ago, so it must be there still: nothing has dropped from its outbox, no
 * newcomer needs its place, and its time is not over. */
static void check_end(const actor *a)
{
    const world *w = a->world;
    bool was_refused = a->client.state == CLIENT_2_JOINED || a->client.state == CLIENT_2_JOINING;
    if (was_refused && a->life == w->lives && w->limits.outbox_messages > 100 &&
        (unsigned)w->actor_count <= w->limits.capacity && !w->has_ghosts &&
        site_now_ms < a->client.touched_ms + SITE_RESUME_FOR_MS)
        run_fail("actor %d can't resume after %d ms", a->index, (int)(site_now_ms - a->client.touched_ms));
}

static void on_session_end(void *context)
{
    check_end(context);
    end_session(context);
}

static void on_signal(void *context, const client_2_signal *signal)
{
    actor *a = context;
    witness_handed(witness_of(a), a->session, signal->kind, signal->from, signal->payload);
    if (signal->from_is_known)
        return;
    /* Only what somebody of version 1 has queued and left behind. */
    int id = 0;
    REQUIRE(sscanf(signal->payload, "%d", &id) == 1);
    const witness_session *sender = &witness_of(a)->sessions[witness_of(a)->sends[id].session];
    if (sender->version != 1 || (!sender->has_ended && !sender->may_lose))
        run_fail("actor %d gets signal %d from somebody that it was not told of", a->index, id);
}

/* A member of version 1 is known by its user. That is sure only if nothing is on its way. */
int actor_session_of_peer(const world *w, const client_2_peer *peer, const char *room)
{
    if (peer->version == 2)
        return witness_find(&w->witness, room, peer->id);
    for (int i = 0; i < w->actor_count && w->is_quiet; i++) {
        const actor *a = &w->actors[i];
        if (a->version == 1 && strcmp(a->user, peer->user) == 0 && a->session != WITNESS_NOBODY &&
            strcmp(a->room, room) == 0)
            return a->session;
    }
    return WITNESS_NOBODY;
}

static void on_peer(void *context, const char *event, const client_2_peer *peer, const char *reason)
{
    actor *a = context;
    if (strcmp(event, "peer-left") == 0)
        witness_left(witness_of(a), a->session, peer->id, reason);
    else if (strcmp(event, "peer-joined") == 0 && a->client.peer_count == 1)
        witness_owe_queue(witness_of(a), a->session,
                          peer->version == 2 ? witness_find(witness_of(a), a->client.room, peer->id)
                                             : WITNESS_NOBODY);
}

static void on_numbered(void *context, int id, uint64_t n)
{
    actor *a = context;
    const client_2 *c = &a->client;
    witness_sent(witness_of(a), id, a->session, n, c->peer_count == 0);
    for (int i = 0; i < c->peer_count; i++)
        witness_owe(witness_of(a), id, actor_session_of_peer(a->world, &c->peers[i], c->room));
}

static void on_acknowledged(void *context, int id)
{
    witness_acknowledged(witness_of(context), id);
}

static void on_lost_send(void *context, int id)
{
    const actor *a = context;
    int its = witness_of(a)->sends[id].session;
    if (its != WITNESS_NOBODY && !witness_of(a)->sessions[its].has_ended)
        run_fail("signal %d of actor %d is told lost in a session that goes on", id, a->index);
}

static void on_refused(void *context, uint64_t n, const char *code)
{
    const actor *a = context;
    witness_refused(witness_of(a), a->session, n, code);
}

static void on_fault(void *context, const char *what, const char *text)
{
    run_fail("actor %d, in state %d: %s: %s", ((actor *)context)->index,
             (int)((actor *)context)->client.state, what, text);
}

static const client_2_events client_events = {
    .on_dial = on_dial,
    .on_say = on_say,
    .on_hang_up = on_hang_up,
    .on_joined = on_joined,
    .on_signal = on_signal,
    .on_peer = on_peer,
    .on_numbered = on_numbered,
    .on_acknowledged = on_acknowledged,
    .on_lost_send = on_lost_send,
    .on_refused = on_refused,
    .on_session_end = on_session_end,
    .on_fault = on_fault,
};

/* ---- Its client of version 1 ---- */

static void say_join_1(actor *a)
{
    char text[128];
    snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":\"%s\",\"user\":\"%s\"}", a->room, a->user);
    line_say(&a->line, text);
    a->is_waiting_to_join = false;
    begin_session(a, a->room, "");
    witness_of(a)->sessions[a->session].is_blurred = a->has_moved;
    witness_of(a)->sessions[a->session].may_lose = a->line.was_cut;
    a->has_moved = true;
}

static void hear_1(actor *a, const char *text)
{
    cJSON *object = cJSON_Parse(text);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "type"));
    const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "from"));
    const char *room = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "room"));
    const char *what = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "message"));
    char kind[16] = "", sender[40] = "", payload[16] = "";
    bool is_full =
        type != NULL && what != NULL && strcmp(type, "error") == 0 && strcmp(what, "Room is full") == 0;
    bool is_queue_full = what != NULL && strcmp(what, "Pending queue is full") == 0;
    bool is_late = false;
    bool is_signal =
        type != NULL && from != NULL && room != NULL && (strcmp(room, a->room) == 0 || a->has_moved) &&
        (strcmp(type, "offer") == 0 || strcmp(type, "answer") == 0 || strcmp(type, "candidate") == 0);
    if (is_signal) {
        const char *key = strcmp(type, "candidate") == 0 ? "candidate" : "sdp";
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
        is_late = strcmp(room, a->room) != 0; /* it was on its way when this client went elsewhere */
        snprintf(kind, sizeof(kind), "%s", type);
        snprintf(sender, sizeof(sender), "%s", from);
        snprintf(payload, sizeof(payload), "%s", value != NULL ? value : "none");
    }
    if (is_full) {
        end_session(a);
        a->wants_room = false;
        a->world->is_quiet = false;
    } else if (is_signal && !is_late && a->session != WITNESS_NOBODY)
        witness_handed(witness_of(a), a->session, kind, sender, payload);
    else if (!(is_queue_full && witness_of(a)->may_refuse) &&
             !(what != NULL && strcmp(what, "Join the room first") == 0 && a->session == WITNESS_NOBODY) &&
             !is_signal)
        run_fail("actor %d, of version 1, is told %s", a->index, text);
    cJSON_Delete(object);
}

/* ---- The line ---- */

static void on_open(void *context)
{
    actor *a = context;
    if (a->version == 2)
        client_2_opened(&a->client);
    else if (a->is_waiting_to_join)
        say_join_1(a);
}

static void on_text(void *context, const char *text)
{
    actor *a = context;
    if (a->version == 2)
        client_2_hear(&a->client, text);
    else
        hear_1(a, text);
}

static void on_lost(void *context, int code)
{
    actor *a = context;
    if (code == 1002 || code == 1003 || (code >= 1007 && code <= 1009))
        run_fail("actor %d is closed with %d", a->index, code);
    if (a->version == 2) {
        note_ghost(a);
        client_2_lost(&a->client, code);
        return;
    }
    end_session(a);
    a->wants_room = false;
}

static const line_events events_of_line = {.on_open = on_open, .on_text = on_text, .on_lost = on_lost};

/* ---- What it does ---- */

void actor_init(actor *a, world *w, int index, int version, const char *user)
{
    a->world = w;
    a->index = index;
    a->version = version;
    a->session = WITNESS_NOBODY;
    a->line.fd = -1;
    a->line.events = &events_of_line;
    a->line.context = a;
    a->wants_room = a->is_waiting_to_join = false;
    a->pages = 0;
    a->cuts_next = 0;
    a->is_ticking = false;
    snprintf(a->user, sizeof(a->user), "%s", user);
    client_2_init(&a->client, &client_events, a);
    a->client.now_ms = site_now_ms;
}

void actor_join(actor *a, const char *room)
{
    char data[32];
    if (a->version == 2) {
        snprintf(data, sizeof(data), "{\"page\":%d}", a->pages);
        if (!a->client.wants_room)
            client_2_join(&a->client, room, a->user, data);
        return;
    }
    if (a->wants_room && strcmp(a->room, room) == 0)
        return;
    end_session(a);
    a->wants_room = true;
    snprintf(a->room, sizeof(a->room), "%s", room);
    if (a->line.fd < 0) {
        dial(a);
        a->is_waiting_to_join = true;
    } else if (a->line.is_upgraded) {
        say_join_1(a);
    } else
        a->is_waiting_to_join = true;
}

static void send_1(actor *a, const char *kind)
{
    char text[128];
    if (a->session == WITNESS_NOBODY)
        return;
    witness *w = witness_of(a);
    int id = witness_send_begin(w, kind, "");
    if (id == WITNESS_NOBODY)
        return;
    witness_sent(w, id, a->session, 0, false);
    const char *key = strcmp(kind, "candidate") == 0 ? "candidate" : "sdp";
    snprintf(text, sizeof(text), "{\"type\":\"%s\",\"%s\":\"%d\"}", kind, key, id);
    line_say(&a->line, text);
    if (a->line.was_cut)
        w->sessions[a->session].may_lose = true;
    /* Owed to all who know that it is there, if nothing is on its way. */
    for (int i = 0; i < a->world->actor_count && a->world->is_quiet; i++) {
        const actor *other = &a->world->actors[i];
        const client_2 *c = &other->client;
        for (int p = 0; other->version == 2 && c->has_session && p < c->peer_count; p++) {
            if (actor_session_of_peer(a->world, &c->peers[p], c->room) == a->session)
                witness_owe(w, id, other->session);
        }
    }
}

void actor_send(actor *a, const char *kind, const actor *to)
{
    char payload[16], id_of_peer[CLIENT_2_ID_CAP] = "";
    if (a->version == 1) {
        send_1(a, strcmp(kind, "signal") == 0 ? "candidate" : kind);
        return;
    }
    client_2 *c = &a->client;
    if (!c->wants_room || c->send_count + 8 > CLIENT_2_MAX_SENDS)
        return;
    /* Maybe one that is gone. Not of another room: somebody in this one may have the same id. */
    if (to != NULL && to->version == 2 && c->has_session && strcmp(to->client.room, c->room) == 0)
        snprintf(id_of_peer, sizeof(id_of_peer), "%s", to->client.peer);
    if (strcmp(id_of_peer, c->peer) == 0)
        id_of_peer[0] = '\0';
    int id = witness_send_begin(witness_of(a), kind, id_of_peer);
    if (id == WITNESS_NOBODY)
        return;
    snprintf(payload, sizeof(payload), "\"%d\"", id);
    client_2_send_signal(c, id, kind, id_of_peer, payload);
}

void actor_update(actor *a)
{
    char data[32];
    if (a->version == 1 || !a->client.has_session)
        return;
    int id = witness_send_begin(witness_of(a), "update", "");
    if (id == WITNESS_NOBODY)
        return;
    snprintf(data, sizeof(data), "{\"update\":%d}", id);
    (void)client_2_update(&a->client, id, data);
}

void actor_leave(actor *a)
{
    if (a->version == 2) {
        a->world->has_ghosts = a->world->has_ghosts || a->client.state != CLIENT_2_JOINED;
        client_2_leave(&a->client);
        return;
    }
    if (a->session != WITNESS_NOBODY)
        line_say(&a->line, "{\"type\":\"leave\"}");
    end_session(a);
    a->wants_room = a->is_waiting_to_join = false;
}

void actor_reload(actor *a, bool keeps_token, bool is_silent)
{
    char room[32];
    bool wants_room = a->version == 1 ? a->wants_room : a->client.wants_room;
    snprintf(room, sizeof(room), "%s", a->version == 1 ? a->room : a->client.room);
    a->pages++;
    note_ghost(a);
    a->world->has_ghosts = a->world->has_ghosts || a->version == 1 || !keeps_token;
    if (is_silent)
        line_abandon(&a->line);
    else
        line_close(&a->line);
    if (a->version == 2)
        client_2_reload(&a->client, keeps_token);
    else
        end_session(a);
    a->wants_room = a->is_waiting_to_join = false;
    if (wants_room)
        actor_join(a, room);
}

void actor_wake(actor *a)
{
    if (a->version == 2)
        client_2_wake(&a->client);
}

void actor_tick(actor *a)
{
    a->client.now_ms = site_now_ms;
    a->is_ticking = true;
    if (a->version == 2)
        client_2_tick(&a->client);
    a->is_ticking = false;
}
