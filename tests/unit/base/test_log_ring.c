/* The ring between a thread that logs and the writer. */
#include "base/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAP = 256, RUNS = CAP / 64 };

static int make(void **state)
{
    *state = log_ring_new(CAP);
    return *state == NULL;
}

static int destroy(void **state)
{
    log_ring_free(*state);
    return 0;
}

static bool push_at(log_ring *ring, uint64_t time_ms, uint32_t level, const char *data, size_t len)
{
    char *space = log_ring_reserve(ring, len);
    if (space == NULL)
        return false;
    memcpy(space, data, len);
    log_ring_commit(ring, len, time_ms, level);
    return true;
}

static bool push(log_ring *ring, const char *data, size_t len)
{
    return push_at(ring, 1, 0, data, len);
}

static void assert_lines(log_ring *ring, uint64_t until_ms, const char *data, size_t len)
{
    log_lines lines = log_ring_lines(ring, until_ms);
    assert_int_equal(lines.len, len);
    assert_memory_equal(lines.text, data, len);
}

/* What is next is exactly this, of whatever time. */
static void assert_next(log_ring *ring, const char *data, size_t len)
{
    log_ring_look(ring);
    assert_lines(ring, UINT64_MAX, data, len);
    log_ring_consume(ring, len);
}

static void assert_none(log_ring *ring)
{
    uint64_t time_ms;
    log_ring_look(ring);
    assert_false(log_ring_peek(ring, &time_ms));
    assert_int_equal(log_ring_lines(ring, UINT64_MAX).len, 0);
    assert_true(log_ring_is_empty(ring));
}

static void a_new_ring_is_empty(void **state)
{
    assert_none(*state);
    assert_false(log_ring_is_filling(*state));
}

static void freeing_no_ring_is_legal(void **state)
{
    (void)state;
    log_ring_free(NULL);
}

static void lines_that_follow_each_other_come_in_one_piece(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, "a\n", 2));
    assert_true(push_at(ring, 2, 0, "later\n", 6));
    assert_true(push_at(ring, 2, 0, "too\n", 4));
    assert_next(ring, "a\nlater\ntoo\n", 12);
    assert_none(ring);
}

static void lines_are_told_apart_by_their_time(void **state)
{
    log_ring *ring = *state;
    uint64_t time_ms;
    assert_true(push_at(ring, 5, 0, "a\n", 2));
    assert_true(push_at(ring, 5, 0, "b\n", 2));
    assert_true(push_at(ring, 7, 0, "c\n", 2));
    assert_true(push_at(ring, 6, 0, "d\n", 2)); /* the clock was put back */
    log_ring_look(ring);
    assert_true(log_ring_peek(ring, &time_ms));
    assert_int_equal(time_ms, 5);
    assert_int_equal(log_ring_lines(ring, 4).len, 0);
    assert_lines(ring, 6, "a\nb\n", 4);
    assert_lines(ring, 7, "a\nb\nc\nd\n", 8);
    log_ring_consume(ring, 4);
    assert_true(log_ring_peek(ring, &time_ms));
    assert_int_equal(time_ms, 7);
    assert_int_equal(log_ring_lines(ring, 6).len, 0);
    log_ring_consume(ring, 2);
    assert_lines(ring, 6, "d\n", 2);
    log_ring_consume(ring, 2);
    assert_none(ring);
}

static void lines_are_told_apart_by_their_level(void **state)
{
    log_ring *ring = *state;
    static const uint32_t levels[] = {1, 1, 2, 0};
    for (size_t i = 0; i < 4; i++)
        assert_true(push_at(ring, 1, levels[i], "12345678", 8));
    log_ring_look(ring);
    for (size_t i = 0; i < 4; i += i == 0 ? 2 : 1) {
        log_lines lines = log_ring_lines(ring, 1);
        assert_int_equal(lines.level, levels[i]);
        assert_int_equal(lines.len, i == 0 ? 16 : 8);
        log_ring_consume(ring, lines.len);
    }
    assert_none(ring);
}

static void lines_are_consumed_one_by_one(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, "one\n", 4));
    assert_true(push(ring, "two\n", 4));
    assert_true(push_at(ring, 2, 0, "three\n", 6));
    log_ring_look(ring);
    static const char *const left[] = {"one\ntwo\nthree\n", "two\nthree\n", "three\n"};
    for (size_t i = 0; i < 3; i++) {
        assert_lines(ring, UINT64_MAX, left[i], strlen(left[i]));
        assert_lines(ring, UINT64_MAX, left[i], strlen(left[i]));
        log_ring_consume(ring, i == 2 ? 6 : 4);
    }
    assert_none(ring);
}

static void what_is_not_committed_is_not_seen(void **state)
{
    log_ring *ring = *state;
    assert_non_null(log_ring_reserve(ring, 16));
    assert_none(ring);
    assert_true(push(ring, "kept", 4));
    assert_next(ring, "kept", 4);
    assert_none(ring);
}

static void what_was_reserved_and_not_used_stays_free(void **state)
{
    log_ring *ring = *state;
    size_t count = 0;
    for (char *space; (space = log_ring_reserve(ring, CAP / 2)) != NULL; count++) {
        memcpy(space, "12345678", 8);
        log_ring_commit(ring, 8, 1, 0);
    }
    assert_int_equal(count, CAP / 2 / 8 + 1);
    for (; count > 0; count--) {
        log_ring_look(ring);
        assert_memory_equal(log_ring_lines(ring, 1).text, "12345678", 8);
        log_ring_consume(ring, 8);
    }
    assert_none(ring);
}

static void a_reader_sees_no_more_than_when_it_looked(void **state)
{
    log_ring *ring = *state;
    uint64_t time_ms;
    assert_true(push(ring, "old", 3));
    log_ring_look(ring);
    assert_true(push(ring, "new", 3));
    assert_true(push_at(ring, 2, 0, "newer", 5));
    assert_lines(ring, UINT64_MAX, "old", 3);
    log_ring_consume(ring, 3);
    assert_false(log_ring_peek(ring, &time_ms));
    assert_int_equal(log_ring_lines(ring, UINT64_MAX).len, 0);
    assert_next(ring, "newnewer", 8);
}

static void a_full_ring_refuses_and_takes_again_after_a_read(void **state)
{
    log_ring *ring = *state;
    char data[32];
    memset(data, 'a', sizeof(data));
    for (size_t i = 0; i < CAP / sizeof(data); i++)
        assert_true(push(ring, data, sizeof(data)));
    assert_false(push(ring, "x", 1));

    log_ring_look(ring);
    log_ring_consume(ring, sizeof(data));
    assert_true(push(ring, data, sizeof(data)));
    assert_false(push(ring, "x", 1));
}

/* Shorter lines than there ever are, each at another time. */
static void a_ring_without_a_run_that_is_free_refuses(void **state)
{
    log_ring *ring = *state;
    for (uint64_t i = 0; i < RUNS; i++)
        assert_true(push_at(ring, 10 + i, 0, "x", 1));
    assert_null(log_ring_reserve(ring, 1));
    log_ring_look(ring);
    assert_lines(ring, 10, "x", 1);
    log_ring_consume(ring, 1);
    assert_true(push_at(ring, 20, 0, "y", 1));
    assert_false(push(ring, "z", 1));
    assert_next(ring, "xxxy", RUNS);
    assert_none(ring);
}

static void the_longest_line_fits_wherever_the_last_one_ended(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < CAP; offset++) {
        log_ring *ring = log_ring_new(CAP);
        for (size_t used = 0; used < offset; used++) {
            assert_true(push(ring, "x", 1));
            assert_next(ring, "x", 1);
        }
        char data[CAP / 2];
        memset(data, 'y', sizeof(data));
        assert_true(push(ring, data, sizeof(data)));
        assert_next(ring, data, sizeof(data));
        assert_none(ring);
        log_ring_free(ring);
    }
}

static void a_line_over_half_of_the_ring_is_refused(void **state)
{
    assert_null(log_ring_reserve(*state, CAP / 2 + 1));
    assert_null(log_ring_reserve(*state, SIZE_MAX));
    assert_none(*state);
}

static void a_ring_is_filling_over_a_quarter_of_it(void **state)
{
    log_ring *ring = *state;
    char data[CAP / 4] = {0};
    assert_true(push(ring, data, sizeof(data)));
    assert_false(log_ring_is_filling(ring));
    assert_true(push(ring, "x", 1));
    assert_true(log_ring_is_filling(ring));
    log_ring_look(ring);
    log_ring_consume(ring, sizeof(data));
    assert_false(log_ring_is_filling(ring));
}

static void half_of_a_ring_is_free_until_more_is_used(void **state)
{
    log_ring *ring = *state;
    char data[CAP / 2] = {0};
    assert_true(log_ring_has_half(ring));
    assert_true(push(ring, data, sizeof(data)));
    assert_true(log_ring_has_half(ring));
    assert_true(push(ring, "x", 1));
    assert_false(log_ring_has_half(ring));
    uint64_t consumed = log_ring_consumed(ring);
    log_ring_look(ring);
    log_ring_consume(ring, sizeof(data));
    assert_int_equal(log_ring_consumed(ring), consumed + CAP / 2);
    assert_true(log_ring_has_half(ring));
}

enum { LARGE_CAP = 256 * 1024, HOT_BYTES = 32 * 1024 };

/* As long as the reader keeps up, a small part of a large ring is used again and again. */
static void a_ring_that_was_empty_goes_on_at_its_start(void **state)
{
    (void)state;
    log_ring *ring = log_ring_new(LARGE_CAP);
    assert_non_null(ring);
    char line[16];
    char last[16];
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(line, sizeof(line), "%015u", i);
        assert_true(push_at(ring, i, 0, line, 16));
        log_ring_look(ring);
        assert_in_range(log_ring_lines(ring, i).text - ring->data, 0, HOT_BYTES);
        assert_next(ring, line, 16);
    }
    assert_in_range(ring->runs_published - ring->first_run, 1, HOT_BYTES / 16);

    /* A reader that is behind by one line gets all, wherever they are. */
    memset(last, 'x', sizeof(last));
    assert_true(push_at(ring, 10000, 0, last, 16));
    for (unsigned i = 10001; i < 100000; i++) {
        snprintf(line, sizeof(line), "%015u", i);
        assert_true(push_at(ring, i, 0, line, 16));
        log_ring_look(ring);
        assert_lines(ring, i - 1, last, 16);
        log_ring_consume(ring, 16);
        memcpy(last, line, 16);
    }
    log_ring_free(ring);
}

static void lines_of_all_lengths_survive_many_turns_of_the_ring(void **state)
{
    log_ring *ring = *state;
    char data[CAP / 2];
    for (unsigned turn = 0; turn < 2000; turn++) {
        size_t len = 1 + turn * 7 % sizeof(data);
        memset(data, (int)(turn & 0xFF), sizeof(data));
        assert_true(push_at(ring, turn / 3, 0, data, len));
        assert_next(ring, data, len);
        assert_none(ring);
    }
}

enum { EXCHANGED = 20000, LONGEST = 40 };

/* The line `i` has one to LONGEST bytes, and all say which line it is, as do its time and its level. */
static size_t exchanged_len(uint64_t i)
{
    return 1 + i * 7 % LONGEST;
}

static uint64_t exchanged_time(uint64_t i)
{
    return i / 5;
}

static void *produce(void *ring)
{
    for (uint64_t i = 0; i < EXCHANGED; i++) {
        char data[LONGEST];
        memset(data, (int)(i % 251), sizeof(data));
        while (!push_at(ring, exchanged_time(i), (uint32_t)(i / 11 % 2), data, exchanged_len(i)))
            sched_yield();
    }
    return NULL;
}

static void two_threads_exchange_lines_without_loss(void **state)
{
    log_ring *ring = *state;
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < EXCHANGED;) {
        uint64_t time_ms;
        log_ring_look(ring);
        if (!log_ring_peek(ring, &time_ms)) {
            sched_yield();
            continue;
        }
        wrong += time_ms != exchanged_time(i);
        log_lines lines = log_ring_lines(ring, time_ms);
        size_t len = 0;
        for (; len < lines.len; i++) {
            wrong += lines.level != i / 11 % 2 || exchanged_time(i) != time_ms;
            for (size_t end = len + exchanged_len(i); len < end; len++)
                wrong += lines.text[len] != (char)(i % 251);
        }
        wrong += len != lines.len;
        log_ring_consume(ring, len);
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    assert_none(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_ring_is_empty, make, destroy),
        cmocka_unit_test(freeing_no_ring_is_legal),
        cmocka_unit_test_setup_teardown(lines_that_follow_each_other_come_in_one_piece, make, destroy),
        cmocka_unit_test_setup_teardown(lines_are_told_apart_by_their_time, make, destroy),
        cmocka_unit_test_setup_teardown(lines_are_told_apart_by_their_level, make, destroy),
        cmocka_unit_test_setup_teardown(lines_are_consumed_one_by_one, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_seen, make, destroy),
        cmocka_unit_test_setup_teardown(what_was_reserved_and_not_used_stays_free, make, destroy),
        cmocka_unit_test_setup_teardown(a_reader_sees_no_more_than_when_it_looked, make, destroy),
        cmocka_unit_test_setup_teardown(a_full_ring_refuses_and_takes_again_after_a_read, make, destroy),
        cmocka_unit_test_setup_teardown(a_ring_without_a_run_that_is_free_refuses, make, destroy),
        cmocka_unit_test(the_longest_line_fits_wherever_the_last_one_ended),
        cmocka_unit_test_setup_teardown(a_line_over_half_of_the_ring_is_refused, make, destroy),
        cmocka_unit_test_setup_teardown(a_ring_is_filling_over_a_quarter_of_it, make, destroy),
        cmocka_unit_test_setup_teardown(half_of_a_ring_is_free_until_more_is_used, make, destroy),
        cmocka_unit_test(a_ring_that_was_empty_goes_on_at_its_start),
        cmocka_unit_test_setup_teardown(lines_of_all_lengths_survive_many_turns_of_the_ring, make, destroy),
        cmocka_unit_test_setup_teardown(two_threads_exchange_lines_without_loss, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
