/* Dialect: the protocol of one kind of server. The rest of this program has users, rooms and signals; a
 * dialect writes them as messages. Pure. */
#ifndef HOMECALL_BENCH_DIALECT_H
#define HOMECALL_BENCH_DIALECT_H

#include "base/slice.h"

#include <stdbool.h>

/* LOAD_HANGUP ends a call; only some dialects have it. */
typedef enum load_kind { LOAD_OFFER, LOAD_ANSWER, LOAD_CANDIDATE, LOAD_HANGUP, LOAD_KINDS } load_kind;

/* The names that a message may contain. */
typedef struct dialect_names {
    slice room;
    slice from; /* the user who sends it */
    slice to;   /* the other user in the room */
} dialect_names;

/* The most bytes of a request target, of a join or leave, and of a signal's head. */
enum { DIALECT_MAX_TEXT = 512 };

typedef struct load_dialect {
    const char *name;
    bool joins_by_connecting; /* a user has joined as long as it is connected: there is no join message, and
                                 no second join on the same connection */
    bool keeps_lost_names; /* the server keeps a user's name in use until it has noticed that its connection
                              has ended, so a user that comes back needs another one */
    bool has_hangup;       /* it has signals of the kind LOAD_HANGUP */
    bool has_sessions; /* a session outlives its connection: session_2.h writes and reads the messages, and
                          of the functions below there are none */
    const char *subprotocol; /* what the handshake asks for; NULL = nothing */
    size_t head_bytes; /* what the head of a signal counts as in the size of a whole signal, where its length
                          is not known beforehand; 0 = as many bytes as it has */
    /* Write the request target for a connection of names->from, with its NUL, to `out` of DIALECT_MAX_TEXT
     * bytes. NULL = it is the path of the URL. */
    void (*request_target)(char *out, const char *path, const dialect_names *names);
    /* Write a join or leave to `out` of DIALECT_MAX_TEXT bytes, and return its length. NULL = there is no
     * such message. */
    size_t (*join)(char *out, const dialect_names *names);
    size_t (*leave)(char *out, const dialect_names *names);
    /* Write the part of a signal in front of its payload to `out` of DIALECT_MAX_TEXT bytes, and return its
     * length. Behind the payload follows the tail. What the server passes on must be equal to head, payload
     * and tail, as JSON. */
    size_t (*signal_head)(char *out, load_kind kind, const dialect_names *names);
    slice signal_tail;
    /* Is this text from the server one that can be ignored? NULL = there are no such texts. */
    bool (*is_notice)(slice text);
} load_dialect;

extern const load_dialect dialect_homecall;         /* HomeCall Signal, version 1 */
extern const load_dialect dialect_homecall_session; /* HomeCall Signal, the session dialect */
extern const load_dialect dialect_homecall_2;       /* HomeCall Signal, version 2 */
extern const load_dialect dialect_peerjs;           /* PeerServer, npm package `peer` */

/* How many kinds of signals a dialect has: the first ones of load_kind. */
static inline int dialect_kinds(const load_dialect *d)
{
    return d->has_hangup ? LOAD_KINDS : LOAD_HANGUP;
}

/* The names of all dialects, for messages: "homecall, session, 2 or peerjs". */
#define DIALECT_NAMES "homecall, session, 2 or peerjs"

/* The dialect of this name; NULL if there is none. */
const load_dialect *dialect_find(const char *name);

/* Copy `text` to `at`, and return where it ends there. */
static inline char *dialect_put(char *at, slice text)
{
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    return at + text.len;
}

#endif
