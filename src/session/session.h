/* Session: what the messages of one connection do (PROTOCOL.md): the place where wire and rooms meet.
 *
 * A session lives on one thread at a time. On an acceptor's thread, the lobby, it has no rooms: it answers
 * what needs none and asks to be handed over at its first join. On a worker's thread it has that worker's
 * RoomManager, and asks to be handed over again only when it joins a room of another shard.
 *
 * It knows neither mailboxes nor threads: the host that it is attached to carries out the hand-over. */
#ifndef HOMECALL_SESSION_SESSION_H
#define HOMECALL_SESSION_SESSION_H

#include "base/address_list.h"
#include "base/keyed_hash.h"
#include "base/token_bucket.h"
#include "net/connection.h"
#include "rooms/room_manager.h"
#include "session/ice_page.h"
#include "session/session_counters.h"

#include <stdatomic.h>

typedef struct session session;

/* What the queues of all shards may hold together: the one number that they share. */
typedef struct session_budget {
    _Atomic uint64_t used; /* bytes. Relaxed: it guards nothing but itself. */
    uint64_t limit;
} session_budget;

/* Bounds that the session floor watches itself. Immutable while threads run. */
typedef struct session_limits {
    room_limits rooms;
    size_t max_name_bytes;
    token_bucket_rate faults; /* invalid messages, and logged reports, from one connection */
} session_limits;

/* The lobby's shard index. */
enum { SESSION_NO_SHARD = -1 };

/* The thread that sessions are attached to: its loop, its share of the rooms, and a way out. */
typedef struct session_host {
    net_loop *loop;               /* borrowed */
    room_manager *rooms;          /* owned; NULL in the lobby */
    const session_limits *limits; /* borrowed */
    const keyed_hash *hash;       /* borrowed: of codewords, the same on every host of a server */
    session_budget *budget;       /* borrowed, shared by the hosts of a server */
    const address_list *proxies;  /* borrowed: whose word about others is believed */
    const ice_settings *ice;      /* borrowed */
    ice_rate *ice_rate;           /* borrowed; NULL where no request is read */
    session_counters counters;
    int shard;        /* which share of the rooms lives here, or SESSION_NO_SHARD */
    int shards;       /* how many there are */
    bool is_draining; /* the server stops: a session that arrives is closed */
    void *context;    /* borrowed: for the two callbacks below */
    /* Take a session, which is adrift, to the thread of `shard`; the host's owner has it afterwards. */
    void (*hand_over)(struct session_host *host, session *s, int shard);
    /* Whose connection this is, now that its request was read: may it have a place of that address? */
    bool (*admit)(struct session_host *host, session *s, const address *client);
    /* The session's descriptor is closed: the place that it held is free. Called before its memory goes. */
    void (*on_gone)(struct session_host *host, session *s);
} session_host;

struct session {
    connection connection; /* first: a connection of this floor is a session */
    room_peer peer;        /* with a place in host->rooms while joined or waiting */
    void *place;           /* borrowed: what the server keeps for its address */
    token_bucket faults;   /* invalid messages */
    token_bucket reports;  /* a client's error messages that are logged */
    union {
        int next_shard;             /* where to hand it over, until host->hand_over is called */
        STAILQ_ENTRY(session) mail; /* in a mailbox, from then on */
    };
};

/* Where a session is attached, or was last. */
static inline session_host *session_host_of(const session *s)
{
    return s->connection.loop->owner;
}

/* Prepare a host: everything but `rooms` has been set by the caller. With `shard` not SESSION_NO_SHARD a
 * RoomManager is made, and the loop's ticker serves it. 0 or -ENOMEM. */
int session_host_init(session_host *host);

/* Free the rooms. No session may be attached any more. */
void session_host_deinit(session_host *host);

/* For net_loop.events. */
extern const connection_events session_events;

/* Make a session over an accepted descriptor, which is taken also on failure, and begin to read its request,
 * with `awaits_proxy` after a header of the PROXY protocol.
 * With `tls`, of which it takes a share, all that
 * is spoken through TLS. With `refusal`, a literal, it is answered with 503 instead, and that reason logged.
 * 0 or -errno; on success the host has it. */
int session_open(session_host *host, int fd, uint64_t id, void *place, const char *refusal, bool awaits_proxy,
                 tls_context *tls);

/* Take over a session that another host has handed over. It goes on where it stopped, or ends if the host
 * drains. */
void session_attach(session *s, session_host *host);

/* Take a session back that the other thread would not have, since the server stops: close it with 1001. */
void session_take_back(session *s, session_host *host);

/* End a session that nobody can take: it is still adrift. */
void session_abandon(session *s);

/* Close every session of the host with 1001, after what waits for it (PROTOCOL.md, rule 7). */
void session_host_close_all(session_host *host);

/* End every session of the host at once. */
void session_host_drop_all(session_host *host);

#endif
