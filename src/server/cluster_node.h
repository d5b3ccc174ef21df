/* Cluster node: what a server has of the cluster for all its threads: the core of the node, and its courier.
 * Without CLUSTER_URL there is none, and nothing is paid. */
#ifndef HOMECALL_SERVER_CLUSTER_NODE_H
#define HOMECALL_SERVER_CLUSTER_NODE_H

#include "homecall/signal_server.h"
#include "server/worker_cluster.h"
#include "stats/snapshot_cluster.h"

typedef struct cluster_node cluster_node;

/* Read the files of the options, try the engine, and make a node, of which nothing runs. An engine that does
 * not answer is waited for later; one that refuses us, or takes no message as long as ours, fails the start.
 * `wake` is called when the core has something for a worker. `options` are borrowed until the end. 0 and the
 * node in *out, owned by the caller; *out is NULL where there is no cluster; or -errno, and *fault says why.
 */
int cluster_node_make(const signal_server_options *options, void (*wake)(void *context, unsigned worker),
                      void *context, cluster_node **out, signal_server_fault *fault);

/* What the workers need. Of no node it is all zero. */
worker_cluster_plan cluster_node_plan(const cluster_node *n);

/* Above which number the connections of this node are numbered: where two nodes have a part in a call, their
 * logs call each connection by one number. Of no node it is 0. */
uint64_t cluster_node_first_connection(const cluster_node *n);

/* Start the courier. 0 or -errno. */
int cluster_node_start(cluster_node *n);

/* Read its numbers, and what it knows of the others. Any thread, while it runs. */
void cluster_node_read(const cluster_node *n, snapshot_cluster *out);

/* This node wants to end: owners give their rooms away. NULL is legal, as below. Any thread. */
void cluster_node_drain(cluster_node *n);

/* Say BYE, and end the courier: when no worker runs any more, and before they are freed. */
void cluster_node_stop(cluster_node *n);

/* Free it, after the workers. */
void cluster_node_free(cluster_node *n);

#endif
