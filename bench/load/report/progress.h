/* The line that says how far a run is: percent, rate, errors, time left.
 *
 * On a terminal it is one line that is written over and over; elsewhere a plain line now and then. Goes to
 * standard error, so that standard output holds the result alone. */
#ifndef HOMECALL_BENCH_PROGRESS_H
#define HOMECALL_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *out; /* borrowed; NULL = quiet */
    bool is_terminal;
    const char *operation; /* borrowed: "call" … */
    uint64_t last_ms;      /* when a line was last written */
    int width;             /* of the line on the terminal, to wipe it */
} progress;

/* What a line says. */
typedef struct progress_state {
    const char *phase;   /* "connecting", "warming up", "measuring", "closing" */
    double done;         /* share of the run that is over, 0 to 1 */
    double seconds_left; /* negative = not known */
    uint64_t operations; /* so far in this phase */
    double per_second;   /* operations, lately */
    uint64_t open_connections;
    uint64_t retries; /* shown where there are any */
} progress_state;

/* With `is_quiet` nothing is ever written. */
void progress_init(progress *p, FILE *out, const char *operation, bool is_quiet);

/* Show the state: at most ten times a second on a terminal, once in two seconds elsewhere; `now_ms` is
 * monotonic. */
void progress_show(progress *p, const progress_state *state, uint64_t now_ms);

/* Wipe the line from a terminal: something else will be written. */
void progress_end(progress *p);

#endif
