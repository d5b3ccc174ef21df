/* What a run of homecall-bench has measured. run.c and sampler.c fill it in, the reports show it. */
#ifndef HOMECALL_BENCH_RESULT_H
#define HOMECALL_BENCH_RESULT_H

#include "measure/histogram.h"
#include "measure/refusals.h"
#include "measure/server_process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is timed. Each scenario records some of these; a report leaves out those without a value. */
typedef enum latency_kind {
    LATENCY_OPERATION, /* an operation of the scenario, from when it was due until its end */
    LATENCY_SIGNAL,    /* a signal, from when it was sent or due until it arrived; not if it was queued */
    LATENCY_CONNECT,   /* a connection, from connect() or when it was due until the upgrade was answered */
    LATENCY_RESUME,    /* a session, from the loss of its connection until "joined" */
    LATENCY_KINDS,
} latency_kind;

/* Counts of what happened in a run, or while it measured. */
typedef struct load_counts {
    uint64_t operations;                  /* operations that have ended; see result.operation_name */
    uint64_t signals;                     /* signals that have arrived and were as expected */
    uint64_t offers, answers, candidates; /* the same signals by kind */
    uint64_t signal_bytes;                /* the bytes of these signals, as WebSocket messages */
    uint64_t joins;                       /* joins that were sent */
    uint64_t connects;                    /* upgrades that were answered with 101 */
    uint64_t closes;                      /* connections that this program has closed in order */
    uint64_t losses;                      /* connections that the scenario has dropped on purpose */
    uint64_t resumed;                     /* sessions that went on with another connection */
    uint64_t resumes_refused;             /* sessions that did not: "resumed" was false */
    uint64_t sent_again;                  /* signals that were sent once more after resuming */
    uint64_t lost;                        /* signals that never arrived, as was told: not a fault */
    uint64_t doubled;                     /* signals that came twice: always a fault */
    uint64_t presence;                    /* presence messages */
    uint64_t ticks;                       /* "tick" messages */
    uint64_t refused;                     /* upgrades that were answered with another status than 101 */
    uint64_t retries;                     /* attempts to connect that failed and were repeated (storm) */
} load_counts;

/* One interval of the run. */
typedef struct result_sample {
    double at_seconds;               /* when it ended, since the measuring started */
    double interval_seconds;         /* how long it was */
    uint64_t operations;             /* in the interval */
    uint64_t signals;                /* in the interval */
    double server_cpu_seconds;       /* in the interval; 0 without the server's pid */
    uint64_t server_rss_bytes;       /* at its end; 0 without the pid */
    uint64_t open_connections;       /* at its end */
    uint64_t p50_ns, p99_ns, max_ns; /* of the latency that latency_kind_sampled() says, in the interval; 0 if
                                        there was none */
} result_sample;

/* What the server's processes have used together. */
typedef struct result_server {
    bool is_known; /* a pid was given; if not, nothing here is set */
    process_list processes;
    double cpu_seconds;                  /* while the run measured */
    double user_seconds, system_seconds; /* its two parts, only exact to a clock tick of 10 ms */
    uint64_t rss_before_bytes;           /* resident memory after PHASE_PRIME; 0 = not known */
    uint64_t rss_after_bytes;            /* after PHASE_SETUP, before the load; 0 = not known */
    uint64_t memory_connections;         /* how many connections were opened in between */
    uint64_t threads;                    /* how many they have */
    bool has_syscalls;                   /* its system calls were counted, which slows it down a little */
    uint64_t syscalls;                   /* while the run measured, and until its operations had ended */
} result_server;

typedef struct result {
    const char *scenario;       /* "call" … */
    const char *operation_name; /* singular: "call", "signal", "connection" … */
    const char *const *urls;    /* of the servers */
    unsigned url_count;
    const char *label;           /* free text of the user, or "" */
    const char *command_line;    /* roughly as it was typed */
    const char *const *settings; /* see options_settings() */
    uint64_t started_unix_ms;    /* when the run started: Unix time in ms */
    unsigned threads;            /* of the load generator */
    double seconds;              /* how long it measured */
    uint64_t open_connections;   /* at the end of the measuring */
    double target_rate;          /* the operations a second that were asked for; 0 = closed loop */
    load_counts counts;          /* while it measured */
    load_counts totals;          /* of the whole run, from the first connection to the last */
    uint64_t received_bytes;     /* of the whole run: bytes read from the server, with TLS decrypted ones */
    uint64_t sent_bytes;         /* the same, written to the server */
    histogram latency[LATENCY_KINDS];
    double client_cpu_seconds; /* CPU time of homecall-bench itself while it measured */
    result_server server;
    bool has_engine;           /* pids of an engine between servers were given */
    double engine_cpu_seconds; /* its CPU time while the run measured */
    result_sample *samples;    /* owned array */
    size_t sample_count;
    refusals refusals; /* of the whole run: by their status */
    const char *fault; /* owned: why the run ended early; NULL = it did not */
} result;

/* The name of a latency in reports: "operation", "signal" or "connect". */
const char *latency_kind_name(latency_kind kind);

/* The latency that samples show: LATENCY_SIGNAL if there are signals, else LATENCY_OPERATION. */
latency_kind latency_kind_sampled(const histogram latency[LATENCY_KINDS]);

/* Quotients that the reports show; 0 where the divisor is 0. */
double result_per_second(const result *r, uint64_t count);   /* count a second */
double result_cpu_us_per(const result *r, uint64_t count);   /* the server's CPU time for each of `count` */
double result_bytes_per_connection(const result *r);         /* the server's memory; may be negative */
double result_syscalls_per(const result *r, uint64_t count); /* the server's system calls for each */

#endif
