/* The texts of signals: of exactly the size asked for, valid JSON, each different, and a check that lets
 * nothing else through and says what came instead. */
#include "wire/signal_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest names that a user has (user.h: room and name of 40 bytes with their NUL). */
#define NAME_39 "abcdefghijklmnopqrstuvwxyz-0123456789-a"

enum { MAX_TEXT = 5000 };

static const load_dialect *const dialects[] = {&dialect_homecall, &dialect_homecall_session, &dialect_peerjs};

static const dialect_names names = {.room = {"room-1", 6}, .from = {"anna", 4}, .to = {"bert", 4}};
static const dialect_names longest = {.room = {NAME_39, 39}, .from = {NAME_39, 39}, .to = {NAME_39, 39}};

/* Made for each test: texts of one size for all kinds. */
static signal_texts make_texts(const load_dialect *d, size_t size)
{
    signal_texts texts = {.dialect = d, .size = {size, size, size, size}};
    assert_int_equal(signal_texts_init(&texts), 0);
    return texts;
}

/* Into a block of just that size, so that a sanitizer sees a step over its end. */
static char *write_block(const signal_texts *texts, load_kind kind, const dialect_names *who, uint32_t number,
                         size_t size)
{
    char *block = malloc(size);
    assert_non_null(block);
    assert_int_equal(signal_text_write(texts, kind, who, number, block), size);
    return block;
}

/* ---- Writing ---- */

static void a_text_has_exactly_the_size_asked_for_and_is_json(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof(dialects) / sizeof(dialects[0]); d++) {
        for (size_t size = SIGNAL_TEXT_MIN; size < SIGNAL_TEXT_MIN + 1500;
             size++) { /* every cut of the filling */
            signal_texts texts = make_texts(dialects[d], size);
            for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
                char *text = write_block(&texts, (load_kind)kind, &names, 7, size);
                cJSON *json = cJSON_ParseWithLength(text, size);
                if (json == NULL)
                    fail_msg("%s, kind %d, %zu bytes: not JSON", dialects[d]->name, kind, size);
                cJSON_Delete(json);
                free(text);
            }
            signal_texts_deinit(&texts);
        }
    }
}

static void the_smallest_size_holds_the_longest_names(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof(dialects) / sizeof(dialects[0]); d++) {
        signal_texts texts = make_texts(dialects[d], SIGNAL_TEXT_MIN);
        for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++)
            free(write_block(&texts, (load_kind)kind, &longest, UINT32_MAX, SIGNAL_TEXT_MIN));
        signal_texts_deinit(&texts);
    }
}

static void each_kind_has_its_own_size_and_the_longest_is_told(void **state)
{
    (void)state;
    signal_texts texts = {.dialect = &dialect_homecall, .size = {3000, 200, 290}};
    assert_int_equal(signal_texts_init(&texts), 0);
    assert_int_equal(signal_texts_longest(&texts), 3000);
    free(write_block(&texts, LOAD_OFFER, &names, 0, 3000));
    free(write_block(&texts, LOAD_ANSWER, &names, 0, 200));
    free(write_block(&texts, LOAD_CANDIDATE, &names, 0, 290));
    signal_texts_deinit(&texts);
    signal_texts_deinit(&texts); /* twice is legal */
}

static void each_number_makes_another_text(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {0, 1, 9, 10, 99, 100, 65535, 65536, 4294967294, UINT32_MAX};
    enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
    signal_texts texts = make_texts(&dialect_homecall, SIGNAL_TEXT_MIN);
    for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
        char *written[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            written[i] = write_block(&texts, (load_kind)kind, &names, numbers[i], SIGNAL_TEXT_MIN);
        for (size_t i = 0; i < COUNT; i++)
            for (size_t j = 0; j < i; j++)
                assert_memory_not_equal(written[i], written[j], SIGNAL_TEXT_MIN);
        for (size_t i = 0; i < COUNT; i++)
            free(written[i]);
    }
    signal_texts_deinit(&texts);
}

static void payloads_look_as_a_browser_makes_them(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 400);
    char *text = write_block(&texts, LOAD_OFFER, &names, 5, 400);
    cJSON *json = cJSON_ParseWithLength(text, 400);
    const char *sdp = cJSON_GetStringValue(cJSON_GetObjectItem(json, "sdp"));
    assert_non_null(sdp);
    assert_memory_equal(sdp, "v=0\r\no=- 0000000005 2 IN IP4 ", 29);
    cJSON_Delete(json);
    free(text);

    text = write_block(&texts, LOAD_CANDIDATE, &names, 6, 400);
    json = cJSON_ParseWithLength(text, 400);
    const cJSON *candidate = cJSON_GetObjectItem(json, "candidate");
    assert_memory_equal(cJSON_GetStringValue(cJSON_GetObjectItem(candidate, "candidate")),
                        "candidate:0000000006 1 udp ", 27);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(candidate, "sdpMid")), "0");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(candidate, "sdpMLineIndex")) == 0);
    cJSON_Delete(json);
    free(text);
    signal_texts_deinit(&texts);
}

/* ---- Checking ---- */

static bool check_text(signal_texts *texts, load_kind kind, uint32_t number, const char *text, size_t len,
                       char *why)
{
    char *block = malloc(len > 0 ? len : 1);
    assert_non_null(block);
    memcpy(block, text, len);
    memset(why, '#', SIGNAL_TEXT_MAX_WHY);
    bool is_right = signal_text_check(texts, kind, &names, number, (slice){block, len}, why);
    free(block);
    return is_right;
}

static void expect_refused(signal_texts *texts, load_kind kind, uint32_t number, const char *text, size_t len,
                           const char *what)
{
    char why[SIGNAL_TEXT_MAX_WHY];
    assert_false(check_text(texts, kind, number, text, len, why));
    assert_non_null(memchr(why, '\0', sizeof(why)));
    char expected[256];
    snprintf(expected, sizeof(expected), "signal %u of anna in room room-1: %s: ", number, what);
    if (strncmp(why, expected, strlen(expected)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", why, expected);
}

static void a_text_is_right_as_it_was_written(void **state)
{
    (void)state;
    char why[SIGNAL_TEXT_MAX_WHY];
    for (size_t d = 0; d < sizeof(dialects) / sizeof(dialects[0]); d++) {
        signal_texts texts = make_texts(dialects[d], 300);
        for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
            char *text = write_block(&texts, (load_kind)kind, &names, 41, 300);
            assert_true(check_text(&texts, (load_kind)kind, 41, text, 300, why));
            free(text);
        }
        signal_texts_deinit(&texts);
    }
}

/* Another order of members, white space and other escapes are the same JSON. */
static void the_same_json_in_another_writing_is_right(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 1000);
    char why[SIGNAL_TEXT_MAX_WHY];
    for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
        char *text = write_block(&texts, (load_kind)kind, &names, 41, 1000);
        cJSON *json = cJSON_ParseWithLength(text, 1000);
        char *pretty = cJSON_Print(json);
        assert_true(check_text(&texts, (load_kind)kind, 41, pretty, strlen(pretty), why));
        cJSON *type = cJSON_DetachItemFromObject(json, "type");
        cJSON_AddItemToObject(json, "type", type); /* now the last one */
        char *turned = cJSON_PrintUnformatted(json);
        assert_true(check_text(&texts, (load_kind)kind, 41, turned, strlen(turned), why));
        cJSON_free(turned);
        cJSON_free(pretty);
        cJSON_Delete(json);
        free(text);
    }
    signal_texts_deinit(&texts);
}

static void a_text_that_came_before_is_told_as_repeated(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 300);
    for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
        char *text = write_block(&texts, (load_kind)kind, &names, 40, 300);
        expect_refused(&texts, (load_kind)kind, 41, text, 300, "an earlier one came again");
        free(text);
    }
    signal_texts_deinit(&texts);
}

static void a_text_that_comes_too_early_is_told_as_such(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 300);
    for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
        char *text = write_block(&texts, (load_kind)kind, &names, UINT32_MAX, 300);
        expect_refused(&texts, (load_kind)kind, 41, text, 300,
                       "a later one came first, this one is lost or late");
        free(text);
    }
    signal_texts_deinit(&texts);
}

/* Every single byte counts, the JSON's own ones as well. A changed digit of the number is another number. */
static void a_text_with_any_byte_altered_is_refused(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, SIGNAL_TEXT_MIN);
    char why[SIGNAL_TEXT_MAX_WHY];
    for (int kind = 0; kind < dialect_kinds(texts.dialect); kind++) {
        char *text = write_block(&texts, (load_kind)kind, &names, 41, SIGNAL_TEXT_MIN);
        for (size_t at = 0; at < SIGNAL_TEXT_MIN; at++) {
            text[at] ^= 1;
            if (check_text(&texts, (load_kind)kind, 41, text, SIGNAL_TEXT_MIN, why))
                fail_msg("kind %d: byte %zu does not count", kind, at);
            text[at] ^= 1;
        }
        text[SIGNAL_TEXT_MIN - 40] ^= 1;
        expect_refused(&texts, (load_kind)kind, 41, text, SIGNAL_TEXT_MIN,
                       "it was altered, or came from elsewhere");
        free(text);
    }
    signal_texts_deinit(&texts);
}

static void a_text_cut_or_lengthened_is_refused(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, SIGNAL_TEXT_MIN);
    char why[SIGNAL_TEXT_MAX_WHY];
    char text[SIGNAL_TEXT_MIN + 1];
    signal_text_write(&texts, LOAD_OFFER, &names, 41, text);
    for (size_t len = 0; len < SIGNAL_TEXT_MIN; len++)
        assert_false(check_text(&texts, LOAD_OFFER, 41, text, len, why));
    text[SIGNAL_TEXT_MIN] = '}';
    assert_false(check_text(&texts, LOAD_OFFER, 41, text, SIGNAL_TEXT_MIN + 1, why));
    signal_texts_deinit(&texts);
}

static void a_text_of_other_people_is_refused(void **state)
{
    (void)state;
    static const dialect_names other_room = {{"room-2", 6}, {"anna", 4}, {"bert", 4}};
    static const dialect_names other_sender = {{"room-1", 6}, {"carl", 4}, {"bert", 4}};
    signal_texts texts = make_texts(&dialect_homecall, 300);
    char *text = write_block(&texts, LOAD_OFFER, &other_room, 41, 300);
    expect_refused(&texts, LOAD_OFFER, 41, text, 300, "it was altered, or came from elsewhere");
    free(text);
    text = write_block(&texts, LOAD_OFFER, &other_sender, 41, 300);
    expect_refused(&texts, LOAD_OFFER, 41, text, 300, "it was altered, or came from elsewhere");
    free(text);
    signal_texts_deinit(&texts);
}

static void a_text_of_another_kind_or_for_another_receiver_is_refused(void **state)
{
    (void)state;
    static const dialect_names other_receiver = {{"room-1", 6}, {"anna", 4}, {"carl", 4}};
    char why[SIGNAL_TEXT_MAX_WHY];
    signal_texts texts = make_texts(&dialect_peerjs, 300);
    char *text = write_block(&texts, LOAD_OFFER, &other_receiver, 41, 300);
    assert_false(check_text(&texts, LOAD_OFFER, 41, text, 300, why));
    free(text);
    text = write_block(&texts, LOAD_ANSWER, &names, 41, 300);
    assert_false(check_text(&texts, LOAD_OFFER, 41, text, 300, why));
    expect_refused(&texts, LOAD_CANDIDATE, 41, text, 300, "something else came");
    free(text);
    signal_texts_deinit(&texts);
}

static void a_member_too_many_or_too_few_is_refused(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 300);
    char why[SIGNAL_TEXT_MAX_WHY];
    char *text = write_block(&texts, LOAD_OFFER, &names, 41, 300);
    cJSON *json = cJSON_ParseWithLength(text, 300);
    cJSON_AddStringToObject(json, "more", "x");
    char *more = cJSON_PrintUnformatted(json);
    assert_false(check_text(&texts, LOAD_OFFER, 41, more, strlen(more), why));
    cJSON_DeleteItemFromObject(json, "more");
    cJSON_DeleteItemFromObject(json, "from");
    char *less = cJSON_PrintUnformatted(json);
    assert_false(check_text(&texts, LOAD_OFFER, 41, less, strlen(less), why));
    cJSON_free(more);
    cJSON_free(less);
    cJSON_Delete(json);
    free(text);
    signal_texts_deinit(&texts);
}

static void whatever_else_comes_is_told_as_far_as_it_fits(void **state)
{
    (void)state;
    signal_texts texts = make_texts(&dialect_homecall, 300);
    static const char error[] = "{\"type\":\"error\",\"message\":\"Room is full\"}";
    expect_refused(&texts, LOAD_OFFER, 3, "", 0, "something else came");
    expect_refused(&texts, LOAD_OFFER, 3, "null", 4, "something else came");
    expect_refused(&texts, LOAD_OFFER, 3, "\0\xff{[", 4, "something else came");
    expect_refused(&texts, LOAD_OFFER, 3, "\"v=0\\r\\no=- 00000", 16,
                   "something else came"); /* half a number */
    expect_refused(&texts, LOAD_OFFER, 3, "\"v=0\\r\\no=- 00000x0000", 22, "something else came");

    char why[SIGNAL_TEXT_MAX_WHY];
    assert_false(check_text(&texts, LOAD_OFFER, 3, error, strlen(error), why));
    assert_string_equal(why, "signal 3 of anna in room room-1: something else came: "
                             "{\"type\":\"error\",\"message\":\"Room is full\"}");
    char garbage[MAX_TEXT];
    memset(garbage, 'g', sizeof(garbage));
    expect_refused(&texts, LOAD_OFFER, 3, garbage, sizeof(garbage), "something else came");
    signal_texts_deinit(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_exactly_the_size_asked_for_and_is_json),
        cmocka_unit_test(the_smallest_size_holds_the_longest_names),
        cmocka_unit_test(each_kind_has_its_own_size_and_the_longest_is_told),
        cmocka_unit_test(each_number_makes_another_text),
        cmocka_unit_test(payloads_look_as_a_browser_makes_them),
        cmocka_unit_test(a_text_is_right_as_it_was_written),
        cmocka_unit_test(the_same_json_in_another_writing_is_right),
        cmocka_unit_test(a_text_that_came_before_is_told_as_repeated),
        cmocka_unit_test(a_text_that_comes_too_early_is_told_as_such),
        cmocka_unit_test(a_text_with_any_byte_altered_is_refused),
        cmocka_unit_test(a_text_cut_or_lengthened_is_refused),
        cmocka_unit_test(a_text_of_other_people_is_refused),
        cmocka_unit_test(a_text_of_another_kind_or_for_another_receiver_is_refused),
        cmocka_unit_test(a_member_too_many_or_too_few_is_refused),
        cmocka_unit_test(whatever_else_comes_is_told_as_far_as_it_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
