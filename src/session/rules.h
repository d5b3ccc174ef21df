/* The rules of PROTOCOL.md, one handler for each type of message. Internal to the session floor. */
#ifndef HOMECALL_SESSION_RULES_H
#define HOMECALL_SESSION_RULES_H

#include "session/session.h"

/* Do what this message asks for. */
connection_verdict rules_handle(session *s, bool is_text, slice data);

/* Send {"type":"error","message":text}. Clients end their call on any error: only for a real fault. */
void rules_send_error(session *s, const char *text);

#endif
