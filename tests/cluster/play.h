/* Playing a script, and finding a shorter one that fails as well. */
#ifndef HOMECALL_TESTS_CLUSTER_PLAY_H
#define HOMECALL_TESTS_CLUSTER_PLAY_H

#include "cluster/script.h"

/* What the runs so far have had in them: a simulation in which nothing happens shows nothing. */
typedef struct play_sums {
    uint64_t signals, handed, merges, link_losses, packets, unreachable;
} play_sums;

extern play_sums play_sum;

/* Play it from its start to its end. True if everything was as it must be; otherwise fail_text says what was
 * not. */
bool play(const script *s);

/* The script fails: leave out steps as long as it does, and print it. */
void play_explain(const script *s);

#endif
