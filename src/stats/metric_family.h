/* What a row of the table of metrics is (metric_table.h), and what a walk over one finds. */
#ifndef HOMECALL_STATS_METRIC_FAMILY_H
#define HOMECALL_STATS_METRIC_FAMILY_H

#include "stats/process_stats.h"
#include "stats/snapshot.h"

typedef enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO } metric_kind;

/* The unit in which a number is kept. It is shown in seconds or bytes. */
typedef enum metric_unit {
    METRIC_PLAIN,
    METRIC_BYTES,
    METRIC_SECONDS,
    METRIC_MICROSECONDS,
    METRIC_MILLISECONDS
} metric_unit;

enum { METRIC_MAX_LABELS = 2 };

/* One number of a family, or one histogram. All pointers are borrowed for the call. */
typedef struct metric_sample {
    const char *labels[METRIC_MAX_LABELS]; /* the values, in the order of the family's labels */
    uint64_t number;                       /* in the family's unit */
    const counter_histogram *histogram;    /* METRIC_HISTOGRAM: instead of `number`; else NULL */
} metric_sample;

typedef struct metric_family metric_family;
typedef void metric_visit(void *context, const metric_family *family, const metric_sample *sample);

/* The numbers that a walk reads; both borrowed. */
typedef struct metric_source {
    const snapshot *snapshot;
    const process_stats *process;
} metric_source;

/* One value of a label. */
typedef struct metric_word {
    const char *text;
    size_t offset;   /* of its counter, from where the family starts */
    unsigned others; /* how many counters after that one belong to it as well */
} metric_word;

struct metric_family {
    const char *name; /* without the prefix, and without the _total of a counter or the _info of an info */
    metric_kind kind;
    metric_unit unit;
    const char *help;                      /* one sentence without backslashes and line ends */
    const char *labels[METRIC_MAX_LABELS]; /* their names; NULL after the last */
    /* For metric_walk.h: how the numbers are found, and where they start. */
    void (*walk)(const metric_family *family, const metric_source *source, metric_visit *visit,
                 void *context);
    size_t at;
    const metric_word *words[METRIC_MAX_LABELS]; /* the last one has no text */
    uint64_t (*compute)(const snapshot *s, const snapshot_thread *thread);
};

#endif
