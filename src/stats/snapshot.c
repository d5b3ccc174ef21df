#include "stats/snapshot.h"

#include <assert.h>

static_assert(sizeof(thread_counters) % sizeof(counter) == 0, "nothing but counters");

void snapshot_copy_counters(void *to, const void *from, size_t bytes)
{
    assert(bytes % sizeof(counter) == 0);
    counter *out = to;
    const counter *in = from;
    for (size_t i = 0; i < bytes / sizeof(counter); i++)
        counter_set(&out[i], counter_get(&in[i]));
}

void snapshot_sum(snapshot *s)
{
    s->total = (thread_counters){0};
    counter *sums = (counter *)&s->total;
    for (size_t t = 0; t < s->thread_count; t++) {
        const counter *counters = (const counter *)&s->threads[t].counters;
        for (size_t i = 0; i < sizeof(thread_counters) / sizeof(counter); i++)
            counter_add(&sums[i], counter_get(&counters[i]));
    }
}

uint64_t snapshot_connections(const snapshot *s)
{
    uint64_t open = 0;
    for (int t = 0; t < NET_TRANSPORTS; t++)
        for (int phase = 0; phase < NET_PHASES; phase++)
            open += counter_get(&s->total.net.connections[t][phase]);
    return open;
}
