/* Upgrade: what the request of a connection is answered: who the client is, GET /ice, and whether there is a
 * place for it. Internal to src/session. */
#ifndef HOMECALL_SESSION_UPGRADE_H
#define HOMECALL_SESSION_UPGRADE_H

#include "net/connection.h"

/* connection_events.on_handshake of a session. */
int upgrade_answer(connection *c, const ws_handshake *handshake);

#endif
