/* The queues for a C library without <sys/queue.h>: those macros of TAILQ that look or insert beside an
 * element. All others are used by every test of a build with HOMECALL_PORTABLE. */
#include "compat/sys/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

typedef struct element {
    TAILQ_ENTRY(element) link;
    char name;
} element;

TAILQ_HEAD(elements, element);

/* From the first to the last one, a blank, and back. */
static const char *walk(struct elements *list)
{
    static char text[32];
    size_t len = 0;
    element *e;
    TAILQ_FOREACH(e, list, link)
    text[len++] = e->name;
    text[len++] = ' ';
    for (e = TAILQ_LAST(list, elements); e != NULL; e = TAILQ_PREV(e, elements, link))
        text[len++] = e->name;
    text[len] = '\0';
    return text;
}

static void a_list_reads_the_same_from_both_ends(void **state)
{
    (void)state;
    element all[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    struct elements list = TAILQ_HEAD_INITIALIZER(list);
    assert_string_equal(walk(&list), " ");
    TAILQ_INSERT_TAIL(&list, &all[0], link);
    assert_string_equal(walk(&list), "a a");
    TAILQ_INSERT_AFTER(&list, &all[0], &all[2], link); /* at the end */
    assert_string_equal(walk(&list), "ac ca");
    TAILQ_INSERT_AFTER(&list, &all[0], &all[1], link); /* in the middle */
    assert_string_equal(walk(&list), "abc cba");
    TAILQ_INSERT_TAIL(&list, &all[3], link);
    assert_string_equal(walk(&list), "abcd dcba");
    TAILQ_REMOVE(&list, &all[1], link);
    assert_string_equal(walk(&list), "acd dca");
    TAILQ_INSERT_BEFORE(&all[2], &all[1], link);
    assert_string_equal(walk(&list), "abcd dcba");
    TAILQ_REMOVE(&list, &all[3], link);
    TAILQ_REMOVE(&list, &all[0], link);
    assert_string_equal(walk(&list), "bc cb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_reads_the_same_from_both_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
