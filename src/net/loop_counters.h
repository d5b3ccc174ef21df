/* What a loop counts about its turns; the loop's thread writes, any thread reads. Counters only. */
#ifndef HOMECALL_NET_LOOP_COUNTERS_H
#define HOMECALL_NET_LOOP_COUNTERS_H

#include "base/counter_histogram.h"

typedef struct loop_counters {
    counter turns;            /* of the loop */
    counter turn_started_us;  /* monotonic: of the turn under way; 0 = it waits */
    counter lag_max_us;       /* the longest turn of the last ten to twenty seconds */
    counter_histogram lag_us; /* how long turns took: so long others had to wait */
} loop_counters;

#endif
