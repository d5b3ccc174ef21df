/* A sample: what GET /stats said at one moment (stats/stats_json.h), as a plain struct of numbers.
 *
 * The server may be of another version, so nothing in its answer is relied on. What is missing, negative or
 * no number counts as 0, and what is too much is left out. The words of labels that may become more (reasons,
 * limits) are kept as they come. It is plain data: a test may make a sample by hand. */
#ifndef HOMECALL_TOP_SAMPLE_H
#define HOMECALL_TOP_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

/* WORKERS allows 256 workers, and there are acceptors besides. */
enum { SAMPLE_MAX_THREADS = 320, SAMPLE_MAX_WORDS = 32, SAMPLE_MAX_BOUNDS = 32, SAMPLE_MAX_NODES = 65 };

typedef enum sample_signal { SAMPLE_OFFER, SAMPLE_ANSWER, SAMPLE_CANDIDATE, SAMPLE_SIGNALS } sample_signal;

typedef enum sample_outcome {
    SAMPLE_RELAYED,
    SAMPLE_QUEUED,
    SAMPLE_DELIVERED,
    SAMPLE_REFUSED,
    SAMPLE_DROPPED,
    SAMPLE_OUTCOMES
} sample_outcome;

typedef enum sample_latency {
    SAMPLE_RELAY,
    SAMPLE_QUEUE_WAIT,
    SAMPLE_CALL_SETUP,
    SAMPLE_PING_RTT,
    SAMPLE_LOOP_LAG,
    SAMPLE_LATENCIES
} sample_latency;

/* A counter for each of some words. */
typedef struct sample_words {
    size_t size;
    struct sample_word {
        char name[32];
        double count;
    } words[SAMPLE_MAX_WORDS];
} sample_words;

typedef struct sample_histogram {
    double count; /* of all values */
    size_t size;
    double bounds[SAMPLE_MAX_BOUNDS]; /* seconds, rising */
    double within[SAMPLE_MAX_BOUNDS]; /* [i]: how many values were at most bounds[i] */
} sample_histogram;

typedef struct sample_thread {
    char name[16];
    double cpu_seconds;
    double mailbox_depth;
    double lag_max_seconds;
} sample_thread;

/* A node of a cluster, as the server sees it. */
typedef struct sample_node {
    char name[68];
    char state[16]; /* "live", "doubtful" */
    char link[16];  /* "down", "up", "in doubt"; "" = it is the server itself */
    bool is_draining;
    double held_bytes;
} sample_node;

typedef struct sample {
    char version[32];
    char why[256]; /* the reasons for not being ready, with "; " between them */
    bool is_live, is_ready;
    double uptime_seconds;
    double is_draining, is_accepting_paused; /* not 0 = yes */

    double open, handshake, closing; /* connections now */
    double accepted;
    sample_words closes; /* by reason */

    double rooms, members, away, waiters; /* now */
    double joined, handed_over;
    double signals[SAMPLE_SIGNALS][SAMPLE_OUTCOMES];
    double queue_messages, queue_bytes, queue_budget_bytes; /* now */
    double backlog_bytes, backlog_connections;              /* now */

    double messages_in, messages_out, bytes_in, bytes_out;
    sample_histogram latencies[SAMPLE_LATENCIES];
    sample_words limits;

    double cpu_seconds, memory_bytes, descriptors, max_descriptors, started_seconds; /* the process */
    double log_lines_dropped;

    double has_engine, rooms_owned, bindings_elsewhere, members_from_elsewhere; /* now, in a cluster */
    double claims, resends;
    sample_words losses;
    size_t node_count; /* 0 = it is in no cluster */
    sample_node nodes[SAMPLE_MAX_NODES];

    size_t thread_count;
    sample_thread threads[SAMPLE_MAX_THREADS];
} sample;

/* Read the JSON text. 0; or -EINVAL with *out unchanged, when it is no answer of /stats or when there is no
 * memory. */
int sample_parse(sample *out, const char *text, size_t len);

#endif
