/* The rooms of one manager by codeword and space: uthash behind one module, with our hash (room_hash.h) and
 * our answer to its out-of-memory.
 *
 * Codewords are chosen by clients, so the hash has a key.
 *
 * uthash frees its buckets when the last room goes, and makes them anew for the next one. On a quiet server
 * each connection would pay for that. So a placeholder is always in the table, a room without a name, which
 * is found by nobody. */
#ifndef HOMECALL_ROOMS_ROOM_TABLE_H
#define HOMECALL_ROOMS_ROOM_TABLE_H

#include "base/keyed_hash.h"
#include "base/slice.h"
#include "rooms/room.h"
#include "rooms/room_hash.h"

typedef struct room_table {
    keyed_hash hash;
    room *head; /* uthash's: the placeholder, owned. The rooms behind it are borrowed. NULL = not made */
} room_table;

/* Make an empty table; `hash` is copied. 0 or -ENOMEM. */
int room_table_init(room_table *table, const keyed_hash *hash);

/* Free what that made. The table must be empty again. One that is zeroed, or could not be made, is legal. */
void room_table_deinit(room_table *table);

/* The room with this codeword in this space. Borrowed; NULL when there is none. */
room *room_table_find(const room_table *table, room_space space, slice name);

/* Add a room whose codeword is not in the table in its space. The table borrows it until room_table_remove().
 * 0, or -ENOMEM with nothing changed. */
int room_table_add(room_table *table, room *r);

/* Remove a room that is in the table. */
void room_table_remove(room_table *table, room *r);

/* Any room, NULL when there is none: to empty a table. */
room *room_table_first(const room_table *table);

#endif
