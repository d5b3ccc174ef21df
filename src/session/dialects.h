/* The dialects that a server speaks: a row for each. */
#ifndef HOMECALL_SESSION_DIALECTS_H
#define HOMECALL_SESSION_DIALECTS_H

#include "dialect/dialect.h"

enum { DIALECT_COUNT = 3 };

/* The dialects of one server, in the order in which a handshake is looked at. The last one is for requests
 * that ask for nothing. Nodes of a cluster know each other's dialects by `slot`, so those that are there
 * keep theirs when one is added. Immutable while threads run. */
typedef struct dialects {
    dialect all[DIALECT_COUNT];
} dialects;

/* That last one. */
static inline const dialect *dialects_default(const dialects *list)
{
    return &list->all[DIALECT_COUNT - 1];
}

/* All that there are, for participants of this host, which is borrowed. `is_in_cluster`: their rooms may be
 * on another node. */
void dialects_init(dialects *list, const participant_host *host, bool is_in_cluster);

#endif
