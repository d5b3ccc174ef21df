/* What a run of homecall-bench has measured: filled by run.c, told by the report_*.c. */
#ifndef HOMECALL_BENCH_RESULT_H
#define HOMECALL_BENCH_RESULT_H

#include "measure/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is timed. Each scenario fills some of them; an empty one is left out of every report. */
typedef enum latency_kind {
    LATENCY_OPERATION, /* the scenario's operation, from the time it was due to its end */
    LATENCY_SIGNAL,    /* a signal, from its send (or due time) to its arrival, through the server; not those
                          that waited in a queue */
    LATENCY_CONNECT,   /* from connect() (or due time) to the answered upgrade */
    LATENCY_KINDS,
} latency_kind;

/* Counts of what happened while the run measured. */
typedef struct load_counts {
    uint64_t operations;                  /* see result.operation_name */
    uint64_t signals;                     /* that arrived and were checked */
    uint64_t offers, answers, candidates; /* of them */
    uint64_t signal_bytes;                /* payloads of their WebSocket messages, as received */
    uint64_t joins;                       /* sent */
    uint64_t connects;                    /* upgrades answered with 101 */
    uint64_t closes;                      /* connections that the client has closed in order */
    uint64_t losses;                      /* connections that the scenario has lost on purpose */
    uint64_t retries;                     /* failed attempts to connect that were tried again (storm) */
} load_counts;

/* One moment of the run. */
typedef struct result_sample {
    double at_seconds;       /* since the measuring began, at the interval's end */
    double interval_seconds; /* how long the interval was */
    uint64_t operations;     /* in the interval, as are the next two */
    uint64_t signals;
    double server_cpu_seconds;       /* 0 without the server's pid */
    uint64_t server_rss_bytes;       /* at the interval's end; 0 without the pid */
    uint64_t open_connections;       /* at the interval's end */
    uint64_t p50_ns, p99_ns, max_ns; /* of LATENCY_OPERATION in the interval, or of LATENCY_SIGNAL where
                                        there are signals; 0 where nothing was recorded */
} result_sample;

/* The server's process, as the kernel accounts for it. */
typedef struct result_server {
    bool is_known; /* its pid was given */
    long pid;
    double cpu_seconds;                  /* user and system, while the run measured */
    double user_seconds, system_seconds; /* in clock ticks of 10 ms: a rough split of the same */
    uint64_t rss_before_bytes;           /* before the first connection that counts */
    uint64_t rss_after_bytes;            /* with all of them open, before the load */
    uint64_t memory_connections;         /* how many were opened in between; 0 = not told */
    uint64_t threads;                    /* of the server */
    bool has_syscalls;                   /* they were counted, which slows the server down a little */
    uint64_t syscalls;                   /* while the run measured */
} result_server;

typedef struct result {
    const char *scenario;       /* "call" … */
    const char *operation_name; /* singular: "call", "signal", "connection" … */
    const char *url;
    const char *label;        /* free text of the user, or "" */
    const char *command_line; /* as it was typed, for the report */
    const char *const
        *settings;             /* pairs "name", "value" of everything that shapes the load; NULL ends them */
    uint64_t started_unix_ms;  /* UTC */
    unsigned threads;          /* of the load generator */
    double seconds;            /* how long it measured */
    uint64_t open_connections; /* at the end of the measuring */
    double target_rate;        /* operations a second asked for; 0 = closed loop */
    load_counts counts;
    load_counts totals;      /* of the whole run: with setting up, warming up and closing */
    uint64_t received_bytes; /* of the whole run: read from the server, heads and frames as they are in TCP,
                                or inside TLS */
    uint64_t sent_bytes;     /* the same, written to it */
    histogram latency[LATENCY_KINDS];
    double client_cpu_seconds; /* of homecall-bench itself while it measured */
    result_server server;
    result_sample *samples; /* owned array */
    size_t sample_count;
    const char *fault; /* why the run ended early; NULL = it did not */
} result;

/* Names of the latencies in reports: "operation", "signal", "connect". */
const char *latency_kind_name(latency_kind kind);

/* Which latency the samples tell: LATENCY_SIGNAL where there are signals, else LATENCY_OPERATION. */
latency_kind latency_kind_sampled(const histogram latency[LATENCY_KINDS]);

/* What each report shows, worked out once. A quotient whose divisor is 0 is 0. */
double result_per_second(const result *r, uint64_t count);
double result_cpu_us_per(const result *r, uint64_t count); /* of the server */
double result_bytes_per_connection(const result *r);       /* of the server; may be negative */
double result_syscalls_per(const result *r, uint64_t count);

#endif
