/* How a server wants to be spoken to. Everything else here speaks of users, rooms and signals; a dialect puts
 * them into messages. Pure. */
#ifndef HOMECALL_BENCH_DIALECT_H
#define HOMECALL_BENCH_DIALECT_H

#include "base/slice.h"

#include <stdbool.h>

typedef enum signal_kind { SIGNAL_OFFER, SIGNAL_ANSWER, SIGNAL_CANDIDATE, SIGNAL_KINDS } signal_kind;

/* Whom a message is from, to, and where. */
typedef struct dialect_names {
    slice room;
    slice from; /* the user who sends */
    slice to;   /* the other one in the room */
} dialect_names;

/* No message but a signal is longer, and no signal's head. */
enum { DIALECT_MAX_TEXT = 512 };

typedef struct dialect {
    const char *name;
    bool joins_by_connecting; /* the connection is the membership: nothing is sent to join, and none can
                                 be joined again on the same connection */
    /* The request target of a connection of `user`, with its NUL, to `out` of DIALECT_MAX_TEXT bytes. NULL =
     * the path of the URL. */
    void (*request_target)(char *out, const char *path, const char *user);
    /* Write a message to `out` of DIALECT_MAX_TEXT bytes; returns its length. NULL = there is no such
     * message. */
    size_t (*join)(char *out, const dialect_names *names);
    size_t (*leave)(char *out, const dialect_names *names);
    /* Write a signal up to where its payload begins; its end follows the payload. The server must pass on
     * what is JSON-equal to head, payload and tail. */
    size_t (*signal_head)(char *out, signal_kind kind, const dialect_names *names);
    slice signal_tail;
    /* Is this text of the server neither a signal nor a fault? NULL = there is none. */
    bool (*is_notice)(slice text);
} dialect;

extern const dialect dialect_homecall; /* PROTOCOL.md of the server that this is the harness of */
extern const dialect dialect_peerjs;   /* PeerServer, npm package `peer` */

/* By name; NULL for an unknown one. */
const dialect *dialect_find(const char *name);

/* Append bytes to a message that is being written. */
static inline char *dialect_put(char *at, slice text)
{
    memcpy(at, text.data, text.len);
    return at + text.len;
}

#endif
