/* The client's half of the opening handshake (RFC 6455, 4.1): the request, and a look at the answer. Pure.
 *
 * A key is drawn once for a run and its accept worked out once, so that a flood of connections spends its
 * time on the server and not on SHA-1 here. */
#ifndef HOMECALL_BENCH_OPENING_H
#define HOMECALL_BENCH_OPENING_H

#include "base/slice.h"
#include "websocket/handshake_answer.h"

enum { OPENING_KEY_LEN = 24, OPENING_MAX_REQUEST = 2048, OPENING_MAX_ANSWER = 8192 };

typedef struct opening {
    char authority[280];
    char key[OPENING_KEY_LEN + 1];
    char accept[WS_HANDSHAKE_ACCEPT_LEN + 1];
} opening;

/* Draw a key for connections to this authority (host and port). 0, or -EIO without random bytes. */
int opening_init(opening *o, const char *authority);

/* Write the upgrade request for a request target; returns its length, 0 when it does not fit. */
size_t opening_request(const opening *o, const char *request_target, char out[OPENING_MAX_REQUEST]);

/* Look at the answer so far. Returns the length of a good one (101 with the right accept), 0 while it is not
 * whole, or -EPROTO; then *why says what is wrong, in a buffer of this thread until the next call. */
long opening_check(const opening *o, slice answer, const char **why);

#endif
