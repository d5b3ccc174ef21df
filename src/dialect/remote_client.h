/* Remote client: what a dialect has in common with others as a kind of remotes (cluster/remote.h): who is
 * behind a remote, for the budget of the queues and for the log.
 *
 * Where its dialect keeps more for a remote, that begins with a remote_client. All functions: the thread that
 * has the rooms, unless they say otherwise. */
#ifndef HOMECALL_DIALECT_REMOTE_CLIENT_H
#define HOMECALL_DIALECT_REMOTE_CLIENT_H

#include "cluster/remote.h"
#include "dialect/dialect.h"
#include "dialect/extra.h"

typedef struct remote_client {
    uint32_t account; /* which its queued signals are charged to, of those of its edge; 0 = none */
    uint64_t conn;    /* the number that log lines of its edge know the connection by */
} remote_client;

/* A dialect as a kind of remotes, in one hall: what owner_options.kinds points to. */
typedef struct dialect_remote {
    remote_kind kind;       /* first, so that a remote's kind leads here */
    dialect_hall *hall;     /* borrowed */
    const dialect *dialect; /* borrowed */
} dialect_remote;

/* The hall and the dialect of a remote. */
static inline const dialect_remote *dialect_remote_of(const remote *r)
{
    return (const dialect_remote *)(const void *)remote_kind_of(r);
}

/* What the JOIN of a participant begins with, on the thread of its edge; and how such a thing is written and
 * read, on any. */
void remote_client_introduce(extra_writer *w, const participant *p);
void remote_client_put(extra_writer *w, const remote_client *client);
void remote_client_read(extra_reader *from, remote_client *client);

/* What a signal says besides, where its dialect adds nothing: whether it may be logged now, since its edge
 * counts the lines about a client. The thread of the edge. */
slice remote_client_mark(const dialect_hall *hall);

/* See remote_kind: of a dialect that keeps nothing but the remote_client. A signal of a kind that the dialect
 * does not have is not passed on. */
bool remote_client_open(remote *r, slice extra, bool is_moved);
void remote_client_close(remote *r);
void remote_client_pack(const remote *r, bytes **extra);
bool remote_client_on_signal(remote *r, const wire_message *signal);

/* See room_peer_face. */
uint32_t remote_client_account(const room_peer *peer);
uint64_t remote_client_id(const room_peer *peer);

/* The functions of a face that are the same for all kinds. */
#define REMOTE_CLIENT_FACE                                                          \
    .probe = remote_face_probe, .is_alive_since = remote_face_is_alive_since,       \
    .is_in_doubt = remote_face_is_in_doubt, .on_admitted = remote_face_on_admitted, \
    .on_refused = remote_face_on_refused, .on_replaced = remote_face_on_replaced,   \
    .account = remote_client_account, .id = remote_client_id

#endif
