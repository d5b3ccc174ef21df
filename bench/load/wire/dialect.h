/* Dialect: the protocol of one kind of server. The rest of this program has users, rooms and signals; a
 * dialect writes them as messages. Pure. */
#ifndef HOMECALL_BENCH_DIALECT_H
#define HOMECALL_BENCH_DIALECT_H

#include "base/slice.h"

#include <stdbool.h>

typedef enum load_kind { LOAD_OFFER, LOAD_ANSWER, LOAD_CANDIDATE, LOAD_KINDS } load_kind;

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
    /* Write the request target for a connection of `user`, with its NUL, to `out` of DIALECT_MAX_TEXT bytes.
     * NULL = it is the path of the URL. */
    void (*request_target)(char *out, const char *path, const char *user);
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

extern const load_dialect dialect_homecall; /* HomeCall Signal */
extern const load_dialect dialect_peerjs;   /* PeerServer, npm package `peer` */

/* The dialect of this name; NULL if there is none. */
const load_dialect *dialect_find(const char *name);

/* Copy `text` to `at`, and return where it ends there. */
static inline char *dialect_put(char *at, slice text)
{
    memcpy(at, text.data, text.len);
    return at + text.len;
}

#endif
