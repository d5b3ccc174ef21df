/* The tags of names, from the cache and from the hash. */
#include "base/log_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const keyed_hash key = {.key = "sixteen bytes ok"};

/* The name on the heap, so that the sanitizers see a byte too many. */
static void assert_tag(log_tags *tags, const char *text, size_t len)
{
    char *name = malloc(len);
    assert_non_null(name);
    memcpy(name, text, len);
    char expected[LOG_TAG_LEN + 1];
    snprintf(expected, sizeof(expected), "#%08x", (unsigned)keyed_hash_of(&key, (slice){name, len}));
    assert_memory_equal(log_tags_find(tags, (slice){name, len}), expected, LOG_TAG_LEN);
    free(name);
}

static void a_name_has_the_same_tag_each_time(void **state)
{
    (void)state;
    static log_tags tags;
    log_tags_init(&tags, &key);
    for (int i = 0; i < 3; i++) {
        assert_tag(&tags, "kitchen", 7);
        assert_tag(&tags, "a", 1);
        assert_tag(&tags, "\0", 1);
        assert_tag(&tags, "\0\0", 2);
    }
}

/* Seen by a change of what is kept. */
static void a_name_that_is_kept_is_not_hashed_again(void **state)
{
    (void)state;
    static log_tags tags;
    log_tags_init(&tags, &key);
    static const char *const names[] = {"a", "kitchen", "kitchen1", "kitchen and bathroom",
                                        "exactly as long as a name may be"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *tag = (char *)(uintptr_t)log_tags_find(&tags, slice_of_text(names[i]));
        tag[0] = 'x';
        assert_int_equal(log_tags_find(&tags, slice_of_text(names[i]))[0], 'x');
    }
}

static void no_name_is_kept(void **state)
{
    (void)state;
    static log_tags tags;
    log_tags_init(&tags, &key);
    static const char *const names[] = {"bert", "codeword", "a longer codeword",
                                        "one that is too long for the cache"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_tag(&tags, names[i], strlen(names[i]));
        for (size_t part = 0; part + 4 <= strlen(names[i]); part++)
            assert_null(memmem(&tags, sizeof(tags), names[i] + part, 4));
    }
}

static void names_that_differ_anywhere_have_tags_of_their_own(void **state)
{
    (void)state;
    static log_tags tags;
    log_tags_init(&tags, &key);
    char name[3 * LOG_TAGS_NAME_MAX / 2];
    memset(name, 'x', sizeof(name));
    for (size_t len = 1; len <= sizeof(name); len++) {
        assert_tag(&tags, name, len);
        for (size_t i = 0; i < len; i++) {
            name[i] = 'y';
            assert_tag(&tags, name, len);
            name[i] = 'x';
        }
        assert_tag(&tags, name, len);
    }
}

static void more_names_than_are_kept_push_each_other_out(void **state)
{
    (void)state;
    static log_tags tags;
    log_tags_init(&tags, &key);
    char name[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4 * LOG_TAGS_KEPT; i++)
            assert_tag(&tags, name, (size_t)snprintf(name, sizeof(name), "room-%d", i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_the_same_tag_each_time),
        cmocka_unit_test(a_name_that_is_kept_is_not_hashed_again),
        cmocka_unit_test(no_name_is_kept),
        cmocka_unit_test(names_that_differ_anywhere_have_tags_of_their_own),
        cmocka_unit_test(more_names_than_are_kept_push_each_other_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
