/* Each question is asked of every byte, at every place of texts of every length up to a few words: a value is
 * looked at eight bytes at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "websocket/http_text.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LEN = 27 }; /* three words and three bytes */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Is this the answer for a text of good characters, of which one is replaced by each byte in turn? Each text
 * is in a block of just its size. */
static void expect(bool (*question)(slice text), bool (*is_good)(unsigned char c))
{
    for (size_t len = 1; len <= MAX_LEN; len++) {
        char *text = malloc(len);
        assert_non_null(text);
        for (size_t at = 0; at < len; at++) {
            memset(text, 'a', len);
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                if (question((slice){text, len}) != is_good((unsigned char)c))
                    fail_msg("byte %d at %zu of %zu", c, at, len);
            }
        }
        free(text);
    }
}

static bool is_in(const char *list, unsigned char c)
{
    return c != '\0' && strchr(list, c) != NULL;
}

static bool is_token(unsigned char c)
{
    return is_in(LETTERS DIGITS "!#$%&'*+-.^_`|~", c);
}

static bool is_host(unsigned char c)
{
    return is_in(LETTERS DIGITS "!$%&'()*+,-.:;=[]^_`{|}~", c);
}

static bool is_base64(unsigned char c)
{
    return is_in(LETTERS DIGITS "+/", c);
}

static bool is_in_value(unsigned char c)
{
    return (c >= ' ' || c == '\t') && c != 0x7F;
}

static void each_kind_has_its_characters_and_no_others(void **state)
{
    (void)state;
    expect(http_text_is_token, is_token);
    expect(http_text_is_host, is_host);
    expect(http_text_is_base64, is_base64);
    expect(http_text_is_value, is_in_value);
}

/* The borrow of a subtraction goes from byte to byte, so pairs are tried as well. */
static void a_value_of_any_two_bytes_is_judged_byte_by_byte(void **state)
{
    (void)state;
    char text[9] = "aaaaaaaaa";
    for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            text[3] = (char)first;
            text[4] = (char)second;
            assert_int_equal(http_text_is_value((slice){text, sizeof(text)}),
                             is_in_value((unsigned char)first) && is_in_value((unsigned char)second));
        }
    }
}

static void an_empty_text_is_a_value_but_no_name(void **state)
{
    (void)state;
    const slice empty = {NULL, 0};
    assert_false(http_text_is_token(empty));
    assert_false(http_text_is_host(empty));
    assert_true(http_text_is_base64(empty));
    assert_true(http_text_is_value(empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_characters_and_no_others),
        cmocka_unit_test(a_value_of_any_two_bytes_is_judged_byte_by_byte),
        cmocka_unit_test(an_empty_text_is_a_value_but_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
