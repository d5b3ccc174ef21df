/* A whole run: its threads, its phases, what main looks at while it goes on, and its result. */
#ifndef HOMECALL_BENCH_RUN_H
#define HOMECALL_BENCH_RUN_H

#include "load.h"
#include "measure/result.h"
#include "options.h"

typedef struct run run;

/* Put the load on the server, with progress on standard error. 0 and the result in *out (run_free_result()
 * gives its memory back), also where a fault ended it (out->fault is set then); or -errno, with a line on
 * standard error, where it could not begin. `command_line` is borrowed by the result, and so are the options.
 */
int run_load(const load_options *options, const char *command_line, result *out);
void run_free_result(result *r);

/* ---- For the threads ---- */

/* A few letters that no other run has, for names of rooms and users. */
const char *run_tag(const run *r);

/* The phase that all are to be in. Any thread. */
load_phase run_phase(const run *r);

/* This thread has done its part of the phase. */
void run_part_done(run *r, load_phase phase);

/* The first fault ends the run. Any thread. */
void run_fault(run *r, const char *text);

/* What is the same for all threads. Immutable while they run. */
const target *run_target(const run *r);
const opening *run_opening(const run *r);
tls_settings *run_tls(const run *r);

#endif
