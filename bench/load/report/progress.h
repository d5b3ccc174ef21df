/* The line that shows how far a run is: percent, rate, retries, time left.
 *
 * On a terminal it is one line that is overwritten again and again, elsewhere a new line every two seconds.
 * It is for standard error, so that only the result is on standard output. */
#ifndef HOMECALL_BENCH_PROGRESS_H
#define HOMECALL_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *out; /* borrowed; NULL = quiet */
    bool is_terminal;
    const char *operation; /* borrowed: "call" … */
    uint64_t last_ms;      /* monotonic: when a line was written last */
    int width;             /* of the line on the terminal, in columns */
} progress;

/* What a line shows. */
typedef struct progress_state {
    const char *phase;   /* "connecting", "warming up", "measuring", "closing" */
    double done;         /* how much of the phase is over, 0 to 1 */
    double seconds_left; /* of the phase; negative = not known */
    uint64_t operations; /* so far in the phase */
    double per_second;   /* operations a second in the phase */
    uint64_t open_connections;
    uint64_t retries; /* shown only if there are any */
} progress_state;

/* Start. Nothing is ever written if `is_quiet`. */
void progress_init(progress *p, FILE *out, const char *operation, bool is_quiet);

/* Show the state: at most ten times a second on a terminal, once in two seconds elsewhere; `now_ms` is
 * monotonic. */
void progress_show(progress *p, const progress_state *state, uint64_t now_ms);

/* Clear the line on a terminal, because something else will be written. */
void progress_end(progress *p);

#endif
