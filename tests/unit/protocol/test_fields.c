/* Which members a table finds, and what the readers of values accept. The names of version 1 are tested
 * further with its messages. Every text is in a heap block of exactly its size, so that the sanitizers see a
 * read behind its end. */
#include "protocol/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TYPE, NAME, LONGEST, NUMBER, FLAG, COUNT };

static const slice names[COUNT] = {
    [TYPE] = FIELDS_TEXT("type"), [NAME] = FIELDS_TEXT("name"), [LONGEST] = FIELDS_TEXT("sixteen-letters!"),
    [NUMBER] = FIELDS_TEXT("n"),  [FLAG] = FIELDS_TEXT("flag"),
};

static const slice words[] = {FIELDS_TEXT("join"), FIELDS_TEXT("joke"), FIELDS_TEXT("leave"),
                              FIELDS_TEXT("a-word-of-sixtee")};
enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

typedef struct fixture {
    char *text; /* owned; the fields point into it */
    found_fields found;
    char storage[FIELDS_MAX_NAME_BYTES];
} fixture;

static int set_up(void **state)
{
    *state = calloc(1, sizeof(fixture));
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    free(f->text);
    free(f);
    return 0;
}

static int find(fixture *f, const char *text)
{
    size_t len = strlen(text);
    free(f->text);
    f->text = malloc(len > 0 ? len : 1);
    assert_non_null(f->text);
    memcpy(f->text, text, len);
    memset(&f->found, 0xA5, sizeof(f->found)); /* nothing is right by luck */
    return fields_find(&f->found, (slice){f->text, len}, names, COUNT);
}

static void find_valid(fixture *f, const char *text)
{
    int status = find(f, text);
    if (status != 0)
        fail_msg("%s: %d", text, status);
}

/* {"<key>":<value>} */
static void find_member(fixture *f, const char *key, const char *value)
{
    char text[256];
    int len = snprintf(text, sizeof(text), "{\"%s\":%s}", key, value);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    find_valid(f, text);
}

static void check_value(const fixture *f, unsigned id, const char *expected)
{
    const json_member *member = fields_get(&f->found, id);
    if (expected == NULL) {
        assert_null(member);
        return;
    }
    assert_non_null(member);
    if (!slice_equals(member->value, slice_of_text(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)member->value.len, member->value.data, expected);
}

static void members_of_the_table_are_found_and_others_are_not(void **state)
{
    fixture *f = *state;
    find_valid(
        f, "{ \"name\" : [1, {\"flag\":2}] ,\"sixteen-letters!\":{}, \"names\":1,\"nam\":2,\"\":3,\"N\":4,"
           "\"sixteen-letters!!\":5}");
    check_value(f, TYPE, NULL);
    check_value(f, NAME, "[1, {\"flag\":2}]");
    check_value(f, LONGEST, "{}");
    check_value(f, NUMBER, NULL);
    check_value(f, FLAG, NULL);
    find_valid(f, "{}");
    assert_int_equal(f->found.given, 0);
}

static void a_table_may_be_full(void **state)
{
    fixture *f = *state;
    slice full[FIELDS_MAX];
    char letters[FIELDS_MAX][2];
    char text[FIELDS_MAX * 8];
    size_t len = 0;
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        snprintf(letters[i], sizeof(letters[i]), "%c", (int)('A' + i));
        if (letters[i][0] == '\\')
            letters[i][0] = 'z';
        full[i] = (slice){letters[i], 1};
        len += (size_t)sprintf(text + len, "%c\"%s\":%u", i == 0 ? '{' : ',', letters[i], i % 10);
    }
    text[len++] = '}';
    assert_int_equal(fields_find(&f->found, (slice){text, len}, full, FIELDS_MAX), 0);
    assert_int_equal(f->found.given, UINT32_MAX);
    for (unsigned i = 0; i < FIELDS_MAX; i++)
        assert_int_equal(fields_get(&f->found, i)->value.data[0], '0' + i % 10);
}

static void names_with_escapes_are_the_same_names(void **state)
{
    fixture *f = *state;
    find_valid(
        f,
        "{\"n\\u0061me\":1,\"\\u0073\\u0069xteen-letter\\u0073!\":2,\"\\u0074ype\\u0000\":3,\"fl\\u0461g\":4,"
        "\"\\n\":5,\"sixteen-letters!\\u0021\":6,\"\\ud800\":7}");
    check_value(f, NAME, "1");
    check_value(f, LONGEST, "2");
    check_value(f, TYPE, NULL);
    check_value(f, FLAG, NULL);
    check_value(f, NUMBER, NULL);
}

static void of_several_the_last_counts(void **state)
{
    fixture *f = *state;
    find_valid(f, "{\"name\":1,\"n\":true,\"name\":\"b\",\"n\\u0061me\":[],\"n\":null}");
    check_value(f, NAME, "[]");
    check_value(f, NUMBER, "null");
}

static void null_is_a_member_without_a_value(void **state)
{
    fixture *f = *state;
    find_valid(f, "{\"name\":null,\"flag\":false}");
    assert_non_null(fields_get(&f->found, NAME));
    assert_null(fields_get_value(&f->found, NAME));
    assert_non_null(fields_get_value(&f->found, FLAG));
    assert_null(fields_get_value(&f->found, TYPE));
}

static void what_is_no_object_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const texts[] = {
        "",  " ",          "null",        "1",          "\"name\"",         "[]",
        "{", "{\"n\":1,}", "{\"n\":1}{}", "{\"n\":01}", "{\"n\":1 \"t\":2}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (find(f, texts[i]) != -EINVAL)
            fail_msg("%s is accepted", texts[i]);
    }
}

static int read_word(fixture *f, const char *value)
{
    find_member(f, "type", value);
    return fields_read_word(&f->found, TYPE, words, WORD_COUNT);
}

static void a_word_is_told_by_its_place(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_word(f, "\"join\""), 0);
    assert_int_equal(read_word(f, "\"joke\""), 1);
    assert_int_equal(read_word(f, "\"l\\u0065ave\""), 2);
    assert_int_equal(read_word(f, "\"a-word-of-sixtee\""), 3);
    assert_int_equal(read_word(f, "\"\\u0061-word-of-sixtee\""), 3);
}

static void another_word_is_told_from_no_word(void **state)
{
    fixture *f = *state;
    static const char *const others[] = {"\"\"",         "\"Join\"",
                                         "\" join\"",    "\"joinn\"",
                                         "\"joi\"",      "\"join\\u0000\"",
                                         "\"\\\"\"",     "\"\\ud800\"",
                                         "\"leave\\n\"", "\"a-word-of-sixtee\\u006e\""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(read_word(f, others[i]), -ENOENT);
    static const char *const values[] = {"null", "true", "0", "[\"join\"]", "{\"join\":1}"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(read_word(f, values[i]), -EINVAL);
    find_valid(f, "{}");
    assert_int_equal(fields_read_word(&f->found, TYPE, words, WORD_COUNT), -EINVAL);
}

/* As fields_read_name() of {"name":<value>}, and the name is left alone unless it is read. */
static int read_name(fixture *f, const char *value, size_t max_bytes, const char *expected)
{
    find_member(f, "name", value);
    slice name = {"untouched", 9};
    int status = fields_read_name(&f->found, NAME, max_bytes, f->storage, &name);
    slice wanted = slice_of_text(status == 0 ? expected : "untouched");
    if (!slice_equals(name, wanted))
        fail_msg("%s: \"%.*s\"", value, (int)name.len, name.data);
    return status;
}

static void a_name_is_decoded_and_trimmed(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_name(f, "\"Anna\"", 4, "Anna"), 0);
    assert_int_equal(read_name(f,
                               "\" \xc2\xa0"
                               "Anna B \xef\xbb\xbf\"",
                               6, "Anna B"),
                     0);
    assert_int_equal(read_name(f, "\"\\t\\u3000\\u0041nna\\r\\n\"", 4, "Anna"), 0);
    assert_int_equal(read_name(f, "\"\\ud83d\\ude00\"", 4, "\xf0\x9f\x98\x80"), 0);
}

static void a_name_of_blanks_is_empty(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_name(f, "\"\"", 4, ""), 0);
    assert_int_equal(read_name(f, "\"  \"", 1, ""), 0);
    assert_int_equal(read_name(f, "\"\\n\\u2028 \"", 1, ""), 0);
}

static void a_name_has_its_bound_after_trimming(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_name(f, "\"   Anna   \"", 4, "Anna"), 0);
    assert_int_equal(read_name(f, "\"   Anna   \"", 3, ""), -ENOSPC);
    assert_int_equal(read_name(f, "\"\\n\\u0041nna\\n\"", 4, "Anna"), 0);
    assert_int_equal(read_name(f, "\"\\n\\u0041nna\\n\"", 3, ""), -ENOSPC);
    assert_int_equal(read_name(f, "\"\\u044f\\u044f\"", 4, "\xd1\x8f\xd1\x8f"),
                     0); /* bytes, not characters */
    assert_int_equal(read_name(f, "\"\\u044f\\u044f\"", 3, ""), -ENOSPC);
}

static void what_is_no_name_is_told_apart(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_name(f, "null", 9, ""), -ENOENT);
    static const char *const values[] = {"true", "0", "[]", "{}", "\"\\ud800\"", "\"x\\udc00y\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(read_name(f, values[i], 9, ""), -EINVAL);
    find_valid(f, "{}");
    slice name;
    assert_int_equal(fields_read_name(&f->found, NAME, 9, f->storage, &name), -ENOENT);
}

static void check_integer(fixture *f, const char *value, uint64_t least, int expected,
                          uint64_t expected_number)
{
    find_member(f, "n", value);
    uint64_t number = 77;
    int status = fields_read_integer(&f->found, NUMBER, least, &number);
    if (status != expected || number != (expected == 0 ? expected_number : 77))
        fail_msg("%s from %d: %d, %llu", value, (int)least, status, (unsigned long long)number);
}

static void an_integer_is_digits_within_its_bounds(void **state)
{
    fixture *f = *state;
    check_integer(f, "1", 1, 0, 1);
    check_integer(f, "10", 1, 0, 10);
    check_integer(f, "9007199254740991", 1, 0, 9007199254740991);
    check_integer(f, "9007199254740992", 1, -EINVAL, 0);
    check_integer(f, "9007199254740991", 0, 0, 9007199254740991);
    check_integer(f, "9007199254740992", 0, -EINVAL, 0);
    check_integer(f, "0", 0, 0, 0);
    check_integer(f, "0", 1, -EINVAL, 0);
    check_integer(f, "18446744073709551617", 1, -EINVAL, 0); /* 2^64 + 1 */
    check_integer(f, "184467440737095516170000000000000000000000000000000000000000001", 1, -EINVAL, 0);
}

static void a_number_in_another_form_is_no_integer(void **state)
{
    fixture *f = *state;
    static const char *const values[] = {"-1",    "-0",   "1.0", "1e0", "1E2",   "0.5", "0e0",
                                         "\"1\"", "true", "[1]", "{}",  "false", "\"\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        check_integer(f, values[i], 0, -EINVAL, 0);
        check_integer(f, values[i], 1, -EINVAL, 0);
    }
    check_integer(f, "null", 1, -ENOENT, 0);
    find_valid(f, "{}");
    uint64_t number;
    assert_int_equal(fields_read_integer(&f->found, NUMBER, 1, &number), -ENOENT);
}

static void check_boolean(fixture *f, const char *value, bool before, int expected, bool expected_value)
{
    find_member(f, "flag", value);
    bool read = before;
    assert_int_equal(fields_read_boolean(&f->found, FLAG, &read), expected);
    assert_int_equal(read, expected_value);
}

static void a_boolean_is_true_or_false(void **state)
{
    fixture *f = *state;
    check_boolean(f, "true", false, 0, true);
    check_boolean(f, "false", true, 0, false);
    static const char *const values[] = {"0", "1", "\"true\"", "[]", "{}"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_boolean(f, values[i], true, -EINVAL, true);
    check_boolean(f, "null", true, -ENOENT, true);
    find_valid(f, "{}");
    bool value;
    assert_int_equal(fields_read_boolean(&f->found, FLAG, &value), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(members_of_the_table_are_found_and_others_are_not),
        TEST(a_table_may_be_full),
        TEST(names_with_escapes_are_the_same_names),
        TEST(of_several_the_last_counts),
        TEST(null_is_a_member_without_a_value),
        TEST(what_is_no_object_is_refused),
        TEST(a_word_is_told_by_its_place),
        TEST(another_word_is_told_from_no_word),
        TEST(a_name_is_decoded_and_trimmed),
        TEST(a_name_of_blanks_is_empty),
        TEST(a_name_has_its_bound_after_trimming),
        TEST(what_is_no_name_is_told_apart),
        TEST(an_integer_is_digits_within_its_bounds),
        TEST(a_number_in_another_form_is_no_integer),
        TEST(a_boolean_is_true_or_false),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
