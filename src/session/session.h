/* Session: one connection as this floor sees it: who it is in which room.
 *
 * A session lives on one thread at a time. On an acceptor's thread, the lobby, it has no rooms: it answers
 * what needs none and asks to be handed over at its first join. On a worker's thread it has that worker's
 * RoomManager, and asks to be handed over again only when it joins a room of another shard.
 *
 * What a session does is in four files on top of this one: how it starts, moves and ends (session_life), what
 * its request is answered (upgrade), what its messages do (rules), and what the rooms do with it
 * (session_peer). It knows neither mailboxes nor threads: its group carries out the hand-over.
 *
 * All functions: the session's thread. */
#ifndef HOMECALL_SESSION_SESSION_H
#define HOMECALL_SESSION_SESSION_H

#include "base/log.h"
#include "session/session_group.h"

typedef struct session {
    connection connection; /* first: a connection of this floor is a session */
    room_peer peer;        /* what the rooms know of it */
    void *place;           /* borrowed: what the server keeps for its address */
    token_bucket faults;   /* invalid messages */
    token_bucket reports;  /* a client's error messages that are logged */
    int next_shard;        /* while it is handed over: where to */
} session;

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

/* Where a session is attached, or was last. */
static inline session_group *session_group_of(const session *s)
{
    return s->connection.entry.set->owner;
}

/* Is it in a room? */
static inline bool session_is_joined(const session *s)
{
    return room_peer_is_joined(&s->peer);
}

/* Send {"type":"error","message":…}, whose whole JSON `json` is. Clients end their call on any error: only
 * for a real fault. */
void session_send_error(session *s, slice json);

/* ---- Log lines about one session ----
 *
 * Each starts with the connection's id, and the room and the user where it is in a room, so that one call can
 * be followed from its join to its end. Which thread it is on, the logger adds. */

/* Fields that a line may have besides. */
enum { SESSION_LOG_MAX_FIELDS = LOG_MAX_FIELDS - 3 };

/* Log `event` with `count` fields, at most SESSION_LOG_MAX_FIELDS. */
void session_log(log_level level, const char *namespace_, const char *event, const session *s,
                 const log_field *fields, size_t count);

/* session_log with the fields, at least one, as arguments, which are not evaluated when the level is off. */
#define LOG_SESSION(level, namespace_, event, s, ...)                     \
    do {                                                                  \
        if (log_is_on(level)) {                                           \
            const log_field log_fields_[] = {__VA_ARGS__};                \
            session_log((level), (namespace_), (event), (s), log_fields_, \
                        sizeof(log_fields_) / sizeof(log_fields_[0]));    \
        }                                                                 \
    } while (0)

#endif
