/* The rules of PROTOCOL.md, one handler for each type of message. Internal to src/session. */
#ifndef HOMECALL_SESSION_RULES_H
#define HOMECALL_SESSION_RULES_H

#include "net/connection.h"

/* connection_events.on_message of a session: do what this message asks for. */
connection_verdict rules_handle(connection *c, bool is_text, slice data);

#endif
