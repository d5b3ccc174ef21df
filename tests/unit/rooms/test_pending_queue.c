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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
