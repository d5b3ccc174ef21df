/* What the files of a connection share. Internal to src/net. */
#ifndef HOMECALL_NET_CONNECTION_PARTS_H
#define HOMECALL_NET_CONNECTION_PARTS_H

#include "net/connection.h"

/* The one way to change the state: leave the old list, set, enter the new one with a new deadline. */
void connection_set_state(connection *c, connection_state state);

/* Have connection_on_turn_end() called. */
void connection_put_on_todo(connection *c);

/* End it for want of memory. */
void connection_drop_without_memory(connection *c);

/* Its last bytes stand in `output`: have them written, and throw away what still comes in. */
void connection_begin_closing(connection *c, const connection_end *end);

/* Make `len` bytes of room behind what waits to be written, to be filled by the caller; NULL without memory.
 */
uint8_t *connection_extend_output(connection *c, size_t len);

/* HANDSHAKE: read what a proxy says and the request, as far as it is there, and answer it. How many bytes
 * were used. */
size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len);

#endif
