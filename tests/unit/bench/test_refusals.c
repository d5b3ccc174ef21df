/* Refused connections are added up by their status, and told with what to look at. */
#include "measure/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void none_is_told_as_nothing(void **state)
{
    (void)state;
    refusals r = {0};
    char text[REFUSALS_TEXT] = "?";
    refusals_describe(&r, text);
    assert_string_equal(text, "");
    assert_int_equal(refusals_total(&r), 0);
}

static void they_are_added_up_by_status(void **state)
{
    (void)state;
    refusals a = {0};
    refusals b = {0};
    refusals_count(&a, 503, 2);
    refusals_count(&b, 418, 1);
    refusals_count(&b, 503, 5);
    refusals_add(&a, &b);
    char text[REFUSALS_TEXT];
    refusals_describe(&a, text);
    assert_string_equal(text, "7 with HTTP status 503 (see MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, "
                              "CONNECT_RATE), 1 with HTTP status 418");
    assert_int_equal(refusals_total(&a), 8);
}

static void too_many_statuses_lose_no_count(void **state)
{
    (void)state;
    refusals r = {0};
    for (unsigned status = 400; status < 420; status++)
        refusals_count(&r, status, 1);
    assert_int_equal(refusals_total(&r), 20);
    char text[REFUSALS_TEXT];
    refusals_describe(&r, text); /* and it ends within its bounds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_told_as_nothing),
        cmocka_unit_test(they_are_added_up_by_status),
        cmocka_unit_test(too_many_statuses_lose_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
