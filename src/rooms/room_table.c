#include "rooms/room_table.h"

#include <errno.h>

void room_table_init(room_table *table, const keyed_hash *hash)
{
    table->hash = *hash;
    table->first = NULL;
}

/* The names of two spaces are told apart by their hashes alone, which the table compares first. */
static unsigned hash_of(const room_table *table, room_space space, slice name)
{
    return (unsigned)(room_hash(&table->hash, space, name) & UINT32_MAX);
}

room *room_table_find(const room_table *table, room_space space, slice name)
{
    unsigned hash = hash_of(table, space, name); /* the macro evaluates it more than once */
    room *found;
    HASH_FIND_BYHASHVALUE(table, table->first, name.data, name.len, hash, found);
    return found;
}

int room_table_add(room_table *table, room *r)
{
    slice name = room_name(r);
    unsigned hash = hash_of(table, (room_space)r->space, name);
    HASH_ADD_KEYPTR_BYHASHVALUE(table, table->first, name.data, name.len, hash, r);
    return r->table.tbl == NULL ? -ENOMEM : 0; /* that is how uthash says so */
}

void room_table_remove(room_table *table, room *r)
{
    HASH_DELETE(table, table->first, r);
}

room *room_table_first(const room_table *table)
{
    return table->first;
}
