/* homecall-bench against a relay that lies once: it must notice each lie, name it in one line, and end with
 * 1; and it must be content with a relay that does not lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

typedef struct fixture {
    process relay;
    process bench;
    unsigned port;
} fixture;

static int make(void **state)
{
    *state = calloc(1, sizeof(fixture));
    return *state == NULL;
}

static int destroy(void **state)
{
    fixture *f = *state;
    process_kill(&f->bench);
    process_kill(&f->relay);
    free(f);
    return 0;
}

static void start_relay(fixture *f, const char *lie, unsigned at)
{
    process_start(&f->relay, "exec \"$HOMECALL_LYING_RELAY_BINARY\" %s %u", lie, at);
    process_await(&f->relay, "\n");
    assert_int_equal(sscanf(f->relay.out.text, "port %u", &f->port), 1);
}

static void start_bench(fixture *f, const char *arguments)
{
    process_start(&f->bench, "exec \"$HOMECALL_BENCH_BINARY\" %s --quiet --json - ws://127.0.0.1:%u/signal",
                  arguments, f->port);
}

static void end_relay(fixture *f)
{
    assert_int_equal(process_finish(&f->relay), 0);
    assert_string_equal(f->relay.err.text, "");
}

/* It must have ended with 1, one line that holds `named` or `or_named`, and the same in the result. */
static void expect_fault(fixture *f, const char *what, const char *named, const char *or_named)
{
    assert_int_equal(process_finish(&f->bench), 1);
    const char *line = f->bench.err.text;
    if (strncmp(line, "homecall-bench: fault: ", 23) != 0 ||
        strchr(line, '\n') != line + f->bench.err.len - 1 ||
        (strstr(line, named) == NULL && (or_named == NULL || strstr(line, or_named) == NULL)))
        fail_msg("%s: \"%s\" is not one line that names \"%s\"", what, line, named);
    cJSON *json = cJSON_Parse(f->bench.out.text);
    assert_non_null(json);
    const char *fault = cJSON_GetStringValue(cJSON_GetObjectItem(json, "fault"));
    assert_non_null(fault);
    assert_memory_equal(fault, line + 23, strlen(fault));
    cJSON_Delete(json);
}

/* Offer and candidates wait in a queue here, and go straight there; both may be lied about. */
static const char *const loads[] = {
    "relay --pairs 2 --window 4 --count 400",
    "call --pairs 2 --count 40 --candidates 8",
    "call --pairs 2 --count 40 --candidates 8 --threads 2 --singly --fresh-rooms",
    "call --pairs 2 --count 40 --candidates 8 --reconnect",
};

static void a_relay_that_does_not_lie_is_believed(void **state)
{
    fixture *f = *state;
    static const char *const truths[] = {"none", "rewrites"};
    static const int signals[] = {400, 40 * 18, 40 * 18, 40 * 18};
    for (size_t i = 0; i < LENGTH_OF(truths) * LENGTH_OF(loads); i++) {
        size_t load = i % LENGTH_OF(loads);
        start_relay(f, truths[i / LENGTH_OF(loads)], 0);
        start_bench(f, loads[load]);
        assert_int_equal(process_finish(&f->bench), 0);
        assert_string_equal(f->bench.err.text, "");
        cJSON *json = cJSON_Parse(f->bench.out.text);
        const cJSON *counts = cJSON_GetObjectItem(json, "counts");
        assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(counts, "signals")) == signals[load]);
        assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "fault")));
        cJSON_Delete(json);
        end_relay(f);
    }
}

/* A leave and the next call's first signals come over two connections, so a signal may overtake a leave, and
 * reach somebody who has left. */
static void a_leave_that_comes_late_confuses_nobody(void **state)
{
    fixture *f = *state;
    static const char *const late[] = {
        "mixed --pairs 2 --count 4 --rate 100 --talk 0 --loss 0 --candidates 1",
        "call --pairs 2 --count 40 --candidates 8",
        "call --pairs 2 --count 40 --candidates 8 --singly",
        "call --pairs 2 --count 40 --candidates 0 --singly",
    };
    for (size_t i = 0; i < LENGTH_OF(late); i++) {
        start_relay(f, "keeps", 0);
        start_bench(f, late[i]);
        assert_int_equal(process_finish(&f->bench), 0);
        assert_string_equal(f->bench.err.text, "");
        end_relay(f);
    }
}

static void every_lie_is_noticed_and_named(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *lie;
        const char *named;
        const char *or_named; /* by chance it looks like this; NULL = never */
    } cases[] = {
        {"loses", "a later one came first, this one is lost or late", NULL},
        {"doubles", "an earlier one came again", "got what nobody sent"},
        {"swaps", "a later one came first, this one is lost or late", NULL},
        {"alters", "it was altered, or came from elsewhere", NULL},
        {"room", "it was altered, or came from elsewhere", NULL},
        {"sender", "it was altered, or came from elsewhere", NULL},
        {"garbage", "it was altered, or came from elsewhere", NULL},
        {"misleads", "signal ", "got what nobody sent"},
        {"error", "something else came: {\"type\":\"error\",\"message\":\"Invalid message\"}", NULL},
        {"binary", "lost its connection: a binary message came", NULL},
        {"broken-frame", "lost its connection: reserved bit without an extension", NULL},
        {"mask", "lost its connection: frame with a mask", NULL},
        {"closes", "lost its connection: the server ended TCP (close code 1011)", NULL},
        {"ends", "lost its connection: the server ended TCP (close code 1006)", NULL},
    };
    for (size_t i = 0; i < LENGTH_OF(cases) * LENGTH_OF(loads); i++) {
        size_t row = i / LENGTH_OF(loads);
        const char *load = loads[i % LENGTH_OF(loads)];
        char what[256];
        snprintf(what, sizeof(what), "%s, %s", cases[row].lie, load);
        start_relay(f, cases[row].lie, 41 + (unsigned)(i % LENGTH_OF(loads)));
        start_bench(f, load);
        expect_fault(f, what, cases[row].named, cases[row].or_named);
        end_relay(f);
    }
}

static void a_wrong_accept_is_noticed(void **state)
{
    fixture *f = *state;
    start_relay(f, "accept", 0);
    start_bench(f, "connect --connections 2 --count 4");
    expect_fault(f, "connect", "wrong Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= (close code 0)",
                 NULL);
    start_bench(f, "relay --pairs 1 --count 4");
    expect_fault(f, "relay", "wrong Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= (close code 0)", NULL);
    end_relay(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(a_relay_that_does_not_lie_is_believed),
        TEST(a_leave_that_comes_late_confuses_nobody),
        TEST(every_lie_is_noticed_and_named),
        TEST(a_wrong_accept_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
