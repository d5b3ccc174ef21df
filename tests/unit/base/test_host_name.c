/* What can be the name of a host. */
#include "base/host_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Asked over a heap copy of the exact length, so that a read past either end is seen. */
static bool is_good(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    bool good = host_name_is_good((slice){copy + 1, len});
    free(copy);
    return good;
}

static void names_are_labels_with_dots_between(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",      "localhost",   "call.example", "call.example.", "1.example", "host-1",
        "x_y",    "-a-",         "1a",           "a.b1",          "A.B",       "0xg",
        "a.0xyz", "домозвон.рф", "домозвон.рф.", "a.xn--a",       "x",         "0x1.example"};
    static const char *const bad[] = {"",    ".",    "..",   ".a",    "a..",  "a..b", "a b", "a/b",
                                      "a:b", "a,b",  "*",    "*.a",   "a'b",  "\"a",  "[a]", "a%b",
                                      "a@b", "a\\b", "a\nb", "a\x7f", "a. b", "a.\tb"};
    for (size_t i = 0; i < LENGTH_OF(good); i++)
        if (!is_good(good[i]))
            fail_msg("%s is no name", good[i]);
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        if (is_good(bad[i]))
            fail_msg("%s is a name", bad[i]);
    assert_false(host_name_is_good((slice){"a\0b", 3}));
    assert_false(host_name_is_good((slice){0}));
}

static void what_ends_with_a_number_is_no_name(void **state)
{
    (void)state;
    static const char *const numbers[] = {"0",    "127.1",      "127.0.0.1", "010.0.0.1", "1.2.3.4.5", "a.1",
                                          "a.1.", "0x7f000001", "a.0X7F",    "a.0x",      "256"};
    for (size_t i = 0; i < LENGTH_OF(numbers); i++)
        if (is_good(numbers[i]))
            fail_msg("%s is a name", numbers[i]);
}

static void labels_and_names_have_their_bounds(void **state)
{
    (void)state;
    char label[65];
    memset(label, 'a', sizeof(label));
    label[63] = '\0';
    assert_true(is_good(label));
    label[63] = 'a';
    label[64] = '\0';
    assert_false(is_good(label));

    char name[256];
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 64 == 63 ? '.' : 'a';
    name[253] = '\0';
    assert_true(is_good(name));
    name[253] = '.';
    name[254] = '\0';
    assert_true(is_good(name));
    name[253] = 'a';
    assert_false(is_good(name));
}

static void ascii_is_told_from_the_rest(void **state)
{
    (void)state;
    assert_true(host_name_is_ascii(slice_of_text("call.example")));
    assert_true(host_name_is_ascii((slice){0}));
    assert_true(host_name_is_ascii(slice_of_text("\x7f")));
    assert_false(host_name_is_ascii(slice_of_text("call.рф")));
    assert_false(host_name_is_ascii(slice_of_text("a\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_labels_with_dots_between),
        cmocka_unit_test(what_ends_with_a_number_is_no_name),
        cmocka_unit_test(labels_and_names_have_their_bounds),
        cmocka_unit_test(ascii_is_told_from_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
