/* Upgrade: how the HTTP request of a session is answered. It finds out the client's address, asks whether
 * there is a place for the connection, and answers GET /ice. Internal to src/session. */
#ifndef HOMECALL_SESSION_UPGRADE_H
#define HOMECALL_SESSION_UPGRADE_H

#include "net/connection.h"

/* The on_handshake of session_events; see connection_events. */
int upgrade_answer(connection *c, ws_handshake *handshake);

#endif
