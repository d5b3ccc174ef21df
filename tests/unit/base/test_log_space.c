/* How a thread whose ring is full waits for the writer of the log, and when it does not. */
#include "base/log_space.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAP = 4096 };

typedef struct fixture {
    log_ring *ring;
    log_space space;
    unsigned waits;      /* after which there was space */
    unsigned long_waits; /* of these, those that ended only by their time */
} fixture;

static bool push(log_ring *ring, uint64_t number)
{
    char *line = log_ring_reserve(ring, sizeof(number));
    if (line == NULL)
        return false;
    memcpy(line, &number, sizeof(number));
    log_ring_commit(ring, sizeof(number), 1, 0);
    return true;
}

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->ring = log_ring_new(CAP);
    while (push(f->ring, 0))
        continue;
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    log_ring_free(f->ring);
    free(f);
    return 0;
}

/* Consume the oldest line; false when there is none. */
static bool consume(log_ring *ring, uint64_t *number)
{
    log_ring_look(ring);
    const log_lines lines = log_ring_lines(ring, UINT64_MAX);
    if (lines.len == 0)
        return false;
    memcpy(number, lines.text, sizeof(*number));
    log_ring_consume(ring, sizeof(*number));
    return true;
}

/* How long the wait takes, in milliseconds. */
static uint64_t wait_ms(fixture *f, bool expected)
{
    uint64_t before_us = clock_monotonic_us();
    assert_int_equal(log_space_wait(&f->space, f->ring), expected);
    return (clock_monotonic_us() - before_us) / 1000;
}

static void a_writer_that_stands_still_is_waited_for_once(void **state)
{
    fixture *f = *state;
    assert_in_range(wait_ms(f, false), LOG_SPACE_WAIT_MS - 1, UINT32_MAX);
    uint64_t before_ms = clock_monotonic_ms();
    for (int i = 0; i < 1000; i++)
        wait_ms(f, false);
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 1000 * LOG_SPACE_WAIT_MS / 4);

    uint64_t number;
    assert_true(consume(f->ring, &number)); /* it goes on */
    assert_in_range(wait_ms(f, false), LOG_SPACE_WAIT_MS - 1, UINT32_MAX);
}

static void half_of_a_ring_that_is_free_is_not_waited_for(void **state)
{
    fixture *f = *state;
    uint64_t number;
    while (!log_ring_has_half(f->ring))
        assert_true(consume(f->ring, &number));
    for (int i = 0; i < 1000; i++)
        wait_ms(f, true);
}

static void a_thread_that_has_waited_for_half_of_its_time_does_not_wait(void **state)
{
    fixture *f = *state;
    const uint64_t most_us = LOG_SPACE_CREDIT_MS * 1000;
    uint64_t consumed = log_ring_consumed(f->ring);
    f->space.spent_at = clock_monotonic_us();
    f->space.spent_us = most_us + 3600 * UINT64_C(1000000);
    wait_ms(f, false);
    assert_int_equal(f->space.consumed, 0); /* so it has not waited, and not in vain */
    assert_false(f->space.has_waited_in_vain);

    /* Half of the time that has gone by since is given back. */
    f->space.spent_us = most_us + 1000 * 1000;
    f->space.spent_at = clock_monotonic_us() - 2 * 1000 * 1000 - 1000;
    wait_ms(f, false);
    assert_true(f->space.has_waited_in_vain);
    assert_int_equal(f->space.consumed, consumed);
    assert_in_range(f->space.spent_us, (LOG_SPACE_WAIT_MS - 1) * 1000, UINT32_MAX);
}

enum { EXCHANGED = 30000 };

static void *produce(void *argument)
{
    fixture *f = argument;
    for (uint64_t i = 1; i <= EXCHANGED; i++) {
        while (!push(f->ring, i)) {
            uint64_t before_us = clock_monotonic_us();
            bool has_waited = log_space_wait(&f->space, f->ring);
            bool is_long = clock_monotonic_us() - before_us >= LOG_SPACE_WAIT_MS * 1000;
            f->waits += has_waited;
            f->long_waits += has_waited && is_long;
        }
    }
    return NULL;
}

/* Were a thread not told, each of its waits would be as long as it may be. On a busy machine a few are. */
static void a_thread_that_waits_is_told(void **state)
{
    fixture *f = *state;
    uint64_t number;
    while (consume(f->ring, &number))
        continue;
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, f), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 1; i <= EXCHANGED;) {
        if (!consume(f->ring, &number)) {
            sched_yield(); /* Valgrind runs one thread at a time */
            continue;
        }
        wrong += number != i++;
        log_space_tell();
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    assert_in_range(f->long_waits, 0, f->waits / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_writer_that_stands_still_is_waited_for_once, make, destroy),
        cmocka_unit_test_setup_teardown(half_of_a_ring_that_is_free_is_not_waited_for, make, destroy),
        cmocka_unit_test_setup_teardown(a_thread_that_has_waited_for_half_of_its_time_does_not_wait, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_thread_that_waits_is_told, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
