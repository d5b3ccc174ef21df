#include "session/session_group.h"

#include "net/connection_turn.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static uint64_t now_ms(const dialect_hall *hall)
{
    const session_group *group =
        (const session_group *)(const void *)((const char *)hall - offsetof(session_group, hall));
    return net_loop_now_ms(group->loop);
}

/* The dialects may use the rooms from here on. */
static int open_hall(session_group *group)
{
    held_joins_init(&group->held, group->loop);
    dialect_hall *hall = &group->hall;
    hall->manager = group->rooms.manager;
    hall->reserve = session_rooms_reserve;
    hall->release = session_rooms_release;
    hall->context = &group->rooms;
    int error = dialect_ticker_init(&group->sittings, group->loop, &group->shared->dialects, hall);
    if (error != 0)
        session_group_deinit(group);
    return error;
}

int session_group_init(session_group *group, session_shared *shared, net_loop *loop,
                       const connection_events *events, const participant_host *host, int shard)
{
    assert(shard == SESSION_NO_SHARD || (shard >= 0 && shard < shared->shards));
    assert(shared->shards <= JOIN_MAX_SHARDS);
    *group = (session_group){.shared = shared, .loop = loop, .shard = shard};
    if (shared->dialects.all[0].host == NULL)
        dialects_init(&shared->dialects, host, shared->is_in_cluster);
    group->hall =
        (dialect_hall){.counters = &group->counters, .limits = &shared->limits.dialects, .now_ms = now_ms};
    int error =
        connection_set_init(&group->connections, loop, &shared->net, &connection_turn_hooks, events, group);
    if (error != 0 || shard == SESSION_NO_SHARD)
        return error;
    error = session_rooms_init(&group->rooms, loop, &shared->limits.rooms, &shared->hash, &shared->budget,
                               &group->hall, &shared->hooks);
    if (error != 0)
        connection_set_deinit(&group->connections);
    if (error == 0)
        error = open_hall(group);
    return error;
}

void session_group_deinit(session_group *group)
{
    dialect_ticker_deinit(&group->sittings); /* before the rooms: peers do not look back */
    held_joins_deinit(&group->held);
    session_rooms_deinit(&group->rooms);
    free(group->remotes);
    connection_set_deinit(&group->connections);
}

static void drop_one(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server ends");
}

void session_group_drop_all(session_group *group)
{
    connection_set_each(&group->connections, drop_one);
}
