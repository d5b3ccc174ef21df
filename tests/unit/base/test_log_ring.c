/* The ring between a thread that logs and the writer. */
#include "base/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAP = 256, HEAD = 8 };

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

static bool push(log_ring *ring, const void *data, size_t len)
{
    void *room = log_ring_reserve(ring, len);
    if (room == NULL)
        return false;
    if (len > 0)
        memcpy(room, data, len);
    log_ring_commit(ring, len);
    return true;
}

static void assert_next(log_ring *ring, const void *data, size_t len)
{
    const void *record = log_ring_peek(ring, log_ring_published(ring));
    assert_non_null(record);
    assert_memory_equal(record, data, len);
    log_ring_consume(ring);
}

static void a_new_ring_is_empty(void **state)
{
    log_ring *ring = *state;
    assert_true(log_ring_is_empty(ring));
    assert_null(log_ring_peek(ring, log_ring_published(ring)));
    assert_false(log_ring_is_filling(ring));
}

static void freeing_no_ring_is_legal(void **state)
{
    (void)state;
    log_ring_free(NULL);
}

static void an_empty_record_is_a_record(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, NULL, 0));
    assert_false(log_ring_is_empty(ring));
    assert_non_null(log_ring_peek(ring, log_ring_published(ring)));
    log_ring_consume(ring);
    assert_true(log_ring_is_empty(ring));
}

static void records_come_out_in_order_and_aligned(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, "a", 1));
    assert_true(push(ring, "12345678", 8));
    assert_true(push(ring, "123456789", 9));
    for (size_t i = 0; i < 3; i++) {
        const void *record = log_ring_peek(ring, log_ring_published(ring));
        assert_int_equal((uintptr_t)record % 8, 0);
        assert_memory_equal(record, i == 0 ? "a" : "12345678", i == 0 ? 1 : 8);
        log_ring_consume(ring);
    }
    assert_true(log_ring_is_empty(ring));
}

static void peeking_twice_shows_the_same_record(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, "one", 3));
    assert_true(push(ring, "two", 3));
    assert_ptr_equal(log_ring_peek(ring, log_ring_published(ring)),
                     log_ring_peek(ring, log_ring_published(ring)));
    assert_next(ring, "one", 3);
    assert_next(ring, "two", 3);
}

static void what_is_not_committed_is_not_seen(void **state)
{
    log_ring *ring = *state;
    assert_non_null(log_ring_reserve(ring, 16));
    assert_true(log_ring_is_empty(ring));
    assert_true(push(ring, "kept", 4));
    assert_next(ring, "kept", 4);
    assert_true(log_ring_is_empty(ring));
}

static void what_was_reserved_and_not_used_stays_free(void **state)
{
    log_ring *ring = *state;
    size_t count = 0;
    for (void *space; (space = log_ring_reserve(ring, CAP / 2 - HEAD)) != NULL; count++) {
        memcpy(space, "12345678", 8);
        log_ring_commit(ring, 8);
    }
    assert_int_equal(count, CAP / 2 / (HEAD + 8) + 1);
    for (; count > 0; count--)
        assert_next(ring, "12345678", 8);
    assert_true(log_ring_is_empty(ring));
}

static void a_reader_stops_at_the_end_that_it_asked_for(void **state)
{
    log_ring *ring = *state;
    assert_true(push(ring, "old", 3));
    uint64_t end = log_ring_published(ring);
    assert_true(push(ring, "new", 3));
    assert_non_null(log_ring_peek(ring, end));
    log_ring_consume(ring);
    assert_null(log_ring_peek(ring, end));
    assert_next(ring, "new", 3);
}

static void a_full_ring_refuses_and_takes_again_after_a_read(void **state)
{
    log_ring *ring = *state;
    char data[24];
    size_t count = 0;
    for (memset(data, 'a', sizeof(data)); push(ring, data, sizeof(data)); count++)
        memset(data, (int)('b' + count), sizeof(data));
    assert_int_equal(count, CAP / (HEAD + sizeof(data)));
    assert_false(push(ring, "", 0));

    memset(data, 'a', sizeof(data));
    assert_next(ring, data, sizeof(data));
    assert_true(push(ring, data, sizeof(data)));
    assert_false(push(ring, "", 0));
}

static void the_longest_record_fits_wherever_the_last_one_ended(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < CAP; offset += HEAD) {
        log_ring *ring = log_ring_new(CAP);
        for (size_t used = 0; used < offset; used += HEAD) {
            assert_true(push(ring, NULL, 0));
            assert_non_null(log_ring_peek(ring, log_ring_published(ring)));
            log_ring_consume(ring);
        }
        char data[CAP / 2 - HEAD];
        memset(data, 'x', sizeof(data));
        assert_true(push(ring, data, sizeof(data)));
        assert_next(ring, data, sizeof(data));
        assert_true(log_ring_is_empty(ring));
        log_ring_free(ring);
    }
}

static void a_record_over_half_of_the_ring_is_refused(void **state)
{
    char data[CAP] = {0};
    assert_false(push(*state, data, CAP / 2 - HEAD + 1));
    assert_null(log_ring_reserve(*state, SIZE_MAX));
    assert_true(log_ring_is_empty(*state));
}

static void a_ring_is_filling_over_a_quarter_of_it(void **state)
{
    log_ring *ring = *state;
    char data[CAP / 4 - HEAD] = {0};
    assert_true(push(ring, data, sizeof(data)));
    assert_false(log_ring_is_filling(ring));
    assert_true(push(ring, NULL, 0));
    assert_true(log_ring_is_filling(ring));
    assert_next(ring, data, sizeof(data));
    assert_false(log_ring_is_filling(ring));
}

static void half_of_a_ring_is_free_until_more_is_used(void **state)
{
    log_ring *ring = *state;
    char data[CAP / 2 - HEAD] = {0};
    assert_true(log_ring_has_half(ring));
    assert_true(push(ring, data, sizeof(data)));
    assert_true(log_ring_has_half(ring));
    assert_true(push(ring, NULL, 0));
    assert_false(log_ring_has_half(ring));
    uint64_t consumed = log_ring_consumed(ring);
    assert_next(ring, data, sizeof(data));
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
    for (uint64_t i = 0; i < 10000; i++) {
        assert_true(push(ring, &i, sizeof(i)));
        const uint8_t *record = log_ring_peek(ring, log_ring_published(ring));
        assert_in_range(record - ring->data, 0, HOT_BYTES);
        assert_next(ring, &i, sizeof(i));
    }
    /* A reader that is behind by one record gets all, wherever they are. */
    assert_true(push(ring, &(uint64_t){0}, sizeof(uint64_t)));
    for (uint64_t i = 1; i < 100000; i++) {
        assert_true(push(ring, &i, sizeof(i)));
        assert_next(ring, &(uint64_t){i - 1}, sizeof(i));
    }
    log_ring_free(ring);
}

static void records_of_all_lengths_survive_many_turns_of_the_ring(void **state)
{
    log_ring *ring = *state;
    unsigned char data[CAP / 2];
    for (unsigned turn = 0; turn < 2000; turn++) {
        size_t len = turn * 7 % (sizeof(data) - HEAD + 1);
        memset(data, (int)(turn & 0xFF), sizeof(data));
        assert_true(push(ring, data, len));
        assert_next(ring, data, len);
        assert_true(log_ring_is_empty(ring));
    }
}

enum { EXCHANGED = 20000 };

static void *produce(void *ring)
{
    for (uint64_t i = 0; i < EXCHANGED; i++) {
        uint64_t words[8];
        size_t count = 1 + i % 8;
        for (size_t j = 0; j < count; j++)
            words[j] = i;
        while (!push(ring, words, count * sizeof(words[0])))
            sched_yield();
    }
    return NULL;
}

static void two_threads_exchange_records_without_loss(void **state)
{
    log_ring *ring = *state;
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < EXCHANGED; i++) {
        const uint64_t *words;
        while ((words = log_ring_peek(ring, log_ring_published(ring))) == NULL)
            sched_yield();
        for (size_t j = 0; j < 1 + i % 8; j++)
            wrong += words[j] != i;
        log_ring_consume(ring);
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    assert_true(log_ring_is_empty(ring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_ring_is_empty, make, destroy),
        cmocka_unit_test(freeing_no_ring_is_legal),
        cmocka_unit_test_setup_teardown(an_empty_record_is_a_record, make, destroy),
        cmocka_unit_test_setup_teardown(records_come_out_in_order_and_aligned, make, destroy),
        cmocka_unit_test_setup_teardown(peeking_twice_shows_the_same_record, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_seen, make, destroy),
        cmocka_unit_test_setup_teardown(what_was_reserved_and_not_used_stays_free, make, destroy),
        cmocka_unit_test_setup_teardown(a_reader_stops_at_the_end_that_it_asked_for, make, destroy),
        cmocka_unit_test_setup_teardown(a_full_ring_refuses_and_takes_again_after_a_read, make, destroy),
        cmocka_unit_test(the_longest_record_fits_wherever_the_last_one_ended),
        cmocka_unit_test_setup_teardown(a_record_over_half_of_the_ring_is_refused, make, destroy),
        cmocka_unit_test_setup_teardown(a_ring_is_filling_over_a_quarter_of_it, make, destroy),
        cmocka_unit_test_setup_teardown(half_of_a_ring_is_free_until_more_is_used, make, destroy),
        cmocka_unit_test(a_ring_that_was_empty_goes_on_at_its_start),
        cmocka_unit_test_setup_teardown(records_of_all_lengths_survive_many_turns_of_the_ring, make, destroy),
        cmocka_unit_test_setup_teardown(two_threads_exchange_records_without_loss, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
