/* The command line of homecall-bench. */
#ifndef HOMECALL_BENCH_OPTIONS_H
#define HOMECALL_BENCH_OPTIONS_H

#include "wire/dialect.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct scenario;

/* Everything that shapes a run. Strings are borrowed from the command line. */
typedef struct load_options {
    const struct scenario *scenario;
    const char *url;
    const dialect *dialect;
    const char *ca_file; /* NULL = the system's */
    const char *json;    /* a path, "-" for standard output; NULL = no JSON */
    const char *report;  /* a directory; NULL = no page */
    const char *label;
    const char *restart; /* storm: a shell command that restarts the server; NULL = it is not restarted */
    double seconds;
    double warmup_seconds;
    double rate;         /* operations a second; 0 = closed loop */
    double talk_seconds; /* mixed: how long a call lasts on average */
    double loss;         /* mixed: the share of calls in which a user is lost */
    uint64_t count;      /* operations; 0 = as many as the time allows */
    uint64_t server_pid; /* 0 = not known */
    uint64_t threads, pairs, connections, beside, window, candidates, sources;
    uint64_t size, offer_size, candidate_size; /* bytes of whole signals */
    bool joined, singly, reconnect, fresh_rooms, insecure, syscalls, quiet;
} load_options;

typedef enum options_verdict {
    OPTIONS_RUN,   /* *out is filled in */
    OPTIONS_SHOWN, /* the help or the version was asked for and printed */
    OPTIONS_WRONG, /* a line on standard error says what, and what is allowed */
} options_verdict;

/* Read the command line. */
options_verdict options_parse(int argc, char **argv, load_options *out);

/* How many strings options_settings() writes at the most. */
enum { OPTIONS_MAX_SETTINGS = 64 };

/* The name and value of each option that shapes the load, for the reports: pairs, ended by NULL. The texts
 * lie in `room` (of OPTIONS_SETTINGS_ROOM bytes). */
enum { OPTIONS_SETTINGS_ROOM = 2048 };
void options_settings(const load_options *o, const char *settings[OPTIONS_MAX_SETTINGS], char *room);

#endif
