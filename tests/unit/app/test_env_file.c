/* The reader of .env files. */
#include "app/env_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What was told, as text: `2 KEY=value;` for an entry, `3!;` for a fault. */
typedef struct transcript {
    char text[4096];
    size_t len;
    char reason[128]; /* of the last fault */
} transcript;

static void add(transcript *t, const char *data, size_t len)
{
    assert_true(t->len + len < sizeof(t->text));
    memcpy(t->text + t->len, data, len);
    t->len += len;
}

static void on_entry(void *context, size_t line, slice key, slice value)
{
    transcript *t = context;
    char number[32];
    add(t, number, (size_t)snprintf(number, sizeof(number), "%zu ", line));
    add(t, key.data, key.len);
    add(t, "=", 1);
    if (value.len > 0)
        add(t, value.data, value.len);
    add(t, ";", 1);
}

static void on_fault(void *context, size_t line, const char *reason)
{
    transcript *t = context;
    char number[32];
    add(t, number, (size_t)snprintf(number, sizeof(number), "%zu!;", line));
    snprintf(t->reason, sizeof(t->reason), "%s", reason);
}

static transcript told; /* by the last read() */

/* Read an exact copy, so that the sanitizers see a byte read too many. Returns the transcript. */
static const char *read_bytes(slice text)
{
    char *copy = malloc(text.len == 0 ? 1 : text.len);
    memcpy(copy, text.data, text.len);
    told = (transcript){.len = 0};
    const env_file_events events = {on_entry, on_fault, &told};
    int error = env_file_parse((slice){copy, text.len}, &events);
    free(copy);
    told.text[told.len] = '\0';
    assert_int_equal(error, strstr(told.text, "!;") != NULL ? -EINVAL : 0);
    return told.text;
}

static const char *read_text(const char *text)
{
    return read_bytes(slice_of_text(text));
}

static void a_file_without_lines_has_no_entries(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "\n",        "\r\n",         "\n\n\n", " \t \n",
                                        "# nothing", "  # A=1\n", "\xEF\xBB\xBF", "#"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(read_text(texts[i]), "");
    const env_file_events events = {on_entry, on_fault, &told};
    assert_int_equal(env_file_parse((slice){NULL, 0}, &events), 0);
}

static void plain_values_end_with_their_line(void **state)
{
    (void)state;
    assert_string_equal(read_text("A=1"), "1 A=1;");
    assert_string_equal(read_text("A=1\n\n_b2=x y\n"), "1 A=1;3 _b2=x y;");
    assert_string_equal(read_text("A=\nB="), "1 A=;2 B=;");
    assert_string_equal(read_text("A=a=b"), "1 A=a=b;");
    assert_string_equal(read_text("A=it's \"so\"\n"), "1 A=it's \"so\";");
    assert_string_equal(read_text("A=a\\nb$C"), "1 A=a\\nb$C;");
}

static void blanks_around_key_and_value_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(read_text(" \tA \t= \t1 \t\n"), "1 A=1;");
    assert_string_equal(read_text("A= \t"), "1 A=;");
    assert_string_equal(read_text("A = ' 1 ' "), "1 A= 1 ;");
}

static void a_comment_needs_a_blank_before_it(void **state)
{
    (void)state;
    assert_string_equal(read_text("A=1 # one"), "1 A=1;");
    assert_string_equal(read_text("A=1\t#one"), "1 A=1;");
    assert_string_equal(read_text("A=1#one"), "1 A=1#one;");
    assert_string_equal(read_text("A=#one"), "1 A=#one;");
    assert_string_equal(read_text("A= # one"), "1 A=;");
    assert_string_equal(read_text("A='1' # one\nB=\"2\"\t#"), "1 A=1;2 B=2;");
    assert_string_equal(read_text("A='1 # one'"), "1 A=1 # one;");
}

static void export_may_stand_before_a_key_and_be_one(void **state)
{
    (void)state;
    assert_string_equal(read_text("export A=1"), "1 A=1;");
    assert_string_equal(read_text("  export \t A = 1"), "1 A=1;");
    assert_string_equal(read_text("export=1\nexport = 2"), "1 export=1;2 export=2;");
    assert_string_equal(read_text("exported=1"), "1 exported=1;");
    assert_string_equal(read_text("export A"), "1!;");
    assert_string_equal(read_text("export"), "1!;");
    assert_string_equal(read_text("export "), "1!;");
}

static void single_quotes_keep_everything(void **state)
{
    (void)state;
    assert_string_equal(read_text("A='a\\n\"$B#'"), "1 A=a\\n\"$B#;");
    assert_string_equal(read_text("A=''"), "1 A=;");
}

static void double_quotes_know_six_escapes(void **state)
{
    (void)state;
    assert_string_equal(read_text("A=\"\\n\\r\\t\\\"\\\\\\$\""), "1 A=\n\r\t\"\\$;");
    assert_string_equal(read_text("A=\"C:\\dir\\x\""), "1 A=C:\\dir\\x;");
    assert_string_equal(read_text("A=\"$B 'c' #\""), "1 A=$B 'c' #;");
    assert_string_equal(read_text("A=\"\""), "1 A=;");
}

static void quoted_values_run_over_lines_and_the_next_line_is_counted_right(void **state)
{
    (void)state;
    assert_string_equal(read_text("A='1\n2\n'\nB=3"), "1 A=1\n2\n;4 B=3;");
    assert_string_equal(read_text("A=\"1\r\n2\"\r\nB=3"), "1 A=1\n2;3 B=3;");
}

static void lines_may_end_as_in_windows_and_begin_with_a_byte_order_mark(void **state)
{
    (void)state;
    assert_string_equal(read_text("\xEF\xBB\xBF"
                                  "A=1\r\n\r\n# c\r\nB=2 \r\n"),
                        "1 A=1;4 B=2;");
    assert_string_equal(read_text("\xEF\xBB"
                                  "A=1"),
                        "1!;");
    assert_string_equal(read_text("A=1\n\xEF\xBB\xBF"
                                  "B=1"),
                        "1 A=1;2!;");
}

static void of_a_key_given_twice_both_are_told_in_order(void **state)
{
    (void)state;
    assert_string_equal(read_text("A=1\nA=2\nA="), "1 A=1;2 A=2;3 A=;");
}

static void faults_are_told_with_their_line_and_the_rest_is_read(void **state)
{
    (void)state;
    static const char *const lines[] = {"A",      "=1",       "1A=1", "A-B=1", "A B=1", "A.B=1",
                                        "A='1'x", "A=\"1\"#", "?",    "A:1",   "é=1",   "export 1=1"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "X=1\n%s\nY=2", lines[i]);
        assert_string_equal(read_text(text), "1 X=1;2!;3 Y=2;");
    }
}

static void a_quote_that_is_never_closed_is_told_where_it_begins(void **state)
{
    (void)state;
    assert_string_equal(read_text("X=1\nA='1\nB=2\n"), "1 X=1;2!;");
    assert_string_equal(told.reason, "a quote that is never closed");
    assert_string_equal(read_text("A=\"1\\\""), "1!;");
    assert_string_equal(read_text("A=\"\\"), "1!;");
}

static void a_nul_byte_is_a_fault_wherever_it_stands(void **state)
{
    (void)state;
    static const slice texts[] = {{"A=1\0", 4}, {"A='\0'", 5}, {"A=\"\0\"", 5}, {"\0", 1}, {"A\0=1", 4}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(read_bytes(texts[i]), "1!;");
}

static const char whole[] =
    "\xEF\xBB\xBF# head\r\nA = 1 # one\nexport B='x\ny' # two\r\nC=\"a\\n\\\"\\$\" \nbad\nD=\n";

static void a_file_may_be_cut_anywhere(void **state)
{
    (void)state;
    assert_string_equal(read_text(whole), "2 A=1;3 B=x\ny;5 C=a\n\"$;6!;7 D=;");
    for (size_t len = 0; len < sizeof(whole); len++)
        read_bytes((slice){whole, len});
    /* What a whole line says does not change with what follows. */
    for (size_t len = 27; len < sizeof(whole) - 1; len++)
        assert_memory_equal(read_bytes((slice){whole, len}), "2 A=1;", 6);
}

static void formatted_values_are_read_as_the_same_value(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",    "1",   "a b", " a ",   "a#b",  "a #b", "'",      "\"",
        "\\",  "\\n", "$A",  "a\nb",  "\r\n", "\t",   "\\\\\"", "https://a.example:8443",
        "é€😀", "a=b", "'a'", "\"a\"", "\x01", "\x7f", "#"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char *value = env_file_format_value(slice_of_text(values[i]));
        char text[256];
        char expected[256];
        snprintf(text, sizeof(text), "A=%s\n", value);
        snprintf(expected, sizeof(expected), "1 A=%s;", values[i]);
        assert_string_equal(read_text(text), expected);
        assert_null(strchr(value, '\n'));
        free(value);
    }
}

static void only_values_that_need_it_are_quoted(void **state)
{
    (void)state;
    char *plain = env_file_format_value(SLICE_LITERAL("/var/log/a-b_c.1"));
    char *quoted = env_file_format_value(SLICE_LITERAL("a b"));
    assert_string_equal(plain, "/var/log/a-b_c.1");
    assert_string_equal(quoted, "\"a b\"");
    free(plain);
    free(quoted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_without_lines_has_no_entries),
        cmocka_unit_test(plain_values_end_with_their_line),
        cmocka_unit_test(blanks_around_key_and_value_do_not_count),
        cmocka_unit_test(a_comment_needs_a_blank_before_it),
        cmocka_unit_test(export_may_stand_before_a_key_and_be_one),
        cmocka_unit_test(single_quotes_keep_everything),
        cmocka_unit_test(double_quotes_know_six_escapes),
        cmocka_unit_test(quoted_values_run_over_lines_and_the_next_line_is_counted_right),
        cmocka_unit_test(lines_may_end_as_in_windows_and_begin_with_a_byte_order_mark),
        cmocka_unit_test(of_a_key_given_twice_both_are_told_in_order),
        cmocka_unit_test(faults_are_told_with_their_line_and_the_rest_is_read),
        cmocka_unit_test(a_quote_that_is_never_closed_is_told_where_it_begins),
        cmocka_unit_test(a_nul_byte_is_a_fault_wherever_it_stands),
        cmocka_unit_test(a_file_may_be_cut_anywhere),
        cmocka_unit_test(formatted_values_are_read_as_the_same_value),
        cmocka_unit_test(only_values_that_need_it_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
