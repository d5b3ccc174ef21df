/* Seat: a session of version 2, which outlives the connection that speaks for it (protocol/README.md, 2.1).
 *
 * It is what is in the room: the seat's peer, not the participant's. While a connection is there, it is the
 * seat's wire; after a loss the seat is away until another connection shows its token, or its time is over.
 * What its client has to be told waits in the outbox until it is acknowledged.
 *
 * The seats of a thread are in one house (seat_house.h), which owns them. All functions: the thread of that
 * hall. */
#ifndef HOMECALL_DIALECT_2_SEAT_H
#define HOMECALL_DIALECT_2_SEAT_H

#include "dialect/dialect.h"
#include "dialect_2/outbox.h"
#include "dialect_2/token.h"

#include <stddef.h>

struct writer;
typedef struct seat_house seat_house;

/* What a former token opens. */
typedef enum seat_former {
    SEAT_FORMER_NONE,  /* there is none */
    SEAT_FORMER_OWN,   /* it was given for this session: who shows it may resume */
    SEAT_FORMER_OTHER, /* it was given for the session that this one has replaced: who shows it may replace
                          this one, and not resume, since the numbers are others */
} seat_former;

/* What the others are told about it besides its user: `formerly` and `data`, both raw, one behind the other.
 */
typedef struct seat_card {
    uint16_t formerly_len; /* 0 = none */
    uint16_t data_len;     /* JSON; 0 = none */
    char text[];
} seat_card;

typedef struct seat {
    room_peer *peer;   /* borrowed: its place in the room. Its own, or that of the remote that it is for */
    room_peer own;     /* not used where that is a remote */
    seat_house *house; /* borrowed: where it belongs */
    participant *wire; /* borrowed; NULL while it is away */
    TAILQ_ENTRY(seat) link;  /* in its house */
    TAILQ_ENTRY(seat) away;  /* while it is away: in its house's list of those */
    TAILQ_ENTRY(seat) owing; /* while owes_since_ms is not 0: in its house's list of those */
    outbox outbox;
    uint64_t received;      /* the last `n` of its client that was taken */
    uint64_t acknowledged;  /* the last that the client was told of */
    uint64_t owes_since_ms; /* monotonic: since when an acknowledgement is due; 0 = none is */
    uint64_t lost_ms;       /* monotonic: when its connection was lost; 0 while it has one */
    uint64_t ice_told_ms;   /* monotonic: when its client got ICE servers last; 0 = never */
    uint64_t connection_id; /* of its wire, or of the last one */
    void *place;            /* owned, while it is away: what its connection counted as, in its host */
    seat_card *card;        /* owned; NULL = it has neither */
    uint32_t account;       /* which its bytes are charged to */
    token current, former;
    seat_former former_kind;
} seat;

/* Whose seats they are: clients of this node, or in a cluster remotes of any node. */
typedef struct seat_holder {
    /* The seat of a peer of this kind. */
    seat *(*seat_of)(const room_peer *peer);
    /* NULL, or: may it be ended now? Else that is tried again, SEAT_TRY_AGAIN_MS later. */
    bool (*may_end)(const seat *s);
    /* It has no place in a room any more: free it, now or later. */
    void (*let_go)(seat *s);
} seat_holder;

enum { SEAT_TRY_AGAIN_MS = 100 };

/* The seats of a thread, and those of them for whom something is due. */
struct seat_house {
    const seat_holder *holder; /* borrowed */
    dialect_hall *hall;        /* borrowed */
    const dialect *dialect;    /* borrowed */
    outbox_bounds bounds;
    TAILQ_HEAD(seat_list, seat) seats; /* owned */
    struct seat_list away;             /* borrowed from `seats`, as the next: who was lost first, first */
    struct seat_list owing;            /* who owes an acknowledgement for the longest time, first */
};

/* How long an acknowledgement may wait for a message to ride on, and how many messages may
 * (protocol/README.md, "Version 2"). */
enum { SEAT_ACK_AFTER_MS = 1000, SEAT_ACK_AFTER_MESSAGES = 8 };

/* The seat whose own peer this is; of a peer of this dialect alone, and of a client of this node. */
static inline seat *seat_of_peer(const room_peer *peer)
{
    return (seat *)((uintptr_t)peer - offsetof(seat, own));
}

/* The seat that a participant speaks for; NULL if it has none. */
seat *seat_of(const participant *p);

/* Make a seat of the house without a place in a room, spoken for by `wire`, which NULL leaves for later. Its
 * peer is `peer`, borrowed, or its own where that is NULL. Its token is drawn. `formerly` and `data` are
 * copied. NULL without memory or random bytes. */
seat *seat_new(seat_house *house, room_peer *peer, participant *wire, slice formerly, slice data);

/* Nothing becomes due for it any more: it is about to be freed. */
void seat_retire(seat *s);

/* Free it, with all that it has been told. It must have no place in a room. A wire that it still has speaks
 * for nobody any more. */
void seat_free(seat *s);

/* What the others are told about it. Empty = none. */
slice seat_formerly(const seat *s);
slice seat_data(const seat *s);

/* It has other data from now on. False without memory, and nothing has changed. */
bool seat_set_data(seat *s, slice data);

/* Give it a new token; the present one stays good until seat_forget_former(). */
void seat_renew_token(seat *s);

/* The client has shown the former token, so it has not got the present one: that is replaced, and the former
 * one stays good. */
void seat_keep_former(seat *s);

/* The client has shown this token of another session, or of none that is known here any more. It stays good
 * for replacing this session, in case `joined` does not arrive. */
void seat_inherit_token(seat *s, const token *shown);

/* Its client has shown that it has the present token. */
void seat_forget_former(seat *s);

/* Which of its tokens is this? SEAT_FORMER_NONE: none of them; `is_current` is set for the present one. */
seat_former seat_match_token(const seat *s, const token *shown, bool *is_current);

/* Its client is to be told a message with a number, now if it can be and otherwise later. `head` is its text
 * up to the number, `parts` what comes behind it, up to the closing brace. True if it was sent or is kept.
 * *entry, where the caller asks for it, is what is kept: borrowed, or NULL. */
bool seat_tell(seat *s, slice head, const struct iovec *parts, int count, outbox_entry **entry);

/* The same with what was written. Where there was no memory for that, the session can't be resumed, and its
 * connection ends: a number is missing. */
void seat_tell_written(seat *s, slice head, const struct writer *rest);

/* Tell again what a client that has seen everything up to `seen` has not seen. */
void seat_tell_again(seat *s, uint64_t seen);

/* Its client's messages up to `n` were taken: have that acknowledged, soon. */
void seat_take(seat *s, uint64_t n);

/* It has owed an acknowledgement since then. */
void seat_begin_owing(seat *s, uint64_t since_ms);

/* Acknowledge now what was taken. */
void seat_acknowledge(seat *s);

/* The connection is lost: it is away from `now_ms` on. The room must be told by the caller. */
void seat_lose_wire(seat *s, uint64_t now_ms);

/* It has no connection, and has been away since `lost_ms`. */
void seat_begin_away(seat *s, uint64_t lost_ms);

/* Another connection speaks for it from now on. The one that did until now, if any, is closed. */
void seat_give_wire(seat *s, participant *wire);

#endif
