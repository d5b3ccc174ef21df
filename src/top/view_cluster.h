/* The lines of a view about the cluster that a server is a node of. Without one they draw nothing. */
#ifndef HOMECALL_TOP_VIEW_CLUSTER_H
#define HOMECALL_TOP_VIEW_CLUSTER_H

#include "top/pen.h"

/* A line of numbers. */
void view_cluster_draw(pen *p);

/* A line with the other nodes; none where there are no others. */
void view_cluster_draw_nodes(pen *p);

#endif
