/* The byte buffer against a plain model, and what it promises at its edges. */
#include "base/bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* The content is the run of bytes that starts with `first` and counts up, modulo 256. */
static void check_run(bytes *b, uint8_t first, size_t len)
{
    assert_int_equal(bytes_len(b), len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(bytes_head(b)[i], (uint8_t)(first + i));
}

static void append_run(bytes **b, uint8_t first, size_t len)
{
    uint8_t *room = bytes_extend(b, len);
    assert_non_null(room);
    for (size_t i = 0; i < len; i++)
        room[i] = (uint8_t)(first + i);
}

static void nothing_is_held_at_the_begin(void **state)
{
    (void)state;
    bytes *b = NULL;
    assert_int_equal(bytes_len(b), 0);
    bytes_consume(&b, 0);
    bytes_consume(&b, 10);
    bytes_clear(&b);
    assert_null(b);
}

static void appending_nothing_makes_no_buffer(void **state)
{
    (void)state;
    bytes *b = NULL;
    assert_int_equal(bytes_append(&b, NULL, 0), 0);
    assert_null(b);
    assert_int_equal(bytes_append(&b, "a", 1), 0);
    assert_int_equal(bytes_append(&b, NULL, 0), 0);
    assert_int_equal(bytes_len(b), 1);
    bytes_clear(&b);
}

static void one_byte_comes_and_goes(void **state)
{
    (void)state;
    bytes *b = NULL;
    assert_int_equal(bytes_append(&b, "x", 1), 0);
    assert_int_equal(bytes_len(b), 1);
    assert_int_equal(*bytes_head(b), 'x');
    bytes_consume(&b, 0);
    assert_int_equal(bytes_len(b), 1);
    bytes_consume(&b, 1);
    assert_null(b);
}

static void bytes_keep_their_order_across_growth(void **state)
{
    (void)state;
    bytes *b = NULL;
    size_t len = 0;
    for (size_t part = 1; len < 100000; part = part * 3 + 1) {
        append_run(&b, (uint8_t)len, part);
        len += part;
    }
    check_run(b, 0, len);
    bytes_clear(&b);
    assert_null(b);
}

static void consuming_leaves_the_rest_in_place(void **state)
{
    (void)state;
    bytes *b = NULL;
    append_run(&b, 0, 300);
    for (size_t gone = 1; gone < 300; gone++) {
        bytes_consume(&b, 1);
        check_run(b, (uint8_t)gone, 300 - gone);
    }
    bytes_consume(&b, 2); /* one more than there is */
    assert_null(b);
}

static void consuming_more_than_all_frees_the_buffer(void **state)
{
    (void)state;
    bytes *b = NULL;
    append_run(&b, 0, 10);
    bytes_consume(&b, SIZE_MAX);
    assert_null(b);
    append_run(&b, 7, 10); /* and it can be used again */
    check_run(b, 7, 10);
    bytes_clear(&b);
}

static void a_buffer_that_is_drained_as_fast_as_it_is_filled_does_not_grow(void **state)
{
    (void)state;
    bytes *b = NULL;
    append_run(&b, 0, 100);
    size_t cap = b->cap;
    uint8_t first = 0;
    for (int turn = 0; turn < 1000; turn++) {
        append_run(&b, (uint8_t)(first + 100), 50);
        bytes_consume(&b, 50);
        first = (uint8_t)(first + 50);
        check_run(b, first, 100);
    }
    assert_int_equal(b->cap, cap);
    bytes_clear(&b);
}

static void a_small_gap_at_the_start_is_not_worth_moving_the_rest(void **state)
{
    (void)state;
    bytes *b = NULL;
    append_run(&b, 0, 1);
    append_run(&b, 1, b->cap - 1);
    size_t full = b->cap;
    bytes_consume(&b, full / 4 - 1);
    append_run(&b, (uint8_t)full, 1);
    assert_true(b->cap > full);
    check_run(b, (uint8_t)(full / 4 - 1), full - (full / 4 - 1) + 1);
    bytes_clear(&b);
}

static void bytes_keep_their_order_however_they_come_and_go(void **state)
{
    (void)state;
    bytes *b = NULL;
    uint8_t first = 0;
    size_t len = 0;
    uint32_t random = 12345;
    for (int turn = 0; turn < 3000; turn++) {
        random = random * 1664525 + 1013904223;
        size_t part = random >> 16 & 0x3FF;
        if (part > 0 && (random >> 8 & 1) != 0) {
            append_run(&b, (uint8_t)(first + len), part);
            len += part;
        } else {
            bytes_consume(&b, part);
            part = part < len ? part : len;
            first = (uint8_t)(first + part);
            len -= part;
        }
        assert_true((b == NULL) == (len == 0));
        check_run(b, first, len);
    }
    bytes_clear(&b);
}

static void a_copy_is_appended_behind_what_was_extended(void **state)
{
    (void)state;
    bytes *b = NULL;
    memcpy(bytes_extend(&b, 3), "abc", 3);
    char more[] = "def";
    assert_int_equal(bytes_append(&b, more, 3), 0);
    memset(more, 0, sizeof(more));
    assert_int_equal(bytes_len(b), 6);
    assert_memory_equal(bytes_head(b), "abcdef", 6);
    bytes_clear(&b);
}

static void parts_are_appended_in_order_and_empty_ones_make_no_buffer(void **state)
{
    (void)state;
    bytes *b = NULL;
    struct iovec parts[] = {{NULL, 0}, {"one", 3}, {NULL, 0}, {"two", 3}};
    assert_int_equal(bytes_append_parts(&b, parts, 0), 0);
    assert_int_equal(bytes_append_parts(&b, parts, 1), 0);
    assert_null(b);
    assert_int_equal(bytes_append(&b, "zero", 4), 0);
    assert_int_equal(bytes_append_parts(&b, parts, 4), 0);
    assert_int_equal(bytes_len(b), 10);
    assert_memory_equal(bytes_head(b), "zeroonetwo", 10);
    parts[1].iov_len = SIZE_MAX / 2;
    assert_int_equal(bytes_append_parts(&b, parts, 4), -ENOMEM);
    assert_int_equal(bytes_len(b), 10);
    bytes_clear(&b);
}

static void a_length_that_would_overflow_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    bytes *b = NULL;
    assert_null(bytes_extend(&b, SIZE_MAX));
    assert_null(bytes_extend(&b, SIZE_MAX / 4 + 1));
    assert_null(b);
    append_run(&b, 5, 20);
    const bytes *before = b;
    assert_null(bytes_extend(&b, SIZE_MAX));
    assert_null(bytes_extend(&b, SIZE_MAX / 4 - 19));
    assert_ptr_equal(b, before);
    check_run(b, 5, 20);
    bytes_clear(&b);
}

static void what_has_space_is_extended_in_place(void **state)
{
    (void)state;
    assert_null(bytes_extend_in_place(NULL, 1));
    bytes *b = NULL;
    append_run(&b, 0, 10);
    bytes *before = b;
    size_t left = b->cap - 10;
    assert_null(bytes_extend_in_place(b, left + 1));
    assert_null(bytes_extend_in_place(b, SIZE_MAX));
    check_run(b, 0, 10); /* nothing has changed */
    assert_ptr_equal(bytes_extend_in_place(b, left), b->data + 10);
    assert_int_equal(bytes_len(b), b->cap);
    assert_null(bytes_extend_in_place(b, 1));
    assert_ptr_equal(b, before);
    bytes_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_at_the_begin),
        cmocka_unit_test(appending_nothing_makes_no_buffer),
        cmocka_unit_test(one_byte_comes_and_goes),
        cmocka_unit_test(bytes_keep_their_order_across_growth),
        cmocka_unit_test(consuming_leaves_the_rest_in_place),
        cmocka_unit_test(consuming_more_than_all_frees_the_buffer),
        cmocka_unit_test(a_buffer_that_is_drained_as_fast_as_it_is_filled_does_not_grow),
        cmocka_unit_test(a_small_gap_at_the_start_is_not_worth_moving_the_rest),
        cmocka_unit_test(bytes_keep_their_order_however_they_come_and_go),
        cmocka_unit_test(what_has_space_is_extended_in_place),
        cmocka_unit_test(a_copy_is_appended_behind_what_was_extended),
        cmocka_unit_test(parts_are_appended_in_order_and_empty_ones_make_no_buffer),
        cmocka_unit_test(a_length_that_would_overflow_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
