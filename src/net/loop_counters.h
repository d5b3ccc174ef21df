/* What a loop counts about its turns. The loop's thread writes, any thread may read. Counters only. */
#ifndef HOMECALL_NET_LOOP_COUNTERS_H
#define HOMECALL_NET_LOOP_COUNTERS_H

#include "base/counter_histogram.h"

typedef struct loop_counters {
    counter turns;           /* how many there were */
    counter turn_started_us; /* monotonic: when the current turn started; 0 while the loop waits for events */
    counter lag_max_us;      /* the longest turn of the last ten to twenty seconds */
    counter overloads;       /* how often the loop was found to be overloaded: loop.h */
    counter
        overloaded_until_us; /* monotonic: until when that counts, unless turns go on to be late; 0 = never */
    counter_histogram lag_us; /* how long turns took: what became ready meanwhile waited at most so long */
} loop_counters;

#endif
