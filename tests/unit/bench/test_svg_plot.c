/* The plot as text: what is drawn, what is left out, and what is said to those who can't see it. */
#include "report/svg_plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *text; /* of the last draw() */

static const char *draw(const svg_plot *plot)
{
    free(text);
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    svg_plot_write(plot, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static int forget(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static int occurrences(const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static const svg_point rising[] = {{0, 0}, {1, 50}, {2, 100}};
static const svg_series rising_series[] = {{"rising", rising, 3}};

static svg_plot plot_of(const svg_series *series, size_t count)
{
    return (svg_plot){
        .id = "some-plot",
        .title = "Things & more",
        .x = {"time", PLOT_LINEAR, figure_number_short},
        .y = {"things <each>", PLOT_LINEAR, figure_number_short},
        .series = series,
        .series_count = count,
    };
}

static void a_line_goes_through_its_points(void **state)
{
    (void)state;
    svg_plot plot = plot_of(rising_series, 1);
    draw(&plot);
    assert_non_null(strstr(text, "<path class=\"line\" d=\"M62.0 216.0L259.0 114.0L456.0 12.0\"/>"));
    assert_int_equal(occurrences("class=\"area\""), 1);
    assert_int_equal(occurrences("class=\"hit\""), 3);
    assert_non_null(strstr(text, "<title>rising: 50 (1)</title>"));
}

static void both_axes_have_ticks_with_their_text(void **state)
{
    (void)state;
    svg_plot plot = plot_of(rising_series, 1);
    draw(&plot);
    assert_non_null(strstr(text, "class=\"y\">0</text>"));
    assert_non_null(strstr(text, "class=\"y\">100</text>"));
    assert_non_null(strstr(text, "class=\"x\">0.5</text>"));
    assert_non_null(strstr(text, "class=\"x\">2</text>"));
    assert_non_null(strstr(text, "class=\"x\">time</text>"));
}

static void it_says_in_words_what_it_shows(void **state)
{
    (void)state;
    svg_plot plot = plot_of(rising_series, 1);
    draw(&plot);
    assert_non_null(strstr(text, "role=\"img\" aria-labelledby=\"some-plot-title some-plot-desc\""));
    assert_non_null(strstr(text, "<title id=\"some-plot-title\">Things &amp; more</title>"));
    assert_non_null(strstr(text, "things &lt;each&gt; against time. rising: from 0 to 100.</desc>"));
    assert_null(strstr(text, "<each>"));
}

static void two_series_have_a_legend_and_no_areas(void **state)
{
    (void)state;
    const svg_series series[] = {{"a<b", rising, 3}, {"c", rising, 2}};
    svg_plot plot = plot_of(series, 1);
    draw(&plot);
    assert_int_equal(occurrences("class=\"key"), 0);

    plot.series_count = 2;
    draw(&plot);
    assert_non_null(strstr(text, "<span class=\"key series-0\">a&lt;b</span>"));
    assert_non_null(strstr(text, "<span class=\"key series-1\">c</span>"));
    assert_int_equal(occurrences("class=\"line\""), 2);
    assert_int_equal(occurrences("class=\"area\""), 0);
}

static void a_gap_parts_the_line(void **state)
{
    (void)state;
    const svg_point points[] = {{0, NAN}, {1, 10}, {2, 10}, {3, NAN}, {4, NAN}, {5, 10}, {6, NAN}};
    const svg_series series[] = {{"gaps", points, 7}};
    svg_plot plot = plot_of(series, 1);
    draw(&plot);
    assert_int_equal(occurrences("class=\"line\""), 1);
    assert_int_equal(occurrences("class=\"line dot\""), 1); /* the point alone */
    assert_int_equal(occurrences("class=\"hit\""), 3);
    assert_null(strstr(text, "nan"));
}

static void a_0_on_a_log_scale_is_a_gap(void **state)
{
    (void)state;
    svg_plot plot = plot_of(rising_series, 1);
    plot.y.kind = PLOT_LOG;
    draw(&plot);
    assert_int_equal(occurrences("class=\"hit\""), 2);
    assert_non_null(strstr(text, "rising: from 50 to 100."));
    assert_null(strstr(text, "inf"));
}

static void nothing_is_drawn_without_values(void **state)
{
    (void)state;
    const svg_point missing[] = {{0, NAN}, {1, INFINITY}};
    const svg_series series[] = {{"empty", NULL, 0}, {"missing", missing, 2}};
    svg_plot plot = plot_of(series, 0);
    assert_string_equal(draw(&plot), "");
    plot.series_count = 2;
    assert_string_equal(draw(&plot), "");
}

static void many_points_are_a_line_without_dots(void **state)
{
    (void)state;
    static svg_point points[5000];
    for (int i = 0; i < 5000; i++)
        points[i] = (svg_point){i, 1};
    const svg_series series[] = {{"many", points, 5000}};
    svg_plot plot = plot_of(series, 1);
    draw(&plot);
    assert_int_equal(occurrences("class=\"line\""), 1);
    assert_int_equal(occurrences("class=\"hit\""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_goes_through_its_points),
        cmocka_unit_test(both_axes_have_ticks_with_their_text),
        cmocka_unit_test(it_says_in_words_what_it_shows),
        cmocka_unit_test(two_series_have_a_legend_and_no_areas),
        cmocka_unit_test(a_gap_parts_the_line),
        cmocka_unit_test(a_0_on_a_log_scale_is_a_gap),
        cmocka_unit_test(nothing_is_drawn_without_values),
        cmocka_unit_test(many_points_are_a_line_without_dots),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
