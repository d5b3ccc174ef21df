/* Session group: the sessions of one thread, and what they share: the set of their connections, the rooms of
 * this thread, counters. What the groups of all threads share is in session_shared: limits, and what the
 * sessions need from the server.
 *
 * The group of an acceptor is the lobby: it has no rooms. All functions: the group's thread, or any thread
 * while that does not run. */
#ifndef HOMECALL_SESSION_SESSION_GROUP_H
#define HOMECALL_SESSION_SESSION_GROUP_H

#include "base/address_list.h"
#include "base/cache_line.h"
#include "base/keyed_hash.h"
#include "base/seldom.h"
#include "cluster/cluster_ids.h"
#include "dialect/session_counters.h"
#include "net/connection.h"
#include "session/dialect_ticker.h"
#include "session/dialects.h"
#include "session/guess_limit.h"
#include "session/held_joins.h"
#include "session/ice_page.h"
#include "session/ice_rate.h"
#include "session/session_hooks.h"
#include "session/session_rooms.h"

#include <stdatomic.h>

struct session;
struct session_remotes;
typedef struct session_group session_group;

/* The limits that sessions, dialects and rooms enforce; those of connections are in net_limits. Immutable
 * while threads run. */
typedef struct session_limits {
    room_limits rooms;
    dialect_limits dialects;
    token_bucket_rate log_lines; /* how many lines are logged about one client */
    guess_rate guesses;          /* how many rooms one client may try */
} session_limits;

/* How often the log tells that a limit is met, above the level of single connections. */
enum { SESSION_WARN_EVERY_MS = 60 * 1000 };

/* The lobby's shard index. */
enum { SESSION_NO_SHARD = -1 };

/* What all groups of a server share. Immutable while threads run, except for
 * those at its end. */
typedef struct session_shared {
    net_limits net;
    session_limits limits;
    keyed_hash hash;      /* of codewords, and of the addresses that ask for /ice */
    address_list exempt;  /* addresses without limits for one address */
    address_list proxies; /* the trusted proxies: what they say about a client's address is believed */
    ice_settings ice;
    session_hooks hooks;
    dialects dialects;  /* made with the first group */
    bool is_in_cluster; /* set before that, as the next */
    uint8_t cluster_secret[CLUSTER_SECRET_BYTES];
    int shards; /* how many parts the rooms are divided into: one for each worker, at most JOIN_MAX_SHARDS */

    /* The server's functions, each called on the thread of `group`. */

    /* Give a detached session to the thread of `shard`. Afterwards it belongs to that thread, or if it can't
     * be given, to `group` again: the caller may not use it any more. */
    void (*hand_over)(session_group *group, struct session *s, int shard);
    /* The request was read, so the client's address is known: may the session have a place among the
     * connections of that address? */
    bool (*admit)(session_group *group, struct session *s, const address *client);
    /* The session's descriptor is closed: give back its place. Called last, before the session is freed. */
    void (*on_gone)(session_group *group, struct session *s);
    /* A session whose place was kept after its end (participant_host.keep_place) does not need it any more.
     */
    void (*on_place_free)(session_group *group, net_allowance *place);
    void *context; /* borrowed: for the server, and not used by sessions */

    /* These seven are the only members that change while threads run. So they are not on the cache lines of
     * the others, nor are those that change often on those of the rest. */
    session_budget budget; /* has gaps of its own */
    memory_bound memory;
    cache_line_gap behind_memory;
    _Atomic uint64_t lines_left_out;      /* for session_limits.log_lines, since the start; relaxed */
    _Atomic uint64_t overloaded_until_us; /* monotonic: until then nobody new is let into a room; relaxed */
    seldom guess_warning;                 /* somebody guesses codewords */
    seldom flood_warning;                 /* somebody sends too much */
    seldom refusal_warning;               /* connections are refused */
    cache_line_gap end;
} session_shared;

struct session_group {
    session_shared *shared; /* borrowed */
    net_loop *loop;         /* borrowed */
    connection_set connections;
    session_rooms rooms;     /* zeroed in the lobby, which has none */
    held_joins held;         /* the same */
    dialect_ticker sittings; /* the same */
    session_counters counters;
    dialect_hall hall;               /* what the dialects know of it */
    struct session_remotes *remotes; /* owned; NULL without a cluster: session_cluster.h */
    ice_rate *ice_rate;              /* borrowed; NULL on a worker, where no request is read */
    int shard;                       /* which part of the rooms is here, or SESSION_NO_SHARD */
    bool is_draining;                /* the server stops: a session that is attached now is closed at once */
};

/* Make a group on `loop`, with the rooms of `shard` unless that is SESSION_NO_SHARD. Its connections and
 * rooms are tickers of the loop. `events` are the callbacks of its connections, and `host` is that of
 * their participants. Everything given is borrowed
 * until the group's end. 0 or -ENOMEM; after a failure the loop may not turn any more. */
int session_group_init(session_group *group, session_shared *shared, net_loop *loop,
                       const connection_events *events, const participant_host *host, int shard);

/* Free it. No session may belong to it any more, and the loop may not turn any more. */
void session_group_deinit(session_group *group);

/* Is the server overloaded? Then nobody new is to be let in. */
static inline bool session_group_is_overloaded(const session_group *group)
{
    uint64_t until_us = atomic_load_explicit(&group->shared->overloaded_until_us, memory_order_relaxed);
    return until_us != 0 && net_loop_now_us(group->loop) < until_us;
}

/* Drop every session of the group: its descriptor is closed, its output is thrown away. */
void session_group_drop_all(session_group *group);

#endif
