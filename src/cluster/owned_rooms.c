#include "cluster/owned_rooms.h"

#include "base/log.h"
#include "base/wipe.h"

#include <assert.h>

owned_room *owned_rooms_find(const owner *o, const room_key *key)
{
    owned_room *found;
    unsigned hash = room_key_hash(key);
    HASH_FIND_BYHASHVALUE(table, o->rooms, key->bytes, sizeof(key->bytes), hash, found);
    return found;
}

owned_room *owned_rooms_add(owner *o, const room_key *key, room_space space, slice name)
{
    owned_room *room = calloc(1, sizeof(*room) + name.len);
    if (room == NULL)
        return NULL;
    room->key = *key;
    room->space = (uint8_t)space;
    room->name_len = name.len;
    memcpy(room->name, name.data, name.len);
    TAILQ_INIT(&room->remotes);
    STAILQ_INIT(&room->held);
    unsigned hash = room_key_hash(key);
    HASH_ADD_BYHASHVALUE(table, o->rooms, key, sizeof(room->key), hash, room);
    if (room->table.tbl == NULL) { /* that is how uthash says that there is no memory */
        free(room);
        return NULL;
    }
    return room;
}

void owned_rooms_remove(owner *o, owned_room *room)
{
    assert(TAILQ_EMPTY(&room->remotes) && STAILQ_EMPTY(&room->held));
    HASH_DELETE(table, o->rooms, room);
    wipe_and_free(room, sizeof(*room) + room->name_len);
}

void owned_rooms_log_move(const owned_room *room, const node_id *other, const char *event,
                          uint64_t pushed_out)
{
    const log_level level = pushed_out > 0 ? LOG_WARN : LOG_INFO;
    char id[NODE_ID_TEXT_CAP];
    if (!log_is_on(level))
        return;
    node_id_print(other, id);
    LOG(level, "HomeCall_Signal_Cluster", event, LOG_PRIVATE("room", owned_room_name(room)),
        LOG_BYTES("incarnation", slice_of_text(id)), LOG_NUMBER("pushed_out", pushed_out));
}
