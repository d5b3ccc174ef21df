/* Clients of version 2 of the protocol (protocol/README.md, "Version 2") for tests of the whole server. They
 * stand on client.h: they do by themselves only what its functions say, so that a test can break every rule.
 */
#ifndef HOMECALL_TESTS_SUPPORT_SESSION_2_H
#define HOMECALL_TESTS_SUPPORT_SESSION_2_H

#include "support/client.h"

/* What a client knows from `joined`. */
typedef struct session_2 {
    char peer[33];
    char token[65];
    unsigned order;
    bool is_resumed;
    unsigned received;
    unsigned peers; /* in the list; 0 where there was none */
} session_2;

/* Connect and ask for the subprotocol, which the answer must name. */
client *session_2_open(uint16_t port);

/* Send a join of `room`, with these members behind it, such as ",\"user\":\"anna\"", or "". */
void session_2_send_join(client *c, const char *room, const char *more);

/* The next message must be a `joined` of this room. */
void session_2_expect_joined(client *c, const char *room, session_2 *out);

/* session_2_open(), session_2_send_join() and session_2_expect_joined(), of a session that is new. */
client *session_2_open_joined(uint16_t port, const char *room, const char *more, session_2 *out);

/* The same, but with what a former connection knows: it resumes from `seen`. */
client *session_2_open_resumed(uint16_t port, const char *room, const session_2 *before, unsigned seen,
                               session_2 *out);

/* The next message must be equal to the JSON text that this format makes. */
void session_2_expect(client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The next message must be this signal: the payload is `candidate`, a number. */
void session_2_expect_number(client *c, unsigned seq, const char *from, unsigned number);

/* Send that signal to all others. */
void session_2_send_number(client *c, unsigned n, unsigned number);

#endif
