#include "run.h"

#include "measure/server_process.h"
#include "report/progress.h"
#include "sampler.h"
#include "scenario/scenario.h"

#include "base/clock.h"
#include "base/monotonic_cond.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* How often the main thread shows the progress and takes samples. */
enum { TICK_MS = 50 };

/* How long the phases may take whose length is not an option. */
enum { SETUP_SECONDS = 120, DRAIN_SECONDS = 15, CLOSE_SECONDS = 10 };

/* If no operation is completed for so long, that is a fault: the server has lost something. It must be long
 * enough for a server to be restarted. */
enum { STALL_SECONDS = 20 };

struct run {
    const load_options *options;
    server_list servers;
    char tag[8];          /* see run_tag() */
    load_thread *threads; /* owned array */
    unsigned made;        /* how many of them are initialised */
    unsigned running;     /* how many of them run */
    _Atomic int phase;    /* a load_phase. Relaxed: no other data depends on it. */

    pthread_mutex_t lock; /* guards the next three, and `changed` is for them */
    pthread_cond_t changed;
    unsigned done[PHASE_END + 1]; /* for each phase, how many threads have done their part of it */
    bool has_fault;
    char fault[640];

    progress progress;
    sampler sampler;
    syscall_counter *syscalls; /* owned; NULL unless they are counted */
    pid_t restarter;           /* the process of the command --restart; 0 = not started */
    result *out;
};

/* ---- For the threads ---- */

const char *run_tag(const run *r)
{
    return r->tag;
}

load_phase run_phase(const run *r)
{
    return (load_phase)atomic_load_explicit(&r->phase, memory_order_relaxed);
}

const server_list *run_servers(const run *r)
{
    return &r->servers;
}

void run_part_done(run *r, load_phase phase)
{
    pthread_mutex_lock(&r->lock);
    r->done[phase]++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void run_fault(run *r, const char *text)
{
    pthread_mutex_lock(&r->lock);
    if (!r->has_fault)
        snprintf(r->fault, sizeof(r->fault), "%s", text);
    r->has_fault = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* ---- Waiting ---- */

/* Wait until the tick is over, all threads have done their part (*is_done), or there is a fault. False after
 * a fault. */
static bool wait_for_tick(run *r, load_phase phase, bool *is_done)
{
    const struct timespec until = monotonic_cond_time(TICK_MS);
    pthread_mutex_lock(&r->lock);
    int error = 0;
    while (error == 0 && !r->has_fault && r->done[phase] < r->made)
        error = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    *is_done = r->done[phase] == r->made;
    bool goes_on = !r->has_fault;
    pthread_mutex_unlock(&r->lock);
    return goes_on;
}

typedef struct phase_plan {
    load_phase phase;
    const char *name;
    double seconds;       /* how long it lasts, or may last */
    bool ends_by_time;    /* true: it is over after this time. false: it is over when all threads have done
                             their part, and if that takes longer than this time, that is a fault. */
    double stall_seconds; /* it is a fault if no operation is completed for so long; 0 = there is no limit */
} phase_plan;

/* To notice that no operation is completed any more. */
typedef struct stall_watch {
    uint64_t operations; /* completed so far */
    double since;        /* when that number has changed last, in seconds of the phase */
} stall_watch;

static bool has_stalled(const phase_plan *plan, stall_watch *watch, uint64_t operations, double elapsed)
{
    if (operations != watch->operations)
        *watch = (stall_watch){operations, elapsed};
    return plan->stall_seconds > 0 && elapsed - watch->since > plan->stall_seconds;
}

static void show(run *r, const phase_plan *plan, double elapsed, uint64_t operations_before)
{
    sampler_totals totals = sampler_sum(r->threads, r->made, NULL);
    uint64_t operations = totals.operations - operations_before;
    uint64_t wanted = plan->phase == PHASE_MEASURE ? r->options->scenario->count(r->options) : 0;
    double done = plan->ends_by_time ? elapsed / plan->seconds : 0;
    double per_second = elapsed > 0 ? (double)operations / elapsed : 0;
    double left = plan->ends_by_time ? plan->seconds - elapsed : -1;
    if (wanted > 0) {
        done = (double)operations / (double)wanted;
        left = per_second > 0 ? (double)(wanted - operations) / per_second : -1;
    }
    progress_show(&r->progress,
                  &(progress_state){.phase = plan->name,
                                    .done = done < 1 ? done : 1,
                                    .seconds_left = left,
                                    .operations = operations,
                                    .per_second = per_second,
                                    .open_connections = totals.open,
                                    .retries = totals.retries},
                  clock_monotonic_ms());
}

static void start_restart(run *r)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)r->options->restart, NULL};
    if (posix_spawnp(&r->restarter, "sh", NULL, NULL, argv, environ) != 0)
        run_fault(r, "the restart command could not be started");
}

/* Restart the server, if that is asked for, when all connections of the first storm are open. */
static void restart_if_due(run *r)
{
    if (r->options->restart == NULL || r->restarter != 0)
        return;
    if (sampler_sum(r->threads, r->made, NULL).operations >= r->options->connections)
        start_restart(r);
}

/* Enter a phase and wait for its end. False after a fault. */
static bool pass(run *r, const phase_plan *plan)
{
    uint64_t started_ns = ws_client_clock_ns();
    uint64_t before = sampler_sum(r->threads, r->made, NULL).operations;
    atomic_store_explicit(&r->phase, (int)plan->phase, memory_order_relaxed);
    stall_watch watch = {before, 0};
    bool is_stalled = false;
    bool is_done = false;
    bool goes_on = true;
    double elapsed = 0;
    while (goes_on && !is_done && !is_stalled && elapsed < plan->seconds) {
        goes_on = wait_for_tick(r, plan->phase, &is_done);
        elapsed = (double)(ws_client_clock_ns() - started_ns) / 1e9;
        show(r, plan, elapsed, before);
        if (plan->phase == PHASE_MEASURE) {
            sampler_look(&r->sampler, false);
            restart_if_due(r);
        }
        is_stalled = has_stalled(plan, &watch, sampler_sum(r->threads, r->made, NULL).operations, elapsed);
    }
    if (!goes_on || is_done || (plan->ends_by_time && !is_stalled))
        return goes_on;

    char text[128];
    if (is_stalled)
        snprintf(text, sizeof(text), "no %s was completed for %.0f seconds", r->options->scenario->operation,
                 plan->stall_seconds);
    else
        snprintf(text, sizeof(text), "%s took more than %.0f seconds", plan->name, plan->seconds);
    run_fault(r, text);
    return false;
}

/* ---- Measuring ---- */

static double own_cpu_seconds(void)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
}

static bool start_counting(run *r)
{
    if (!r->options->syscalls)
        return true;
    int error = syscall_counter_open(r->options->server_pids.pids[0], &r->syscalls);
    if (error == 0)
        return true;
    char text[128];
    snprintf(text, sizeof(text), "system calls can't be counted (it takes root and tracefs): %s",
             strerror(-error));
    run_fault(r, text);
    return false;
}

/* The phase that is measured. The usage of the server's process is read before and after it. */
static bool measure(run *r)
{
    const load_options *o = r->options;
    result *out = r->out;
    bool is_counted = o->scenario->count(o) > 0;
    /* Whether operations are so frequent that a pause means a fault. */
    bool is_busy = o->scenario->default_rate == NULL && (o->rate <= 0 || o->rate >= 1);
    const phase_plan plan = {.phase = PHASE_MEASURE,
                             .name = "measuring",
                             .seconds = is_counted ? 1e9 : o->seconds,
                             .ends_by_time = !is_counted,
                             .stall_seconds = is_counted && is_busy ? STALL_SECONDS : 0};
    process_usage before, after, engine_before, engine_after;
    if (process_usage_read(&o->server_pids, &before) != 0 ||
        process_usage_read(&o->engine_pids, &engine_before) != 0) {
        run_fault(r, "there is no process with the pid of a server or an engine");
        return false;
    }
    double cpu_before = own_cpu_seconds();
    sampler_start(&r->sampler, r->threads, r->made, &o->server_pids, is_counted ? 0 : o->seconds, out);
    bool goes_on = pass(r, &plan);
    out->seconds = (double)(ws_client_clock_ns() - r->sampler.started_ns) / 1e9;
    out->client_cpu_seconds = own_cpu_seconds() - cpu_before;
    if (process_usage_read(&o->server_pids, &after) == 0) {
        out->server.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
        out->server.user_seconds = after.user_seconds - before.user_seconds;
        out->server.system_seconds = after.system_seconds - before.system_seconds;
        out->server.threads = after.threads;
    }
    if (process_usage_read(&o->engine_pids, &engine_after) == 0)
        out->engine_cpu_seconds = engine_after.cpu_seconds - engine_before.cpu_seconds;
    sampler_look(&r->sampler, true);
    out->open_connections = sampler_sum(r->threads, r->made, NULL).open;
    return goes_on;
}

/* Was one of the connections refused that are there before the load? That is a fault. */
static bool has_refusals(run *r)
{
    if (sampler_sum(r->threads, r->made, NULL).refused == 0)
        return false;
    run_fault(r, "connections were refused");
    return true;
}

/* Open the connections that are there before the load, and measure what they cost the server in memory. */
static bool set_up(run *r)
{
    static const phase_plan prime = {PHASE_PRIME, "connecting", SETUP_SECONDS, false, 0};
    static const phase_plan setup = {PHASE_SETUP, "connecting", SETUP_SECONDS, false, 0};
    result_server *server = &r->out->server;
    const process_list *processes = &r->options->server_pids;
    if (!pass(r, &prime))
        return false;
    uint64_t primed = sampler_sum(r->threads, r->made, NULL).open;
    if (has_refusals(r))
        return false;
    server->rss_before_bytes = process_memory_bytes(processes);
    if (!pass(r, &setup))
        return false;
    if (has_refusals(r))
        return false;
    server->rss_after_bytes = process_memory_bytes(processes);
    server->memory_connections = sampler_sum(r->threads, r->made, NULL).open - primed;
    return true;
}

static bool drain_and_close(run *r)
{
    static const phase_plan drain = {PHASE_DRAIN, "finishing", DRAIN_SECONDS, false, 0};
    static const phase_plan end = {PHASE_CLOSE, "closing", CLOSE_SECONDS, false, 0};
    if (!pass(r, &drain))
        return false;
    if (r->syscalls != NULL) {
        r->out->server.has_syscalls = true;
        r->out->server.syscalls = syscall_counter_read(r->syscalls);
    }
    return pass(r, &end);
}

static void go_through_phases(run *r)
{
    const load_options *o = r->options;
    const phase_plan warmup = {PHASE_WARMUP, "warming up", o->warmup_seconds, true, 0};
    bool has_warmup =
        o->warmup_seconds > 0 && !o->syscalls && o->scenario->begin != NULL && o->scenario->count(o) == 0;
    bool goes_on = set_up(r) && start_counting(r) && (!has_warmup || pass(r, &warmup)) && measure(r) &&
                   drain_and_close(r);
    (void)goes_on; /* if not, there is a fault that says why */
    atomic_store_explicit(&r->phase, PHASE_END, memory_order_relaxed);
}

/* ---- Making ---- */

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "homecall-bench: %s: %s\n", what, why);
    return -EINVAL;
}

/* Each connection needs a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Read the URLs, and make what the run needs. 0, or -errno with a message on standard error. */
static int prepare(run *r)
{
    const load_options *o = r->options;
    const char *what;
    const char *why;
    raise_descriptor_limit();
    if (server_list_init(&r->servers, o->urls, o->url_count, o->ca_file, o->insecure, &what, &why) != 0)
        return complain(what, why);
    snprintf(r->tag, sizeof(r->tag), "%05x",
             (unsigned)((ws_client_clock_ns() ^ (uint64_t)getpid()) & 0xFFFFF));

    r->threads = calloc(o->threads, sizeof(*r->threads));
    if (r->threads == NULL)
        return complain("threads", strerror(ENOMEM));
    for (; r->made < o->threads; r->made++) {
        int error = load_thread_init(&r->threads[r->made], o, r, r->made);
        if (error != 0) {
            load_thread_deinit(&r->threads[r->made]);
            return complain("threads", strerror(-error));
        }
    }
    return 0;
}

static int start_threads(run *r)
{
    for (; r->running < r->made; r->running++) {
        load_thread *t = &r->threads[r->running];
        int error = pthread_create(&t->id, NULL, load_thread_run, t);
        if (error != 0) {
            atomic_store_explicit(&r->phase, PHASE_END, memory_order_relaxed);
            return complain("threads", strerror(error));
        }
    }
    return 0;
}

static void join_threads(run *r)
{
    while (r->running > 0)
        pthread_join(r->threads[--r->running].id, NULL);
    if (r->restarter > 0)
        waitpid(r->restarter, NULL, 0);
}

/* Let the fault say how many connections were refused, and why. */
static void tell_refusals(run *r)
{
    if (r->options->scenario->outlives_refusals)
        return; /* something else was the fault */
    const load_counts *totals = &r->out->totals;
    char by_status[REFUSALS_TEXT];
    refusals_describe(&r->out->refusals, by_status);
    const uint64_t asked = totals->refused + totals->connects;
    snprintf(r->fault, sizeof(r->fault), "the server refused %" PRIu64 " of %" PRIu64 " connections: %s",
             totals->refused, asked, by_status);
}

/* Fill in the rest of the result, after the threads have ended. */
static void finish_result(run *r, const char *command_line)
{
    const load_options *o = r->options;
    result *out = r->out;
    out->scenario = o->scenario->name;
    out->operation_name = o->scenario->operation;
    out->urls = o->urls;
    out->url_count = o->url_count;
    out->label = o->label;
    out->command_line = command_line;
    out->threads = (unsigned)o->threads;
    out->target_rate = o->rate;
    out->server.is_known = o->server_pids.count > 0;
    out->server.processes = o->server_pids;
    out->has_engine = o->engine_pids.count > 0;
    sampler_sum(r->threads, r->made, &r->sampler.now);
    out->counts = r->sampler.now.counts;
    memcpy(out->latency, r->sampler.now.latency, sizeof(out->latency));
    for (unsigned i = 0; i < r->made; i++) {
        sampler_add_counts(&out->totals, &r->threads[i].total);
        refusals_add(&out->refusals, &r->threads[i].refusals);
        out->received_bytes += r->threads[i].clients.bytes_in;
        out->sent_bytes += r->threads[i].clients.bytes_out;
    }
    if (r->has_fault && out->totals.refused > 0)
        tell_refusals(r);
    if (r->has_fault)
        out->fault = strdup(r->fault);
}

static void unmake(run *r)
{
    while (r->made > 0)
        load_thread_deinit(&r->threads[--r->made]);
    free(r->threads);
    server_list_deinit(&r->servers);
    syscall_counter_close(r->syscalls);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static run *new_run(const load_options *options, result *out)
{
    run *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->options = options;
    r->out = out;
    if (monotonic_cond_init(&r->changed) != 0) {
        free(r);
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    progress_init(&r->progress, stderr, options->scenario->operation, options->quiet);
    return r;
}

int run_load(const load_options *options, const char *command_line, result *out)
{
    *out = (result){.started_unix_ms = clock_utc_ms()};
    run *r = new_run(options, out);
    if (r == NULL)
        return complain("run", strerror(ENOMEM));
    int error = prepare(r);
    if (error == 0)
        error = start_threads(r);
    if (error == 0)
        go_through_phases(r);
    progress_end(&r->progress);
    join_threads(r);
    if (error == 0)
        finish_result(r, command_line);
    unmake(r);
    return error;
}

void run_free_result(result *r)
{
    free(r->samples);
    free((char *)(uintptr_t)r->fault);
    r->samples = NULL;
    r->fault = NULL;
}
