/* The client's part of the opening handshake (RFC 6455, 4.1): it writes the request and checks the answer.
 * Pure.
 *
 * All connections of a run use the same key, and the accept for it is computed once. So many connections cost
 * no time for SHA-1 here. */
#ifndef HOMECALL_BENCH_OPENING_H
#define HOMECALL_BENCH_OPENING_H

#include "base/slice.h"
#include "websocket/handshake_answer.h"

enum { OPENING_KEY_LEN = 24, OPENING_MAX_REQUEST = 2048, OPENING_MAX_ANSWER = 8192 };

typedef struct opening {
    char authority[280];                      /* host and port, for the Host header */
    char key[OPENING_KEY_LEN + 1];            /* Sec-WebSocket-Key */
    char accept[WS_HANDSHAKE_ACCEPT_LEN + 1]; /* the Sec-WebSocket-Accept that belongs to it */
} opening;

/* Make a random key for connections to this authority (host and port). 0, or -EIO without random bytes. */
int opening_init(opening *o, const char *authority);

/* Write the upgrade request for a request target. `subprotocol` is asked for; NULL = none. Returns its
 * length, or 0 when it does not fit. */
size_t opening_request(const opening *o, const char *request_target, const char *subprotocol,
                       char out[OPENING_MAX_REQUEST]);

/* Check as much of the answer as has come. Returns the length of its head if it is good: 101, with the right
 * accept and the subprotocol that was asked for, or none where that is NULL. 0 while its head is incomplete.
 * -EPROTO if it is wrong: then *why says what is wrong, in a buffer of this thread that is valid until the
 * next call. */
long opening_check(const opening *o, const char *subprotocol, slice answer, const char **why);

/* The status of an HTTP answer, as 503; 0 where it is none. */
unsigned opening_status(slice answer);

#endif
