/* lying_relay LIE N: a relay that speaks our dialect and is right in everything but the N-th signal that it
 * hands to somebody: with that it does as the lie says. For the tests of homecall-bench, which must notice.
 *
 * It listens on a free port of 127.0.0.1, says which on standard output ("port 12345"), and serves until
 * standard input ends. Rooms have two seats. It is small rather than fast: one poll loop, blocking writes,
 * and lists that are searched from the front. */
#include "base/bytes.h"
#include "base/slice.h"
#include "support/listen_host.h"
#include "websocket/frame.h"
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <cjson/cJSON.h>

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CLIENTS = 64, NAME_BYTES = 64, READ_BYTES = 64 * 1024, MAX_MESSAGE_BYTES = 1024 * 1024 };

/* A zeroed one is free. */
typedef struct client {
    int fd; /* owned; 0 = this place is free */
    bool is_upgraded;
    ws_decoder decoder;
    bytes *in;      /* owned: what is not read yet */
    bytes *message; /* owned: parts of a message */
    char room[NAME_BYTES];
    char user[NAME_BYTES];
} client;

/* A signal that nobody is there for. */
typedef struct waiting {
    STAILQ_ENTRY(waiting) link;
    char room[NAME_BYTES];
    char from[NAME_BYTES];
    size_t len;
    char text[];
} waiting;

typedef struct lie {
    const char *name;
    void (*deliver)(client *to, slice text); /* instead of the truth */
    bool is_always;                          /* with every signal, not only with the N-th */
} lie;

static client clients[MAX_CLIENTS];
static STAILQ_HEAD(, waiting) queue = STAILQ_HEAD_INITIALIZER(queue);
static const lie *told;
static unsigned long lie_at;
static unsigned long delivered;
static bytes *held;           /* owned: a signal that its successor is to overtake */
static client *held_for;      /* borrowed */
static bool has_wrong_accept; /* lies already in the handshake */
static bool ignores_leaves;   /* who leaves is in the room until it joins anew: as if it came very late */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "lying_relay: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- Output ---- */

/* A client that is gone is noticed by the next read. */
static void send_bytes(client *c, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t taken = send(c->fd, at, len, MSG_NOSIGNAL);
        if (taken < 0)
            return;
        at += taken;
        len -= (size_t)taken;
    }
}

static void send_frame(client *c, ws_opcode opcode, slice payload)
{
    uint8_t frame[WS_MAX_SERVER_HEADER + READ_BYTES];
    must(payload.len <= READ_BYTES, "a message is too long");
    size_t len = ws_frame_header(frame, opcode, payload.len);
    if (payload.len > 0)
        memcpy(frame + len, payload.data, payload.len);
    send_bytes(c, frame, len + payload.len);
}

static void send_text(client *c, slice text)
{
    send_frame(c, WS_OPCODE_TEXT, text);
}

/* ---- Lies ---- */

static void lose(client *to, slice text)
{
    (void)to;
    (void)text;
}

static void repeat(client *to, slice text)
{
    send_text(to, text);
    send_text(to, text);
}

static void hold(client *to, slice text)
{
    must(bytes_append(&held, text.data, text.len) == 0, "out of memory");
    held_for = to;
}

/* A byte of the filling, well before the end of every payload. */
static void alter(client *to, slice text)
{
    char *copy = malloc(text.len);
    must(copy != NULL && text.len > 60, "a signal is too short");
    memcpy(copy, text.data, text.len);
    copy[text.len - 50] ^= 1;
    send_text(to, (slice){copy, text.len});
    free(copy);
}

/* Write it anew: with another value of a member where one is given, else with white space. */
static void rewrite_with(client *to, slice text, const char *member, const char *value)
{
    cJSON *json = cJSON_ParseWithLength(text.data, text.len);
    must(json != NULL, "a signal is not JSON");
    if (member != NULL)
        cJSON_SetValuestring(cJSON_GetObjectItem(json, member), value);
    char *written = member != NULL ? cJSON_PrintUnformatted(json) : cJSON_Print(json);
    must(written != NULL, "out of memory");
    send_text(to, slice_of_text(written));
    cJSON_free(written);
    cJSON_Delete(json);
}

static void rewrite(client *to, slice text)
{
    rewrite_with(to, text, NULL, NULL);
}

static void change_room(client *to, slice text)
{
    rewrite_with(to, text, "room", "elsewhere");
}

static void change_sender(client *to, slice text)
{
    rewrite_with(to, text, "from", "somebody");
}

static void add_garbage(client *to, slice text)
{
    bytes *longer = NULL;
    must(bytes_append(&longer, text.data, text.len) == 0 && bytes_append(&longer, "}", 1) == 0,
         "out of memory");
    send_text(to, (slice){(const char *)bytes_head(longer), bytes_len(longer)});
    bytes_clear(&longer);
}

/* To the first one who is in another room; where there is nobody just now, the next signal is lied about. */
static void mislead(client *to, slice text)
{
    for (size_t i = 0; i < MAX_CLIENTS; i++) {
        client *other = &clients[i];
        if (other->fd != 0 && other->room[0] != '\0' && strcmp(other->room, to->room) != 0) {
            send_text(other, text);
            return;
        }
    }
    send_text(to, text);
    lie_at++;
}

static void send_error(client *to, slice text)
{
    send_text(to, SLICE_LITERAL("{\"type\":\"error\",\"message\":\"Invalid message\"}"));
    send_text(to, text);
}

static void send_binary(client *to, slice text)
{
    send_frame(to, WS_OPCODE_BINARY, text);
}

static void break_frame(client *to, slice text)
{
    (void)text;
    send_bytes(to, "\xF1\x00", 2);
}

static void mask_frame(client *to, slice text)
{
    (void)text;
    send_bytes(to, "\x81\x81\x00\x00\x00\x00x", 7);
}

static void close_it(client *to, slice text)
{
    (void)text;
    send_frame(to, WS_OPCODE_CLOSE, SLICE_LITERAL("\x03\xF3"));
    shutdown(to->fd, SHUT_WR);
}

static void end_tcp(client *to, slice text)
{
    (void)text;
    shutdown(to->fd, SHUT_WR);
}

static const lie lies[] = {
    {"none", send_text, false},
    {"rewrites", rewrite, true},
    {"loses", lose, false},
    {"doubles", repeat, false},
    {"swaps", hold, false},
    {"alters", alter, false},
    {"room", change_room, false},
    {"sender", change_sender, false},
    {"garbage", add_garbage, false},
    {"misleads", mislead, false},
    {"error", send_error, false},
    {"binary", send_binary, false},
    {"broken-frame", break_frame, false},
    {"mask", mask_frame, false},
    {"closes", close_it, false},
    {"ends", end_tcp, false},
    {"accept", send_text, false},
    {"keeps", send_text, false},
};

static const lie *find_lie(const char *name)
{
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        if (strcmp(lies[i].name, name) == 0)
            return &lies[i];
    return NULL;
}

/* ---- The truth ---- */

static void deliver(client *to, slice text)
{
    if (++delivered == lie_at || told->is_always)
        told->deliver(to, text);
    else
        send_text(to, text);
    if (held_for == to && delivered > lie_at) {
        send_text(to, (slice){(const char *)bytes_head(held), bytes_len(held)});
        bytes_clear(&held);
        held_for = NULL;
    }
}

static client *find_peer(const client *c)
{
    must(c->room[0] != '\0', "a signal before a join");
    for (size_t i = 0; i < MAX_CLIENTS; i++)
        if (clients[i].fd != 0 && &clients[i] != c && strcmp(clients[i].room, c->room) == 0)
            return &clients[i];
    return NULL;
}

static void put_in_queue(const client *from, slice text)
{
    waiting *w = malloc(sizeof(*w) + text.len);
    must(w != NULL, "out of memory");
    strcpy(w->room, from->room);
    strcpy(w->from, from->user);
    w->len = text.len;
    memcpy(w->text, text.data, text.len);
    STAILQ_INSERT_TAIL(&queue, w, link);
}

/* Everything that waits in the client's room, in order: to it, or to nobody when it leaves. */
static void empty_queue(client *c, bool leaves)
{
    waiting *next;
    for (waiting *w = STAILQ_FIRST(&queue); w != NULL; w = next) {
        next = STAILQ_NEXT(w, link);
        bool is_own = strcmp(w->from, c->user) == 0;
        if (strcmp(w->room, c->room) != 0 || is_own != leaves)
            continue;
        STAILQ_REMOVE(&queue, w, waiting, link);
        if (!leaves)
            deliver(c, (slice){w->text, w->len});
        free(w);
    }
}

static void leave(client *c)
{
    if (c->room[0] != '\0')
        empty_queue(c, true);
    c->room[0] = '\0';
}

static const char *member(const cJSON *json, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));
    must(value != NULL && strlen(value) < NAME_BYTES, "a message lacks a name");
    return value;
}

static void take_message(client *c, slice text)
{
    cJSON *json = cJSON_ParseWithLength(text.data, text.len);
    const char *type = member(json, "type");
    if (strcmp(type, "join") == 0) {
        leave(c);
        strcpy(c->room, member(json, "room"));
        strcpy(c->user, member(json, "user"));
        empty_queue(c, false);
    } else if (strcmp(type, "leave") == 0) {
        if (!ignores_leaves)
            leave(c);
    } else {
        client *peer = find_peer(c);
        if (peer != NULL)
            deliver(peer, text);
        else
            put_in_queue(c, text);
    }
    cJSON_Delete(json);
}

/* ---- Connections ---- */

static void close_client(client *c)
{
    leave(c);
    if (held_for == c)
        held_for = NULL;
    close(c->fd);
    bytes_clear(&c->in);
    bytes_clear(&c->message);
    *c = (client){0};
}

static void accept_client(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return; /* it has gone again */
    for (size_t i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].fd == 0) {
            clients[i].fd = fd;
            return;
        }
    }
    must(false, "too many clients");
}

/* Returns how many bytes were used. */
static size_t take_request(client *c)
{
    const ws_handshake_rules rules = {.path = "/signal", .max_head_bytes = 8192};
    ws_handshake handshake;
    if (!ws_handshake_parse(&rules, (const char *)bytes_head(c->in), bytes_len(c->in), &handshake))
        return 0;
    must(handshake.status == 101, "the request is not accepted");
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    slice key = has_wrong_accept ? SLICE_LITERAL("dGhlIHNhbXBsZSBub25jZQ==") : handshake.key;
    send_bytes(c, answer, ws_handshake_answer(answer, 101, key, NULL));
    c->is_upgraded = true;
    return handshake.head_len;
}

static void take_data(client *c, const ws_event *event)
{
    must(event->len == 0 || bytes_append(&c->message, event->data, event->len) == 0, "out of memory");
    if (!event->is_last)
        return;
    bytes *whole = c->message;
    c->message = NULL;
    take_message(c, (slice){whole != NULL ? (const char *)bytes_head(whole) : "", bytes_len(whole)});
    bytes_clear(&whole);
}

static void take_event(client *c, const ws_event *event)
{
    switch (event->type) {
    case WS_EVENT_NONE:
    case WS_EVENT_PONG:
        break;
    case WS_EVENT_DATA:
        take_data(c, event);
        break;
    case WS_EVENT_PING:
        send_frame(c, WS_OPCODE_PONG, (slice){(const char *)event->data, event->len});
        break;
    case WS_EVENT_CLOSE:
        send_frame(c, WS_OPCODE_CLOSE, SLICE_LITERAL("\x03\xE8"));
        shutdown(c->fd, SHUT_WR);
        break;
    case WS_EVENT_FAULT:
        must(false, event->reason);
    }
}

static void read_client(client *c)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(c->fd, buffer, sizeof(buffer), 0);
    if (got <= 0) {
        close_client(c);
        return;
    }
    must(bytes_append(&c->in, buffer, (size_t)got) == 0, "out of memory");
    if (!c->is_upgraded)
        bytes_consume(&c->in, take_request(c));
    ws_event event = {.type = WS_EVENT_DATA};
    while (c->is_upgraded && c->in != NULL && event.type != WS_EVENT_NONE) {
        size_t used =
            ws_decoder_next(&c->decoder, MAX_MESSAGE_BYTES, bytes_head(c->in), bytes_len(c->in), &event);
        take_event(c, &event);
        bytes_consume(&c->in, used);
    }
}

/* Until standard input ends. */
static void serve(int listener)
{
    struct pollfd watched[MAX_CLIENTS + 2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                              {.fd = listener, .events = POLLIN}};
    while (watched[0].revents == 0) {
        for (size_t i = 0; i < MAX_CLIENTS; i++)
            watched[i + 2] = (struct pollfd){.fd = clients[i].fd != 0 ? clients[i].fd : -1, .events = POLLIN};
        must(poll(watched, MAX_CLIENTS + 2, -1) > 0, "poll");
        for (size_t i = 0; i < MAX_CLIENTS; i++)
            if (watched[i + 2].revents != 0)
                read_client(&clients[i]);
        if (watched[1].revents != 0)
            accept_client(listener);
    }
}

int main(int argc, char **argv)
{
    uint16_t port = 0;
    told = argc == 3 ? find_lie(argv[1]) : NULL;
    must(told != NULL, "usage: lying_relay LIE N");
    lie_at = strtoul(argv[2], NULL, 10);
    has_wrong_accept = strcmp(told->name, "accept") == 0;
    ignores_leaves = strcmp(told->name, "keeps") == 0;
    int listener = listen_on_host("127.0.0.1", &port);
    must(listener >= 0 && listen(listener, MAX_CLIENTS) == 0, "can't listen");
    printf("port %u\n", port);
    fflush(stdout);

    serve(listener);
    for (size_t i = 0; i < MAX_CLIENTS; i++)
        if (clients[i].fd != 0)
            close_client(&clients[i]);
    bytes_clear(&held);
    close(listener);
    return EXIT_SUCCESS;
}
