/* What a connection holds in memory from one turn to the next, and what ends it because of that: a message
 * that takes too long, and too much memory in all.
 *
 * All functions: the thread of the connection's set. */
#ifndef HOMECALL_NET_CONNECTION_HOLDING_H
#define HOMECALL_NET_CONNECTION_HOLDING_H

#include "net/connection.h"

/* Count anew what the connection holds, after this has changed, and note whether a message has begun. It must
 * be in a set. Without memory for that it is dropped. */
void connection_count_holding(connection *c);

/* The same, if it holds something or has held something. This is all that a signal pays that is written at
 * once. */
static inline void connection_recount(connection *c)
{
    if (c->output != NULL || c->holding != NULL)
        connection_count_holding(c);
}

/* Keep input that can't be handled now, behind what is kept already. 0 or -ENOMEM. */
int connection_keep_unread(connection *c, const uint8_t *data, size_t len);

/* Keep this buffer, which it owns from now on, where none is kept. 0, or -ENOMEM: then it is still the
 * caller's. */
int connection_put_back_unread(connection *c, bytes *unread);

/* It has had its share of this turn: have connection_take_backlog() called when it is its turn again. 0 or
 * -ENOMEM. */
int connection_join_backlog(connection *c);

/* Is it waiting for that? */
static inline bool connection_is_backlogged(const connection *c)
{
    return c->holding != NULL && c->holding->is_backlogged;
}

/* Give away the input that is kept; NULL when there is none. The caller frees it. */
bytes *connection_take_unread(connection *c);

/* The hooks of a set: see connection_hooks. */
void connection_end_slow(connection_set *set, uint64_t now_ms);
void connection_end_largest(connection_set *set, uint64_t excess);

#endif
