/* How a parameter of a query is found and decoded. Each query is in a heap block of just its size, and so is
 * what it is decoded to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { CAP = 64 };

/* As query_find() of "id"; what was decoded is in `out`. */
static long find_slice(slice query, char *out, size_t cap)
{
    char *block = malloc(query.len > 0 ? query.len : 1);
    char *decoded = malloc(cap > 0 ? cap : 1);
    assert_non_null(block);
    assert_non_null(decoded);
    if (query.len > 0)
        memcpy(block, query.data, query.len);
    long len = query_find((slice){block, query.len}, SLICE_LITERAL("id"), decoded, cap);
    if (len > 0)
        memcpy(out, decoded, (size_t)len);
    free(decoded);
    free(block);
    return len;
}

static void expect_bytes(const char *query, slice expected)
{
    char out[CAP];
    long len = find_slice(slice_of_text(query), out, CAP);
    if (len != (long)expected.len || memcmp(out, expected.data, expected.len) != 0)
        fail_msg("%s: %ld, \"%.*s\"", query, len, len > 0 ? (int)len : 0, out);
}

static void expect(const char *query, const char *expected)
{
    expect_bytes(query, slice_of_text(expected));
}

static void expect_status(const char *query, long status)
{
    char out[CAP];
    long len = find_slice(slice_of_text(query), out, CAP);
    if (len != status)
        fail_msg("%s: %ld and not %ld", query, len, status);
}

static void a_parameter_is_found_wherever_it_stands(void **unused)
{
    (void)unused;
    expect("id=a", "a");
    expect("x=1&id=a", "a");
    expect("id=a&x=1", "a");
    expect("&&x&=&id=a&&", "a");
    expect("idx=1&i=2&ID=3&did=4&id=a", "a");
}

static void a_value_ends_at_the_next_ampersand_alone(void **unused)
{
    (void)unused;
    expect("id=a=b?c#d;e/f", "a=b?c#d;e/f");
    expect("id==", "=");
    expect("id", "");
    expect("id=", "");
    expect("id&id=a", "");
}

static void the_first_of_several_counts(void **unused)
{
    (void)unused;
    expect("id=a&id=b", "a");
    expect("%69d=a&id=b", "a");
    expect("id=&id=b", "");
    expect_status("id=%ff&id=b", -EINVAL);
}

static void values_are_decoded(void **unused)
{
    (void)unused;
    expect("id=a+b%20c%2Bd%2b", "a b c+d+");
    expect("id=%D0%BA%d0%be%D0%b4", "\xd0\xba\xd0\xbe\xd0\xb4");
    expect("id=\xd0\xba%d0%BE", "\xd0\xba\xd0\xbe");
    expect("id=%F0%9F%98%80", "\xf0\x9f\x98\x80");
    expect("id=%26%3D%25%3f", "&=%?");
    expect("id=%2541", "%41"); /* once, and not twice */
    expect_bytes("id=a%00b", SLICE_LITERAL("a\0b"));
    expect("id=%ef%bb%bfa", "\xef\xbb\xbf"
                            "a"); /* the standard keeps this mark */
}

static void names_are_decoded_too(void **unused)
{
    (void)unused;
    expect("%69%64=a", "a");
    expect("i%64=a", "a");
    expect_status("i%2564=a", -ENOENT);
    expect_status("id%00=a", -ENOENT);
    expect_status("id+=a", -ENOENT);
    expect_status("%69%64%3Da", -ENOENT);
    char out[CAP];
    assert_int_equal(query_find(SLICE_LITERAL("a+b=c"), SLICE_LITERAL("a b"), out, CAP), 1);
    assert_int_equal(query_find(SLICE_LITERAL("=c"), SLICE_LITERAL(""), out, CAP), 1);
}

static void a_broken_escape_stands_for_itself(void **unused)
{
    (void)unused;
    expect("id=%", "%");
    expect("id=%4", "%4");
    expect("id=%%41", "%A");
    expect("id=%4g%g4%zz", "%4g%g4%zz");
    expect("id=100%&x", "100%");
    expect("id=%2&41", "%2");
    expect("id=%+1", "% 1");
}

static void a_value_that_is_no_utf_8_is_refused(void **unused)
{
    (void)unused;
    static const char *const queries[] = {
        "id=%ff",          "id=%80",   "id=%d0",  "id=%c0%80", "id=%ed%a0%80",
        "id=%f4%90%80%80", "id=a%d0b", "id=\xff", "id=%e2%82",
    };
    for (size_t i = 0; i < LENGTH_OF(queries); i++)
        expect_status(queries[i], -EINVAL);
    expect("%ff=1&x=%ff&id=a", "a"); /* of others it does not matter */
}

static void what_is_not_there_is_not_found(void **unused)
{
    (void)unused;
    static const char *const queries[] = {"",     "&",   "=",          "i",     "idd",  "x=id",
                                          "ID=a", "=id", "x=1&y=id=a", "?id=a", "id%=a"};
    for (size_t i = 0; i < LENGTH_OF(queries); i++)
        expect_status(queries[i], -ENOENT);
    char out[CAP];
    assert_int_equal(query_find((slice){NULL, 0}, SLICE_LITERAL("id"), out, CAP), -ENOENT);
}

static void a_value_fits_or_is_refused_whole(void **unused)
{
    (void)unused;
    char out[CAP];
    assert_int_equal(find_slice(SLICE_LITERAL("id=abc"), out, 3), 3);
    assert_int_equal(find_slice(SLICE_LITERAL("id=abc"), out, 2), -ENOSPC);
    assert_int_equal(find_slice(SLICE_LITERAL("id=%61%62%63&x"), out, 3), 3);
    assert_int_equal(find_slice(SLICE_LITERAL("id=%61%62%63&x"), out, 2), -ENOSPC);
    assert_int_equal(find_slice(SLICE_LITERAL("id="), out, 0), 0);
    assert_int_equal(find_slice(SLICE_LITERAL("id=a"), out, 0), -ENOSPC);
    assert_int_equal(find_slice(SLICE_LITERAL("id=%d0%ba"), out, 1), -ENOSPC);
}

static void a_query_cut_short_is_read_without_a_byte_too_many(void **unused)
{
    (void)unused;
    static const char query[] = "x=%41&id=%D0%BA+%41%2";
    char out[CAP];
    for (size_t len = 0; len < sizeof(query); len++) {
        long found = find_slice((slice){query, len}, out, CAP);
        assert_true(len < 8 ? found == -ENOENT : found == -EINVAL || found >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_is_found_wherever_it_stands),
        cmocka_unit_test(a_value_ends_at_the_next_ampersand_alone),
        cmocka_unit_test(the_first_of_several_counts),
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(names_are_decoded_too),
        cmocka_unit_test(a_broken_escape_stands_for_itself),
        cmocka_unit_test(a_value_that_is_no_utf_8_is_refused),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_value_fits_or_is_refused_whole),
        cmocka_unit_test(a_query_cut_short_is_read_without_a_byte_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
