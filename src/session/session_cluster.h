/* Session cluster: what a session group of a worker has to do with the cluster (CLUSTER.md).
 *
 * Without a cluster nothing here is called, and dialect_hall.edge is NULL. With one, all rooms of this worker
 * are reached by its edge, also those that are here: the worker is one of their edges. The owner of the rooms
 * has the RoomManager of the group, and nobody else calls that.
 *
 * The order at the start: session_shared.is_in_cluster is set before the first group is made; then
 * session_group_init(); then edge_init(), with what session_cluster_fill_edge() has filled in; owner_init(),
 * with the kinds and with group->rooms.manager; session_cluster_enter(); and then the loop may turn. At the
 * end: all connections have ended, then owner_deinit() and edge_deinit(), then session_group_deinit().
 *
 * All functions: the group's thread, or any thread while that does not run. */
#ifndef HOMECALL_SESSION_SESSION_CLUSTER_H
#define HOMECALL_SESSION_SESSION_CLUSTER_H

#include "cluster/edge.h"
#include "session/session_group.h"

/* Fill in the events that are told to clients: on_joined, on_waiting, on_deliver, on_queue_full, on_probe,
 * on_full, on_close and on_lost. The others, and `context`, are the caller's and are not touched: these eight
 * use `client` alone, so the context may be whatever the others need. */
void session_cluster_fill_edge(edge_events *events);

/* The dialects as kinds of remotes, for owner_options.kinds; there are DIALECT_COUNT, and the number of each
 * is dialect.slot, which all nodes agree on. The group, which must not move, owns them until its end. NULL
 * without memory. */
const remote_kind *const *session_cluster_kinds(session_group *group);

/* From here on the clients of this group join their rooms by that edge, borrowed until the group's end. No
 * session is in the group yet. */
void session_cluster_enter(session_group *group, edge *e);

#endif
