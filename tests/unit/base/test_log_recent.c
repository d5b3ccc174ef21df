/* The fields that a renderer keeps: a line is the same with them and without, and no name outlives its turn.
 */
#include "base/log_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const keyed_hash key = {.key = "sixteen bytes ok"};
static const log_event_head head = {
    .time_ms = 1, .namespace_ = "Test", .event = "happened", .level = LOG_INFO};

static log_renderer keeping;
static log_renderer fresh;
static log_manner manner;

static void start(signal_log_format format, const keyed_hash *tags)
{
    manner = (log_manner){.format = format, .tags = tags};
    log_render_init(&keeping, &manner);
    log_render_end_turn(&keeping);
}

/* The line of the renderer that keeps fields is that of one that has none. */
static void assert_same(const log_field *fields, size_t count)
{
    static char out[2][LOG_RENDER_MAX_LINE];
    log_render_init(&fresh, &manner);
    size_t len = log_render_line(&keeping, &head, fields, count, out[0]);
    assert_int_equal(len, log_render_line(&fresh, &head, fields, count, out[1]));
    assert_memory_equal(out[0], out[1], len);
}

static const char *const words[] = {"offer", "candidate", "", "two words",
                                    "a literal that is longer than the text that is kept"};

static log_field any_field(slice name)
{
    switch (rand() % 7) {
    case 0:
        return LOG_NUMBER("a", (uint64_t)rand() % 3);
    case 1:
        return LOG_NUMBER("b", UINT64_MAX - (uint64_t)rand() % 2);
    case 2:
        return LOG_LITERAL("a", words[rand() % 5]);
    case 3:
        return LOG_BYTES("a", name);
    case 4:
        return LOG_PRIVATE("a", name);
    default:
        return LOG_PRIVATE("b", name);
    }
}

/* Few values, so that many come again. A name is always on the heap, at its exact length, for the sanitizers.
 */
static void assert_random_lines(void)
{
    srand(7);
    for (int line = 0; line < 3000; line++) {
        log_field fields[LOG_MAX_FIELDS];
        char *names[LOG_MAX_FIELDS];
        size_t count = (size_t)rand() % (LOG_MAX_FIELDS + 1);
        for (size_t i = 0; i < count; i++) {
            size_t len = (size_t)(rand() % 4 == 0 ? rand() % 40 : rand() % 3 * 8);
            names[i] = malloc(len + 1);
            assert_non_null(names[i]);
            char *name = names[i] + 1;
            memset(name, 'x', len);
            if (len > 0)
                name[(size_t)rand() % len] = (char)('x' + rand() % 2);
            fields[i] = any_field((slice){name, len});
        }
        assert_same(fields, count);
        assert_same(fields, count);
        for (size_t i = 0; i < count; i++)
            free(names[i]);
        if (rand() % 50 == 0)
            log_render_end_turn(&keeping);
    }
}

static void lines_are_the_same_with_what_is_kept(void **state)
{
    (void)state;
    static const signal_log_format formats[] = {SIGNAL_LOG_TEXT, SIGNAL_LOG_JSON};
    for (size_t i = 0; i < 2; i++) {
        start(formats[i], &key);
        assert_random_lines();
        start(formats[i], NULL);
        assert_random_lines();
    }
}

/* The same address and length, but another name: as when a room is freed and another one is opened. */
static void names_that_differ_anywhere_are_told_apart(void **state)
{
    (void)state;
    start(SIGNAL_LOG_TEXT, &key);
    char name[LOG_RECENT_NAME_MAX + 8];
    memset(name, 'x', sizeof(name));
    for (size_t len = 1; len <= sizeof(name); len++) {
        const log_field field = LOG_PRIVATE("room", ((slice){name, len}));
        assert_same(&field, 1);
        for (size_t i = 0; i < len; i++) {
            name[i] = 'y';
            assert_same(&field, 1);
            name[i] = 'x';
            assert_same(&field, 1);
        }
    }
}

/* A name that is not given has no address (slice.h), and memcpy() must not see that. */
static void a_name_that_is_not_given_is_kept_like_others(void **state)
{
    (void)state;
    start(SIGNAL_LOG_JSON, &key);
    const log_field fields[] = {LOG_PRIVATE("room", SLICE_LITERAL("kitchen")),
                                LOG_PRIVATE("user", ((slice){NULL, 0}))};
    const log_field empty[] = {LOG_PRIVATE("room", ((slice){NULL, 0})),
                               LOG_PRIVATE("user", SLICE_LITERAL(""))};
    for (int line = 0; line < 2; line++) {
        assert_same(fields, 2);
        assert_same(fields, 2);
        assert_same(empty, 2);
    }
}

static bool keeps(const char *name)
{
    return memmem(&keeping, sizeof(keeping), name, strlen(name)) != NULL;
}

static void no_name_is_kept_after_the_turn(void **state)
{
    (void)state;
    const log_field fields[] = {LOG_NUMBER("conn", 1), LOG_PRIVATE("room", SLICE_LITERAL("kitchen")),
                                LOG_PRIVATE("user", SLICE_LITERAL("exactly as long as a name may be"))};
    start(SIGNAL_LOG_TEXT, &key);
    assert_same(fields, 3);
    assert_true(keeps("kitchen"));
    assert_true(keeps("exactly as long"));
    log_render_end_turn(&keeping);
    assert_false(keeps("kitc"));
    assert_false(keeps("exac"));
    assert_false(keeps(" be"));
    assert_same(fields, 3);
}

static void a_thread_without_turns_keeps_no_name(void **state)
{
    (void)state;
    const log_field field = LOG_PRIVATE("room", SLICE_LITERAL("kitchen"));
    start(SIGNAL_LOG_TEXT, &key);
    log_render_init(&keeping, &manner);
    assert_same(&field, 1);
    assert_false(keeps("kitc"));
}

/* Seen by a change of what is kept. */
static void a_field_that_comes_again_is_copied(void **state)
{
    (void)state;
    const log_field fields[] = {LOG_NUMBER("conn", 12), LOG_PRIVATE("room", SLICE_LITERAL("kitchen"))};
    char out[LOG_RENDER_MAX_LINE];
    start(SIGNAL_LOG_TEXT, &key);
    assert_same(fields, 2);
    for (size_t i = 0; i < 2; i++)
        keeping.recent.fields[i].text[1] = 'X';
    size_t len = log_render_line(&keeping, &head, fields, 2, out);
    assert_non_null(memmem(out, len, " Xonn=12 Xoom=#", 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_with_what_is_kept),
        cmocka_unit_test(names_that_differ_anywhere_are_told_apart),
        cmocka_unit_test(a_name_that_is_not_given_is_kept_like_others),
        cmocka_unit_test(no_name_is_kept_after_the_turn),
        cmocka_unit_test(a_thread_without_turns_keeps_no_name),
        cmocka_unit_test(a_field_that_comes_again_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
