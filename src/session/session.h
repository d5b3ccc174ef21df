/* Session: a connection, and the room and the user that it has joined as.
 *
 * A session belongs to one thread at a time. At first that is the thread of an acceptor, the lobby, which has
 * no rooms. There a session gets answers that need no room, and at its first join it is handed over to the
 * worker whose shard has the room. On a worker it uses the worker's RoomManager. It is handed over again only
 * when it joins a room of another shard.
 *
 * Four other files contain what a session does: how it starts, moves between threads and ends (session_life),
 * how its upgrade request is answered (upgrade), what its messages do (rules), and what the rooms do with it
 * (session_peer). Sessions use neither mailboxes nor threads. To hand one over, they call the server
 * (session_shared).
 *
 * All functions: the thread of the session's group. */
#ifndef HOMECALL_SESSION_SESSION_H
#define HOMECALL_SESSION_SESSION_H

#include "base/log.h"
#include "session/client_account.h"
#include "session/session_group.h"

#include <assert.h>
#include <stddef.h>

typedef struct session {
    connection connection; /* first, so that a pointer to it is one to the session */
    room_peer peer;        /* what the rooms know of the session */
    token_bucket faults;   /* invalid messages that it may still send */
    token_bucket reports;  /* error messages of the client that may still be logged */
    uint32_t account;      /* which its queued signals are charged to: session_budget_account() */
    join_progress join;    /* how far its latest join is */
} session;

static_assert(offsetof(session, connection) == 0, "session_of() casts");

/* The session whose connection this is. */
static inline session *session_of(connection *c)
{
    return (session *)c;
}

/* The session whose peer this is. */
static inline session *session_of_peer(room_peer *peer)
{
    return (session *)(void *)((char *)peer - offsetof(session, peer));
}

/* The group that a session belongs to; while it is detached, the group that it belonged to last. */
static inline session_group *session_group_of(const session *s)
{
    return s->connection.entry.set->owner;
}

/* The account of its client; NULL when no limit of an address is for it. It changes once, when the request of
 * a proxy's client was read. */
static inline client_account *session_client(const session *s)
{
    return client_account_of(s->connection.allowance);
}

/* Is it in a room? */
static inline bool session_is_joined(const session *s)
{
    return room_peer_is_joined(&s->peer);
}

/* Send an error message, whose whole JSON is `json`: {"type":"error","message":…}. Clients end their call
 * when they get one, so it is only for real faults. A session that is ending sends nothing. */
void session_send_error(session *s, slice json);

/* ---- Log lines about one session ----
 *
 * Each line starts with the connection's id, and with the room and the user if it is in a room. So all lines
 * of a call can be found, from the join to the end. The logger adds the name of the thread. */

/* How many more fields a line may have. */
enum { SESSION_LOG_MAX_FIELDS = LOG_MAX_FIELDS - 3 };

/* May a line about this session be logged now, at this level? Who floods is logged about only so often
 * (session_limits.log_lines); then the next line says how many were left out. To be asked once for each line.
 */
bool session_may_log(const session *s, log_level level);

/* Log `event`, a literal, with `count` fields, at most SESSION_LOG_MAX_FIELDS. Nothing happens when the level
 * is off, or for a client that has too many lines already. */
void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count);

/* session_log() with the fields as arguments, at least one. They are not evaluated when the level is off. */
#define LOG_SESSION(level, namespace_, event, s, ...)                     \
    do {                                                                  \
        if (log_is_on(level)) {                                           \
            const log_field log_fields_[] = {__VA_ARGS__};                \
            session_log((level), (namespace_), (event), (s), log_fields_, \
                        sizeof(log_fields_) / sizeof(log_fields_[0]));    \
        }                                                                 \
    } while (0)

#endif
