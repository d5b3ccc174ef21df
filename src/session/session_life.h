/* The life of a session: how it starts with an accepted descriptor, moves from thread to thread, and ends.
 *
 * All functions: the thread of the group, or any thread while that does not run. */
#ifndef HOMECALL_SESSION_SESSION_LIFE_H
#define HOMECALL_SESSION_SESSION_LIFE_H

#include "session/session.h"

/* What a session is made of. */
typedef struct session_start {
    int fd;                 /* the accepted descriptor; the session owns it, also on failure */
    const address *peer;    /* borrowed: where it comes from, as accept() gave it; NULL = not known */
    uint64_t id;            /* for log lines */
    client_account *client; /* borrowed: whose it is; one without limits where that is not known yet. NULL =
                               no limit of a client */
    tls_context *tls;  /* with TLS: the certificate, of which the session takes a share. NULL = without TLS */
    bool awaits_proxy; /* a header of the PROXY protocol comes before the request */
    const char *refusal; /* do not read the request, but answer with 503: why, for the log, a literal. NULL =
                            read the request */
} session_start;

/* For session_group_init(), with the host in session_host.h. */
extern const connection_events session_events;

/* Make a session in the group, which owns it. 0, -ENOMEM, or another -errno of epoll: then there is no
 * session, and the caller still has its place. */
int session_open(session_group *group, const session_start *start);

/* Attach a session that another group has handed over. It goes on with the message that it was handed over
 * for. If the group drains, it is closed with 1001. If its socket can't be watched, it is dropped at the end
 * of the turn. */
void session_attach(session *s, session_group *group);

/* Attach a session to its old group again, because the mailbox of the other thread is closed. That is so only
 * when the server stops, so it is closed with 1001, and the group drains from now on. */
void session_take_back(session *s, session_group *group);

/* End a detached session that can't be attached to any group. It is freed before this returns. */
void session_abandon(session *s);

/* Close every session of the group, behind the output that waits for it (protocol/README.md, 1.7). */
void session_close_all(session_group *group);

/* What session_close_some() may leave for later. */
typedef enum session_closing {
    SESSION_CLOSING_ALL,
    SESSION_CLOSING_UPGRADED, /* leave those whose request was not answered yet: they would get 503 */
} session_closing;

/* Close `count` sessions of the group as session_close_all() does, first those that are in no call: who
 * is in no room, or alone in one. Those that are ending already do not count. */
void session_close_some(session_group *group, size_t count, session_closing which);

#endif
