#include "rooms/room_hash.h"

/* Odd, so that both halves of a hash differ from one space to the other. It needs to be no secret: the key of
 * the hash is. */
static const uint64_t difference = 0x9E3779B97F4A7C15U;

uint64_t room_hash(const keyed_hash *hash, room_space space, slice name)
{
    return keyed_hash_of(hash, name) ^ difference * (uint64_t)space;
}
