/* The connections of the admin port: each reads a request, is answered, and may stay for another one.
 *
 * There are few places, and nobody can keep them. A request that is not read and answered within its time
 * ends its connection, however many bytes of it come, and so does one that stays too long without another
 * request. When all places are taken, a newcomer gets the one of the connection on which nothing has happened
 * for the longest time. So a probe is answered at once, whatever others do who reach the port.
 *
 * It takes a descriptor for each connection and memory for each answer. Without memory a connection is
 * closed, and the others go on. One thread: that of the base. */
#ifndef HOMECALL_ADMIN_ADMIN_CONNECTIONS_H
#define HOMECALL_ADMIN_ADMIN_CONNECTIONS_H

#include "admin/admin_answer.h"

#include <event2/event.h>

/* How many there are at once. Scrapers, probes and views are few, and each has one. */
enum { ADMIN_MAX_CONNECTIONS = 24 };

typedef struct admin_connections admin_connections;

/* Make an empty set. `base` and `answerer` are borrowed. 0 and the set in *out, owned by the caller; or
 * -ENOMEM. */
int admin_connections_new(struct event_base *base, admin_answerer *answerer, admin_connections **out);

/* Serve this socket, which has just been accepted and does not block. It belongs to the set from here on. */
void admin_connections_add(admin_connections *set, int fd);

/* Close all of them, and free the set. NULL is legal. */
void admin_connections_free(admin_connections *set);

#endif
