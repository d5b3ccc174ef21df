#include "session/session_group.h"

#include "net/connection_turn.h"
#include "session/session.h"

#include <assert.h>

int session_group_init(session_group *group, session_shared *shared, net_loop *loop,
                       const connection_events *events, int shard)
{
    assert(shard == SESSION_NO_SHARD || (shard >= 0 && shard < shared->shards));
    *group = (session_group){.shared = shared, .loop = loop, .shard = shard};
    int error =
        connection_set_init(&group->connections, loop, &shared->net, &connection_turn_hooks, events, group);
    if (error != 0 || shard == SESSION_NO_SHARD)
        return error;
    error = session_rooms_init(&group->rooms, loop, &shared->limits.rooms, &shared->hash, &shared->budget,
                               &group->counters);
    if (error != 0)
        connection_set_deinit(&group->connections);
    return error;
}

void session_group_deinit(session_group *group)
{
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

/* ---- Some of them ---- */

typedef struct closing_some {
    size_t left;
    session_closing which;
    bool spares_calls;
} closing_some;

static bool close_if_meant(connection_entry *entry, void *context)
{
    closing_some *some = context;
    connection *c = connection_of(entry);
    const session *s = session_of(c);
    bool is_meant =
        connection_is_open(c) || (entry->state == CONNECTION_HANDSHAKE && some->which == SESSION_CLOSING_ALL);
    bool is_in_call = session_is_joined(s) && room_member_has_company(s->peer.member);
    if (!is_meant || (is_in_call && some->spares_calls))
        return true;
    close_one(entry);
    return --some->left > 0;
}

void session_group_close_some(session_group *group, size_t count, session_closing which)
{
    closing_some some = {.left = count, .which = which, .spares_calls = true};
    if (some.left > 0)
        connection_set_each_while(&group->connections, close_if_meant, &some);
    some.spares_calls = false;
    if (some.left > 0)
        connection_set_each_while(&group->connections, close_if_meant, &some);
}

static void drop_one(connection_entry *entry)
{
    connection_drop(connection_of(entry), CLOSE_REASON_SERVER_STOPS, "the server ends");
}

void session_group_drop_all(session_group *group)
{
    connection_set_each(&group->connections, drop_one);
}
