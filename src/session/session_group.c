#include "session/session_group.h"

#include "net/connection_turn.h"

#include <assert.h>

int session_group_init(session_group *group, session_shared *shared, net_loop *loop,
                       const connection_events *events, int shard)
{
    assert(shard == SESSION_NO_SHARD || (shard >= 0 && shard < shared->shards));
    assert(shared->shards <= JOIN_MAX_SHARDS);
    *group = (session_group){.shared = shared, .loop = loop, .shard = shard};
    int error =
        connection_set_init(&group->connections, loop, &shared->net, &connection_turn_hooks, events, group);
    if (error != 0 || shard == SESSION_NO_SHARD)
        return error;
    error = session_rooms_init(&group->rooms, loop, &shared->limits.rooms, &shared->hash, &shared->budget,
                               &group->counters);
    if (error != 0)
        connection_set_deinit(&group->connections);
    else
        held_joins_init(&group->held, loop);
    return error;
}

void session_group_deinit(session_group *group)
{
    held_joins_deinit(&group->held);
    session_rooms_deinit(&group->rooms);
    connection_set_deinit(&group->connections);
}

static void close_one(connection_entry *entry)
{
    connection_close(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server stops");
}

void session_group_close_all(session_group *group)
{
    connection_set_each(&group->connections, close_one);
}

static void drop_one(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server ends");
}

void session_group_drop_all(session_group *group)
{
    connection_set_each(&group->connections, drop_one);
}
