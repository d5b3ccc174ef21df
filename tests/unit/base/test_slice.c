#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void assert_slice(slice actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

static void empty_slices_are_equal_wherever_they_point(void **state)
{
    (void)state;
    assert_true(slice_equals((slice){NULL, 0}, SLICE_LITERAL("")));
    assert_true(slice_equals_in_any_case((slice){NULL, 0}, SLICE_LITERAL("")));
    assert_false(slice_equals((slice){NULL, 0}, SLICE_LITERAL("a")));
}

static void a_nul_is_a_byte_like_any_other(void **state)
{
    (void)state;
    assert_true(slice_equals((slice){"a\0b", 3}, (slice){"a\0b", 3}));
    assert_false(slice_equals((slice){"a\0b", 3}, (slice){"a\0c", 3}));
    assert_false(slice_equals((slice){"a\0b", 3}, (slice){"a", 1}));
}

static void only_letters_have_a_case(void **state)
{
    (void)state;
    assert_true(slice_equals_in_any_case(SLICE_LITERAL("WebSocket"), SLICE_LITERAL("wEBsOCKET")));
    assert_false(slice_equals_in_any_case(SLICE_LITERAL("["), SLICE_LITERAL("{")));
    assert_false(slice_equals_in_any_case(SLICE_LITERAL("web"), SLICE_LITERAL("websocket")));
}

static void trimming_takes_spaces_and_tabs_at_both_ends_only(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE_LITERAL(" \t a b\t ")), "a b");
    assert_slice(slice_trim(SLICE_LITERAL("\na\r")), "\na\r");
    assert_int_equal(slice_trim(SLICE_LITERAL(" \t ")).len, 0);
    assert_int_equal(slice_trim((slice){NULL, 0}).len, 0);
}

static void a_list_is_taken_item_by_item(void **state)
{
    (void)state;
    slice rest = SLICE_LITERAL("a,,bc");
    assert_slice(slice_take_until(&rest, ','), "a");
    assert_slice(slice_take_until(&rest, ','), "");
    assert_slice(slice_take_until(&rest, ','), "bc");
    assert_int_equal(rest.len, 0);
    assert_int_equal(slice_take_until(&rest, ',').len, 0);
}

static void the_entries_of_a_list_come_without_blanks_and_empty_ones(void **state)
{
    (void)state;
    slice list = SLICE_LITERAL(" a ,, \t,b c,");
    slice entry;
    assert_true(slice_take_entry(&list, &entry));
    assert_slice(entry, "a");
    assert_true(slice_take_entry(&list, &entry));
    assert_slice(entry, "b c");
    assert_false(slice_take_entry(&list, &entry));
    assert_int_equal(list.len, 0);
}

static void a_text_is_a_slice_without_its_nul(void **state)
{
    (void)state;
    assert_slice(slice_of_text("abc"), "abc");
    assert_int_equal(slice_of_text("").len, 0);
}

/* Of every length up to some words: each byte counts. Both texts are in blocks of just their size. */
static void short_texts_are_the_same_only_if_each_byte_is(void **state)
{
    (void)state;
    assert_true(slice_same_bytes(NULL, NULL, 0));
    for (size_t len = 1; len <= 80; len++) {
        char *a = calloc(1, len);
        char *b = calloc(1, len);
        assert_non_null(a);
        assert_non_null(b);
        assert_true(slice_same_bytes(a, b, len));
        for (size_t at = 0; at < len; at++) {
            b[at] = 1;
            assert_false(slice_same_bytes(a, b, len));
            b[at] = 0;
        }
        free(a);
        free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_texts_are_the_same_only_if_each_byte_is),
        cmocka_unit_test(empty_slices_are_equal_wherever_they_point),
        cmocka_unit_test(a_nul_is_a_byte_like_any_other),
        cmocka_unit_test(only_letters_have_a_case),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_at_both_ends_only),
        cmocka_unit_test(a_list_is_taken_item_by_item),
        cmocka_unit_test(the_entries_of_a_list_come_without_blanks_and_empty_ones),
        cmocka_unit_test(a_text_is_a_slice_without_its_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
