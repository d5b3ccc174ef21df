/* Members: clients of the session dialect (protocol/README.md, "The session dialect"), on top of client.h. */
#ifndef HOMECALL_TESTS_SUPPORT_MEMBER_H
#define HOMECALL_TESTS_SUPPORT_MEMBER_H

#include "support/client.h"

/* Connect and join a session at the handshake. `id` is written into the query as it is, so it is
 * percent-encoded already. The caller owns the client. */
client *member_open(uint16_t port, const char *id);

/* The same, and wait until the server has let it in. Nothing may be queued for it. */
client *member_open_settled(uint16_t port, const char *id);

/* Send a message, or expect one: as client_send_text() and client_expect_json(), but with ' for each ". */
void member_say(client *c, const char *text);
void member_expect(client *c, const char *text);

/* Send a candidate that contains this number, without a sessionId; and expect it in the session `id`. */
void member_say_number(client *c, unsigned number);
void member_expect_number(client *c, const char *id, unsigned number);

/* The next message must be the server's error with this text, of the session `id`. */
void member_expect_error(client *c, const char *id, const char *message);

/* Candidates go both ways between the two, and nothing else has come. */
void member_expect_pair(client *a, client *b, const char *id);

#endif
