/* The reserve for libevent, with a malloc() that fails when it is told to: the linker puts __wrap_malloc() in
 * the place of malloc() for the files of the project. */
#include "app/memory_reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <event2/http.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static unsigned until_failure; /* the allocation that fails, counted from now; 0 = none */
static unsigned failures;      /* how many fail from that one on */
static size_t largest;         /* the largest that was asked for */

static bool must_fail(void)
{
    if (until_failure > 1) {
        until_failure--;
        return false;
    }
    if (until_failure == 0 || failures == 0)
        return false;
    if (--failures == 0)
        until_failure = 0;
    return true;
}

void *__wrap_malloc(size_t size)
{
    if (size > largest)
        largest = size;
    return must_fail() ? NULL : __real_malloc(size);
}

static void let_fail(unsigned nth, unsigned count)
{
    until_failure = nth;
    failures = count;
    largest = 0;
}

static void on_nothing(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static int make(void **state)
{
    (void)state;
    return memory_reserve_make();
}

static int unmake(void **state)
{
    (void)state;
    let_fail(0, 0);
    memory_reserve_free();
    return 0;
}

/* Without the reserve, evhttp frees a request that it could not make whole, and dies. */
static void any_allocation_of_a_request_may_fail(void **state)
{
    (void)state;
    enum { MORE_THAN_IT_NEEDS = 12 };
    for (unsigned nth = 1; nth <= MORE_THAN_IT_NEEDS; nth++) {
        let_fail(nth, 1);
        struct evhttp_request *request = evhttp_request_new(NULL, NULL);
        assert_non_null(request);
        evhttp_request_free(request);
    }
}

static void a_reserve_that_was_given_up_is_made_anew(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    let_fail(1, 1);
    struct event *first = event_new(base, -1, 0, on_nothing, NULL);
    assert_non_null(first);
    size_t usual = largest;
    largest = 0;
    struct event *second = event_new(base, -1, 0, on_nothing, NULL);
    assert_non_null(second);
    assert_true(largest > 100 * usual);
    largest = 0;
    struct event *third = event_new(base, -1, 0, on_nothing, NULL);
    assert_int_equal(largest, usual); /* once is enough */
    event_free(third);
    event_free(second);
    event_free(first);
    event_base_free(base);
}

static void where_there_is_no_memory_at_all_an_allocation_fails(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    let_fail(1, 2);
    assert_null(event_new(base, -1, 0, on_nothing, NULL));
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_allocation_of_a_request_may_fail, make, unmake),
        cmocka_unit_test_setup_teardown(a_reserve_that_was_given_up_is_made_anew, make, unmake),
        cmocka_unit_test_setup_teardown(where_there_is_no_memory_at_all_an_allocation_fails, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
