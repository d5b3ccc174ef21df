#include "dialect/extra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_put_is_taken(void **state)
{
    (void)state;
    extra_writer w = {.len = 0};
    extra_put(&w, 0xFE, 1);
    extra_put(&w, UINT64_MAX, 8);
    extra_put(&w, 0x0102, 3);
    extra_put_text(&w, SLICE_LITERAL("a text"));
    extra_put_text(&w, (slice){NULL, 0});
    extra_put_raw(&w, "raw", 3);
    assert_false(w.is_bad);

    extra_reader r = {.rest = extra_written(&w)};
    assert_int_equal(extra_take(&r, 1), 0xFE);
    assert_true(extra_take(&r, 8) == UINT64_MAX);
    assert_int_equal(extra_take(&r, 3), 0x0102);
    assert_true(slice_equals(extra_take_text(&r, 6), SLICE_LITERAL("a text")));
    assert_int_equal(extra_take_text(&r, 0).len, 0);
    assert_memory_equal(extra_take_raw(&r, 3), "raw", 3);
    assert_true(extra_is_whole(&r));
}

static void integers_are_big_endian(void **state)
{
    (void)state;
    extra_writer w = {.len = 0};
    extra_put(&w, 0x0102, 2);
    extra_put_text(&w, SLICE_LITERAL("x"));
    assert_int_equal(w.len, 5);
    assert_memory_equal(w.data, "\1\2\0\1x", 5);
}

static void one_that_is_cut_anywhere_is_bad(void **state)
{
    (void)state;
    static const char whole[] = "\0\0\0\7\0\3abc";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        extra_reader r = {.rest = {whole, len}};
        (void)extra_take(&r, 4);
        (void)extra_take_text(&r, 100);
        assert_true(r.is_bad);
        assert_false(extra_is_whole(&r));
    }
}

static void once_bad_nothing_more_is_taken(void **state)
{
    (void)state;
    extra_reader r = {.rest = SLICE_LITERAL("\1")};
    assert_int_equal(extra_take(&r, 2), 0);
    assert_int_equal(extra_take(&r, 1), 0);
    assert_int_equal(extra_take_text(&r, 10).len, 0);
    assert_null(extra_take_raw(&r, 1));
    assert_false(extra_is_whole(&r));
}

static void a_text_over_its_bound_is_bad(void **state)
{
    (void)state;
    extra_reader r = {.rest = SLICE_LITERAL("\0\3abc")};
    assert_int_equal(extra_take_text(&r, 2).len, 0);
    assert_true(r.is_bad);
}

static void what_is_left_over_is_a_fault(void **state)
{
    (void)state;
    extra_reader r = {.rest = SLICE_LITERAL("\1\2")};
    (void)extra_take(&r, 1);
    assert_false(extra_is_whole(&r));
}

static void what_does_not_fit_makes_it_bad(void **state)
{
    (void)state;
    static char large[WIRE_MAX_EXTRA];
    extra_writer w = {.len = 0};
    extra_put_raw(&w, large, sizeof(large));
    assert_false(w.is_bad);
    extra_put(&w, 1, 1);
    assert_true(w.is_bad);
    assert_int_equal(w.len, sizeof(large));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_taken),
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(one_that_is_cut_anywhere_is_bad),
        cmocka_unit_test(once_bad_nothing_more_is_taken),
        cmocka_unit_test(a_text_over_its_bound_is_bad),
        cmocka_unit_test(what_is_left_over_is_a_fault),
        cmocka_unit_test(what_does_not_fit_makes_it_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
