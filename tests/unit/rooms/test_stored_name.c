#include "rooms/stored_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

/* Store a name in a heap block of exactly the planned size, so that the sanitizers see a byte too many, and
 * compare what comes back. Returns the size. */
static size_t round_trip(slice plain, slice json)
{
    stored_name name = stored_name_plan(plain, json);
    size_t size = stored_name_size(&name);
    char *bytes = malloc(size == 0 ? 1 : size);
    assert_non_null(bytes);
    stored_name_write(&name, bytes, plain, json);
    assert_true(slice_equals(stored_name_plain(&name, bytes), plain));
    assert_true(slice_equals(stored_name_json(&name, bytes), json));
    free(bytes);
    return size;
}

static void empty_forms_need_nothing(void **state)
{
    (void)state;
    assert_int_equal(round_trip((slice){NULL, 0}, (slice){NULL, 0}), 0);
    assert_int_equal(round_trip((slice){NULL, 0}, SLICE_LITERAL("\"\"")), 2);
    assert_int_equal(round_trip(SLICE_LITERAL("a"), (slice){NULL, 0}), 1);
}

static void a_name_that_is_only_quoted_is_stored_once(void **state)
{
    (void)state;
    assert_int_equal(round_trip(SLICE_LITERAL("a"), SLICE_LITERAL("\"a\"")), 3);
    assert_int_equal(round_trip(SLICE_LITERAL("alice"), SLICE_LITERAL("\"alice\"")), 7);
}

static void a_name_with_escapes_is_stored_beside_its_json(void **state)
{
    (void)state;
    assert_int_equal(round_trip(SLICE_LITERAL("\n"), SLICE_LITERAL("\"\\n\"")), 1 + 4);
    assert_int_equal(round_trip(SLICE_LITERAL("a\0b"), SLICE_LITERAL("\"a\\u0000b\"")), 3 + 10);
}

static void json_of_the_right_length_but_another_content_is_not_taken_for_quotes(void **state)
{
    (void)state;
    assert_int_equal(round_trip(SLICE_LITERAL("abc"), SLICE_LITERAL("\"abd\"")), 3 + 5);
    assert_int_equal(round_trip(SLICE_LITERAL("abc"), SLICE_LITERAL("'abc'")), 3 + 5);
    assert_int_equal(round_trip(SLICE_LITERAL("abc"), SLICE_LITERAL("\"abc'")), 3 + 5);
    assert_int_equal(round_trip(SLICE_LITERAL("abc"), SLICE_LITERAL("'abc\"")), 3 + 5);
}

static void the_longest_forms_are_kept_whole(void **state)
{
    (void)state;
    static char quoted[UINT16_MAX];
    memset(quoted, 'a', sizeof(quoted));
    quoted[0] = quoted[sizeof(quoted) - 1] = '"';
    slice json = {quoted, sizeof(quoted)};
    assert_int_equal(round_trip((slice){quoted + 1, sizeof(quoted) - 2}, json), sizeof(quoted));
    assert_int_equal(round_trip(json, json), 2 * sizeof(quoted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_forms_need_nothing),
        cmocka_unit_test(a_name_that_is_only_quoted_is_stored_once),
        cmocka_unit_test(a_name_with_escapes_is_stored_beside_its_json),
        cmocka_unit_test(json_of_the_right_length_but_another_content_is_not_taken_for_quotes),
        cmocka_unit_test(the_longest_forms_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
