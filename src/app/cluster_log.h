/* What the log of a node of a cluster has besides: the name of the node in each line, and tags that are made
 * with the secret of the cluster, so that the logs of several nodes can be read together. */
#ifndef HOMECALL_APP_CLUSTER_LOG_H
#define HOMECALL_APP_CLUSTER_LOG_H

#include "app/app_config.h"
#include "cluster/cluster_settings.h"

/* For the start of the log, which copies it. To be wiped. */
typedef struct cluster_log {
    char node[CLUSTER_NAME_MAX + 1];
    uint8_t tag_key[CLUSTER_TAG_KEY_BYTES];
} cluster_log;

/* Point the options of the log to what `made` gets. Nothing changes without a cluster. Where the secret can't
 * be read, the tags are of this process alone; the start of the server tells why. */
void cluster_log_prepare(const app_config *config, signal_log_options *log, cluster_log *made);

#endif
