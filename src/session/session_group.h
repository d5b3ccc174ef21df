/* Session group: the sessions of one thread, and what they share: their connections, the rooms of this
 * thread, limits, counters, and the ways out of the thread.
 *
 * The group of an acceptor is the lobby: it has no rooms. All functions: the group's thread, or any while
 * that does not run. */
#ifndef HOMECALL_SESSION_SESSION_GROUP_H
#define HOMECALL_SESSION_SESSION_GROUP_H

#include "base/address_list.h"
#include "base/keyed_hash.h"
#include "net/connection.h"
#include "session/ice_page.h"
#include "session/session_counters.h"
#include "session/session_rooms.h"

struct session;
typedef struct session_group session_group;

/* Bounds that the session floor watches itself. Immutable while threads run. */
typedef struct session_limits {
    room_limits rooms;
    size_t max_name_bytes;
    token_bucket_rate faults; /* invalid messages, and logged reports, from one connection */
} session_limits;

/* The lobby's shard index. */
enum { SESSION_NO_SHARD = -1 };

/* What all groups of a server have in common. Immutable while threads run, but for the budget. */
typedef struct session_shared {
    net_limits net;
    session_limits limits;
    keyed_hash hash;      /* of codewords */
    address_list proxies; /* whose word about others is believed */
    ice_settings ice;
    int shards; /* how many shares the rooms have */

    /* Take a session, which is detached, to the thread of `shard`. It is that thread's afterwards. */
    void (*hand_over)(session_group *group, struct session *s, int shard);
    /* Whose connection this is, now that its request was read: may it have a place of that address? */
    bool (*admit)(session_group *group, struct session *s, const address *client);
    /* The session's descriptor is closed: the place that it held is free. Called before its memory goes. */
    void (*on_gone)(session_group *group, struct session *s);
    void *context; /* borrowed: for these three */

    session_budget budget; /* the one thing here that changes */
} session_shared;

struct session_group {
    session_shared *shared; /* borrowed */
    net_loop *loop;         /* borrowed */
    connection_set connections;
    session_rooms rooms; /* without a manager in the lobby */
    session_counters counters;
    ice_rate *ice_rate; /* borrowed; NULL where no request is read */
    int shard;          /* which share of the rooms lives here, or SESSION_NO_SHARD */
    bool is_draining;   /* the server stops: a session that arrives is closed */
};

/* Make a group on `loop`, with the rooms of `shard` unless that is SESSION_NO_SHARD. Connections tell
 * `events`. Everything given is borrowed. 0 or -ENOMEM. */
int session_group_init(session_group *group, session_shared *shared, net_loop *loop,
                       const connection_events *events, int shard);

/* Free it. No session may belong to it any more. */
void session_group_deinit(session_group *group);

/* Close every session of the group with 1001, after what waits for it (PROTOCOL.md, rule 7). */
void session_group_close_all(session_group *group);

/* End every session of the group at once. */
void session_group_drop_all(session_group *group);

#endif
