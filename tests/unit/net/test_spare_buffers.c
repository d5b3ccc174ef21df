#include "net/spare_buffers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* A buffer of at least this capacity, with as much content. */
static bytes *make(size_t cap)
{
    bytes *b = NULL;
    uint8_t *out = bytes_extend(&b, cap);
    assert_non_null(out);
    memset(out, 'x', cap);
    return b;
}

static void what_was_put_last_is_taken_first(void **state)
{
    (void)state;
    spare_buffers spares = {0};
    assert_null(spare_buffers_take(&spares));
    bytes *first = make(100);
    bytes *second = make(5000);
    spare_buffers_put(&spares, first);
    spare_buffers_put(&spares, second);
    assert_int_equal(spares.footprint, bytes_footprint(first) + bytes_footprint(second));
    assert_ptr_equal(spare_buffers_take(&spares), second);
    assert_ptr_equal(spare_buffers_take(&spares), first);
    assert_null(spare_buffers_take(&spares));
    assert_int_equal(spares.footprint, 0);
    bytes_clear(&first);
    bytes_clear(&second);
}

static void nothing_is_left_of_what_was_in_it(void **state)
{
    (void)state;
    spare_buffers spares = {0};
    bytes *b = make(1000);
    bytes_consume(&b, 300); /* what is consumed is still there */
    spare_buffers_put(&spares, b);
    b = spare_buffers_take(&spares);
    assert_int_equal(bytes_len(b), 0);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(b->data[i], 0);
    uint8_t *out = bytes_extend(&b, b->cap); /* all of it can be used again, where it is */
    assert_ptr_equal(out, b->data);
    bytes_clear(&b);
}

static void a_large_one_is_not_kept(void **state)
{
    (void)state;
    spare_buffers spares = {0};
    spare_buffers_put(&spares, make(SPARE_BUFFERS_MAX_CAP + 1));
    assert_int_equal(spares.count, 0);
}

static void so_many_are_kept_and_no_more(void **state)
{
    (void)state;
    spare_buffers spares = {0};
    for (int i = 0; i < SPARE_BUFFERS_MAX + 3; i++)
        spare_buffers_put(&spares, make(1));
    assert_int_equal(spares.count, SPARE_BUFFERS_MAX);
    spare_buffers_clear(&spares);
    assert_int_equal(spares.count, 0);
    assert_int_equal(spares.footprint, 0);
}

static void so_many_bytes_are_kept_and_no_more(void **state)
{
    (void)state;
    spare_buffers spares = {0};
    for (int i = 0; i < SPARE_BUFFERS_MAX; i++)
        spare_buffers_put(&spares, make(SPARE_BUFFERS_MAX_CAP / 2 + 1));
    assert_true(spares.count < SPARE_BUFFERS_MAX);
    assert_true(spares.footprint <= SPARE_BUFFERS_MAX_BYTES);
    assert_true(spares.footprint > SPARE_BUFFERS_MAX_BYTES - 2 * SPARE_BUFFERS_MAX_CAP);
    spare_buffers_clear(&spares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_last_is_taken_first),
        cmocka_unit_test(nothing_is_left_of_what_was_in_it),
        cmocka_unit_test(a_large_one_is_not_kept),
        cmocka_unit_test(so_many_are_kept_and_no_more),
        cmocka_unit_test(so_many_bytes_are_kept_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
