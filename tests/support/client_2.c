#include "support/client_2.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The times of protocol/README.md, 2.5 and 2.10. */
enum {
    ACK_AFTER_MS = 1000,
    ACK_AFTER_MESSAGES = 8,
    LOST_UNACKNOWLEDGED_MS = 3000,
    PONG_MS = 3000,
    OPENING_MS = 5000,
    FIRST_TICK_MS = 25000,
    BACK_OFF_MS = 200,
    JOIN_AGAIN_MS = 2000,
};

void client_2_init(client_2 *c, const client_2_events *events, void *context)
{
    *c = (client_2){.events = events,
                    .context = context,
                    .dial_ms = UINT64_MAX,
                    .ack_due_ms = UINT64_MAX,
                    .pong_due_ms = UINT64_MAX,
                    .goaway_ms = UINT64_MAX,
                    .tick_ms = FIRST_TICK_MS};
}

static void copy(char *to, size_t cap, const char *from)
{
    snprintf(to, cap, "%s", from);
}

static void fault(client_2 *c, const char *what, const char *text)
{
    c->events->on_fault(c->context, what, text);
}

__attribute__((format(printf, 2, 3))) static void say(client_2 *c, const char *format, ...)
{
    char text[CLIENT_2_MAX_TEXT];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof(text))
        abort();
    c->events->on_say(c->context, text);
}

/* ---- Acknowledging ---- */

/* What is behind the last field of a message: the acknowledgement that rides on it. */
static const char *riding_ack(client_2 *c, char out[40])
{
    out[0] = '\0';
    if (c->seq > c->acknowledged_seq)
        snprintf(out, 40, ",\"ack\":%" PRIu64, c->seq);
    c->acknowledged_seq = c->seq;
    c->ack_due_ms = UINT64_MAX;
    return out;
}

static void say_ack(client_2 *c)
{
    say(c, "{\"type\":\"ack\",\"ack\":%" PRIu64 "}", c->seq);
    c->acknowledged_seq = c->seq;
    c->ack_due_ms = UINT64_MAX;
}

/* A message with a number was handed to the application. */
static void note_handed(client_2 *c)
{
    c->seq++;
    if (c->seq - c->acknowledged_seq >= ACK_AFTER_MESSAGES)
        say_ack(c);
    else if (c->ack_due_ms == UINT64_MAX)
        c->ack_due_ms = c->now_ms + ACK_AFTER_MS;
}

/* The server has taken everything up to `n`. */
static void take_ack(client_2 *c, uint64_t n, const char *text)
{
    if (n < c->received || n > c->n) {
        fault(c, "it acknowledges what can't be", text);
        return;
    }
    c->received = n;
    int done = 0;
    while (done < c->send_count && c->sends[done].n != 0 && c->sends[done].n <= n)
        c->events->on_acknowledged(c->context, c->sends[done++].id);
    c->send_count -= done;
    memmove(c->sends, c->sends + done, (size_t)c->send_count * sizeof(c->sends[0]));
}

/* ---- Sending ---- */

static void say_send(client_2 *c, client_2_send *s)
{
    char ack[40], to[64] = "";
    const char *key = strcmp(s->kind, "candidate") == 0                                  ? "candidate"
                      : strcmp(s->kind, "signal") == 0 || strcmp(s->kind, "update") == 0 ? "data"
                                                                                         : "sdp";
    if (s->to[0] != '\0')
        snprintf(to, sizeof(to), ",\"to\":\"%s\"", s->to);
    s->sent_ms = c->now_ms;
    say(c, "{\"type\":\"%s\",\"n\":%" PRIu64 "%s,\"%s\":%s%s}", s->kind, s->n, to, key, s->payload,
        riding_ack(c, ack));
}

static void number(client_2 *c, client_2_send *s)
{
    s->n = ++c->n;
    c->events->on_numbered(c->context, s->id, s->n);
}

void client_2_send_signal(client_2 *c, int id, const char *kind, const char *to, const char *payload)
{
    if (c->send_count == CLIENT_2_MAX_SENDS)
        abort();
    client_2_send *s = &c->sends[c->send_count++];
    *s = (client_2_send){.id = id};
    copy(s->kind, sizeof(s->kind), kind);
    copy(s->to, sizeof(s->to), to != NULL ? to : "");
    copy(s->payload, sizeof(s->payload), payload);
    if (!c->has_session)
        return;
    number(c, s);
    if (c->state == CLIENT_2_JOINED)
        say_send(c, s);
}

bool client_2_update(client_2 *c, int id, const char *data)
{
    copy(c->data, sizeof(c->data), data);
    if (c->has_session)
        client_2_send_signal(c, id, "update", NULL, data);
    return c->has_session;
}

/* ---- Joining and leaving ---- */

static void say_join(client_2 *c)
{
    char text[CLIENT_2_MAX_TEXT] = "";
    size_t len = 0;
    if (c->user[0] != '\0')
        len += (size_t)snprintf(text, sizeof(text), ",\"user\":\"%s\"", c->user);
    if (c->data[0] != '\0')
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"data\":%s", c->data);
    if (c->token[0] != '\0')
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"token\":\"%s\"", c->token);
    if (c->has_session)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"seen\":%" PRIu64, c->seq);
    else if (c->formerly[0] != '\0')
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"formerly\":\"%s\"", c->formerly);
    c->state = CLIENT_2_JOINING;
    copy(c->joined_data, sizeof(c->joined_data), c->data);
    c->heard_ms = c->now_ms;
    c->dial_ms = UINT64_MAX;
    say(c, "{\"type\":\"join\",\"room\":\"%s\"%s}", c->room, text);
}

static void dial(client_2 *c)
{
    c->state = CLIENT_2_OPENING;
    c->heard_ms = c->now_ms;
    c->dial_ms = UINT64_MAX;
    c->tick_ms = FIRST_TICK_MS;
    c->events->on_dial(c->context);
}

void client_2_join(client_2 *c, const char *room, const char *user, const char *data)
{
    copy(c->room, sizeof(c->room), room);
    copy(c->user, sizeof(c->user), user);
    copy(c->data, sizeof(c->data), data);
    c->wants_room = true;
    if (c->state == CLIENT_2_IDLE)
        dial(c);
    else if (c->state == CLIENT_2_OPEN)
        say_join(c);
}

/* There is no session any more, and what was on its way is lost. What had no number waits for the next one.
 */
static void forget_session(client_2 *c)
{
    int kept = 0;
    if (c->has_session)
        c->events->on_session_end(c->context);
    for (int i = 0; i < c->send_count; i++) {
        if (c->sends[i].n == 0)
            c->sends[kept++] = c->sends[i];
        else
            c->events->on_lost_send(c->context, c->sends[i].id);
    }
    c->send_count = kept;
    c->has_session = false;
    c->seq = c->acknowledged_seq = c->n = c->received = 0;
    c->order = c->highest_order = 0;
    c->peer_count = 0;
    c->ack_due_ms = UINT64_MAX;
    if (c->peer[0] != '\0')
        copy(c->formerly, sizeof(c->formerly), c->peer);
    c->peer[0] = '\0';
}

static void forget_everything(client_2 *c)
{
    forget_session(c);
    c->token[0] = '\0';
    c->formerly[0] = '\0';
    c->send_count = 0;
    c->wants_room = false;
    c->pong_due_ms = c->dial_ms = UINT64_MAX;
}

void client_2_leave(client_2 *c)
{
    char ack[40];
    if (c->state == CLIENT_2_JOINED) {
        say(c, "{\"type\":\"leave\",\"text\":\"bye\"%s}", riding_ack(c, ack));
        c->state = CLIENT_2_LEAVING;
        forget_everything(c);
        return;
    }
    if (c->state == CLIENT_2_LEAVING || !c->wants_room)
        return;
    if (c->state != CLIENT_2_WAITING)
        c->events->on_hang_up(c->context);
    c->state = CLIENT_2_IDLE;
    forget_everything(c);
}

void client_2_reload(client_2 *c, bool keeps_token)
{
    char token[CLIENT_2_TOKEN_CAP], formerly[CLIENT_2_ID_CAP];
    copy(token, sizeof(token), keeps_token ? c->token : "");
    copy(formerly, sizeof(formerly), !keeps_token ? "" : c->peer[0] != '\0' ? c->peer : c->formerly);
    uint64_t now_ms = c->now_ms;
    c->state = CLIENT_2_IDLE;
    forget_everything(c);
    bool repeats = c->repeats;
    client_2_init(c, c->events, c->context);
    c->now_ms = now_ms;
    c->repeats = repeats;
    copy(c->token, sizeof(c->token), token);
    copy(c->formerly, sizeof(c->formerly), formerly);
}

/* ---- Peers ---- */

const client_2_peer *client_2_find_peer(const client_2 *c, const char *id)
{
    for (int i = 0; i < c->peer_count; i++) {
        if (strcmp(c->peers[i].id, id) == 0)
            return &c->peers[i];
    }
    return NULL;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* A whole number, or UINT64_MAX. */
static uint64_t number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    bool is_whole = cJSON_IsNumber(item) && item->valuedouble >= 0 &&
                    item->valuedouble < 9007199254740992.0 &&
                    item->valuedouble == (double)(uint64_t)item->valuedouble;
    return is_whole ? (uint64_t)item->valuedouble : UINT64_MAX;
}

static bool is_id(const char *text, size_t least, size_t most)
{
    size_t len = text == NULL ? 0 : strlen(text);
    return len >= least && len <= most &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static bool read_peer(const cJSON *object, client_2_peer *out)
{
    *out = (client_2_peer){0};
    const char *id = text_of(object, "peer"), *user = text_of(object, "user");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(object, "data");
    uint64_t version = number_of(object, "v");
    out->order = number_of(object, "order");
    if (!is_id(id, 1, 32) || user == NULL || data == NULL || (version != 1 && version != 2) ||
        out->order == 0 || out->order > INT32_MAX)
        return false;
    copy(out->id, sizeof(out->id), id);
    copy(out->user, sizeof(out->user), user);
    out->version = (int)version;
    return cJSON_PrintPreallocated((cJSON *)(uintptr_t)data, out->data, (int)sizeof(out->data), false) != 0;
}

static void on_peer_joined(client_2 *c, client_2_peer *known, const client_2_peer *told, const char *text)
{
    if (known != NULL || c->peer_count == CLIENT_2_MAX_PEERS || strcmp(told->id, c->peer) == 0)
        fault(c, "a peer joins that is there", text);
    else if (told->order <= c->highest_order)
        fault(c, "an order that was used", text);
    else {
        c->highest_order = told->order;
        c->peers[c->peer_count++] = *told;
    }
}

static void on_peer_left(client_2 *c, client_2_peer *known, const cJSON *object, const char *text)
{
    const char *reason = text_of(object, "reason");
    bool is_good = reason != NULL && (strcmp(reason, "left") == 0 || strcmp(reason, "lost") == 0 ||
                                      strcmp(reason, "replaced") == 0);
    if (!is_good) {
        fault(c, "no such reason", text);
        return;
    }
    *known = c->peers[--c->peer_count];
}

static void on_presence(client_2 *c, const char *event, const cJSON *object, const char *text)
{
    client_2_peer told;
    if (!read_peer(object, &told)) {
        fault(c, "a field of a peer is missing or bad", text);
        return;
    }
    client_2_peer *known = (client_2_peer *)(uintptr_t)client_2_find_peer(c, told.id);
    if (strcmp(event, "peer-joined") == 0) {
        on_peer_joined(c, known, &told, text);
    } else if (known == NULL || known->order != told.order || known->version != told.version) {
        fault(c, "nobody has told of this peer", text);
    } else if (strcmp(event, "peer-left") == 0) {
        on_peer_left(c, known, object, text);
    } else if (strcmp(event, "peer-changed") == 0) {
        copy(known->data, sizeof(known->data), told.data);
    } else {
        bool is_away = strcmp(event, "peer-away") == 0;
        if (known->is_away == is_away)
            fault(c, "it was so already", text);
        known->is_away = is_away;
    }
    const char *reason = text_of(object, "reason");
    c->events->on_peer(c->context, event, &told, reason != NULL ? reason : "");
}

/* ---- Joined ---- */

static void read_peers(client_2 *c, const cJSON *object, const char *text)
{
    const cJSON *peers = cJSON_GetObjectItemCaseSensitive(object, "peers"), *item;
    if (!cJSON_IsArray(peers)) {
        fault(c, "peers are missing", text);
        return;
    }
    c->peer_count = 0;
    cJSON_ArrayForEach(item, peers)
    {
        client_2_peer peer;
        const cJSON *away = cJSON_GetObjectItemCaseSensitive(item, "away");
        if (c->peer_count == CLIENT_2_MAX_PEERS || !read_peer(item, &peer) || !cJSON_IsBool(away) ||
            peer.order >= c->order || client_2_find_peer(c, peer.id) != NULL) {
            fault(c, "a peer in the list is bad", text);
            return;
        }
        peer.is_away = cJSON_IsTrue(away);
        c->peers[c->peer_count++] = peer;
    }
}

static void go_on(client_2 *c, const cJSON *object, const char *text)
{
    if (!c->has_session || strcmp(text_of(object, "peer"), c->peer) != 0 ||
        number_of(object, "order") != c->order)
        fault(c, "another session is resumed", text);
    c->acknowledged_seq = c->seq; /* `seen` was one */
    c->ack_due_ms = UINT64_MAX;
    for (int i = 0; c->repeats && i < c->send_count; i++)
        say_send(c, &c->sends[i]);
    take_ack(c, number_of(object, "received"), text);
    c->events->on_joined(c->context, true);
    for (int i = 0; !c->repeats && i < c->send_count; i++)
        say_send(c, &c->sends[i]);
}

static void begin(client_2 *c, const cJSON *object, const char *text)
{
    forget_session(c);
    copy(c->data, sizeof(c->data), c->joined_data); /* an update since then is lost, and told so */
    c->has_session = true;
    copy(c->peer, sizeof(c->peer), text_of(object, "peer"));
    c->order = c->highest_order = number_of(object, "order");
    if (number_of(object, "received") != 0)
        fault(c, "something of a new session was received", text);
    read_peers(c, object, text);
    c->events->on_joined(c->context, false);
    for (int i = 0; i < c->send_count; i++) {
        number(c, &c->sends[i]);
        say_send(c, &c->sends[i]);
    }
}

static void on_joined(client_2 *c, const cJSON *object, const char *text)
{
    const char *token = text_of(object, "token"), *room = text_of(object, "room");
    const cJSON *resumed = cJSON_GetObjectItemCaseSensitive(object, "resumed");
    uint64_t order = number_of(object, "order"), tick = number_of(object, "tick");
    if (c->state != CLIENT_2_JOINING || !is_id(token, 22, 64) || !is_id(text_of(object, "peer"), 1, 32) ||
        room == NULL || strcmp(room, c->room) != 0 || !cJSON_IsBool(resumed) || order == 0 ||
        order > INT32_MAX || number_of(object, "received") == UINT64_MAX || tick == 0 || tick > 3600 ||
        number_of(object, "resumeFor") == UINT64_MAX || strcmp(token, c->token) == 0) {
        fault(c, "joined is bad, or was not asked for", text);
        return;
    }
    copy(c->token, sizeof(c->token), token);
    c->tick_ms = tick * 1000;
    c->state = CLIENT_2_JOINED;
    c->attempts = 0;
    if (cJSON_IsTrue(resumed))
        go_on(c, object, text);
    else
        begin(c, object, text);
}

/* ---- Hearing ---- */

static void on_signal(client_2 *c, const char *kind, const cJSON *object, const char *text)
{
    const char *from = text_of(object, "from");
    const char *key = strcmp(kind, "candidate") == 0 ? "candidate"
                      : strcmp(kind, "signal") == 0  ? "data"
                                                     : "sdp";
    const char *payload = text_of(object, key);
    if (from == NULL || payload == NULL) {
        fault(c, "a signal without its fields", text);
        return;
    }
    const client_2_signal signal = {kind, from, payload, client_2_find_peer(c, from) != NULL};
    c->events->on_signal(c->context, &signal);
}

static void on_error(client_2 *c, const cJSON *object, const char *text)
{
    const char *code = text_of(object, "code");
    bool has_all = code != NULL && text_of(object, "message") != NULL &&
                   cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(object, "fatal"));
    if (!has_all)
        fault(c, "an error without its fields", text);
    else if (number_of(object, "n") != UINT64_MAX)
        c->events->on_refused(c->context, number_of(object, "n"), code);
    else if (c->state == CLIENT_2_JOINING && (strcmp(code, "room-full") == 0 || strcmp(code, "busy") == 0)) {
        forget_session(c);
        c->state = CLIENT_2_OPEN;
        c->dial_ms = c->now_ms + JOIN_AGAIN_MS;
    } else
        fault(c, "an error that this client has not earned", text);
}

/* A message with `seq`. */
static void on_numbered(client_2 *c, const char *type, const cJSON *object, const char *text)
{
    if (c->state == CLIENT_2_LEAVING)
        return;
    if (c->state != CLIENT_2_JOINED || number_of(object, "seq") != c->seq + 1) {
        fault(c, c->state != CLIENT_2_JOINED ? "a number outside of a session" : "seq is not the next one",
              text);
        return;
    }
    if (strncmp(type, "peer-", 5) == 0)
        on_presence(c, type, object, text);
    else if (strcmp(type, "error") == 0)
        on_error(c, object, text);
    else
        on_signal(c, type, object, text);
    note_handed(c);
}

static void on_plain(client_2 *c, const char *type, const cJSON *object, const char *text)
{
    if (strcmp(type, "joined") == 0)
        on_joined(c, object, text);
    else if (strcmp(type, "error") == 0)
        on_error(c, object, text);
    else if (strcmp(type, "pong") == 0)
        c->pong_due_ms = UINT64_MAX;
    else if (strcmp(type, "left") == 0) {
        if (c->state != CLIENT_2_LEAVING)
            fault(c, "left, without a leave", text);
        c->state = CLIENT_2_OPEN;
        c->dial_ms = c->now_ms; /* if the application has asked for a room in the meantime */
    } else if (strcmp(type, "goaway") == 0) {
        uint64_t after_ms = number_of(object, "retryAfterMs");
        c->goaway_ms = c->now_ms + (after_ms == UINT64_MAX ? 0 : after_ms);
    } else if (strcmp(type, "ping") == 0)
        say(c, "{\"type\":\"pong\"}");
    else if (strcmp(type, "tick") != 0 && strcmp(type, "ack") != 0)
        fault(c, "no such type, or without its number", text);
}

static bool has_number(const char *type)
{
    static const char *const types[] = {"offer", "answer", "candidate", "signal"};
    bool is_signal = false;
    for (int i = 0; i < 4; i++)
        is_signal = is_signal || strcmp(type, types[i]) == 0;
    return is_signal || strncmp(type, "peer-", 5) == 0;
}

void client_2_hear(client_2 *c, const char *text)
{
    cJSON *object = cJSON_Parse(text);
    const char *type = text_of(object, "type");
    c->heard_ms = c->now_ms;
    uint64_t ack = number_of(object, "ack");
    if (type == NULL) {
        fault(c, "no message", text);
    } else {
        if (ack != UINT64_MAX && c->state == CLIENT_2_JOINED)
            take_ack(c, ack, text);
        if (has_number(type) || number_of(object, "seq") != UINT64_MAX)
            on_numbered(c, type, object, text);
        else
            on_plain(c, type, object, text);
    }
    if (c->state == CLIENT_2_JOINED)
        c->touched_ms = c->now_ms;
    cJSON_Delete(object);
}

/* ---- The line ---- */

void client_2_opened(client_2 *c)
{
    c->heard_ms = c->now_ms;
    c->state = CLIENT_2_OPEN;
    if (c->wants_room)
        say_join(c);
}

void client_2_lost(client_2 *c, int code)
{
    bool is_final = !c->wants_room || code >= 4500;
    c->pong_due_ms = c->ack_due_ms = UINT64_MAX;
    if (is_final) {
        c->state = CLIENT_2_IDLE;
        forget_everything(c);
        return;
    }
    c->state = CLIENT_2_WAITING;
    unsigned doublings = c->attempts < 4 ? c->attempts : 4;
    c->attempts++;
    c->dial_ms = c->goaway_ms != UINT64_MAX ? c->goaway_ms : c->now_ms + ((uint64_t)BACK_OFF_MS << doublings);
    c->goaway_ms = UINT64_MAX;
}

void client_2_wake(client_2 *c)
{
    if (c->state != CLIENT_2_JOINED || c->pong_due_ms != UINT64_MAX)
        return;
    say(c, "{\"type\":\"ping\"}");
    c->pong_due_ms = c->now_ms + PONG_MS;
}

/* ---- Time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When it takes its line for lost (rule 10). */
static uint64_t loss_ms(const client_2 *c)
{
    if (c->state == CLIENT_2_IDLE || c->state == CLIENT_2_WAITING)
        return UINT64_MAX;
    if (c->state == CLIENT_2_OPENING)
        return c->heard_ms + OPENING_MS;
    uint64_t due_ms = c->heard_ms + 2 * c->tick_ms + 10000;
    if (c->state == CLIENT_2_JOINED && c->send_count > 0)
        due_ms = earlier(due_ms, c->sends[0].sent_ms + LOST_UNACKNOWLEDGED_MS);
    return earlier(due_ms, c->pong_due_ms);
}

uint64_t client_2_next_due_ms(const client_2 *c)
{
    uint64_t dial_ms = c->state == CLIENT_2_WAITING || (c->state == CLIENT_2_OPEN && c->wants_room)
                           ? c->dial_ms
                           : UINT64_MAX;
    return earlier(earlier(dial_ms, c->ack_due_ms), loss_ms(c));
}

void client_2_tick(client_2 *c)
{
    if (loss_ms(c) <= c->now_ms) {
        c->events->on_hang_up(c->context);
        client_2_lost(c, 0);
    }
    if (c->ack_due_ms <= c->now_ms && c->state == CLIENT_2_JOINED)
        say_ack(c);
    if (c->dial_ms > c->now_ms)
        return;
    if (c->state == CLIENT_2_WAITING)
        dial(c);
    else if (c->state == CLIENT_2_OPEN && c->wants_room)
        say_join(c);
}
