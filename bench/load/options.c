/* Each option is one row of a table. The parser, the help and the reports use the table. */
#include "options.h"

#include "scenario/scenario.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum option_kind { KIND_FLAG, KIND_COUNT, KIND_REAL, KIND_TEXT, KIND_DIALECT, KIND_PIDS } option_kind;

typedef struct option_row {
    const char *name;
    option_kind kind;
    size_t at;                /* offset of its member in load_options */
    const char *default_text; /* as it would be typed; NULL = none */
    double min, max;          /* for COUNT and REAL */
    bool shapes_load;         /* it is shown in the reports */
    const char *argument;     /* the name of its argument, for the help; NULL for a flag */
    const char *help;
    const char *scenarios; /* the only ones it is for, separated by ", "; NULL = it is for all */
} option_row;

#define AT(field) offsetof(load_options, field)

/* For all scenarios. */
#define EVERY NULL

static const option_row rows[] = {
    {"threads", KIND_COUNT, AT(threads), "1", 1, 64, true, "N", "threads of the load generator", EVERY},
    {"seconds", KIND_REAL, AT(seconds), "5", 0.05, 604800, true, "S", "how long to measure", EVERY},
    {"warmup", KIND_REAL, AT(warmup_seconds), "1", 0, 3600, true, "S", "load before the measuring begins",
     EVERY},
    {"count", KIND_COUNT, AT(count), "0", 0, 1e12, true, "N",
     "measure this many operations instead of a time (no warm-up then)", EVERY},
    {"rate", KIND_REAL, AT(rate), "0", 0, 1e8, true, "R",
     "open loop: operations a second, whether the server keeps up or not", EVERY},
    {"pairs", KIND_COUNT, AT(pairs), "50", 1, 1000000, true, "N", "pairs of users",
     "call, relay, mixed, churn"},
    {"connections", KIND_COUNT, AT(connections), "1000", 1, 10000000, true, "N",
     "connections at the same time", "idle, connect, storm, rejoin"},
    {"joined", KIND_FLAG, AT(joined), NULL, 0, 0, true, NULL, "join, in rooms of two",
     "idle, connect, storm"},
    {"beside", KIND_COUNT, AT(beside), "0", 0, 10000000, true, "N", "idle connections held besides", EVERY},
    {"window", KIND_COUNT, AT(window), "1", 1, 65536, true, "W", "signals under way in each pair", "relay"},
    {"size", KIND_COUNT, AT(size), "200", SIGNAL_TEXT_MIN, 8388608, true, "BYTES", "of a signal",
     "relay, churn"},
    {"candidates", KIND_COUNT, AT(candidates), "10", 0, 1000, true, "K", "candidates of each user",
     "call, mixed"},
    {"offer-size", KIND_COUNT, AT(offer_size), "3000", SIGNAL_TEXT_MIN, 8388608, true, "BYTES",
     "of an offer or answer", "call, mixed"},
    {"candidate-size", KIND_COUNT, AT(candidate_size), "290", SIGNAL_TEXT_MIN, 8388608, true, "BYTES",
     "of a candidate", "call, mixed"},
    {"singly", KIND_FLAG, AT(singly), NULL, 0, 0, true, NULL,
     "each message is a TCP send of its own, interleaved with the other pairs'", "call"},
    {"reconnect", KIND_FLAG, AT(reconnect), NULL, 0, 0, true, NULL, "new connections for each call", "call"},
    {"fresh-rooms", KIND_FLAG, AT(fresh_rooms), NULL, 0, 0, true, NULL, "a new room for each call", "call"},
    {"talk", KIND_REAL, AT(talk_seconds), "10", 0, 86400, true, "S", "how long a call lasts, on average",
     "mixed"},
    {"loss", KIND_REAL, AT(loss), "0.1", 0, 1, true, "SHARE",
     "calls, or sessions of a storm, in which a user is lost and comes back", "mixed, storm"},
    {"life", KIND_REAL, AT(life_seconds), "1", 0.01, 86400, true, "S",
     "how long a connection lives, on average", "churn"},
    {"restart", KIND_TEXT, AT(restart), NULL, 0, 0, true, "CMD",
     "a shell command that restarts the server, for the second storm", "storm"},
    {"sources", KIND_COUNT, AT(sources), "1", 1, 65536, true, "N",
     "addresses from 127.0.0.1 on to connect from: 28,000 ports each", EVERY},
    {"dialect", KIND_DIALECT, AT(dialect), "homecall", 0, 0, true, "NAME", DIALECT_NAMES, EVERY},
    {"second-dialect", KIND_DIALECT, AT(second_dialect), NULL, 0, 0, true, "NAME",
     "what the second user of each pair speaks: homecall beside 2, or 2 beside homecall", EVERY},
    {"insecure", KIND_FLAG, AT(insecure), NULL, 0, 0, false, NULL, "wss: take any certificate", EVERY},
    {"ca-file", KIND_TEXT, AT(ca_file), NULL, 0, 0, false, "FILE", "wss: the authorities to trust (PEM)",
     EVERY},
    {"local-rooms", KIND_FLAG, AT(local_rooms), NULL, 0, 0, true, NULL,
     "several URLs: both users of a pair connect to the same one", EVERY},
    {"roaming", KIND_FLAG, AT(roaming), NULL, 0, 0, true, NULL,
     "several URLs: each new connection of a user goes to the next one", EVERY},
    {"server-pid", KIND_PIDS, AT(server_pids), NULL, 1, 4194304, false, "PID[,PID...]",
     "the servers' processes, to measure their CPU and memory", EVERY},
    {"engine-pid", KIND_PIDS, AT(engine_pids), NULL, 1, 4194304, false, "PID[,PID...]",
     "the processes of the engine between servers, to measure their CPU", EVERY},
    {"syscalls", KIND_FLAG, AT(syscalls), NULL, 0, 0, true, NULL,
     "count the server's system calls (root; slows it down a little)", EVERY},
    {"json", KIND_TEXT, AT(json), NULL, 0, 0, false, "FILE", "write the result as JSON; - is standard output",
     EVERY},
    {"report", KIND_TEXT, AT(report), NULL, 0, 0, false, "DIR",
     "write a page to DIR/index.html, with plots by gnuplot", EVERY},
    {"label", KIND_TEXT, AT(label), "", 0, 0, false, "TEXT", "a name for this run in the reports", EVERY},
    {"quiet", KIND_FLAG, AT(quiet), NULL, 0, 0, false, NULL, "no progress, no table", EVERY},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void *field(load_options *o, const option_row *row)
{
    return (char *)o + row->at;
}

static const void *field_of(const load_options *o, const option_row *row)
{
    return (const char *)o + row->at;
}

static bool read_number(const option_row *row, const char *text, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    bool is_number = end != text && *end == '\0' && errno == 0 && isfinite(*value);
    bool is_whole = row->kind == KIND_REAL || floor(*value) == *value;
    return is_number && is_whole && *value >= row->min && *value <= row->max;
}

static options_verdict complain(const option_row *row, const char *text)
{
    fprintf(stderr, "homecall-bench: --%s %s: ", row->name, text);
    if (row->kind == KIND_DIALECT)
        fprintf(stderr, DIALECT_NAMES " is allowed\n");
    else if (row->kind == KIND_PIDS)
        fprintf(stderr, "one to %d numbers of processes, separated by commas, are allowed\n",
                PROCESS_LIST_MAX);
    else
        fprintf(stderr, "a %snumber from %.10g to %.10g is allowed\n",
                row->kind == KIND_COUNT ? "whole " : "", row->min, row->max);
    return OPTIONS_WRONG;
}

static bool read_pids(const option_row *row, const char *text, process_list *out)
{
    *out = (process_list){0};
    for (const char *next = text;; next++) {
        const size_t len = strcspn(next, ",");
        char pid[16];
        double value;
        if (out->count == PROCESS_LIST_MAX || len >= sizeof(pid))
            return false;
        snprintf(pid, sizeof(pid), "%.*s", (int)len, next);
        if (!read_number(row, pid, &value))
            return false;
        out->pids[out->count++] = (long)value;
        next += len;
        if (*next == '\0')
            return true;
    }
}

static options_verdict set(load_options *o, const option_row *row, const char *text)
{
    double value;
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field(o, row) = true;
        return OPTIONS_RUN;
    case KIND_TEXT:
        *(const char **)field(o, row) = text;
        return OPTIONS_RUN;
    case KIND_DIALECT:
        *(const load_dialect **)field(o, row) = dialect_find(text);
        return *(const load_dialect **)field(o, row) != NULL ? OPTIONS_RUN : complain(row, text);
    case KIND_PIDS:
        return read_pids(row, text, field(o, row)) ? OPTIONS_RUN : complain(row, text);
    case KIND_COUNT:
    case KIND_REAL:
        break;
    }
    if (!read_number(row, text, &value))
        return complain(row, text);
    if (row->kind == KIND_REAL)
        *(double *)field(o, row) = value;
    else
        *(uint64_t *)field(o, row) = (uint64_t)value;
    return OPTIONS_RUN;
}

bool options_describe(size_t index, options_entry *out)
{
    if (index >= ROWS)
        return false;
    const option_row *row = &rows[index];
    *out = (options_entry){
        .name = row->name,
        .argument = row->argument,
        .help = row->help,
        .default_text = row->default_text != NULL ? row->default_text : "",
        .scenarios = row->scenarios,
    };
    return true;
}

static void print_help(void)
{
    printf(
        "homecall-bench SCENARIO [OPTION...] URL...\n\n"
        "Puts load on a signaling server at ws://host:port/path or wss://..., checks every signal, and\n"
        "prints what it measured. With several URLs it is a cluster: the users of a pair connect to two of\n"
        "its servers. bench/README.md says how to read it.\n\nScenarios:\n");
    for (size_t i = 0; i < scenario_count; i++)
        printf("  %-8s %s\n", scenarios[i]->name, scenarios[i]->help);
    printf("\nOptions:\n");
    for (int i = 0; i < ROWS; i++) {
        char name[48];
        snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument != NULL ? " " : "",
                 rows[i].argument != NULL ? rows[i].argument : "");
        bool is_special = rows[i].scenarios != NULL;
        printf("  %-24s %s%s%s", name, is_special ? rows[i].scenarios : "", is_special ? ": " : "",
               rows[i].help);
        bool has_default = rows[i].default_text != NULL && rows[i].default_text[0] != '\0';
        printf(has_default ? " (%s)\n" : "\n", rows[i].default_text);
    }
    printf("  %-24s %s\n  %-24s %s\n", "-h, --help", "this text", "-V, --version", "the version");
}

static options_verdict wrong(const char *what, const char *which)
{
    fprintf(stderr, "homecall-bench: %s%s; --help lists what is allowed\n", what, which);
    return OPTIONS_WRONG;
}

/* The arguments that are no options. */
static_assert(SERVER_LIST_MAX == 8, "the message says so");
static options_verdict read_positional(int argc, char **argv, load_options *o)
{
    if (argc - optind < 2 || argc - optind - 1 > SERVER_LIST_MAX)
        return wrong("a scenario and one to eight URLs are needed", "");
    o->scenario = scenario_find(argv[optind]);
    while (o->url_count < (unsigned)(argc - optind - 1)) {
        o->urls[o->url_count] = argv[optind + 1 + (int)o->url_count];
        o->url_count++;
    }
    return o->scenario != NULL ? OPTIONS_RUN : wrong("no scenario is called ", argv[optind]);
}

/* Can the users of a pair speak two dialects? */
static bool can_meet(const load_options *o)
{
    const load_dialect *a = o->dialect;
    const load_dialect *b = o->second_dialect;
    return (a == &dialect_homecall && b == &dialect_homecall_2) ||
           (a == &dialect_homecall_2 && b == &dialect_homecall);
}

bool options_is_listed(const char *list, const char *name)
{
    slice rest = slice_of_text(list);
    while (rest.len > 0) {
        if (slice_equals(slice_trim(slice_take_until(&rest, ',')), slice_of_text(name)))
            return true;
    }
    return false;
}

/* Refuse what the scenario would not look at: its user believes that it counts. */
static options_verdict check_scenario(const load_options *o, const bool given[])
{
    for (int i = 0; i < ROWS; i++) {
        if (!given[i] || rows[i].scenarios == NULL || options_is_listed(rows[i].scenarios, o->scenario->name))
            continue;
        fprintf(stderr, "homecall-bench: --%s is for %s, and not for the scenario %s\n", rows[i].name,
                rows[i].scenarios, o->scenario->name);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

/* Check the options against each other. */
static options_verdict check(const load_options *o)
{
    if (o->dialect->joins_by_connecting && !o->scenario->can_join_by_connecting)
        return wrong("this dialect has nothing to join for the scenario ", o->scenario->name);
    if (o->dialect->keeps_lost_names && o->scenario->has_losses)
        return wrong("in this dialect nobody comes back under a name, as in the scenario ",
                     o->scenario->name);
    if (o->dialect->has_hangup && o->fresh_rooms && !o->reconnect)
        return wrong("a session is entered by connecting, so --fresh-rooms needs --reconnect", "");
    if (o->second_dialect != NULL && !can_meet(o))
        return wrong("only homecall and 2 can meet in a room", "");
    if (o->syscalls && o->server_pids.count != 1)
        return wrong("--syscalls needs --server-pid with one process", "");
    if (o->url_count == 1 && (o->local_rooms || o->roaming))
        return wrong("--local-rooms and --roaming need several URLs", "");
    /* Nobody is told when its leave has reached the other server, so the next offer could meet who leaves. */
    if (o->url_count > 1 && o->scenario == &scenario_call && !o->dialect->joins_by_connecting &&
        !o->local_rooms && !o->fresh_rooms)
        return wrong("call needs --fresh-rooms or --local-rooms with several URLs", "");
    if (o->threads > (o->scenario->users(o) + 1) / 2)
        return wrong("there are more --threads than pairs of users", "");
    if (o->count > 0 && o->scenario->count(o) == 0)
        return wrong("there is nothing to --count in the scenario ", o->scenario->name);
    if (o->rate > 0 && o->scenario->begin == NULL)
        return wrong("nothing is started at a --rate in the scenario ", o->scenario->name);
    return OPTIONS_RUN;
}

options_verdict options_parse(int argc, char **argv, load_options *o)
{
    enum { HELP = ROWS, VERSION }; /* known by their letters, as rows are by their numbers from 256 on */
    *o = (load_options){0};
    struct option names[ROWS + 3] = {{0}};
    for (int i = 0; i < ROWS; i++) {
        names[i] = (struct option){rows[i].name, rows[i].argument != NULL, NULL, i + 256};
        if (rows[i].default_text != NULL)
            set(o, &rows[i], rows[i].default_text);
    }
    names[HELP] = (struct option){"help", 0, NULL, 'h'};
    names[VERSION] = (struct option){"version", 0, NULL, 'V'};

    bool given[ROWS] = {false};
    int chosen;
    while ((chosen = getopt_long(argc, argv, "hV", names, NULL)) != -1) {
        if (chosen == 'h') {
            print_help();
            return OPTIONS_SHOWN;
        }
        if (chosen == 'V') {
            printf("homecall-bench %s\n", HOMECALL_VERSION);
            return OPTIONS_SHOWN;
        }
        if (chosen < 256 || set(o, &rows[chosen - 256], optarg) != OPTIONS_RUN)
            return OPTIONS_WRONG; /* the message is printed already */
        given[chosen - 256] = true;
    }
    options_verdict verdict = read_positional(argc, argv, o);
    if (verdict == OPTIONS_RUN)
        verdict = check_scenario(o, given);
    return verdict == OPTIONS_RUN ? check(o) : verdict;
}

/* The value of an option as text, written into `text` of `cap` bytes if necessary; NULL if it is not set. */
static const char *value_text(const load_options *o, const option_row *row, char *text, size_t cap)
{
    const void *at = field_of(o, row);
    switch (row->kind) {
    case KIND_FLAG:
        return *(const bool *)at ? "yes" : NULL;
    case KIND_TEXT:
        return *(const char *const *)at;
    case KIND_DIALECT:
        return *(const load_dialect *const *)at != NULL ? (*(const load_dialect *const *)at)->name : NULL;
    case KIND_PIDS: /* no row of this kind shapes the load */
        return NULL;
    case KIND_COUNT:
        snprintf(text, cap, "%llu", (unsigned long long)*(const uint64_t *)at);
        return text;
    case KIND_REAL:
        snprintf(text, cap, "%.10g", *(const double *)at);
        return text;
    }
    return NULL;
}

void options_settings(const load_options *o, const char *settings[OPTIONS_MAX_SETTINGS], char *texts)
{
    enum { EACH = 40 }; /* bytes for each row */
    static_assert(ROWS * EACH <= OPTIONS_SETTINGS_BYTES && 2 * ROWS < OPTIONS_MAX_SETTINGS,
                  "all options fit");
    size_t count = 0;
    for (int i = 0; i < ROWS; i++) {
        const char *value =
            rows[i].shapes_load ? value_text(o, &rows[i], texts + (size_t)i * EACH, EACH) : NULL;
        if (value == NULL)
            continue;
        settings[count++] = rows[i].name;
        settings[count++] = value;
    }
    settings[count] = NULL;
}
