/* The life of a session: from an accepted descriptor, from thread to thread, to its end.
 *
 * All functions: the thread of the group. */
#ifndef HOMECALL_SESSION_SESSION_LIFE_H
#define HOMECALL_SESSION_SESSION_LIFE_H

#include "session/session.h"

/* What a session is made of. */
typedef struct session_start {
    int fd;              /* accepted; taken also on failure */
    uint64_t id;         /* for log lines */
    void *place;         /* borrowed: what the server keeps for its address */
    tls_context *tls;    /* speak TLS with this certificate, of which it takes a share; NULL = plain text */
    bool awaits_proxy;   /* a header of the PROXY protocol comes before the request */
    const char *refusal; /* answer with 503, and log this literal as the reason; NULL = read its request */
} session_start;

/* For session_group_init(). */
extern const connection_events session_events;

/* Make a session in the group, which owns it on success. 0 or -errno. */
int session_open(session_group *group, const session_start *start);

/* Take over a session that another group has handed over. It goes on where it stopped, or ends if the group
 * drains. */
void session_attach(session *s, session_group *group);

/* Take a session back that the other thread would not have, since the server stops: close it with 1001. */
void session_take_back(session *s, session_group *group);

/* End a session that nobody can take: it is still detached. */
void session_abandon(session *s);

#endif
