/* Remote: a client of some node as a peer of the rooms here (CLUSTER.md). Its node is its edge; the two name
 * it by a binding, a number of the edge. What the rooms do with it becomes messages to the edge.
 *
 * A remote that has come by a merge is corked: what it is to be told waits here until its edge has switched,
 * so that nothing overtakes what the former owner has told it. A remote whose room was given away is a stub:
 * what its edge says is forwarded, until the edge has switched.
 *
 * A dialect says by its remote_kind what differs. Pure, and owned by the worker that has the rooms. */
#ifndef HOMECALL_CLUSTER_REMOTE_H
#define HOMECALL_CLUSTER_REMOTE_H

#include "base/bytes.h"
#include "cluster/cluster_counters.h"
#include "cluster/wire.h"
#include "rooms/room_manager.h"
#include "rooms/room_table_link.h"

#include <sys/queue.h>

typedef struct remote remote;
typedef struct remotes remotes;
typedef struct owned_room owned_room; /* owned_rooms.h */

enum {
    REMOTE_CORKED_MS = 5000,     /* an edge that does not switch within this time has lost its way */
    REMOTE_HELD_BYTES = 4 << 20, /* what waits for one remote: more, and it is too slow. A client of one
                                    server may have as much waiting (MAX_OUTPUT_BYTES) */
};

/* A dialect, as far as remotes need it. */
typedef struct remote_kind {
    room_peer_face face; /* first, so that a peer's face leads here. Its functions are remote_face_... */
    room_space space;
    /* Append what the client is told of a signal. False without memory. */
    bool (*write)(remote *r, const room_signal *signal, const room_member *from, bytes **out);
    /* Its edge has lost its client, or is lost itself. True: it stays, away, and the kind ends it by
     * remotes_end() when it does not come back. NULL: none does. */
    bool (*stay)(remote *r, bool is_fault);
    /* What JOINED says besides. NULL: nothing. */
    void (*tell_joined)(const remote *r, bytes **extra);
    /* A SIGNAL has come: false where it is not passed on, since its extra says all. NULL: it always is. */
    bool (*on_signal)(remote *r, const wire_message *signal);
    /* A JOIN has come to a room with these members (room_member_next()): the remote that is away, or not, and
     * goes on with it; NULL = none does. NULL: none ever does. */
    remote *(*find_former)(const room_member *first, const wire_message *join);
    /* It goes on with the edge of that JOIN, which it has already: tell what was not acknowledged. False
     * where it has begun anew instead: then the others are not told that it is back. */
    bool (*resume)(remote *r, const wire_message *join);
    /* It has come by a JOIN, or by a merge (with what `pack` gave there); `kept` is made. False without
     * memory. */
    bool (*open)(remote *r, slice extra, bool is_moved);
    void (*close)(remote *r);
    void (*pack)(const remote *r, bytes **extra);
} remote_kind;

typedef struct remotes_events {
    /* Say this to a node; itself is one, too. 0, or a negative errno: as link_send(). */
    int (*say)(void *context, const node_id *to, const wire_message *m, bool is_control);
    /* Is a link to that node up? Then: can nobody tell whether it lives? */
    bool (*is_linked)(void *context, const node_id *node);
    bool (*is_in_doubt)(void *context, const node_id *node);
    /* A signal, or what a client was to be told of one, is lost. */
    void (*on_loss)(void *context, cluster_loss why, slice payload);
    void *context; /* borrowed, for all */
} remotes_events;

typedef struct remote_id {
    node_id edge;
    uint64_t binding;
} remote_id;

/* A message that waits. */
typedef struct held_message {
    STAILQ_ENTRY(held_message) link;
    node_id from; /* who has said it, where that matters */
    size_t len;
    uint8_t data[]; /* wire_write() */
} held_message;

typedef STAILQ_HEAD(held_messages, held_message) held_messages;

typedef enum remote_state {
    REMOTE_OPEN,
    REMOTE_STUB,    /* its room was given away, to `to` */
    REMOTE_CLOSING, /* it has no place; its end is told behind what waits */
    REMOTE_ENDED,   /* no message finds it */
} remote_state;

typedef TAILQ_HEAD(remote_list, remote) remote_list;

struct remote {
    room_peer peer; /* first */
    remote_state state;
    remote_id id; /* the key of its table */
    room_table_link table;
    TAILQ_ENTRY(remote) link; /* in `list` */
    remote_list *list;        /* of its room, of those without one, or of those that have ended */
    remotes *all;             /* borrowed */
    owned_room *room;         /* borrowed; NULL where it is not OPEN */
    void *kept;               /* of its kind */
    room_home to;             /* STUB: who has its room */
    uint64_t joined_ms;       /* when its client joined, here or elsewhere */
    uint64_t alive_ms;        /* its last sign of life */
    uint64_t away_ms;         /* since when it has no edge; 0 = it has one */
    uint64_t probe;           /* the number of the last one */
    uint64_t corked_ms;       /* since when it is corked; 0 = it is not */
    bool is_slow;             /* more waits than may */
    bool is_counted;          /* in `from_elsewhere` */
    held_messages out;
    size_t out_bytes;
    held_messages in; /* while it waits in a line: its edge did not know that when it said this. Empty where
                         it is in the room */
};

struct remotes {
    remotes_events events;
    const remote_kind *const *kinds; /* by number; borrowed */
    unsigned kind_count;
    room_manager *manager; /* borrowed */
    remote *table;         /* uthash's head; owned */
    remote_list loose;     /* STUB and CLOSING */
    remote_list ended;
    held_messages again; /* what was held, and comes again before all else: owner.c takes it from here */
    uint64_t now_ms;     /* the time that was told last */
    node_id self;
    counter from_elsewhere; /* OPEN ones whose edge is another node; any thread reads it */
};

/* The remote whose peer this is, and the kind of one. */
static inline remote *remote_of_peer(const room_peer *peer)
{
    return (remote *)(uintptr_t)peer;
}

static inline const remote_kind *remote_kind_of(const remote *r)
{
    return (const remote_kind *)(const void *)r->peer.face;
}

/* No remote is there. `events` are copied. */
void remotes_init(remotes *all, const node_id *self, const remotes_events *events,
                  const remote_kind *const *kinds, unsigned kind_count, room_manager *manager);

/* Free those that have ended: at the end of each turn. */
void remotes_end_turn(remotes *all);

/* Free them all. Those who were in a room have ended. */
void remotes_deinit(remotes *all);

remote *remotes_find(const remotes *all, const node_id *edge, uint64_t binding);

/* A remote of this kind, without a place. It is in `list`, that of its room. NULL without memory. */
remote *remotes_open(remotes *all, owned_room *room, remote_list *list, unsigned kind, const remote_id *id,
                     uint64_t joined_ms);

/* The number of its kind. */
unsigned remote_kind_number(const remote *r);

/* It has no place, and ends: at once, or where its edge is still to be told something, after that. */
void remote_close(remote *r);

/* It is forgotten: it has no place, and its edge is told nothing any more. Freed at the end of the turn. */
void remote_end(remote *r);

/* Its room is that node's now. */
void remote_become_stub(remote *r, const room_home *to);

/* It goes on with another edge. False where that one is taken. */
bool remote_rebind(remote *r, const remote_id *id);

/* Tell its edge something; it waits where it can't be told yet. `m->binding` is set here. */
void remote_tell(remote *r, wire_message *m);

/* Its edge has switched: what waits is told. */
void remote_uncork(remote *r);

/* Try again what waits. */
void remote_flush(remote *r);

/* Tell a node something about a binding that no remote has. */
void remotes_tell_of(remotes *all, wire_type type, const node_id *edge, uint64_t binding);

/* A copy of a message, at the end of a list; false without memory. */
bool held_messages_add(held_messages *list, const node_id *from, const wire_message *m);

/* Read one, forget the first one, and forget all. */
wire_message held_message_read(const held_message *held);
void held_messages_drop_first(held_messages *list);
void held_messages_clear(held_messages *list);

/* What a list holds that is lost now is told. */
void remotes_lose_held(const remotes *all, held_messages *list, cluster_loss why);

/* The functions of a room_peer_face. */
bool remote_face_send(room_peer *peer, const room_signal *signal, const room_member *from);
void remote_face_probe(room_peer *peer);
bool remote_face_is_alive_since(const room_peer *peer, uint64_t since_ms);
uint64_t remote_face_away_since_ms(const room_peer *peer);
bool remote_face_is_in_doubt(const room_peer *peer);
void remote_face_on_admitted(room_peer *peer); /* nothing: on_entered follows */
void remote_face_on_entered(room_peer *peer);  /* what was held comes again, before what came later */
void remote_face_on_refused(room_peer *peer, const room_member *was);
void remote_face_on_replaced(room_peer *peer, const room_member *was);
void remote_face_on_dropped(room_peer *peer);
uint32_t remote_face_account(const room_peer *peer);
uint64_t remote_face_id(const room_peer *peer);

#endif
