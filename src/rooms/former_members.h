/* The users that a room has lost lately: whose connection was lost, or who were silent. When they come back
 * and the room is full, they go before strangers (waiting_line.h).
 *
 * Only the latest few are kept, as many as the room has places. Without memory for one, it is forgotten. */
#ifndef HOMECALL_ROOMS_FORMER_MEMBERS_H
#define HOMECALL_ROOMS_FORMER_MEMBERS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct former_member {
    SLIST_ENTRY(former_member) link;
    uint64_t lost_ms; /* when */
    size_t len;       /* of `user` */
    char user[];      /* the plain name */
} former_member;

/* The latest first. Zeroed it is empty. */
typedef SLIST_HEAD(former_members, former_member) former_members;

/* Note that this user was lost, and keep `most` of them, at least 1. */
void former_members_add(former_members *list, slice user, uint64_t now_ms, unsigned most);

/* Was this user lost not longer than `ttl_ms` ago? */
bool former_members_has(const former_members *list, slice user, uint64_t now_ms, uint64_t ttl_ms);

/* Forget this user, if it is there; it is back, or has left. */
void former_members_remove(former_members *list, slice user);

/* Forget all. */
void former_members_clear(former_members *list);

#endif
