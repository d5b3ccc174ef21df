/* Any two answers of /stats, of which the second comes later, as `top` reads and draws them. The screen has
 * only printable ASCII, whatever its size and whatever the numbers and names are.
 *
 * Input: three bytes of settings, the first answer, a NUL, the second one. */
#include "fuzz.h"

#include "top/sample.h"
#include "top/view.h"

static sample before, now; /* too large for the stack */

static void check_canvas(const canvas *c)
{
    for (int row = 0; row < c->rows; row++) {
        const char *line = canvas_line(c, row);
        REQUIRE(strlen(line) == (size_t)c->columns);
        for (int i = 0; i < c->columns; i++)
            REQUIRE(line[i] >= ' ' && line[i] <= '~' && canvas_styles(c, row)[i] <= CANVAS_BAD);
    }
}

static void draw(const view *v, int columns, int rows)
{
    canvas c;
    REQUIRE(canvas_init(&c, columns, rows) == 0);
    view_draw(&c, v);
    check_canvas(&c);
    canvas_deinit(&c);
}

/* Read from an exact copy. */
static bool parse(sample *out, slice text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    REQUIRE(copy != NULL);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    bool is_one = sample_parse(out, copy, text.len) == 0;
    free(copy);
    return is_one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    int columns = fuzz_take_byte(&in), rows = fuzz_take_byte(&in);
    uint8_t settings = fuzz_take_byte(&in);
    slice later = {(const char *)in.data, in.left};
    slice earlier = slice_take_until(&later, '\0');
    bool has_before = parse(&before, earlier);
    bool has_now = parse(&now, later);
    const view v = {
        .address = "127.0.0.1:9000",
        .before = has_before ? &before : NULL,
        .now = has_now      ? &now
               : has_before ? &before
                            : NULL,
        .trouble = (settings & 1) != 0 ? "no answer" : NULL,
        .is_paused = (settings & 2) != 0,
        .is_brief = (settings & 4) != 0,
    };
    draw(&v, columns, rows);
    draw(&v, 200, 60);
    draw(&v, 40, 10);
    return 0;
}
