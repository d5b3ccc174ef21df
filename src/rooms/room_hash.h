/* The hash of a room: of its codeword and of the space of names that this belongs to.
 *
 * Its lower half chooses the bucket in the table of a shard, its upper half the shard. So the rooms of one
 * shard still use all buckets of its table. */
#ifndef HOMECALL_ROOMS_ROOM_HASH_H
#define HOMECALL_ROOMS_ROOM_HASH_H

#include "base/keyed_hash.h"

/* The same name in two spaces names two rooms. */
typedef enum room_space {
    ROOM_SPACE_ROOMS,    /* the rooms of versions 1 and 2 of the protocol */
    ROOM_SPACE_SESSIONS, /* the sessions of protocol/README.md, "The session dialect" */
} room_space;

/* The hash of the room of this name. Any thread. For one name in two spaces, both halves differ, by the
 * number below: it needs to be no secret, since the key of the hash is. */
static inline uint64_t room_hash(const keyed_hash *hash, room_space space, slice name)
{
    const uint64_t difference = 0x9E3779B97F4A7C15U;
    return keyed_hash_of(hash, name) ^ difference * (uint64_t)space;
}

#endif
