#include "rooms/room_table.h"

#include <assert.h>
#include <errno.h>

/* The names of two spaces are told apart by their hashes alone, which the table compares first. */
static unsigned hash_of(const room_table *table, room_space space, slice name)
{
    return (unsigned)(room_hash(&table->hash, space, name) & UINT32_MAX);
}

/* 0 or -ENOMEM. */
static int add(room_table *table, room *r, unsigned hash)
{
    slice name = room_name(r);
    HASH_ADD_KEYPTR_BYHASHVALUE(table, table->head, name.data, name.len, hash, r);
    return r->table.tbl == NULL ? -ENOMEM : 0; /* that is how uthash says so */
}

int room_table_init(room_table *table, const keyed_hash *hash)
{
    *table = (room_table){.hash = *hash};
    const slice no_name = SLICE_LITERAL("");
    room *placeholder = room_new(ROOM_SPACE_ROOMS, no_name, SLICE_LITERAL("\"\""), 0, 0);
    if (placeholder == NULL)
        return -ENOMEM;
    /* No name has this hash and is empty, in neither space: so the placeholder is never found. */
    int error = add(table, placeholder, hash_of(table, ROOM_SPACE_ROOMS, no_name) ^ 1);
    if (error != 0) {
        table->head = NULL;
        room_free(placeholder);
    }
    return error;
}

void room_table_deinit(room_table *table)
{
    room *placeholder = table->head;
    if (placeholder == NULL)
        return;
    assert(room_table_first(table) == NULL);
    HASH_DELETE(table, table->head, placeholder);
    room_free(placeholder);
}

room *room_table_find(const room_table *table, room_space space, slice name)
{
    unsigned hash = hash_of(table, space, name); /* the macro evaluates it more than once */
    room *found;
    HASH_FIND_BYHASHVALUE(table, table->head, name.data, name.len, hash, found);
    return found;
}

int room_table_add(room_table *table, room *r)
{
    return add(table, r, hash_of(table, (room_space)r->space, room_name(r)));
}

void room_table_remove(room_table *table, room *r)
{
    assert(r != table->head);
    HASH_DELETE(table, table->head, r);
}

room *room_table_first(const room_table *table)
{
    return table->head->table.next;
}
