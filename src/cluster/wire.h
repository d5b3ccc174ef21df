/* Wire: what nodes say to each other, as bytes (CLUSTER.md).
 *
 * A message has a type, and the fields that the row of that type names, always in the order of wire_field.
 * Integers are big-endian, texts have their length before them. So there is one encoding of each message, and
 * one reader for all types. What is read is as little trusted as what a client says: a field too many or too
 * few, a bound that is passed, a bit that means nothing, and the whole message is refused.
 *
 * Two layers share the format. Packets go to a subject of the engine, and each begins with the number of the
 * format and the node that has sent it. Link messages are the bodies of DATA packets, and need neither. */
#ifndef HOMECALL_CLUSTER_WIRE_H
#define HOMECALL_CLUSTER_WIRE_H

#include "cluster/cluster_ids.h"

#include <stdbool.h>
#include <stdint.h>

/* The format. A node ignores packets with another number. */
enum { WIRE_VERSION = 1 };

enum {
    WIRE_MAX_NODE_NAME = 64,     /* a node's name, or its version */
    WIRE_MAX_NAME = 4096,        /* a codeword or a user name: MESSAGE_MAX_NAME_BYTES */
    WIRE_MAX_EXTRA = 8192,       /* what a dialect adds: data of 1,024 bytes, a token, numbers, a name */
    WIRE_MAX_PAYLOAD = 16 << 20, /* a body, or a message inside another one */
    WIRE_MAX_KEYS = 64,          /* in one ANNOUNCE */
    WIRE_KINDS = 32,             /* kinds of signals: room_signal.kind */
    WIRE_DIALECTS = 8,           /* DIALECT_MAX */
    WIRE_SPACES = 2,             /* room_space */
    WIRE_ORDERS = INT32_MAX,     /* ROOM_LAST_ORDER */
};

typedef enum wire_type {
    /* Packets. */
    WIRE_BEAT = 1, /* I live. name, version; IS_DRAINING */
    WIRE_BYE,      /* I end */
    WIRE_CLAIM,    /* may I own this room? key, number, worker that would have it */
    WIRE_ANSWER,   /* to a claim: key, number, code = wire_verdict, other and worker = the owner */
    WIRE_ANNOUNCE, /* I own these: keys */
    WIRE_HELLO,    /* a link begins: other = receiver, epoch (mine), peer_epoch (0 = not known); IS_UP */
    WIRE_DATA,     /* other, epoch, peer_epoch, number, worker, payload = a link message */
    WIRE_ACK,      /* other, epoch, peer_epoch, number: taken up to this one */
    /* Link messages, edge to owner. */
    WIRE_JOIN,   /* binding, number = what this binding was before, which is over (0 = none), space,
                    code = dialect, age_ms, room, user, extra; IS_REJOIN */
    WIRE_LEAVE,  /* binding, extra */
    WIRE_SIGNAL, /* binding, code = kind, extra, payload; IS_FLEETING */
    WIRE_ALIVE,  /* binding, number of the probe */
    WIRE_LOST,   /* binding: the client's connection is lost; IS_FAULT */
    WIRE_SWITCH, /* binding: nothing comes by this way any more */
    /* Link messages, owner to edge. */
    WIRE_JOINED,     /* binding, extra */
    WIRE_WAITING,    /* binding */
    WIRE_FULL,       /* binding */
    WIRE_NOT_OWNER,  /* binding */
    WIRE_UNBOUND,    /* binding: not known here (any more) */
    WIRE_MOVED,      /* binding, other and worker: the new owner */
    WIRE_SWITCHED,   /* binding: what was sent the old way was handled, speak to me */
    WIRE_DELIVER,    /* binding, payload = what the client is told */
    WIRE_QUEUE_FULL, /* binding, extra */
    WIRE_PROBE,      /* binding, number */
    WIRE_CLOSE,      /* binding, code = wire_end */
    /* Link messages, owner to owner. */
    WIRE_FORWARD,       /* other = an edge, payload = what it has said to me */
    WIRE_OWNS,          /* keys: I own these, too? Then one of us gives */
    WIRE_MERGE_BEGIN,   /* key, number, space, room, life, order (the last); IS_DRAINING */
    WIRE_MERGE_MEMBER,  /* number, other = its edge, binding, code = dialect, age_ms, order, user, extra;
                           IS_WAITING, IS_LOST (an owner of a queue) */
    WIRE_MERGE_SIGNAL,  /* number, code = kind, age_ms, payload: queued, of the member before */
    WIRE_MERGE_END,     /* number, age_ms = how much of its time the queue of a lost owner has left */
    WIRE_MERGE_READY,   /* key, number, worker: I have it all, and take it when you say so */
    WIRE_MERGE_REFUSED, /* key, number, code = wire_refusal */
    WIRE_MERGE_COMMIT,  /* key, number: it is yours */
    WIRE_MERGE_ABORT,   /* key, number: it stays mine */
    WIRE_TYPES
} wire_type;

typedef enum wire_verdict { WIRE_NO, WIRE_OWNED, WIRE_MINE_FIRST, WIRE_VERDICTS } wire_verdict;

/* Why an owner ends a binding. */
typedef enum wire_end {
    WIRE_END_TAKEN_OVER, /* the same user has come from elsewhere */
    WIRE_END_SILENT,     /* while a newcomer waited */
    WIRE_END_REPLACED,   /* its session goes on with another connection */
    WIRE_END_SLOW,       /* what waits for it has passed its bound */
    WIRE_END_NO_MEMORY,
    WIRE_END_FAULT,  /* of its client: the two do not agree any more */
    WIRE_END_MERGED, /* its room became one with another: its client must come back to go on */
    WIRE_ENDS,
    WIRE_END_UNREACHABLE =
        WIRE_ENDS, /* of an edge alone, and never said: the engine is away for CLUSTER_HOLD */
} wire_end;

typedef enum wire_refusal {
    WIRE_REFUSED_NOT_OWNER, /* I own no such room */
    WIRE_REFUSED_BUSY,      /* I am giving it away myself, or have no memory: later */
    WIRE_REFUSALS
} wire_refusal;

/* What wire_message.flags may hold. */
enum {
    WIRE_IS_DRAINING = 1,
    WIRE_IS_UP = 2,
    WIRE_IS_REJOIN = 4,
    WIRE_IS_FLEETING = 8,
    WIRE_IS_WAITING = 16,
    WIRE_IS_LOST = 32,
    WIRE_IS_FAULT = 64,
};

/* A message. Those fields count that its type has; the others are 0 after reading, and not looked at when
 * writing. */
typedef struct wire_message {
    wire_type type;
    uint8_t code;    /* an enum, or a number below a bound: see the type */
    uint8_t flags;   /* WIRE_IS_... */
    uint8_t space;   /* a room_space */
    uint16_t worker; /* of the receiver, or of the owner that is named */
    uint32_t order;  /* the number of a member */
    uint32_t life;   /* room.id_base */
    node_id from;    /* of a packet: who has sent it */
    node_id other;   /* another node; see the type */
    room_key key;
    uint64_t epoch; /* from 1, as the numbers below */
    uint64_t peer_epoch;
    uint64_t number; /* of a claim, a packet of a link, a probe, a merge */
    uint64_t binding;
    uint64_t age_ms; /* a duration, up to now */
    slice name;      /* borrowed, as all slices */
    slice version;
    slice room; /* the codeword, not empty */
    slice user;
    slice extra; /* what the dialect adds */
    slice keys;  /* 1 to WIRE_MAX_KEYS room_key, one behind the other */
    slice payload;
} wire_message;

static inline bool wire_is_packet(wire_type type)
{
    return type >= WIRE_BEAT && type <= WIRE_ACK;
}

/* How many bytes a message takes. Its fields are within the bounds. */
size_t wire_size(const wire_message *m);

/* Write it to `out`, of wire_size() bytes. */
void wire_write(const wire_message *m, uint8_t *out);

/* Read a packet, or a link message. 0, or -EPROTO: then nothing of *m means anything. Slices are borrowed
 * from `data`. */
int wire_read_packet(slice data, wire_message *m);
int wire_read_link(slice data, wire_message *m);

/* How many keys an ANNOUNCE or OWNS has, and the one at `i`. */
static inline unsigned wire_key_count(const wire_message *m)
{
    return (unsigned)(m->keys.len / sizeof(room_key));
}

static inline room_key wire_key_at(const wire_message *m, unsigned i)
{
    room_key key;
    memcpy(&key, m->keys.data + i * sizeof(key), sizeof(key));
    return key;
}

#endif
