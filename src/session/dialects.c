#include "session/dialects.h"

#include "dialect_1/dialect_1.h"
#include "dialect_2/dialect_2.h"
#include "dialect_2/edge_2.h"
#include "dialect_session/dialect_session.h"

#include <assert.h>

void dialects_init(dialects *list, const participant_host *host, bool is_in_cluster)
{
    static const dialect *const here[DIALECT_COUNT] = {&dialect_2, &dialect_session, &dialect_1};
    static const dialect *const anywhere[DIALECT_COUNT] = {&dialect_2_edge, &dialect_session, &dialect_1};
    const dialect *const *rows = is_in_cluster ? anywhere : here;
    static_assert((int)DIALECT_COUNT <= (int)DIALECT_MAX, "each has a slot");
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        list->all[i] = *rows[i];
        list->all[i].host = host;
        list->all[i].slot = i;
    }
}
