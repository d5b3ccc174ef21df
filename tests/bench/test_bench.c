/* homecall-bench as its user sees it, against a server in this process: each scenario does exactly what was
 * asked for, by its own counts and by the server's, and everything that can go wrong ends with one line and
 * the right exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "server/server_parts.h"
#include "support/client.h"
#include "support/server.h"

#include <cjson/cJSON.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_SERVER_THREADS = 16 };

#define BENCH "exec \"$HOMECALL_BENCH_BINARY\" "

typedef struct fixture {
    signal_server *server;
    signal_server *second; /* where there are two */
    process bench;
    process program; /* the server's program, where the server is not in this process */
    char directory[64];
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    strcpy(f->directory, "/tmp/test_bench.XXXXXX");
    return mkdtemp(f->directory) == NULL;
}

static const char *path_of(const fixture *f, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    return path;
}

static void end_server(fixture *f)
{
    server_end(f->server);
    server_end(f->second);
    f->server = f->second = NULL;
}

static int destroy(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    process_kill(&f->program);
    end_server(f);
    static const char *const names[] = {"index.html", "result.json", "pid"};
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        unlink(path_of(f, names[i]));
    int error = rmdir(f->directory); /* nothing else was left there */
    free(f);
    return error;
}

static void start_server(fixture *f, uint32_t workers)
{
    signal_server_options options = server_options();
    options.workers = workers;
    f->server = server_start(&options);
}

/* ---- A run ---- */

static void start_bench(fixture *f, const char *arguments)
{
    process_start(&f->bench, BENCH "%s --quiet --json - ws://127.0.0.1:%u/signal", arguments,
                  signal_server_port(f->server));
}

static double number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    if (!cJSON_IsNumber(item))
        fail_msg("there is no number %s", name);
    return cJSON_GetNumberValue(item);
}

/* Expect a run without a fault, and return its result. */
static cJSON *finish_bench(fixture *f)
{
    int code = process_finish(&f->bench);
    if (code != 0 || f->bench.err.len > 0)
        fail_msg("exit code %d: %s", code, f->bench.err.text);
    cJSON *json = cJSON_Parse(f->bench.out.text);
    assert_non_null(json);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "fault")));
    return json;
}

static cJSON *run_bench(fixture *f, const char *arguments)
{
    start_bench(f, arguments);
    return finish_bench(f);
}

/* What it says on standard error must be one line that begins and ends so. */
static void expect_line(fixture *f, int code, const char *begin, const char *end)
{
    int found = process_finish(&f->bench);
    const char *line = f->bench.err.text;
    size_t len = f->bench.err.len;
    bool is_one_line = len > 0 && strchr(line, '\n') == line + len - 1;
    if (found != code || !is_one_line || strncmp(line, begin, strlen(begin)) != 0 || len < strlen(end) + 1 ||
        strncmp(line + len - 1 - strlen(end), end, strlen(end)) != 0)
        fail_msg("exit code %d: \"%s\" is not \"%s … %s\"", found, line, begin, end);
}

/* ---- Counts ---- */

typedef struct expectation {
    const char *arguments;
    unsigned operations, signals, signal_bytes, joins, connects, closes, losses; /* while measuring */
    unsigned open;                                                               /* connections at its end */
    unsigned accepted;                                                           /* by the server, in all */
} expectation;

static void expect_count(const cJSON *json, const expectation *e, const char *name, unsigned expected)
{
    double found = number(cJSON_GetObjectItem(json, "counts"), name);
    if (found != expected)
        fail_msg("%s: %s is %.0f, and should be %u", e->arguments, name, found, expected);
}

static void expect_counts(const cJSON *json, const expectation *e)
{
    expect_count(json, e, "operations", e->operations);
    expect_count(json, e, "signals", e->signals);
    expect_count(json, e, "signal_bytes", e->signal_bytes);
    expect_count(json, e, "joins", e->joins);
    expect_count(json, e, "connects", e->connects);
    expect_count(json, e, "closes", e->closes);
    expect_count(json, e, "losses", e->losses);
    expect_count(json, e, "retries", 0);
    assert_true(number(json, "open_connections") == e->open);
}

static void expect_same(const expectation *e, const char *name, uint64_t counted, const cJSON *told)
{
    if ((double)counted != number(told, name))
        fail_msg("%s: %s: the server has counted %llu, the run %.0f", e->arguments, name,
                 (unsigned long long)counted, number(told, name));
}

static uint64_t arrived(const session_counters *c, int type)
{
    return counter_get(&c->signals[type][ROOM_SIGNAL_RELAYED]) +
           counter_get(&c->signals[type][ROOM_SIGNAL_DELIVERED]);
}

/* What the admin port shows is what the clients have seen. */
static void expect_metrics(const fixture *f, const expectation *e, const cJSON *json)
{
    snapshot_thread threads[MAX_SERVER_THREADS];
    snapshot s = {.threads = threads};
    assert_true(server_thread_count(f->server) <= MAX_SERVER_THREADS);
    server_take_snapshot(f->server, &s, NULL);

    const cJSON *totals = cJSON_GetObjectItem(json, "totals");
    const cJSON *traffic = cJSON_GetObjectItem(json, "traffic");
    const session_counters *rooms = &s.total.session;
    const net_counters *net = &s.total.net;
    expect_same(e, "connects", counter_get(&rooms->accepted), totals);
    expect_same(e, "connects", counter_get(&net->handshakes[NET_HANDSHAKE_101]), totals);
    expect_same(e, "closes",
                counter_get(&net->closes[CLOSE_REASON_BY_PEER][close_code_slot(WS_CLOSE_NORMAL)]), totals);
    expect_same(e, "joins", counter_get(&rooms->joins[SESSION_JOIN_JOINED]), totals);
    expect_same(e, "offers", arrived(rooms, SIGNAL_OFFER), totals);
    expect_same(e, "answers", arrived(rooms, SIGNAL_ANSWER), totals);
    expect_same(e, "candidates", arrived(rooms, SIGNAL_CANDIDATE), totals);
    expect_same(e, "received_bytes", counter_get(&net->bytes_out), traffic);
    expect_same(e, "sent_bytes", counter_get(&net->bytes_in), traffic);
}

/* The server has seen the same as the whole run, and nothing is left in it. */
static void expect_server(const fixture *f, const expectation *e, const cJSON *json)
{
    const cJSON *totals = cJSON_GetObjectItem(json, "totals");
    assert_true(number(totals, "signals") == e->signals);
    assert_true(number(totals, "connects") == e->accepted);
    assert_true(number(totals, "closes") == e->accepted);
    SERVER_AWAIT(f->server, connections, 0);
    SERVER_AWAIT(f->server, rooms, 0);
    const signal_server_stats stats = server_stats(f->server);
    if (stats.signals_relayed + stats.signals_delivered != e->signals || stats.accepted != e->accepted)
        fail_msg("%s: the server has accepted %llu, relayed %llu and delivered %llu", e->arguments,
                 (unsigned long long)stats.accepted, (unsigned long long)stats.signals_relayed,
                 (unsigned long long)stats.signals_delivered);
    assert_int_equal(stats.signals_queued, stats.signals_delivered);
    assert_int_equal(stats.signals_refused, 0);
    assert_int_equal(stats.signals_dropped, 0);
    assert_int_equal(stats.refused, 0);
    assert_int_equal(stats.pending_messages, 0);
    expect_metrics(f, e, json);
}

/* Each operation that is timed is timed once. */
static void expect_latencies(const cJSON *json, const expectation *e)
{
    const cJSON *latencies = cJSON_GetObjectItem(json, "latency_us");
    assert_true(number(cJSON_GetObjectItem(latencies, "operation"), "count") == e->operations);
    const cJSON *connects = cJSON_GetObjectItem(latencies, "connect");
    if (e->connects > 0)
        assert_true(number(connects, "count") == e->connects);
    else
        assert_null(connects);
}

enum { CALL_BYTES = 2 * (3000 + 3 * 290) }; /* of a call with three candidates on each side */

static const expectation expectations[] = {
    {"relay --pairs 3 --window 2 --count 300", 300, 300, 300 * 200, 0, 0, 0, 0, 6, 6},
    {"relay --pairs 2 --window 1 --size 8000 --count 101", 101, 101, 101 * 8000, 0, 0, 0, 0, 4, 4},
    {"relay --pairs 2 --rate 2000 --size 333 --count 200", 200, 200, 200 * 333, 0, 0, 0, 0, 4, 4},
    {"call --pairs 3 --candidates 3 --count 30", 30, 240, 30 * CALL_BYTES, 60, 0, 0, 0, 6, 6},
    {"call --pairs 3 --candidates 3 --count 30 --singly", 30, 240, 30 * CALL_BYTES, 60, 0, 0, 0, 6, 6},
    {"call --pairs 3 --candidates 3 --count 30 --fresh-rooms", 30, 240, 30 * CALL_BYTES, 60, 0, 0, 0, 6, 6},
    {"call --pairs 3 --candidates 3 --count 30 --reconnect", 30, 240, 30 * CALL_BYTES, 60, 60, 60, 0, 0, 60},
    {"call --pairs 2 --candidates 3 --count 11 --reconnect --singly --fresh-rooms --sources 3", 11, 88,
     11 * CALL_BYTES, 22, 22, 22, 0, 0, 22},
    {"call --pairs 3 --candidates 0 --offer-size 500 --count 20 --beside 4 --rate 1000", 20, 40, 20 * 1000,
     40, 0, 0, 0, 10, 10},
    {"connect --connections 4 --count 50", 50, 0, 0, 0, 50, 50, 0, 0, 50},
    {"connect --connections 4 --count 51 --joined --beside 3", 51, 0, 0, 51, 51, 51, 0, 3, 54},
    {"storm --connections 20", 20, 0, 0, 0, 20, 0, 0, 20, 20},
    {"storm --connections 20 --joined", 20, 0, 0, 20, 20, 0, 0, 20, 20},
    {"rejoin --connections 6 --count 60", 60, 0, 0, 60, 0, 0, 0, 6, 6},
};

static void expect_everything_with(fixture *f, unsigned threads, uint32_t workers)
{
    for (size_t i = 0; i < LENGTH_OF(expectations); i++) {
        const expectation *e = &expectations[i];
        char arguments[256];
        snprintf(arguments, sizeof(arguments), "%s --threads %u", e->arguments, threads);
        start_server(f, workers);
        cJSON *json = run_bench(f, arguments);
        assert_true(number(json, "threads") == threads);
        expect_counts(json, e);
        expect_server(f, e, json);
        if (strncmp(e->arguments, "call", 4) !=
            0) /* whose connections are timed from the begin of the call */
            expect_latencies(json, e);
        cJSON_Delete(json);
        end_server(f);
    }
}

static void one_thread_does_what_was_asked_for_on_one_worker(void **state)
{
    expect_everything_with(*state, 1, 1);
}

static void one_thread_does_what_was_asked_for_on_four_workers(void **state)
{
    expect_everything_with(*state, 1, 4);
}

static void two_threads_do_what_was_asked_for_on_one_worker(void **state)
{
    expect_everything_with(*state, 2, 1);
}

static void two_threads_do_what_was_asked_for_on_four_workers(void **state)
{
    expect_everything_with(*state, 2, 4);
}

static void mixed_traffic_is_counted(void **state)
{
    fixture *f = *state;
    static const expectation e = {.arguments =
                                      "mixed --pairs 1 --count 2 --rate 100 --talk 0 --loss 0 --candidates 1",
                                  .operations = 2,
                                  .signals = 2 * 4,
                                  .signal_bytes = 2 * 2 * (3000 + 290),
                                  .joins = 2 * 2,
                                  .open = 2,
                                  .accepted = 2};
    start_server(f, 4);
    cJSON *json = run_bench(f, e.arguments);
    expect_counts(json, &e);
    expect_server(f, &e, json);
    cJSON_Delete(json);
}

/* In the first of two calls a user is lost for certain, comes back and negotiates anew. In the second the end
 * of the run may come first. */
static void a_lost_user_comes_back(void **state)
{
    fixture *f = *state;
    start_server(f, 4);
    cJSON *json = run_bench(f, "mixed --pairs 1 --count 2 --rate 100 --talk 0 --loss 1 --candidates 1");
    const cJSON *counts = cJSON_GetObjectItem(json, "counts");
    assert_true(number(counts, "operations") == 2);
    assert_in_range(number(counts, "losses"), 1, 2);
    assert_true(number(counts, "connects") >= 1);
    assert_true(number(counts, "joins") >= 5);
    assert_true(number(counts, "signals") >= 3 * 4);
    cJSON_Delete(json);
    const signal_server_stats stats = server_stats(f->server);
    assert_true(stats.signals_relayed + stats.signals_delivered >= 3 * 4);
    assert_true(stats.accepted >= 3);
    assert_int_equal(stats.signals_refused, 0);
    assert_int_equal(stats.signals_dropped, 0);
}

static void idle_connections_are_held_and_not_more(void **state)
{
    fixture *f = *state;
    static const expectation e = {
        .arguments = "idle --connections 7 --beside 2 --seconds 0.1", .open = 9, .accepted = 9};
    start_server(f, 4);
    cJSON *json = run_bench(f, e.arguments);
    expect_counts(json, &e);
    expect_server(f, &e, json);
    assert_true(number(json, "seconds") >= 0.1);
    cJSON_Delete(json);
}

/* In an open loop the last of 200 operations is due after 0.1 seconds, and not before. */
static void a_rate_is_kept(void **state)
{
    fixture *f = *state;
    start_server(f, 1);
    cJSON *json = run_bench(f, "relay --pairs 2 --rate 2000 --count 200");
    assert_true(number(json, "target_rate") == 2000);
    assert_true(number(json, "seconds") >= 0.0999);
    cJSON_Delete(json);
}

static void a_time_is_kept_after_a_warm_up(void **state)
{
    fixture *f = *state;
    start_server(f, 2);
    cJSON *json = run_bench(f, "relay --pairs 2 --warmup 0.1 --seconds 0.4");
    const cJSON *counts = cJSON_GetObjectItem(json, "counts");
    double signals = number(counts, "signals");
    assert_true(number(json, "seconds") >= 0.4);
    assert_true(signals > 0);
    assert_true(number(counts, "operations") == signals);
    double all_signals = number(cJSON_GetObjectItem(json, "totals"), "signals");
    assert_true(all_signals > signals); /* those of the warm-up */
    assert_true((double)server_stats(f->server).signals_relayed == all_signals);
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(json, "series")) > 0);
    cJSON_Delete(json);
}

/* Here the server's process is ours. Besides those asked for, 64 connections come before the first look at
 * its memory. */
static void the_process_of_the_server_is_measured(void **state)
{
    fixture *f = *state;
    char arguments[128];
    snprintf(arguments, sizeof(arguments), "idle --connections 10 --seconds 0.1 --server-pid %d",
             (int)getpid());
    start_server(f, 2);
    cJSON *json = run_bench(f, arguments);
    const cJSON *server = cJSON_GetObjectItem(json, "server");
    assert_true(number(server, "pid") == getpid());
    assert_true(number(server, "threads") >= 4); /* two workers, an acceptor, and this one */
    assert_true(number(server, "rss_before_bytes") > 100 * 1024);
    assert_true(number(server, "rss_after_bytes") > 100 * 1024);
    assert_true(number(json, "open_connections") == 74);
    assert_int_equal(server_stats(f->server).accepted, 74);
    cJSON_Delete(json);
}

/* ---- Several servers ---- */

/* Two servers that know nothing of each other. */
static void start_two_servers(fixture *f)
{
    const signal_server_options options = server_options();
    f->server = server_start(&options);
    f->second = server_start(&options);
}

static void start_bench_at_two(fixture *f, const char *arguments)
{
    process_start(&f->bench, BENCH "%s --quiet --json - ws://127.0.0.1:%u/signal ws://127.0.0.1:%u/signal",
                  arguments, signal_server_port(f->server), signal_server_port(f->second));
}

static void expect_accepted(const fixture *f, unsigned by_first, unsigned by_second)
{
    assert_int_equal(server_stats(f->server).accepted, by_first);
    assert_int_equal(server_stats(f->second).accepted, by_second);
}

static void the_users_of_a_pair_are_at_two_servers(void **state)
{
    fixture *f = *state;
    start_two_servers(f);
    start_bench_at_two(f, "idle --connections 9 --joined --seconds 0.1");
    cJSON *json = finish_bench(f);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "urls")), 2);
    cJSON_Delete(json);
    expect_accepted(f, 5, 4);
    assert_int_equal(server_stats(f->server).signals_relayed, 0);
}

/* These two pass nothing on to each other, so every call would be lost that is not local. */
static void with_local_rooms_the_users_of_a_pair_are_at_one_server(void **state)
{
    fixture *f = *state;
    start_two_servers(f);
    start_bench_at_two(f, "call --pairs 3 --candidates 3 --count 30 --local-rooms");
    cJSON *json = finish_bench(f);
    assert_true(number(cJSON_GetObjectItem(json, "counts"), "operations") == 30);
    cJSON_Delete(json);
    expect_accepted(f, 4, 2);
}

static void who_roams_goes_on_to_the_next_server(void **state)
{
    fixture *f = *state;
    start_two_servers(f);
    start_bench_at_two(f, "connect --connections 1 --count 6 --local-rooms --roaming");
    cJSON_Delete(finish_bench(f));
    expect_accepted(f, 3, 3);
}

static void the_processes_of_servers_and_engine_are_measured(void **state)
{
    fixture *f = *state;
    char arguments[160];
    snprintf(arguments, sizeof(arguments),
             "call --pairs 2 --count 20 --local-rooms --server-pid %d,%d --engine-pid %d", (int)getpid(),
             (int)getpid(), (int)getpid());
    start_two_servers(f);
    start_bench_at_two(f, arguments);
    cJSON *json = finish_bench(f);
    const cJSON *server = cJSON_GetObjectItem(json, "server");
    const double engine = number(cJSON_GetObjectItem(json, "engine"), "cpu_seconds");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(server, "pids")), 2);
    assert_true(engine > 0);
    assert_true(number(server, "cpu_seconds") > 1.5 * engine); /* it is counted twice there, here once */
    cJSON_Delete(json);
}

/* ---- Reports ---- */

static char *read_file(const char *path)
{
    char *text = NULL;
    size_t cap = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &cap, '\0', file) > 0);
    fclose(file);
    return text;
}

static void a_page_and_a_file_are_written_where_they_are_asked_for(void **state)
{
    fixture *f = *state;
    start_server(f, 1);
    process_start(&f->bench,
                  BENCH "relay --pairs 1 --count 10 --label \"a 'name'\" --report %s --json %s/result.json "
                        "ws://127.0.0.1:%u/signal",
                  f->directory, f->directory, signal_server_port(f->server));
    assert_int_equal(process_finish(&f->bench), 0);
    assert_non_null(strstr(f->bench.out.text, "signal")); /* the table */

    char *page = read_file(path_of(f, "index.html"));
    assert_non_null(strstr(page, "relay --pairs 1"));
    assert_non_null(strstr(page, "</html>"));
    char *text = read_file(path_of(f, "result.json"));
    cJSON *json = cJSON_Parse(text);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "label")), "a 'name'");
    const char *command_line = cJSON_GetStringValue(cJSON_GetObjectItem(json, "command_line"));
    static const char expected[] = "homecall-bench relay --pairs 1 --count 10 --label 'a '\\''name'\\''' ";
    assert_memory_equal(command_line, expected, sizeof(expected) - 1);
    cJSON_Delete(json);
    free(text);
    free(page);
}

static void a_report_that_can_not_be_written_is_told(void **state)
{
    fixture *f = *state;
    start_server(f, 1);
    process_start(&f->bench,
                  BENCH
                  "relay --pairs 1 --count 10 --quiet --json %s/no/result.json ws://127.0.0.1:%u/signal",
                  f->directory, signal_server_port(f->server));
    expect_line(f, 1, "homecall-bench: /tmp/", "No such file or directory");
    process_start(&f->bench,
                  BENCH "relay --pairs 1 --count 10 --quiet --report %s/no/page ws://127.0.0.1:%u/signal",
                  f->directory, signal_server_port(f->server));
    expect_line(f, 1, "homecall-bench: /tmp/", "/no/page: No such file or directory");
    process_start(&f->bench,
                  BENCH "relay --pairs 1 --count 10 --quiet --report /dev/null ws://127.0.0.1:%u/signal",
                  signal_server_port(f->server));
    expect_line(f, 1, "homecall-bench: /dev/null: ", "Not a directory");
    assert_int_equal(server_stats(f->server).accepted, 0); /* it was told before the run */
}

/* ---- Faults ---- */

static void wrong_usage_ends_with_two(void **state)
{
    fixture *f = *state;
    process_start(&f->bench, BENCH);
    expect_line(f, 2, "homecall-bench: a scenario and one to eight URLs are needed", "");
    process_start(&f->bench, BENCH "relay --pairs 0 ws://127.0.0.1:1/");
    expect_line(f, 2, "homecall-bench: --pairs 0: a whole number from 1", "is allowed");
    process_start(&f->bench, BENCH "flood ws://127.0.0.1:1/");
    expect_line(f, 2, "homecall-bench: no scenario is called flood", "");
    process_start(&f->bench, BENCH "relay --roaming ws://127.0.0.1:1/");
    expect_line(f, 2, "homecall-bench: --local-rooms and --roaming need several URLs", "");
    static const char *const pids[] = {"0", "1,", "1,x", ",1", "1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < LENGTH_OF(pids); i++) {
        process_start(&f->bench, BENCH "relay --server-pid %s ws://127.0.0.1:1/", pids[i]);
        expect_line(f, 2, "homecall-bench: --server-pid ", "separated by commas, are allowed");
    }
}

static void help_and_version_end_with_zero(void **state)
{
    fixture *f = *state;
    process_start(&f->bench, BENCH "--help");
    assert_int_equal(process_finish(&f->bench), 0);
    assert_memory_equal(f->bench.out.text, "homecall-bench SCENARIO [OPTION...] URL", 39);
    process_start(&f->bench, BENCH "--version");
    assert_int_equal(process_finish(&f->bench), 0);
    assert_memory_equal(f->bench.out.text, "homecall-bench 0.", 17);
}

static void a_server_that_can_not_be_reached_ends_with_one(void **state)
{
    fixture *f = *state;
    static const char *const scenarios[] = {"relay", "call --reconnect", "idle", "rejoin", "connect"};
    for (size_t i = 0; i < LENGTH_OF(scenarios); i++) {
        process_start(&f->bench, BENCH "%s --quiet ws://127.0.0.1:1/signal", scenarios[i]);
        expect_line(f, 1, "homecall-bench: fault: ", ": Connection refused (close code 0)");
    }
    process_start(&f->bench, BENCH "relay ws://no-such-host.invalid/signal");
    expect_line(f, 1, "homecall-bench: ws://no-such-host.invalid/signal: ", "is not known");
    process_start(&f->bench, BENCH "relay http://127.0.0.1/signal");
    expect_line(f, 1, "homecall-bench: http://127.0.0.1/signal: a URL looks like ", "");
}

static void a_path_that_is_not_served_is_told(void **state)
{
    fixture *f = *state;
    start_server(f, 1);
    process_start(&f->bench, BENCH "relay --quiet ws://127.0.0.1:%u/other", signal_server_port(f->server));
    expect_line(
        f, 1, "homecall-bench: fault: ",
        "the server refused 100 of 100 connections: 100 with HTTP status 404 (see the path of the URL)");
}

static void a_process_that_is_not_there_is_told(void **state)
{
    fixture *f = *state;
    start_server(f, 1);
    start_bench(f, "relay --pairs 1 --count 1 --server-pid 4194304");
    expect_line(f, 1, "homecall-bench: fault: there is no process with the pid of a server or an engine", "");
}

static void await_relayed(const fixture *f, uint64_t count)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    while (server_stats(f->server).signals_relayed < count) {
        assert_true(client_now_ms() < deadline_ms);
        poll(NULL, 0, 1); /* counters can only be polled; this leaves them a processor */
    }
}

static void a_server_that_goes_away_ends_the_run(void **state)
{
    fixture *f = *state;
    start_server(f, 2);
    start_bench(f, "relay --pairs 4 --threads 2 --seconds 600");
    await_relayed(f, 100);
    signal_server_request_stop(f->server, false);
    expect_line(f, 1, "homecall-bench: fault: ", "the server ended TCP (close code 1001)");
    end_server(f);

    start_server(f, 2);
    start_bench(f, "relay --pairs 4 --threads 2 --seconds 600");
    await_relayed(f, 100);
    signal_server_request_stop(f->server, true);
    expect_line(f, 1, "homecall-bench: fault: ", " (close code 1006)");
}

static void a_server_that_closes_idle_connections_ends_the_run(void **state)
{
    fixture *f = *state;
    start_server(f, 2);
    start_bench(f, "idle --connections 10 --joined --beside 2 --seconds 600");
    SERVER_AWAIT(f->server, joined, 10);
    SERVER_AWAIT(f->server, connections, 12);
    signal_server_request_stop(f->server, false);
    expect_line(f, 1, "homecall-bench: fault: ", "the server ended TCP (close code 1001)");
    cJSON *json = cJSON_Parse(f->bench.out.text);
    const char *fault = cJSON_GetStringValue(cJSON_GetObjectItem(json, "fault"));
    assert_non_null(strstr(fault, "the server ended TCP (close code 1001)"));
    cJSON_Delete(json);
}

static void a_server_without_room_is_told(void **state)
{
    fixture *f = *state;
    signal_server_options options = server_options();
    options.max_connections = 5;
    f->server = server_start(&options);
    start_bench(f, "idle --connections 9 --threads 2");
    expect_line(f, 1, "homecall-bench: fault: ",
                "the server refused 4 of 9 connections: 4 with HTTP status 503 "
                "(see MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, CONNECT_RATE)");
}

static void a_connection_refused_under_load_ends_the_run(void **state)
{
    fixture *f = *state;
    signal_server_options options = server_options();
    options.max_connections = 5;
    f->server = server_start(&options);
    start_bench(f, "connect --connections 9 --count 1000");
    assert_int_equal(process_finish(&f->bench), 1);
    assert_non_null(strstr(f->bench.err.text, "homecall-bench: fault: the server refused "));
    assert_non_null(strstr(f->bench.err.text, " with HTTP status 503 "));
    cJSON *json = cJSON_Parse(f->bench.out.text);
    assert_true(number(cJSON_GetObjectItem(json, "totals"), "refused") >= 1);
    cJSON_Delete(json);
}

static void a_limit_of_the_server_is_named(void **state)
{
    fixture *f = *state;
    signal_server_options options = server_options();
    options.message_rate = 5;
    options.message_burst = 5;
    f->server = server_start(&options);
    start_bench(f, "relay --pairs 1 --window 4 --count 1000");
    expect_line(f, 1, "homecall-bench: fault: ", " take them off)");
    assert_non_null(strstr(f->bench.err.text, "(close code 1008: "));
    assert_non_null(strstr(f->bench.err.text, " MESSAGE_RATE=0, "));
}

/* ---- The second storm ---- */

static unsigned read_pid(const fixture *f)
{
    char *text = read_file(path_of(f, "pid"));
    unsigned pid = (unsigned)strtoul(text, NULL, 10);
    free(text);
    return pid;
}

/* The command ends the server and starts it anew, on the same port. Who has lost its parent is our child
 * then, so that its end can be waited for. */
static void expect_all_back(fixture *f, const char *spoken, unsigned refused)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        skip(); /* an emulator of another processor has none */
    process_start(&f->program, "cd %s && WS_PORT=0 ADMIN_PORT=0 WORKERS=2 exec \"$HOMECALL_SIGNAL_BINARY\"",
                  f->directory);
    process_await(&f->program, " workers=");
    const char *field = strstr(f->program.out.text, " port=");
    assert_non_null(field);
    unsigned port = (unsigned)strtoul(field + 6, NULL, 10);

    process_start(
        &f->bench,
        BENCH
        "storm --connections 20 --joined --threads 2 --dialect %s --loss 0 --quiet --json - --restart '"
        "kill -TERM %d; while kill -0 %d 2>/dev/null; do :; done; cd %s; "
        "WS_PORT=%u ADMIN_PORT=0 \"$HOMECALL_SIGNAL_BINARY\" >/dev/null 2>&1 </dev/null & echo $! >%s/pid' "
        "ws://127.0.0.1:%u/signal",
        spoken, (int)f->program.pid, (int)f->program.pid, f->directory, port, f->directory, port);
    assert_int_equal(process_finish(&f->program),
                     0); /* the command has ended it, and waits until it is gone */
    cJSON *json = finish_bench(f);
    const cJSON *counts = cJSON_GetObjectItem(json, "counts");
    assert_true(number(counts, "operations") == 40);
    assert_true(number(counts, "connects") == 40);
    assert_true(number(counts, "joins") == 40);
    assert_true(number(counts, "resumes_refused") == refused);
    assert_true(number(json, "open_connections") == 20);
    cJSON_Delete(json);

    pid_t second = (pid_t)read_pid(f);
    int status;
    assert_int_equal(kill(second, SIGTERM), 0);
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_int_equal(status, 0);
}

static void after_a_restart_everybody_comes_back(void **state)
{
    expect_all_back(*state, "homecall", 0);
}

/* Each shows its token, which the new process can't know, after the time that "goaway" has told. */
static void after_a_restart_every_session_begins_anew(void **state)
{
    expect_all_back(*state, "2", 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(one_thread_does_what_was_asked_for_on_one_worker),
        TEST(one_thread_does_what_was_asked_for_on_four_workers),
        TEST(two_threads_do_what_was_asked_for_on_one_worker),
        TEST(two_threads_do_what_was_asked_for_on_four_workers),
        TEST(mixed_traffic_is_counted),
        TEST(a_lost_user_comes_back),
        TEST(idle_connections_are_held_and_not_more),
        TEST(a_rate_is_kept),
        TEST(a_time_is_kept_after_a_warm_up),
        TEST(the_process_of_the_server_is_measured),
        TEST(the_users_of_a_pair_are_at_two_servers),
        TEST(with_local_rooms_the_users_of_a_pair_are_at_one_server),
        TEST(who_roams_goes_on_to_the_next_server),
        TEST(the_processes_of_servers_and_engine_are_measured),
        TEST(a_page_and_a_file_are_written_where_they_are_asked_for),
        TEST(a_report_that_can_not_be_written_is_told),
        TEST(wrong_usage_ends_with_two),
        TEST(help_and_version_end_with_zero),
        TEST(a_server_that_can_not_be_reached_ends_with_one),
        TEST(a_path_that_is_not_served_is_told),
        TEST(a_process_that_is_not_there_is_told),
        TEST(a_server_that_goes_away_ends_the_run),
        TEST(a_server_that_closes_idle_connections_ends_the_run),
        TEST(a_server_without_room_is_told),
        TEST(a_connection_refused_under_load_ends_the_run),
        TEST(a_limit_of_the_server_is_named),
        TEST(after_a_restart_everybody_comes_back),
        TEST(after_a_restart_every_session_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
