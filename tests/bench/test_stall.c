/* A server that stops to answer, or is not there at all: a run that counts operations still ends, with 1 and
 * a line that says so. Each case waits for the bound of the program, so all of them run at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 4 };

typedef struct fixture {
    process relays[CASES];
    process benches[CASES];
} fixture;

static int make(void **state)
{
    *state = calloc(1, sizeof(fixture));
    return *state == NULL;
}

static int destroy(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < CASES; i++) {
        process_kill(&f->benches[i]);
        process_kill(&f->relays[i]);
    }
    free(f);
    return 0;
}

/* The last signal is lost, and no other one follows that could tell; or nobody listens (port 1). */
static void what_is_not_completed_is_a_fault_after_a_while(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *lie;
        unsigned at;
        const char *load;
        const char *line;
    } cases[CASES] = {
        {"loses", 50, "relay --pairs 1 --count 50", "no signal was completed for 20 seconds"},
        {"loses", 88, "call --pairs 1 --candidates 10 --count 4 --singly",
         "no call was completed for 20 seconds"},
        {"loses", 50, "relay --pairs 1 --count 50 --rate 1000", "no signal was completed for 20 seconds"},
        {NULL, 0, "storm --connections 2", "no connection was completed for 20 seconds"},
    };
    for (int i = 0; i < CASES; i++) {
        unsigned port = 1;
        if (cases[i].lie != NULL) {
            process_start(&f->relays[i], "exec \"$HOMECALL_LYING_RELAY_BINARY\" %s %u", cases[i].lie,
                          cases[i].at);
            process_await(&f->relays[i], "\n");
            assert_int_equal(sscanf(f->relays[i].out.text, "port %u", &port), 1);
        }
        process_start(&f->benches[i], "exec \"$HOMECALL_BENCH_BINARY\" %s --quiet ws://127.0.0.1:%u/signal",
                      cases[i].load, port);
    }
    for (int i = 0; i < CASES; i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "homecall-bench: fault: %s\n", cases[i].line);
        assert_int_equal(process_finish(&f->benches[i]), 1);
        assert_string_equal(f->benches[i].err.text, expected);
        if (cases[i].lie != NULL)
            assert_int_equal(process_finish(&f->relays[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_completed_is_a_fault_after_a_while, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
