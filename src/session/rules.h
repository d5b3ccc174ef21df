/* The rules of PROTOCOL.md, one handler for each type of message. Internal to src/session. */
#ifndef HOMECALL_SESSION_RULES_H
#define HOMECALL_SESSION_RULES_H

#include "net/connection.h"

/* The on_message of session_events: do what this message asks for. See connection_events. */
connection_verdict rules_handle(connection *c, bool is_text, slice data);

#endif
