/* The canvas: text at places, cut off at the edge, and harmless. */
#include "top/canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>

static void a_new_canvas_is_blank(void **state)
{
    (void)state;
    canvas c;
    assert_int_equal(canvas_init(&c, 4, 2), 0);
    assert_string_equal(canvas_line(&c, 0), "    ");
    assert_string_equal(canvas_line(&c, 1), "    ");
    assert_int_equal(canvas_line_length(&c, 1), 0);
    assert_int_equal(canvas_styles(&c, 1)[3], CANVAS_PLAIN);
    canvas_deinit(&c);
}

static void text_has_its_place_and_style(void **state)
{
    (void)state;
    canvas c;
    assert_int_equal(canvas_init(&c, 6, 2), 0);
    canvas_put(&c, 1, 2, CANVAS_BAD, "ab");
    assert_string_equal(canvas_line(&c, 0), "      ");
    assert_string_equal(canvas_line(&c, 1), "  ab  ");
    assert_int_equal(canvas_line_length(&c, 1), 4);
    const unsigned char expected[] = {CANVAS_PLAIN, CANVAS_PLAIN, CANVAS_BAD,
                                      CANVAS_BAD,   CANVAS_PLAIN, CANVAS_PLAIN};
    assert_memory_equal(canvas_styles(&c, 1), expected, sizeof(expected));
    canvas_set_style(&c, 0, CANVAS_TITLE);
    assert_int_equal(canvas_styles(&c, 0)[5], CANVAS_TITLE);
    assert_int_equal(canvas_styles(&c, 1)[0], CANVAS_PLAIN);
    canvas_deinit(&c);
}

static void what_does_not_fit_is_cut_off(void **state)
{
    (void)state;
    canvas c;
    assert_int_equal(canvas_init(&c, 4, 2), 0);
    canvas_put(&c, 0, 2, CANVAS_PLAIN, "abcdef");
    canvas_put(&c, 0, 4, CANVAS_PLAIN, "x");
    canvas_put(&c, 0, INT_MAX, CANVAS_PLAIN, "x");
    canvas_put(&c, 1, -1, CANVAS_PLAIN, "x");
    canvas_put(&c, 2, 0, CANVAS_PLAIN, "x");
    canvas_put(&c, -1, 0, CANVAS_PLAIN, "x");
    canvas_set_style(&c, 2, CANVAS_TITLE);
    assert_string_equal(canvas_line(&c, 0), "  ab");
    assert_string_equal(canvas_line(&c, 1), "    ");
    canvas_deinit(&c);
}

static void what_a_terminal_would_obey_is_replaced(void **state)
{
    (void)state;
    canvas c;
    assert_int_equal(canvas_init(&c, 10, 1), 0);
    canvas_put(&c, 0, 0, CANVAS_PLAIN, "a\x1b[1m\n\x7f\xc3\xa9~");
    assert_string_equal(canvas_line(&c, 0), "a?[1m????~");
    canvas_deinit(&c);
}

static void a_copy_has_the_same_on_it_and_a_life_of_its_own(void **state)
{
    (void)state;
    canvas c;
    canvas copy;
    assert_int_equal(canvas_init(&c, 5, 2), 0);
    canvas_put(&c, 1, 1, CANVAS_BAD, "bad");
    assert_int_equal(canvas_copy(&copy, &c), 0);
    canvas_put(&c, 1, 0, CANVAS_PLAIN, "-----");
    canvas_deinit(&c);
    assert_int_equal(copy.columns, 5);
    assert_int_equal(copy.rows, 2);
    assert_string_equal(canvas_line(&copy, 0), "     ");
    assert_string_equal(canvas_line(&copy, 1), " bad ");
    assert_int_equal(canvas_styles(&copy, 1)[0], CANVAS_PLAIN);
    assert_int_equal(canvas_styles(&copy, 1)[1], CANVAS_BAD);
    canvas_deinit(&copy);
}

static void sizes_are_kept_within_bounds(void **state)
{
    (void)state;
    canvas c;
    assert_int_equal(canvas_init(&c, 0, -5), 0);
    assert_int_equal(c.columns, 1);
    assert_int_equal(c.rows, 1);
    canvas_deinit(&c);
    assert_int_equal(canvas_init(&c, INT_MAX, INT_MAX), 0);
    assert_int_equal(c.columns, CANVAS_MAX_COLUMNS);
    assert_int_equal(c.rows, CANVAS_MAX_ROWS);
    assert_int_equal(strlen(canvas_line(&c, c.rows - 1)), CANVAS_MAX_COLUMNS);
    canvas_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_canvas_is_blank),
        cmocka_unit_test(text_has_its_place_and_style),
        cmocka_unit_test(what_does_not_fit_is_cut_off),
        cmocka_unit_test(what_a_terminal_would_obey_is_replaced),
        cmocka_unit_test(a_copy_has_the_same_on_it_and_a_life_of_its_own),
        cmocka_unit_test(sizes_are_kept_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
