/* The witness of the simulation: it knows what has become of each signal, and what must hold. It ends the run
 * where that does not (run_fail.h). */
#ifndef HOMECALL_TESTS_CLUSTER_WITNESS_H
#define HOMECALL_TESTS_CLUSTER_WITNESS_H

#include "cluster/world.h"

/* The kinds tell it what comes to the rooms. */
void witness_open(void);

/* Something that this client notices: compared in runs that are recorded. */
void witness_note(world *w, client *c, const char *what, int number);

/* What has become of the signal with these bytes. */
fate *witness_fate(world *w, slice payload);

void witness_on_link_lost(world *w);
void witness_on_deliver(client *c, slice payload);

/* No room has two owners, where that can't be. Called all the time. */
void witness_require_one_owner(world *w);

/* Where the engine is away for CLUSTER_HOLD nobody is held any more. */
void witness_require_no_hold(const sim_worker *w);

/* Everything has healed, for so long that no room has two owners, or everybody is where it wants to be. */
void witness_require_merged(world *w);
void witness_require_together(world *w);

/* No link was lost, and so nothing with it. */
void witness_require_no_loss(const world *w);

/* It is over: everybody has gone. Each signal must have had its outcome, and nothing may be left. */
void witness_require_settled(world *w);

#endif
