#include "cluster/cluster_counters.h"

const char *cluster_loss_name(cluster_loss why)
{
    static const char *const names[CLUSTER_LOSSES] = {[CLUSTER_LOSS_LINK] = "link",
                                                      [CLUSTER_LOSS_UNBOUND] = "unbound",
                                                      [CLUSTER_LOSS_MERGE] = "merge",
                                                      [CLUSTER_LOSS_GONE] = "gone",
                                                      [CLUSTER_LOSS_EDGE] = "edge"};
    return names[why];
}
