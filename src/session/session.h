/* Session: a connection and its participant, which is the connection as its dialect sees it.
 *
 * A session belongs to one thread at a time. At first that is the thread of an acceptor, the lobby, which has
 * no rooms. There a session gets answers that need no room, and at its first join it is handed over to the
 * worker whose shard has the room. On a worker it uses the worker's RoomManager. It is handed over again only
 * when it joins a room of another shard.
 *
 * Three other files contain what a session does: how it starts, moves between threads and ends
 * (session_life), how its upgrade request is answered (upgrade), and what its dialect can ask of it
 * (session_host). Sessions use neither mailboxes nor threads. To hand one over, they call the server
 * (session_shared).
 *
 * All functions: the thread of the session's group. */
#ifndef HOMECALL_SESSION_SESSION_H
#define HOMECALL_SESSION_SESSION_H

#include "session/client_account.h"
#include "session/session_group.h"

#include <assert.h>
#include <stddef.h>

typedef struct session {
    connection connection; /* first, so that a pointer to it is one to the session */
    participant participant;
    address client[]; /* its address without a port. One where session_hooks.may_join is set, else none */
} session;

static_assert(offsetof(session, connection) == 0, "session_of() casts");

/* The session whose connection this is. */
static inline session *session_of(connection *c)
{
    return (session *)c;
}

/* The session whose participant this is. */
static inline session *session_of_participant(const participant *p)
{
    return (session *)((uintptr_t)p - offsetof(session, participant));
}

/* The group that a session belongs to; while it is detached, the group that it belonged to last. */
static inline session_group *session_group_of(const session *s)
{
    return s->connection.entry.set->owner;
}

/* The account of its client; NULL if it is exempt from the limits of an address. It changes once, when the
 * request of a proxy's client was read. */
static inline client_account *session_client(const session *s)
{
    return client_account_of(s->connection.allowance);
}

/* Close it because the server stops (protocol/README.md, 1.7), in the words of its dialect. */
static inline void session_stop(session *s)
{
    if (connection_is_open(&s->connection))
        participant_end_it(&s->participant, PARTICIPANT_STOPS, "the server stops");
    else
        connection_close(&s->connection, CLOSE_REASON_SERVER_STOPS, "the server stops");
}

#endif
