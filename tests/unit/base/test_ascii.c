/* Each question is asked of all 256 characters. */
#include "base/ascii.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Are these the characters that it says yes to, and no others? */
static void expect_only(bool (*is_one)(char c), const char *expected)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        if (is_one(c) != (c != '\0' && strchr(expected, c) != NULL))
            fail_msg("character %d", i);
    }
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void the_kinds_of_characters_are_those_of_ascii(void **state)
{
    (void)state;
    expect_only(ascii_is_digit, DIGITS);
    expect_only(ascii_is_letter, LETTERS);
    expect_only(ascii_is_blank, " \t");
    expect_only(ascii_is_token_char, DIGITS LETTERS "!#$%&'*+-.^_`|~"); /* RFC 9110, 5.6.2 */
}

static void only_large_letters_become_small(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++)
        assert_int_equal(ascii_lower((char)i), i >= 'A' && i <= 'Z' ? (char)(i + 32) : (char)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kinds_of_characters_are_those_of_ascii),
        cmocka_unit_test(only_large_letters_become_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
