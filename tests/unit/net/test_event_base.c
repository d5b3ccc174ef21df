/* Bases, also where descriptors run out: a test that ends without a word is one that libevent has ended. */
#include "net/event_base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/descriptors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static void a_base_keeps_as_many_descriptors_as_it_says(void **state)
{
    (void)state;
    struct event_base *base;
    size_t before = descriptors_open();
    assert_int_equal(net_event_base_new(&base), 0);
    assert_int_equal(descriptors_open(), before + NET_EVENT_BASE_DESCRIPTORS);
    event_base_free(base);
    assert_int_equal(descriptors_open(), before);
}

static void too_few_descriptors_are_told_and_end_nothing(void **state)
{
    (void)state;
    size_t before = descriptors_open();
    bool was_made = false;
    for (size_t more = 0; more < 24; more++) {
        struct event_base *base = NULL;
        descriptors_limit(more);
        int error = net_event_base_new(&base);
        descriptors_unlimit();
        assert_int_equal(error, was_made || base != NULL ? 0 : -EMFILE);
        was_made = error == 0;
        if (base != NULL)
            event_base_free(base);
        assert_int_equal(descriptors_open(), before);
    }
    assert_true(was_made);
}

static void the_environment_chooses_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"EVENT_NOEPOLL", "EVENT_PRECISE_TIMER", "EVENT_EPOLL_USE_CHANGELIST"};
    size_t before = descriptors_open();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        setenv(names[i], "1", 1);
    struct event_base *base;
    assert_int_equal(net_event_base_new(&base), 0);
    assert_string_equal(event_base_get_method(base), "epoll");
    assert_int_equal(descriptors_open(), before + NET_EVENT_BASE_DESCRIPTORS);
    event_base_free(base);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_keeps_as_many_descriptors_as_it_says),
        cmocka_unit_test(too_few_descriptors_are_told_and_end_nothing),
        cmocka_unit_test(the_environment_chooses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
