/* The rooms of one manager by codeword: uthash behind one module, with our hash and our answer to its
 * out-of-memory.
 *
 * Codewords are chosen by clients, so the hash has a key. Its low 32 bits choose the bucket. The high bits
 * are left for spreading rooms over shards, so that the rooms of one shard still use all of its buckets. */
#ifndef HOMECALL_ROOMS_ROOM_TABLE_H
#define HOMECALL_ROOMS_ROOM_TABLE_H

#include "base/keyed_hash.h"
#include "base/slice.h"
#include "rooms/room.h"

typedef struct room_table {
    keyed_hash hash;
    room *first; /* uthash's head; NULL = empty. The rooms are borrowed. */
} room_table;

/* Make an empty table; `hash` is copied. It needs no deinit once it is empty again. */
void room_table_init(room_table *table, const keyed_hash *hash);

/* The room with this codeword. Borrowed; NULL when there is none. */
room *room_table_find(const room_table *table, slice name);

/* Add a room whose codeword is not in the table. The table borrows it until room_table_remove(). 0, or
 * -ENOMEM with nothing changed. */
int room_table_add(room_table *table, room *r);

/* Remove a room that is in the table. */
void room_table_remove(room_table *table, room *r);

/* Any room, NULL when there is none: to empty a table. */
room *room_table_first(const room_table *table);

#endif
