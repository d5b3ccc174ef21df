/* Health: does the server work, and should it get more work? A snapshot is enough to tell. Pure. */
#ifndef HOMECALL_STATS_HEALTH_H
#define HOMECALL_STATS_HEALTH_H

#include "stats/snapshot.h"

#include <stdbool.h>

/* Called for each reason why not: a line without its end, borrowed for the call. */
typedef void health_objection(void *context, const char *reason);

/* Does every thread get on with its work? If one hangs or has failed, only a restart helps. `object` may
 * be NULL. */
bool health_is_live(const snapshot *s, health_objection *object, void *context);

/* Is a thread overloaded, so that joins are refused and nobody is accepted? */
bool health_is_overloaded(const snapshot *s);

/* Should new connections come here? No while the server drains, is full, can't accept, or is late with its
 * work. `object` may be NULL.
 *
 * In a cluster, also no until the engine has been there for the first time, and while it is away for
 * CLUSTER_HOLD: newcomers would wait, or be sent away. A shorter absence changes nothing: all nodes see it,
 * and what they have goes on. Where rooms are opened without the engine (CLUSTER_WITHOUT_ENGINE=serve) both
 * end as soon as they are. */
bool health_is_ready(const snapshot *s, health_objection *object, void *context);

#endif
