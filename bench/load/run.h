/* A whole run: its threads, its phases, and its result. */
#ifndef HOMECALL_BENCH_RUN_H
#define HOMECALL_BENCH_RUN_H

#include "load.h"
#include "measure/result.h"
#include "options.h"

typedef struct run run;

/* Put the load on the server, and show the progress on standard error. 0 and the result in *out, which the
 * caller gives to run_free_result(); also when a fault has ended the run, and then out->fault is set. Or
 * -errno, with a message on standard error, when it could not start. The result borrows the options and
 * `command_line`. The main thread. */
int run_load(const load_options *options, const char *command_line, result *out);

/* Free what a result owns. */
void run_free_result(result *r);

/* ---- For the threads: any thread ---- */

/* A short text that is different in each run, for the names of rooms and users. Lent. */
const char *run_tag(const run *r);

/* The phase that all threads must enter. */
load_phase run_phase(const run *r);

/* Report that the calling thread has done its part of the phase. Once for each phase. */
void run_part_done(run *r, load_phase phase);

/* Report a fault: the first one ends the run. `text` is copied. */
void run_fault(run *r, const char *text);

/* What all threads share: lent, and immutable while they run. */
const server_list *run_servers(const run *r);

#endif
