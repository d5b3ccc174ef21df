/* A client of version 2 for tests: it does what protocol/README.md, "Version 2" asks of a client, and checks
 * what the server says. It has no socket and no clock: whoever embeds it carries its messages and tells it
 * the time.
 *
 * What the server may not say is reported once, as on_fault. One thread. */
#ifndef HOMECALL_TESTS_SUPPORT_CLIENT_2_H
#define HOMECALL_TESTS_SUPPORT_CLIENT_2_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CLIENT_2_MAX_PEERS = 8,
    CLIENT_2_MAX_SENDS = 256,
    CLIENT_2_MAX_TEXT = 256,
    CLIENT_2_ID_CAP = 33,
    CLIENT_2_TOKEN_CAP = 65,
    CLIENT_2_NAME_CAP = 32,
    CLIENT_2_DATA_CAP = 64,
};

typedef enum client_2_state {
    CLIENT_2_IDLE,    /* there is no connection, and none is wanted */
    CLIENT_2_WAITING, /* none, until `dial_ms` */
    CLIENT_2_OPENING, /* the request was sent */
    CLIENT_2_OPEN,    /* not in a room; where one is wanted, it joins at `dial_ms` */
    CLIENT_2_JOINING, /* a join was sent */
    CLIENT_2_JOINED,
    CLIENT_2_LEAVING, /* a leave was sent */
} client_2_state;

typedef struct client_2_peer {
    char id[CLIENT_2_ID_CAP];
    char user[CLIENT_2_NAME_CAP];
    char data[CLIENT_2_DATA_CAP]; /* as JSON */
    uint64_t order;
    int version;
    bool is_away;
} client_2_peer;

/* A signal as it is handed to the application. Borrowed for the call. */
typedef struct client_2_signal {
    const char *kind; /* "offer" and so on */
    const char *from; /* a peer id */
    const char *payload;
    bool from_is_known; /* it is in the list of peers */
} client_2_signal;

/* What it needs, and what it tells the application. All with the context given at its start. */
typedef struct client_2_events {
    /* The line. on_dial and on_say may call nothing of the client. */
    void (*on_dial)(void *context);
    void (*on_say)(void *context, const char *text);
    void (*on_hang_up)(void *context);
    /* The application. */
    void (*on_joined)(void *context, bool is_resumed);
    void (*on_signal)(void *context, const client_2_signal *signal);
    void (*on_peer)(void *context, const char *event, const client_2_peer *peer, const char *reason);
    void (*on_numbered)(void *context, int id, uint64_t n); /* a send has got its number */
    void (*on_acknowledged)(void *context, int id);
    void (*on_lost_send)(void *context, int id); /* it may not have arrived */
    void (*on_refused)(void *context, uint64_t n, const char *code);
    void (*on_session_end)(
        void *context); /* before anything of the next one is told; in the state that says why */
    void (*on_fault)(void *context, const char *what, const char *text);
} client_2_events;

typedef struct client_2_send {
    int id;     /* the application's */
    uint64_t n; /* 0 = it has none yet */
    uint64_t sent_ms;
    char kind[12];
    char to[CLIENT_2_ID_CAP];
    char payload[CLIENT_2_DATA_CAP];
} client_2_send;

typedef struct client_2 {
    const client_2_events *events; /* borrowed */
    void *context;                 /* borrowed */
    uint64_t now_ms;
    client_2_state state;
    bool wants_room;
    bool repeats; /* after a resume it says again also what `received` tells as taken */
    char room[CLIENT_2_NAME_CAP], user[CLIENT_2_NAME_CAP], data[CLIENT_2_DATA_CAP];
    char joined_data[CLIENT_2_DATA_CAP]; /* what its last join said */
    /* The session. */
    bool has_session;
    char peer[CLIENT_2_ID_CAP], formerly[CLIENT_2_ID_CAP], token[CLIENT_2_TOKEN_CAP];
    uint64_t order, highest_order;
    uint64_t seq, acknowledged_seq; /* handed to the application, and told so */
    uint64_t n, received;           /* given to sends, and taken by the server */
    client_2_send sends[CLIENT_2_MAX_SENDS];
    int send_count;
    client_2_peer peers[CLIENT_2_MAX_PEERS];
    int peer_count;
    /* Times, UINT64_MAX where nothing is due. */
    uint64_t dial_ms, ack_due_ms, pong_due_ms, heard_ms, goaway_ms;
    uint64_t touched_ms; /* when it has heard something in its session last */
    unsigned attempts;
    uint64_t tick_ms; /* what the server has promised */
} client_2;

void client_2_init(client_2 *c, const client_2_events *events, void *context);

/* The application's wishes. A send without a session waits for one; `payload` is JSON, `to` NULL = all. */
void client_2_join(client_2 *c, const char *room, const char *user, const char *data);
void client_2_leave(client_2 *c);
void client_2_send_signal(client_2 *c, int id, const char *kind, const char *to, const char *payload);
bool client_2_update(client_2 *c, int id, const char *data); /* false without a session */
void client_2_wake(client_2 *c);

/* The page is loaded anew: everything is forgotten but, if it is to be kept, the token. The line is the
 * caller's to end. It joins again by client_2_join(). */
void client_2_reload(client_2 *c, bool keeps_token);

/* The line: it is open, a message has come, it has ended (`code` 0 = without a close frame). */
void client_2_opened(client_2 *c);
void client_2_hear(client_2 *c, const char *text);
void client_2_lost(client_2 *c, int code);

/* Time: set now_ms first. */
uint64_t client_2_next_due_ms(const client_2 *c);
void client_2_tick(client_2 *c);

const client_2_peer *client_2_find_peer(const client_2 *c, const char *id);

#endif
