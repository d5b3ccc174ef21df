/* Tokens, and the texts that are written piece by piece. */
#include "dialect_2/token.h"
#include "dialect_2/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void a_token_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        token drawn, read;
        char text[TOKEN_CHARS];
        assert_int_equal(token_draw(&drawn), 0);
        token_write(&drawn, text);
        for (int at = 0; at < TOKEN_CHARS; at++)
            assert_non_null(
                strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", text[at]));
        assert_true(token_read((slice){text, TOKEN_CHARS}, &read));
        assert_true(token_equals(&drawn, &read));
        read.bytes[i % TOKEN_BYTES] ^= 1;
        assert_false(token_equals(&drawn, &read));
    }
}

static void what_is_no_token_is_not_read(void **state)
{
    (void)state;
    token t;
    static const char *const texts[] = {"",
                                        "AAAAAAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAA=",
                                        "AAAAAAAAAAAAAAAAAAAAA+",
                                        "AAAAAAAAAAA AAAAAAAAAA",
                                        "AAAAAAAAAAAAAAAAAAAAAB"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(token_read(slice_of_text(texts[i]), &t));
    assert_true(token_read(SLICE_LITERAL("AAAAAAAAAAAAAAAAAAAAAA"), &t));
}

static void texts_are_put_together(void **state)
{
    (void)state;
    writer w = {0};
    assert_int_equal(writer_text(&w).len, 0);
    WRITER_PUT(&w, "n=");
    writer_put_number(&w, 0);
    writer_put(&w, (slice){NULL, 0});
    WRITER_PUT(&w, ",m=");
    writer_put_number(&w, UINT64_MAX);
    slice text = writer_text(&w);
    assert_true(slice_equals(text, SLICE_LITERAL("n=0,m=18446744073709551615")));
    w.has_failed = true;
    assert_int_equal(writer_text(&w).len, 0);
    writer_clear(&w);
    assert_null(w.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_token_is_not_read),
        cmocka_unit_test(texts_are_put_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
