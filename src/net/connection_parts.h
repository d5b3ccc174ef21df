/* What the files of a connection share. Internal to src/net. */
#ifndef HOMECALL_NET_CONNECTION_PARTS_H
#define HOMECALL_NET_CONNECTION_PARTS_H

#include "net/connection.h"

/* Bits of connection_entry.work: what is to be done at the end of the turn. Output is written in any case. */
typedef enum connection_work {
    CONNECTION_WORK_WRITE = 1,      /* nothing besides */
    CONNECTION_WORK_RESUME = 2,     /* go on with the unread input */
    CONNECTION_WORK_NO_MEMORY = 4,  /* end it, and so the next two. Not at once, since the caller may stand in
                                       the middle of a room. */
    CONNECTION_WORK_NOT_READ = 8,   /* more waits for its peer than may */
    CONNECTION_WORK_PEER_GONE = 16, /* a write has failed */
    CONNECTION_WORK_ENDS = CONNECTION_WORK_NO_MEMORY | CONNECTION_WORK_NOT_READ | CONNECTION_WORK_PEER_GONE,
} connection_work;

/* Is it open, and stays so at the end of the turn? */
static inline bool connection_stays_open(const connection *c)
{
    return connection_is_open(c) && (c->entry.work & CONNECTION_WORK_ENDS) == 0;
}

/* The one way to change the state. */
void connection_enter_state(connection *c, connection_state state);

/* Leave the set: it is detached then. */
void connection_leave_set(connection *c);

/* Free what it owns, and have it freed by its owner. It is detached. */
void connection_give_back(connection *c);

/* End it for want of memory. */
void connection_drop_without_memory(connection *c);

/* End one that is open with this close frame, and `text` in it. */
void connection_close_with(connection *c, const connection_end *end, const char *text);

/* Its last bytes stand in `output`: have them written, and throw away what still comes in. */
void connection_begin_closing(connection *c, const connection_end *end);

/* Make `len` bytes of space behind what waits to be written, to be filled by the caller; NULL without memory.
 */
uint8_t *connection_extend_output(connection *c, size_t len);

/* Put an HTTP answer without a body behind what waits; `key` is of the request where the status is 101. 0, or
 * -ENOMEM, also for want of what the digest of a 101 needs. */
int connection_append_answer(connection *c, int status, slice key);

/* Wait, or no longer wait, until the socket takes more. 0 or -ENOMEM. */
int connection_want_writable(connection *c, bool wants);

/* Write what waits, as far as the socket takes it. 0, or -errno when the peer is gone. */
int connection_write_output(connection *c);

#endif
