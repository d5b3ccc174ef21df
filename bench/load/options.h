/* The command line of homecall-bench. */
#ifndef HOMECALL_BENCH_OPTIONS_H
#define HOMECALL_BENCH_OPTIONS_H

#include "measure/server_process.h"
#include "wire/dialect.h"
#include "wire/server_list.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct scenario;

/* All options of a run; `--help` explains each. Strings are borrowed from the command line. */
typedef struct load_options {
    const struct scenario *scenario;
    const char *urls[SERVER_LIST_MAX];
    unsigned url_count;
    const load_dialect *dialect;
    const load_dialect *second_dialect; /* of the second user of each pair; NULL = the same */
    const char *ca_file;                /* NULL = the authorities of the system */
    const char *json;                   /* a path, "-" for standard output; NULL = no JSON */
    const char *report;                 /* a directory; NULL = no page */
    const char *label;
    const char *restart; /* storm: a shell command that restarts the server; NULL = it is not restarted */
    double seconds;
    double warmup_seconds;
    double rate;         /* operations a second; 0 = closed loop */
    double talk_seconds; /* mixed: how long a call lasts on average */
    double life_seconds; /* churn: how long a connection lives on average */
    double loss;         /* mixed, storm of version 2: the share of calls in which a user is lost */
    uint64_t count;      /* operations; 0 = as many as the time allows */
    process_list server_pids;
    process_list engine_pids; /* of what servers speak to each other by */
    uint64_t threads, pairs, connections, beside, window, candidates, sources;
    uint64_t size, offer_size, candidate_size; /* bytes of whole signals */
    bool joined, singly, reconnect, fresh_rooms, local_rooms, roaming, insecure, syscalls, quiet;
} load_options;

/* Do some of the users have sessions? */
static inline bool options_have_sessions(const load_options *o)
{
    return o->dialect->has_sessions || (o->second_dialect != NULL && o->second_dialect->has_sessions);
}

typedef enum options_verdict {
    OPTIONS_RUN,   /* *out is filled in */
    OPTIONS_SHOWN, /* the help or the version was asked for and printed */
    OPTIONS_WRONG, /* a line on standard error says what is wrong, and what is allowed */
} options_verdict;

/* Read the command line into *out. */
options_verdict options_parse(int argc, char **argv, load_options *out);

/* An option as --help, the manual page and the completions of shells tell it. */
typedef struct options_entry {
    const char *name;     /* without "--" */
    const char *argument; /* what stands behind it, as "N"; NULL for a flag */
    const char *help;
    const char *default_text; /* empty = none */
    const char *scenarios;    /* the only ones it is for, separated by ", "; NULL = all */
} options_entry;

/* The entries in the order of --help; false behind the last one. */
bool options_describe(size_t index, options_entry *out);

/* Is this name in a list of scenarios? */
bool options_is_listed(const char *list, const char *name);

/* How many strings options_settings() writes at most. */
enum { OPTIONS_MAX_SETTINGS = 80 };

/* The names and values of all options that shape the load, for the reports: a name, its value, the next name
 * and so on, ended by NULL. They are borrowed from `o`, or written into `texts`, which has
 * OPTIONS_SETTINGS_BYTES bytes. */
enum { OPTIONS_SETTINGS_BYTES = 2048 };
void options_settings(const load_options *o, const char *settings[OPTIONS_MAX_SETTINGS], char *texts);

#endif
