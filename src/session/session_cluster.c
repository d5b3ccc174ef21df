#include "session/session_cluster.h"

#include "dialect/edge_client.h"
#include "dialect/remote_client.h"

#include <assert.h>
#include <stdlib.h>

void session_cluster_fill_edge(edge_events *events)
{
    edge_client_fill_events(events);
}

/* The kinds of one group. */
struct session_remotes {
    dialect_remote all[DIALECT_COUNT];
    const remote_kind *kinds[DIALECT_COUNT]; /* borrowed from these */
};

const remote_kind *const *session_cluster_kinds(session_group *group)
{
    struct session_remotes *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        const dialect *d = &group->shared->dialects.all[i];
        assert(d->slot == i);
        made->all[i] = (dialect_remote){.kind = *d->remote, .hall = &group->hall, .dialect = d};
        made->kinds[i] = &made->all[i].kind;
    }
    assert(group->remotes == NULL);
    group->remotes = made;
    return made->kinds;
}

void session_cluster_enter(session_group *group, edge *e)
{
    assert(group->shared->is_in_cluster && group->hall.manager != NULL);
    group->hall.edge = e;
}
