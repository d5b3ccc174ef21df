/* Participant: one connection as a dialect sees it. It can be told something, held, and closed; that there is
 * a socket, a thread or a mailbox behind it is the business of its host.
 *
 * Who embeds a participant is its host: the session layer in the server, a fake in tests. The host has a
 * table of functions (participant_host). Participants of one thread are in the same hall, with the rooms of
 * that thread.
 *
 * All functions: the thread of the participant's hall. */
#ifndef HOMECALL_DIALECT_PARTICIPANT_H
#define HOMECALL_DIALECT_PARTICIPANT_H

#include "base/log.h"
#include "base/slice.h"
#include "base/token_bucket.h"
#include "dialect/session_counters.h"
#include "rooms/room_manager.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* How far the latest join of a participant is. There are thousands that never join, so it has 32 bits. */
typedef struct join_progress {
    uint32_t next_shard : 8;   /* while it is handed over: the shard that it goes to */
    uint32_t has_waited : 1;   /* the join was held, and is handled when it comes next */
    uint32_t may_have_ice : 1; /* the host may give it ICE servers, once */
    uint32_t keeps_place : 1;  /* the host goes on counting its connection after its end */
    uint32_t held_at : 21;     /* its place among the held joins; 0 = it is not held */
} join_progress;

typedef struct participant {
    room_peer peer;       /* `face` is that of its dialect, and so says which one it speaks. `member` is its
                             place, also where the dialect gives another peer to the rooms */
    token_bucket faults;  /* invalid messages that it may still send */
    token_bucket reports; /* error messages of the client that may still be logged */
    uint32_t account;     /* which its queued signals are charged to; 0 = none that has a limit */
    join_progress join;
} participant;

/* The participant whose peer this is; only where the dialect gives that peer to the rooms. */
static inline participant *participant_of_peer(room_peer *peer)
{
    return (participant *)(void *)peer;
}

/* What becomes of the message that a participant was given. */
typedef enum dialect_verdict {
    DIALECT_GO_ON,        /* it is handled; go on with the next one */
    DIALECT_HOLD,         /* it is handled; no more input until participant_host.resume() */
    DIALECT_HOLD_MESSAGE, /* it is not handled yet, and comes again after resume(), before all other input */
    DIALECT_HAND_OVER,    /* it is not handled, and comes again in the hall that has the room */
} dialect_verdict;

/* Why a dialect ends a connection. */
typedef enum participant_end {
    PARTICIPANT_INVALID_MESSAGES, /* it has sent too many */
    PARTICIPANT_TAKEN_OVER,       /* the same user has come from a new connection */
    PARTICIPANT_REPLACED,         /* its session goes on with a new connection */
    PARTICIPANT_FULL,             /* the session that it came for is full, and it can't ask for another */
    PARTICIPANT_SILENT,           /* it did not answer while a newcomer waited */
    PARTICIPANT_OVERLOADED,       /* the server is */
    PARTICIPANT_STOPS,            /* the server stops */
    PARTICIPANT_RESTARTS,         /* the same, for a client that was told when to come back */
    PARTICIPANT_NO_MEMORY,
    PARTICIPANT_NOT_ALLOWED, /* it may not join the session that it came for: participant_host.may_join */
    PARTICIPANT_SLOW,        /* more waits for it than may */
} participant_end;

/* Where a room is that somebody wants to join. */
typedef enum participant_way {
    PARTICIPANT_HERE,      /* in this hall: join it now */
    PARTICIPANT_ELSEWHERE, /* in another hall: hand over */
    PARTICIPANT_LATER,     /* the join is held, because its client may be guessing: hold the message */
    PARTICIPANT_NO_WAY,    /* there is no memory to hold it */
} participant_way;

/* How long the text may be, with its NUL, that tells a client why it may not join. */
enum { PARTICIPANT_REFUSAL_MAX = 128 };

struct dialect_hall;

/* What dialects need from the owner of the connections. */
typedef struct participant_host {
    /* The hall that it is in; between two halls, the one that it was in last. */
    struct dialect_hall *(*hall)(const participant *p);
    /* Send a text message made of these parts, which are copied. False when the connection is ending. */
    bool (*send)(participant *p, const struct iovec *parts, int count);
    /* The same with a signal that was read in this turn: its time is measured, too. */
    bool (*send_signal)(participant *p, const struct iovec *parts, int count);
    /* End its connection behind what was sent. `text` is a literal, for the close frame and the log. */
    void (*close)(participant *p, participant_end end, const char *text);
    /* End it at once. */
    void (*drop)(participant *p, participant_end end, const char *text);
    /* There is no memory to tell it something: end its connection at the end of the turn. Unlike the two
     * above, it does not call on_end before it returns. */
    void (*give_up)(participant *p);
    /* Ask for a sign of life, and: has anything come after this time? Bytes of the same millisecond may have
     * come before. */
    void (*ping)(participant *p);
    bool (*has_spoken_since)(const participant *p, uint64_t since_ms);
    /* Go on with what was held, at the end of the turn. */
    void (*resume)(participant *p);
    /* The number that log lines know the connection by. */
    uint64_t (*id)(const participant *p);
    /* The way to a room. A join that was held once is not held again. */
    participant_way (*find_way)(participant *p, room_space space, slice room);
    /* NULL where everybody may, or: may it join this room under this name, which may be empty? To be asked
     * once for each join that makes a new member, where the room is. If not, `refusal` says why: UTF-8 with a
     * NUL at its end. */
    bool (*may_join)(const participant *p, room_space space, slice room, slice user,
                     char refusal[PARTICIPANT_REFUSAL_MAX]);
    /* Is the server too busy to let anybody into a room? */
    bool (*is_overloaded)(const participant *p);
    /* ICE servers for its client, as JSON of RTCConfiguration.iceServers: a heap string, owned by the caller.
     * NULL when there are none, or when it has been given some already. */
    char *(*ice_servers)(participant *p);
    /* Its connection has ended, but goes on counting as one: what it counts as, until free_place(). NULL
     * where nothing is counted. */
    void *(*keep_place)(participant *p);
    void (*free_place)(struct dialect_hall *hall, void *place);
    /* May a line about it be logged now? To be asked once for each line: who floods is logged about only so
     * often. */
    bool (*may_log)(const participant *p, log_level level);
} participant_host;

/* Is it in a room? */
static inline bool participant_is_joined(const participant *p)
{
    return room_peer_is_joined(&p->peer);
}

#endif
