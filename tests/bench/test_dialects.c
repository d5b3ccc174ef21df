/* homecall-bench in the dialects beside version 1: each scenario does what was asked for against a server in
 * this process; lost connections are resumed and counted; and with a proxy in between that lies once about a
 * message of version 2, the lie is noticed and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "support/server.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

typedef struct fixture {
    signal_server *server;
    process proxy;
    process bench;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    signal_server_options options = server_options();
    options.workers = 3;
    f->server = server_start(&options);
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    process_kill(&f->proxy);
    server_end(f->server);
    free(f);
    return 0;
}

static void start_bench(fixture *f, const char *arguments, unsigned port)
{
    process_start(&f->bench, "exec \"$HOMECALL_BENCH_BINARY\" %s --quiet --json - ws://127.0.0.1:%u/signal",
                  arguments, port);
}

/* Run it without a fault, and return its result. */
static cJSON *run_bench(fixture *f, const char *arguments)
{
    start_bench(f, arguments, signal_server_port(f->server));
    int code = process_finish(&f->bench);
    if (code != 0 || f->bench.err.len > 0)
        fail_msg("%s: exit code %d: %s", arguments, code, f->bench.err.text);
    cJSON *json = cJSON_Parse(f->bench.out.text);
    assert_non_null(json);
    return json;
}

static double total(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "totals"), name);
    if (!cJSON_IsNumber(item))
        fail_msg("there is no number %s", name);
    return cJSON_GetNumberValue(item);
}

static void each_scenario_does_what_was_asked_for(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *arguments;
        double operations, signals, joins;
    } cases[] = {
        {"call --dialect session --pairs 3 --count 30 --candidates 2", 30, 30 * 7, 0},
        {"call --dialect session --pairs 3 --count 30 --candidates 2 --singly --threads 2", 30, 30 * 7, 0},
        {"call --dialect session --pairs 3 --count 30 --candidates 2 --reconnect --fresh-rooms", 30, 30 * 7,
         0},
        {"relay --dialect session --pairs 3 --count 90", 90, 90, 0},
        {"connect --dialect session --connections 6 --count 60", 60, 0, 0},
        {"storm --dialect session --connections 20", 20, 0, 0},
        {"mixed --dialect session --pairs 1 --count 2 --rate 100 --talk 0 --loss 0 --candidates 1", 2, 10, 0},
        {"call --dialect 2 --pairs 3 --count 30 --candidates 2", 30, 30 * 6, 66},
        {"call --dialect 2 --pairs 3 --count 30 --candidates 2 --singly --threads 2", 30, 30 * 6, 66},
        {"call --dialect 2 --pairs 3 --count 30 --candidates 2 --reconnect --fresh-rooms", 30, 30 * 6, 60},
        {"call --dialect 2 --pairs 3 --count 30 --candidates 40", 30, 30 * 82, 66},
        {"relay --dialect 2 --pairs 3 --count 90 --window 9", 90, 90, 6},
        {"connect --dialect 2 --connections 6 --count 60 --joined", 60, 0, 60},
        {"rejoin --dialect 2 --connections 6 --count 60", 60, 0, 66},
        {"storm --dialect 2 --connections 20 --joined --loss 0", 20, 0, 20},
        {"mixed --dialect 2 --pairs 1 --count 2 --rate 100 --talk 0 --loss 0 --candidates 1", 2, 8, 4},
        {"mixed --dialect homecall --second-dialect 2 --pairs 1 --count 2 --rate 100 --talk 0 --loss 0 "
         "--candidates 1",
         2, 8, 4},
        {"relay --dialect 2 --second-dialect homecall --pairs 3 --count 90", 90, 90, 6},
        {"call --dialect homecall --second-dialect 2 --pairs 3 --count 30 --candidates 2", 30, 30 * 6, 66},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        cJSON *json = run_bench(f, cases[i].arguments);
        bool is_right = total(json, "operations") == cases[i].operations &&
                        total(json, "signals") == cases[i].signals && total(json, "losses") == 0;
        if (!is_right || total(json, "joins") > cases[i].joins)
            fail_msg("%s: %g operations, %g signals, %g joins", cases[i].arguments, total(json, "operations"),
                     total(json, "signals"), total(json, "joins"));
        assert_true(total(json, "resumes_refused") == 0 && total(json, "lost") == 0);
        cJSON_Delete(json);
    }
}

/* The latency of this name has as many values as there were resumed sessions in the measuring. */
static void expect_resume_times(const cJSON *json)
{
    const cJSON *latency = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "latency_us"), "resume");
    const cJSON *count = cJSON_GetObjectItem(latency, "count");
    assert_true(cJSON_IsNumber(count) && cJSON_GetNumberValue(count) >= 1);
}

static void lost_connections_are_resumed_and_counted(void **state)
{
    fixture *f = *state;
    static const char *const runs[] = {
        "churn --dialect 2 --pairs 8 --rate 800 --life 0.2 --warmup 0 --seconds 2",
        "churn --dialect 2 --second-dialect homecall --pairs 8 --rate 800 --life 0.2 --warmup 0 --seconds 2",
        "storm --dialect 2 --connections 40 --joined --loss 1",
        "mixed --dialect 2 --pairs 8 --rate 40 --talk 0.1 --loss 1 --candidates 3 --warmup 0 --seconds 2",
    };
    for (size_t i = 0; i < LENGTH_OF(runs); i++) {
        cJSON *json = run_bench(f, runs[i]);
        if (total(json, "resumed") < 1 || total(json, "resumes_refused") > 0)
            fail_msg("%s: %g resumed, %g not", runs[i], total(json, "resumed"),
                     total(json, "resumes_refused"));
        if (i == 0)
            assert_true(total(json, "sent_again") >= 1);
        if (i != 1) /* where version 1 loses what its rules say */
            assert_true(total(json, "lost") == 0);
        expect_resume_times(json);
        cJSON_Delete(json);
    }
}

static void idle_sessions_are_told_that_the_line_is_good(void **state)
{
    fixture *f = *state;
    server_end(f->server);
    signal_server_options options = server_options();
    options.ping_interval_ms = 300;
    f->server = server_start(&options);
    cJSON *json = run_bench(f, "idle --dialect 2 --connections 10 --joined --seconds 1.5");
    assert_true(total(json, "ticks") >= 20); /* of 50 that are due */
    cJSON_Delete(json);
}

/* ---- Lies ---- */

static unsigned start_proxy(fixture *f, const char *lie, unsigned at)
{
    unsigned port = 0;
    process_start(&f->proxy, "exec \"$HOMECALL_LYING_PROXY_BINARY\" %s %u %u", lie, at,
                  signal_server_port(f->server));
    process_await(&f->proxy, "\n");
    assert_int_equal(sscanf(f->proxy.out.text, "port %u", &port), 1);
    return port;
}

static void end_proxy(fixture *f)
{
    assert_int_equal(process_finish(&f->proxy), 0);
    assert_string_equal(f->proxy.err.text, "");
}

static const char *const loads[] = {
    "relay --dialect 2 --pairs 2 --window 4 --count 400",
    "call --dialect 2 --pairs 2 --count 40 --candidates 8",
};

static void a_proxy_that_does_not_lie_is_believed(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < LENGTH_OF(loads); i++) {
        start_bench(f, loads[i], start_proxy(f, "none", 0));
        assert_int_equal(process_finish(&f->bench), 0);
        assert_string_equal(f->bench.err.text, "");
        end_proxy(f);
    }
}

static void every_lie_is_noticed_and_named(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *lie;
        unsigned at;
        const char *named;
        const char *or_named; /* by chance it looks like this; NULL = never */
    } cases[] = {
        {"loses", 41, "came after", NULL},
        {"loses-quietly", 41, "a later one came first, this one is lost or late", "that does not fit"},
        {"doubles", 41, "came after", NULL},
        {"swaps", 41, "came after", NULL},
        {"sender", 41, "who is not there", NULL},
        {"kind", 9, "a signal came as one of another kind", "this is not of version 2"},
        {"ack", 3, "was acknowledged, between", NULL},
        {"presence", 1, "presence that does not fit who is there", NULL},
        {"person", 1, "presence of a stranger", NULL},
        {"resumed", 1, "it resumed a session that is not its own", "a resumed session was told its peers"},
        {"error", 5, "this came: {\"type\":\"error\"", NULL},
        {"subprotocol", 0, "wrong Sec-WebSocket-Protocol: homecall.3", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases) * LENGTH_OF(loads); i++) {
        size_t row = i / LENGTH_OF(loads);
        start_bench(f, loads[i % LENGTH_OF(loads)], start_proxy(f, cases[row].lie, cases[row].at));
        int code = process_finish(&f->bench);
        const char *line = f->bench.err.text;
        const char *or_named = cases[row].or_named;
        bool is_named =
            strstr(line, cases[row].named) != NULL || (or_named != NULL && strstr(line, or_named) != NULL);
        if (code != 1 || strncmp(line, "homecall-bench: fault: ", 23) != 0 || !is_named)
            fail_msg("%s, %s: exit code %d, \"%s\"", cases[row].lie, loads[i % LENGTH_OF(loads)], code, line);
        end_proxy(f);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(each_scenario_does_what_was_asked_for),
        TEST(lost_connections_are_resumed_and_counted),
        TEST(idle_sessions_are_told_that_the_line_is_good),
        TEST(a_proxy_that_does_not_lie_is_believed),
        TEST(every_lie_is_noticed_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
