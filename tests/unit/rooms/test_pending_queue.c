#include "rooms/pending_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

/* A queue of at most 3 messages and 10 bytes, and a server-wide budget that the tests set. */
typedef struct queue_fixture {
    pending_queue queue;
    pending_bounds bounds;
    size_t budget;   /* what may still be reserved */
    size_t reserved; /* what is */
} queue_fixture;

static bool reserve(void *context, uint32_t account, size_t bytes)
{
    assert_int_equal(account, 5);
    queue_fixture *f = context;
    if (bytes > f->budget)
        return false;
    f->budget -= bytes;
    f->reserved += bytes;
    return true;
}

static void release(void *context, uint32_t account, size_t bytes)
{
    assert_int_equal(account, 5);
    queue_fixture *f = context;
    assert_true(bytes <= f->reserved);
    f->budget += bytes;
    f->reserved -= bytes;
}

static void set_up(queue_fixture *f)
{
    pending_queue_init(&f->queue);
    f->bounds = (pending_bounds){
        .max_messages = 3,
        .max_bytes = 10,
        .reserve = reserve,
        .release = release,
        .context = f,
    };
    f->budget = 100;
    f->reserved = 0;
}

/* Push one part, cut out of a literal that must not be changed. */
static int push(queue_fixture *f, int kind, const char *text)
{
    char copy[64];
    size_t len = strlen(text);
    assert_true(len < sizeof(copy));
    memcpy(copy, text, len + 1);
    struct iovec part = {copy, len};
    int err = pending_queue_push(&f->queue, &f->bounds, kind, &part, 1, 5, 0);
    memset(copy, '?', sizeof(copy)); /* the queue must hold a copy of its own */
    return err;
}

static void expect_next(queue_fixture *f, int kind, const char *text)
{
    pending_signal *signal = pending_queue_take(&f->queue, &f->bounds);
    assert_non_null(signal);
    assert_int_equal(signal->kind, kind);
    assert_int_equal(signal->len, strlen(text));
    assert_memory_equal(signal->data, text, signal->len);
    pending_signal_free(signal);
}

static void expect_size(const queue_fixture *f, uint32_t count, uint64_t bytes)
{
    assert_int_equal(f->queue.count, count);
    assert_int_equal(f->queue.bytes, bytes);
    assert_int_equal(f->reserved, bytes);
}

static void an_empty_queue_has_nothing_to_take(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    assert_null(pending_queue_take(&f.queue, &f.bounds));
    expect_size(&f, 0, 0);
    pending_signal_free(NULL);
}

static void signals_of_no_part_and_of_empty_parts_are_signals(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    struct iovec hollow[2] = {{NULL, 0}, {NULL, 0}};
    assert_int_equal(pending_queue_push(&f.queue, &f.bounds, 1, NULL, 0, 5, 0), 0);
    assert_int_equal(pending_queue_push(&f.queue, &f.bounds, 2, hollow, 2, 5, 0), 0);
    expect_size(&f, 2, 0);
    expect_next(&f, 1, "");
    expect_next(&f, 2, "");
    expect_size(&f, 0, 0);
}

static void parts_are_gathered_in_order(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    char one[] = "{", two[] = "\"a\"", three[] = "}";
    struct iovec parts[] = {{one, 1}, {NULL, 0}, {two, 3}, {three, 1}};
    assert_int_equal(pending_queue_push(&f.queue, &f.bounds, 7, parts, 4, 5, 0), 0);
    expect_size(&f, 1, 5);
    expect_next(&f, 7, "{\"a\"}");
}

static void what_comes_first_goes_first_also_when_pushes_and_takes_mix(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    assert_int_equal(push(&f, 1, "a"), 0);
    assert_int_equal(push(&f, 2, "bb"), 0);
    expect_next(&f, 1, "a");
    assert_int_equal(push(&f, 3, "ccc"), 0);
    assert_int_equal(push(&f, 4, "dddd"), 0);
    expect_size(&f, 3, 9);
    expect_next(&f, 2, "bb");
    expect_next(&f, 3, "ccc");
    expect_next(&f, 4, "dddd");
    assert_null(pending_queue_take(&f.queue, &f.bounds));
    assert_int_equal(push(&f, 5, "e"), 0);
    expect_next(&f, 5, "e");
    expect_size(&f, 0, 0);
}

static void the_last_byte_fits_and_one_more_does_not(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    assert_int_equal(push(&f, 1, "01234567890"), -ENOSPC);
    expect_size(&f, 0, 0);
    assert_int_equal(push(&f, 1, "0123456789"), 0);
    assert_int_equal(push(&f, 2, "x"), -ENOSPC);
    assert_int_equal(push(&f, 3, ""), 0);
    expect_size(&f, 2, 10);
    expect_next(&f, 1, "0123456789");
    expect_next(&f, 3, "");
}

static void the_last_message_fits_and_one_more_does_not(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    for (int kind = 1; kind <= 3; kind++)
        assert_int_equal(push(&f, kind, "m"), 0);
    assert_int_equal(push(&f, 4, ""), -ENOSPC);
    expect_size(&f, 3, 3);
    expect_next(&f, 1, "m");
    assert_int_equal(push(&f, 5, "n"), 0);
    expect_next(&f, 2, "m");
    expect_next(&f, 3, "m");
    expect_next(&f, 5, "n");
}

static void bounds_of_zero_take_nothing(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    f.bounds.max_messages = 0;
    assert_int_equal(push(&f, 1, ""), -ENOSPC);
    f.bounds.max_messages = 3;
    f.bounds.max_bytes = 0;
    assert_int_equal(push(&f, 1, "a"), -ENOSPC);
    expect_size(&f, 0, 0);
}

static void the_largest_byte_bound_does_not_overflow(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    f.bounds.max_bytes = UINT64_MAX;
    assert_int_equal(push(&f, 1, "a"), 0);
    assert_int_equal(push(&f, 2, "b"), 0);
    expect_next(&f, 1, "a");
    expect_next(&f, 2, "b");
}

static void a_used_up_budget_refuses_and_keeps_what_is_queued(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    f.budget = 3;
    assert_int_equal(push(&f, 1, "abc"), 0);
    assert_int_equal(push(&f, 2, "d"), -EDQUOT);
    expect_size(&f, 1, 3);
    expect_next(&f, 1, "abc");
    assert_int_equal(f.budget, 3);
    assert_int_equal(push(&f, 3, "abc"), 0);
    expect_next(&f, 3, "abc");
}

static void a_signal_that_does_not_fit_takes_nothing_from_the_budget(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    assert_int_equal(push(&f, 1, "01234567890"), -ENOSPC);
    assert_int_equal(f.budget, 100);
}

/* ---- Blocks ---- */

enum { MANY = 200, MOST_BYTES = 9000 };

/* A signal whose length and bytes follow from its number. */
static size_t text_of(int number, char text[MOST_BYTES])
{
    size_t len = number % 50 == 49 ? MOST_BYTES : (size_t)number * 37 % 700;
    memset(text, 'a' + number % 26, len);
    return len;
}

static void push_numbered(queue_fixture *f, int number, uint64_t now_ms)
{
    char text[MOST_BYTES];
    struct iovec part = {text, text_of(number, text)};
    assert_int_equal(pending_queue_push(&f->queue, &f->bounds, number, &part, 1, 5, now_ms), 0);
}

static void expect_numbered(queue_fixture *f, int number)
{
    char text[MOST_BYTES];
    size_t len = text_of(number, text);
    pending_signal *signal = pending_queue_take(&f->queue, &f->bounds);
    assert_non_null(signal);
    assert_int_equal(signal->kind, number);
    assert_int_equal(signal->len, len);
    assert_memory_equal(signal->data, text, len);
    pending_signal_free(signal);
}

static void set_up_wide(queue_fixture *f)
{
    set_up(f);
    f->bounds.max_messages = MANY;
    f->bounds.max_bytes = f->budget = MANY * MOST_BYTES;
}

static void signals_of_all_lengths_come_out_as_they_went_in(void **state)
{
    (void)state;
    queue_fixture f;
    set_up_wide(&f);
    for (int i = 0; i < MANY; i++)
        push_numbered(&f, i, 0);
    for (int i = 0; i < MANY; i++)
        expect_numbered(&f, i);
    expect_size(&f, 0, 0);
}

static void signals_that_come_while_others_go_stay_whole(void **state)
{
    (void)state;
    queue_fixture f;
    set_up_wide(&f);
    int next = 0;
    for (int i = 0; i < MANY; i++) {
        push_numbered(&f, i, 0);
        if (i % 3 == 2 || i > MANY / 2)
            expect_numbered(&f, next++);
    }
    while (next < MANY)
        expect_numbered(&f, next++);
    assert_null(f.queue.newest);
}

static void signals_may_be_freed_in_any_order_and_after_the_queue(void **state)
{
    (void)state;
    queue_fixture f;
    set_up(&f);
    assert_int_equal(push(&f, 1, "one"), 0);
    assert_int_equal(push(&f, 2, "2"), 0);
    assert_int_equal(push(&f, 3, "three"), 0);
    pending_signal *taken[3];
    for (int i = 0; i < 3; i++)
        taken[i] = pending_queue_take(&f.queue, &f.bounds);
    pending_signal_free(taken[1]);
    pending_signal_free(taken[0]);
    assert_memory_equal(taken[2]->data, "three", 5);
    pending_signal_free(taken[2]);
}

/* The second block is as long as the first signal. Each of these lengths leaves another rest of it. */
static void the_last_signal_of_a_block_fits(void **state)
{
    (void)state;
    static const char zeros[1024];
    queue_fixture f;
    set_up_wide(&f);
    for (size_t first = 1; first < sizeof(zeros); first++) {
        const struct iovec part = {(void *)(uintptr_t)zeros, first};
        assert_int_equal(pending_queue_push(&f.queue, &f.bounds, 0, &part, 1, 5, 0), 0);
        for (int i = 1; i < 9; i++)
            push_numbered(&f, i, 0);
        pending_signal_free(pending_queue_take(&f.queue, &f.bounds));
        for (int i = 1; i < 9; i++)
            expect_numbered(&f, i);
    }
}

/* An offer and what follows it. */
static void small_signals_behind_a_large_one_share_a_block(void **state)
{
    (void)state;
    queue_fixture f;
    set_up_wide(&f);
    push_numbered(&f, 49, 0);
    const pending_block *of_large = f.queue.newest;
    push_numbered(&f, 1, 0);
    const pending_block *of_small = f.queue.newest;
    assert_ptr_not_equal(of_small, of_large);
    push_numbered(&f, 2, 0);
    push_numbered(&f, 3, 0);
    assert_ptr_equal(f.queue.newest, of_small);
    expect_numbered(&f, 49);
    for (int i = 1; i < 4; i++)
        expect_numbered(&f, i);
}

static void two_queues_become_one_in_the_order_of_their_times(void **state)
{
    (void)state;
    queue_fixture one, other;
    set_up_wide(&one);
    set_up_wide(&other);
    push_numbered(&one, 0, 10);
    push_numbered(&one, 3, 20);
    push_numbered(&one, 4, 30);
    push_numbered(&other, 1, 10);
    push_numbered(&other, 2, 15);
    push_numbered(&other, 5, 31);
    pending_queue_merge(&one.queue, &other.queue);
    one.reserved += other.reserved;
    assert_int_equal(other.queue.count, 0);
    assert_int_equal(other.queue.bytes, 0);
    assert_null(other.queue.newest);
    push_numbered(&one, 6, 40);
    for (int i = 0; i < 7; i++)
        expect_numbered(&one, i);
    expect_size(&one, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_of_all_lengths_come_out_as_they_went_in),
        cmocka_unit_test(signals_that_come_while_others_go_stay_whole),
        cmocka_unit_test(signals_may_be_freed_in_any_order_and_after_the_queue),
        cmocka_unit_test(the_last_signal_of_a_block_fits),
        cmocka_unit_test(small_signals_behind_a_large_one_share_a_block),
        cmocka_unit_test(two_queues_become_one_in_the_order_of_their_times),
        cmocka_unit_test(an_empty_queue_has_nothing_to_take),
        cmocka_unit_test(signals_of_no_part_and_of_empty_parts_are_signals),
        cmocka_unit_test(parts_are_gathered_in_order),
        cmocka_unit_test(what_comes_first_goes_first_also_when_pushes_and_takes_mix),
        cmocka_unit_test(the_last_byte_fits_and_one_more_does_not),
        cmocka_unit_test(the_last_message_fits_and_one_more_does_not),
        cmocka_unit_test(bounds_of_zero_take_nothing),
        cmocka_unit_test(the_largest_byte_bound_does_not_overflow),
        cmocka_unit_test(a_used_up_budget_refuses_and_keeps_what_is_queued),
        cmocka_unit_test(a_signal_that_does_not_fit_takes_nothing_from_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
