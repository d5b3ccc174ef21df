/* Which format the headers of real scrapers, and of odd ones, ask for. */
#include "admin/accept_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *header, prometheus_format format)
{
    if (accept_header_choose(slice_of_text(header)) != format)
        fail_msg("not chosen as expected: %s", header);
}

static void no_header_gets_the_text_format(void **state)
{
    (void)state;
    assert_int_equal(accept_header_choose((slice){0}), PROMETHEUS_TEXT);
    expect("", PROMETHEUS_TEXT);
    expect("*/*", PROMETHEUS_TEXT); /* curl */
}

static void prometheus_gets_openmetrics(void **state)
{
    (void)state;
    /* Version 2.42, and version 3. */
    expect("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
           PROMETHEUS_OPENMETRICS);
    expect("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
           "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q="
           "0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
           PROMETHEUS_OPENMETRICS);
}

static void an_old_prometheus_gets_the_text_format(void **state)
{
    (void)state;
    expect("text/plain;version=0.0.4;q=1,*/*;q=0.1", PROMETHEUS_TEXT);
    expect("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
           PROMETHEUS_TEXT);
}

static void a_browser_gets_the_text_format(void **state)
{
    (void)state;
    expect("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
           PROMETHEUS_TEXT);
}

static void the_higher_quality_decides_and_openmetrics_if_both_are_equal(void **state)
{
    (void)state;
    expect("application/openmetrics-text, text/plain", PROMETHEUS_OPENMETRICS);
    expect("text/plain;q=0.5, application/openmetrics-text;q=0.5", PROMETHEUS_OPENMETRICS);
    expect("text/plain;q=0.5, application/openmetrics-text;q=0.499", PROMETHEUS_TEXT);
    expect("text/plain;q=0.5, application/openmetrics-text;q=0.501", PROMETHEUS_OPENMETRICS);
    expect("text/*;q=0.9, application/openmetrics-text;q=0.8", PROMETHEUS_TEXT);
    expect("application/openmetrics-text;q=0.8, */*", PROMETHEUS_TEXT);
    expect("application/openmetrics-text;q=0.1, application/openmetrics-text;q=0.9, text/plain;q=0.5",
           PROMETHEUS_OPENMETRICS);
}

static void a_quality_of_zero_is_a_no(void **state)
{
    (void)state;
    expect("application/openmetrics-text;q=0", PROMETHEUS_TEXT);
    expect("application/openmetrics-text;q=0.000, */*;q=0", PROMETHEUS_TEXT);
}

static void case_and_blanks_do_not_matter(void **state)
{
    (void)state;
    expect(" Application/OpenMetrics-Text\t; VERSION = 1.0.0 ; Q = 0.9 , text/plain;q=0.8",
           PROMETHEUS_OPENMETRICS);
}

static void nonsense_gets_the_text_format_or_counts_as_liked(void **state)
{
    (void)state;
    expect(",;,=;q", PROMETHEUS_TEXT);
    expect(";;;;", PROMETHEUS_TEXT);
    expect("application/openmetrics-textual", PROMETHEUS_TEXT);
    expect("application/openmetrics-text;q=", PROMETHEUS_OPENMETRICS);
    expect("application/openmetrics-text;q=very, text/plain", PROMETHEUS_OPENMETRICS);
    expect("application/openmetrics-text;q=0., text/plain;q=0", PROMETHEUS_TEXT);
    expect("application/openmetrics-text;q=0.9999999999999999999999, text/plain;q=0.9",
           PROMETHEUS_OPENMETRICS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_header_gets_the_text_format),
        cmocka_unit_test(prometheus_gets_openmetrics),
        cmocka_unit_test(an_old_prometheus_gets_the_text_format),
        cmocka_unit_test(a_browser_gets_the_text_format),
        cmocka_unit_test(the_higher_quality_decides_and_openmetrics_if_both_are_equal),
        cmocka_unit_test(a_quality_of_zero_is_a_no),
        cmocka_unit_test(case_and_blanks_do_not_matter),
        cmocka_unit_test(nonsense_gets_the_text_format_or_counts_as_liked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
