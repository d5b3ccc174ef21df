/* Dialect: what one kind of clients reads and writes, how it joins, and what it keeps over a loss.
 *
 * What all dialects have in common is written once: rooms and queues (src/rooms), the rules (rules.h),
 * limits, liveness, logs, counters and the hand-over between threads (src/session). A dialect is a folder
 * src/dialect_NAME and one row in session/dialects.c. It knows participants and rooms; it knows no thread, no
 * socket and no mailbox.
 *
 * A connection gets its dialect at the handshake, for good (protocol/README.md, "Connecting"): the one whose
 * subprotocol it asks for, else the one that finds in the query what it needs, else the one that asks for
 * nothing. */
#ifndef HOMECALL_DIALECT_DIALECT_H
#define HOMECALL_DIALECT_DIALECT_H

#include "dialect/participant.h"

/* The bounds that dialects enforce. Immutable while threads run. */
typedef struct dialect_limits {
    size_t max_name_bytes;    /* of a codeword or a user name */
    token_bucket_rate faults; /* how many invalid messages one participant may send, and how many of its error
                                 messages are logged */
    uint32_t ping_interval_ms;    /* on_ping is called so often, at least */
    uint32_t resume_for_ms;       /* a session without a connection is kept for so long; 0 = not at all */
    uint32_t outbox_max_messages; /* what such a session has been told and has not acknowledged */
    uint64_t outbox_max_bytes;
    uint32_t ice_ttl_ms; /* for so long ICE servers are good that participant_host.ice_servers() tells */
} dialect_limits;

/* What is in the query of a request for a dialect that finds its room there. */
enum { DIALECT_MAX_INVITATION = 4096 };

/* How many dialects there may be. */
enum { DIALECT_MAX = 8 };

typedef struct dialect dialect;
typedef struct dialect_hall dialect_hall;
struct edge;        /* cluster/edge.h */
struct edge_client; /* edge_client.h */
struct remote_kind; /* cluster/remote.h */

struct dialect {
    room_peer_face face;          /* first, so that a participant's face leads here */
    const participant_host *host; /* borrowed; of the participants that speak it */
    unsigned slot;           /* its place in dialect_hall.kept, and in the list of the server's dialects */
    const char *name;        /* for the log; a literal, as the next */
    const char *subprotocol; /* what asks for it in Sec-WebSocket-Protocol; NULL = nothing does */
    bool tells_ice_servers;  /* it calls participant_host.ice_servers() */
    /* Find in the query of a request where it wants to join, and write that to `out`. The length, 0 if there
     * is nothing. NULL: its clients join by a message. */
    size_t (*find_invitation)(slice query, const dialect_limits *limits, char out[DIALECT_MAX_INVITATION]);

    /* A message has come in this hall. One that is not text and comes first is the invitation. `data` is
     * borrowed for the call. */
    dialect_verdict (*on_message)(participant *p, dialect_hall *hall, bool is_text, slice data);
    /* A WebSocket pong has come. */
    void (*on_pong)(participant *p);
    /* The server pings it, or would if it was not held: a time for a sign of life in the dialect's words.
     * NULL = there is none. */
    void (*on_ping)(participant *p);
    /* The connection has ended: no message comes any more, and none can be sent. `is_fault`: the server has
     * ended it for what the client has done. */
    void (*on_end)(participant *p, bool is_fault);
    /* The server stops or is overloaded: say so in the dialect's words, and close the connection. NULL: a
     * close frame is enough. */
    void (*say_goodbye)(participant *p, participant_end end, const char *text);

    /* What it keeps for each hall. NULL: nothing, and the next three are NULL as well. Returns NULL without
     * memory. No participant is in the hall any more when it is closed; rooms and peers may be. */
    void *(*open_hall)(const dialect *d, dialect_hall *hall);
    void (*close_hall)(void *kept);
    /* When something is due (monotonic, UINT64_MAX = nothing is), and: do what is due. */
    uint64_t (*next_due_ms)(const void *kept);
    void (*tick)(void *kept, uint64_t now_ms);

    /* ---- In a cluster, where its rooms may be on another node (edge_client.h) ---- */

    /* What its clients are in the rooms of their owner; borrowed. */
    const struct remote_kind *remote;
    /* Its clients come back by themselves when the owner of their room is lost. Else they join again
     * unnoticed. */
    bool comes_back;
    /* A signal was refused, as by a full queue, after it seemed to be taken. */
    void (*on_queue_full_there)(participant *p);
    /* NULL, or: the owner has let it in, for the first time or again; what its kind adds to that. */
    void (*on_joined_there)(participant *p, struct edge_client *c, slice extra);
    /* Where edge_client.completes_told is set: tell this, and what this end has to add. */
    void (*complete_told)(participant *p, struct edge_client *c, slice json);
};

/* The dialect that a participant speaks. */
static inline const dialect *dialect_of(const participant *p)
{
    return (const dialect *)(const void *)p->peer.face;
}

/* What the participants of one thread share. */
struct dialect_hall {
    room_manager *manager;        /* borrowed; NULL where there are no rooms, in the lobby */
    struct edge *edge;            /* borrowed; NULL without a cluster, and in the lobby. With it, nothing of
                                     this hall calls the manager: see room_access.h */
    session_counters *counters;   /* borrowed */
    const dialect_limits *limits; /* borrowed */
    /* Monotonic: the time of this turn. */
    uint64_t (*now_ms)(const dialect_hall *hall);
    /* Take bytes from the budget of all queues, for an account, and give them back; as room_effects. */
    bool (*reserve)(void *context, uint32_t account, size_t bytes);
    void (*release)(void *context, uint32_t account, size_t bytes);
    void *context;           /* borrowed, for the two */
    void *kept[DIALECT_MAX]; /* owned by the dialects: what open_hall() has returned for each slot */
    bool is_quiet;           /* the signals of the sender of the last one have no log lines now */
};

/* ---- What a dialect does with a participant ---- */

/* Its host. */
static inline const participant_host *participant_host_of(const participant *p)
{
    return dialect_of(p)->host;
}

/* Its hall. */
static inline dialect_hall *participant_hall(const participant *p)
{
    return participant_host_of(p)->hall(p);
}

/* Send a text that is whole. False when the connection is ending. */
bool participant_say(participant *p, slice json);

/* End its connection because of the server, in the dialect's words. `text` is a literal. */
void participant_end_it(participant *p, participant_end end, const char *text);

/* ---- Log lines about one participant ----
 *
 * Each line starts with the connection's id, and with the room and the user if it is in a room. So all lines
 * of a call can be found, from the join to the end. The logger adds the name of the thread. */

/* How many more fields a line may have. */
enum { PARTICIPANT_LOG_MAX_FIELDS = LOG_MAX_FIELDS - 3 };

/* Log `event`, a literal, with `count` fields, at most PARTICIPANT_LOG_MAX_FIELDS. Nothing happens when the
 * level is off, or for a client that has too many lines already. The time of the line is that of
 * log_frequent_event(). */
void participant_log(log_level level, const char *namespace_, const char *event, const participant *p,
                     const log_field *fields, size_t count);

/* participant_log() with the fields as arguments, at least one. They are not evaluated when the level is off.
 */
#define LOG_PARTICIPANT(level, namespace_, event, p, ...)                     \
    do {                                                                      \
        if (log_is_on(level)) {                                               \
            const log_field log_fields_[] = {__VA_ARGS__};                    \
            participant_log((level), (namespace_), (event), (p), log_fields_, \
                            sizeof(log_fields_) / sizeof(log_fields_[0]));    \
        }                                                                     \
    } while (0)

#endif
