/* The outbox of a session: what is kept, in which order, within which bounds, and who can go on with it. */
#include "dialect_2/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    outbox box;
    outbox_bounds bounds;
    uint64_t budget;     /* bytes that may be reserved still */
    uint64_t charged[4]; /* by account */
} fixture;

static bool reserve(void *context, uint32_t account, size_t bytes)
{
    fixture *f = context;
    if (bytes > f->budget)
        return false;
    f->budget -= bytes;
    f->charged[account] += bytes;
    return true;
}

static void release(void *context, uint32_t account, size_t bytes)
{
    fixture *f = context;
    f->budget += bytes;
    f->charged[account] -= bytes;
}

static int start(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->budget = 1000;
    f->bounds = (outbox_bounds){
        .max_messages = 3, .max_bytes = 20, .reserve = reserve, .release = release, .context = f};
    outbox_init(&f->box);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    outbox_clear(&f->box, &f->bounds);
    assert_int_equal(f->budget, 1000);
    assert_int_equal(f->box.bytes, 0);
    free(f);
    return 0;
}

static outbox_entry *add(fixture *f, const char *text)
{
    size_t half = strlen(text) / 2;
    const struct iovec parts[] = {
        {(void *)(uintptr_t)text, half}, {NULL, 0}, {(void *)(uintptr_t)(text + half), strlen(text) - half}};
    return outbox_add(&f->box, &f->bounds, 1, parts, 3);
}

static void expect_kept(const fixture *f, const char *texts, uint64_t first_seq)
{
    char all[128] = "";
    const outbox_entry *entry;
    uint64_t seq = first_seq;
    STAILQ_FOREACH(entry, &f->box.entries, link)
    {
        assert_int_equal(entry->seq, seq++);
        strncat(all, entry->text, entry->len);
        strcat(all, " ");
    }
    assert_string_equal(all, texts);
}

static void messages_are_numbered_and_kept_until_they_are_acknowledged(void **state)
{
    fixture *f = *state;
    assert_int_equal(add(f, "one")->seq, 1);
    assert_int_equal(add(f, "two")->seq, 2);
    assert_int_equal(add(f, "three")->seq, 3);
    expect_kept(f, "one two three ", 1);
    assert_int_equal(f->charged[1], 11);
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 0));
    expect_kept(f, "one two three ", 1);
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 2));
    expect_kept(f, "three ", 3);
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 1)); /* an old one changes nothing */
    expect_kept(f, "three ", 3);
    assert_false(outbox_acknowledge(&f->box, &f->bounds, 4));
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 3));
    expect_kept(f, "", 4);
    assert_int_equal(add(f, "four")->seq, 4);
}

static void who_has_seen_all_that_is_not_kept_can_go_on(void **state)
{
    fixture *f = *state;
    assert_true(outbox_can_resume(&f->box, 0));
    assert_false(outbox_can_resume(&f->box, 1));
    add(f, "one");
    add(f, "two");
    assert_true(outbox_can_resume(&f->box, 0));
    assert_true(outbox_can_resume(&f->box, 2));
    assert_false(outbox_can_resume(&f->box, 3));
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 1));
    assert_false(outbox_can_resume(&f->box, 0));
    assert_true(outbox_can_resume(&f->box, 1));
    assert_true(outbox_acknowledge(&f->box, &f->bounds, 2));
    assert_false(outbox_can_resume(&f->box, 1));
    assert_true(outbox_can_resume(&f->box, 2));
}

static void the_oldest_make_way_by_messages_and_by_bytes(void **state)
{
    fixture *f = *state;
    add(f, "one");
    add(f, "two");
    add(f, "three");
    add(f, "four");
    expect_kept(f, "two three four ", 2);
    add(f, "0123456789");
    expect_kept(f, "three four 0123456789 ", 3);
    add(f, "0123456789");
    expect_kept(f, "0123456789 0123456789 ", 5);
    assert_false(outbox_can_resume(&f->box, 3));
    assert_true(outbox_can_resume(&f->box, 4));
}

static void what_can_not_be_kept_leaves_nothing_that_could_be_told_again(void **state)
{
    fixture *f = *state;
    add(f, "one");
    assert_null(add(f, "this is longer than all may be"));
    expect_kept(f, "", 3);
    assert_false(outbox_can_resume(&f->box, 1));
    assert_true(outbox_can_resume(&f->box, 2));
    f->budget = 2;
    assert_null(add(f, "two"));
    assert_int_equal(f->box.next_seq, 4);
    f->budget = 1000;
    add(f, "three");
    outbox_skip(&f->box, &f->bounds);
    expect_kept(f, "", 5);
    assert_int_equal(f->box.next_seq, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_numbered_and_kept_until_they_are_acknowledged, start,
                                        stop),
        cmocka_unit_test_setup_teardown(who_has_seen_all_that_is_not_kept_can_go_on, start, stop),
        cmocka_unit_test_setup_teardown(the_oldest_make_way_by_messages_and_by_bytes, start, stop),
        cmocka_unit_test_setup_teardown(what_can_not_be_kept_leaves_nothing_that_could_be_told_again, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
