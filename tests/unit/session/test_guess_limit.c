/* How long the joins of one client are held, with the time told by the test. */
#include "session/guess_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

enum { SECOND_US = 1000 * 1000, START_US = 5 * SECOND_US };

static const guess_rate rate = {.per_minute = 30, .burst = 30};

/* Join, wait for as long as the join is held, and have it handled. */
static uint32_t join(guess_record *record, uint32_t room, uint64_t now_us)
{
    uint32_t hold_ms = guess_hold_ms(record, rate, room, now_us);
    guess_remember(record, room);
    return hold_ms;
}

static void use_up(guess_record *record, uint64_t now_us)
{
    for (uint32_t room = 1; room <= rate.burst; room++)
        assert_int_equal(guess_hold_ms(record, rate, 100000 + room, now_us), 0);
}

static void the_first_join_over_the_burst_is_held(void **state)
{
    (void)state;
    guess_record record = {0};
    for (uint32_t room = 1; room <= 30; room++)
        assert_int_equal(join(&record, room, START_US), 0);
    assert_int_equal(join(&record, 31, START_US), 100);
}

static void each_hold_is_twice_as_long_as_the_one_before_up_to_25_s(void **state)
{
    (void)state;
    static const uint32_t holds[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25000, 25000};
    guess_record record = {0};
    use_up(&record, START_US);
    for (uint32_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++)
        assert_int_equal(join(&record, 1000 + i, START_US), holds[i]);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(join(&record, 2000 + i, START_US), 25000);
}

static void a_token_comes_back_every_two_seconds(void **state)
{
    (void)state;
    guess_record record = {0};
    use_up(&record, START_US);
    uint64_t now_us = START_US + 2 * SECOND_US;
    assert_int_equal(join(&record, 1, now_us - 1), 100);
    assert_int_equal(join(&record, 2, now_us), 0);
    assert_int_equal(join(&record, 3, now_us), 200); /* the doubling goes on */
}

static void a_hold_takes_no_token(void **state)
{
    (void)state;
    guess_record record = {0};
    use_up(&record, START_US);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_not_equal(join(&record, 1000 + i, START_US), 0);
    assert_int_equal(join(&record, 1, START_US + 2 * SECOND_US), 0);
}

static void when_the_bucket_is_full_again_the_next_hold_is_short(void **state)
{
    (void)state;
    guess_record record = {0};
    use_up(&record, START_US);
    for (uint32_t i = 0; i < 5; i++)
        (void)join(&record, 1000 + i, START_US);
    uint64_t full_us = START_US + 60 * (uint64_t)SECOND_US;
    guess_record other = record;
    use_up(&record, full_us);
    assert_int_equal(join(&record, 1, full_us), 100);

    for (uint32_t i = 0; i < 29; i++) /* one moment earlier only 29 are back */
        assert_int_equal(join(&other, 3000 + i, full_us - 1), 0);
    assert_int_equal(join(&other, 1, full_us - 1), 3200);
}

static void a_room_that_was_joined_is_free(void **state)
{
    (void)state;
    guess_record record = {0};
    assert_int_equal(join(&record, 7, START_US), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(join(&record, 7, START_US), 0);
    for (uint32_t i = 0; i < 29; i++) /* all that took only one token */
        assert_int_equal(join(&record, 1000 + i, START_US), 0);
    assert_int_equal(join(&record, 2000, START_US), 100);
    assert_int_equal(join(&record, 7, START_US), 0);
    assert_int_equal(join(&record, 2000, START_US), 0); /* it was held, and is known now */
}

static void a_room_is_known_when_its_join_was_handled_and_not_before(void **state)
{
    (void)state;
    guess_record record = {0};
    use_up(&record, START_US);
    assert_int_equal(guess_hold_ms(&record, rate, 1, START_US), 100);
    assert_int_equal(guess_hold_ms(&record, rate, 1, START_US), 200);
    guess_remember(&record, 1);
    assert_int_equal(guess_hold_ms(&record, rate, 1, START_US), 0);
}

static void the_last_32_rooms_are_remembered(void **state)
{
    (void)state;
    guess_record record = {0};
    for (uint32_t room = 1; room <= 33; room++)
        guess_remember(&record, room);
    guess_remember(&record, 33);
    use_up(&record, START_US);
    for (uint32_t room = 2; room <= 33; room++)
        assert_int_equal(guess_hold_ms(&record, rate, room, START_US), 0);
    assert_int_equal(guess_hold_ms(&record, rate, 1, START_US), 100);
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    (void)state;
    guess_record record = {0};
    for (uint32_t room = 1; room <= 10000; room++)
        assert_int_equal(guess_hold_ms(&record, (guess_rate){0, 1}, room, START_US), 0);
}

static void the_highest_rates_do_not_overflow(void **state)
{
    (void)state;
    guess_record record = {0};
    const guess_rate highest = {.per_minute = 1000000, .burst = GUESS_MAX_BURST};
    for (uint32_t room = 1; room <= GUESS_MAX_BURST; room++)
        assert_int_equal(guess_hold_ms(&record, highest, room, START_US), 0);
    assert_int_equal(guess_hold_ms(&record, highest, 1, START_US), 100);
}

static void a_room_of_hash_zero_is_a_room(void **state)
{
    (void)state;
    guess_record record = {0};
    assert_int_not_equal(guess_room(0), 0);
    assert_int_not_equal(guess_room(0xFFFFFFFF00000000), 0);
    assert_int_equal(guess_room(0x1122334455667788), 0x55667788);
    use_up(&record, START_US);
    assert_int_equal(guess_hold_ms(&record, rate, guess_room(0), START_US), 100);
}

static void a_codeword_of_22_characters_is_free_however_many_bytes_they_take(void **state)
{
    (void)state;
    assert_false(guess_is_free(SLICE_LITERAL("")));
    assert_false(guess_is_free(SLICE_LITERAL("123456789012345678901")));
    assert_true(guess_is_free(SLICE_LITERAL("1234567890123456789012")));
    assert_true(guess_is_free(SLICE_LITERAL("1234567890123456789012 and more")));
    char owls[22 * 4 + 1] = "";
    for (int i = 0; i < 21; i++)
        memcpy(owls + i * 4, "\xF0\x9F\xA6\x89", 4); /* U+1F989 */
    assert_false(guess_is_free(slice_of_text(owls)));
    memcpy(owls + 21 * 4, "\xC3\xA9", 2);
    assert_true(guess_is_free(slice_of_text(owls)));
}

/* ---- Several threads ---- */

enum { THREADS = 4, JOINS = 5000 };

typedef struct joiner {
    guess_record *record;
    uint32_t first_room;
    unsigned let_through;
} joiner;

static void *join_many(void *context)
{
    joiner *j = context;
    for (uint32_t i = 0; i < JOINS; i++) {
        j->let_through += guess_hold_ms(j->record, rate, j->first_room + i, START_US) == 0;
        guess_remember(j->record, j->first_room + i);
    }
    return NULL;
}

static void threads_share_the_tokens_of_a_client(void **state)
{
    (void)state;
    guess_record record = {0};
    pthread_t threads[THREADS];
    joiner joiners[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        joiners[i] = (joiner){.record = &record, .first_room = 1 + i * JOINS};
        assert_int_equal(pthread_create(&threads[i], NULL, join_many, &joiners[i]), 0);
    }
    unsigned let_through = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        let_through += joiners[i].let_through;
    }
    assert_int_equal(let_through, rate.burst);
    assert_int_equal(record.holds, THREADS * JOINS - rate.burst);
    assert_int_equal(record.next_room, THREADS * JOINS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_join_over_the_burst_is_held),
        cmocka_unit_test(each_hold_is_twice_as_long_as_the_one_before_up_to_25_s),
        cmocka_unit_test(a_token_comes_back_every_two_seconds),
        cmocka_unit_test(a_hold_takes_no_token),
        cmocka_unit_test(when_the_bucket_is_full_again_the_next_hold_is_short),
        cmocka_unit_test(a_room_that_was_joined_is_free),
        cmocka_unit_test(a_room_is_known_when_its_join_was_handled_and_not_before),
        cmocka_unit_test(the_last_32_rooms_are_remembered),
        cmocka_unit_test(a_rate_of_zero_is_no_limit),
        cmocka_unit_test(the_highest_rates_do_not_overflow),
        cmocka_unit_test(a_room_of_hash_zero_is_a_room),
        cmocka_unit_test(a_codeword_of_22_characters_is_free_however_many_bytes_they_take),
        cmocka_unit_test(threads_share_the_tokens_of_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
