#include "top/canvas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int clamp(int value, int max)
{
    if (value < 1)
        return 1;
    return value < max ? value : max;
}

/* Where a row starts, in the text and in the styles. */
static size_t offset_of(const canvas *c, int row)
{
    return (size_t)row * ((size_t)c->columns + 1);
}

int canvas_init(canvas *c, int columns, int rows)
{
    *c = (canvas){.columns = clamp(columns, CANVAS_MAX_COLUMNS), .rows = clamp(rows, CANVAS_MAX_ROWS)};
    size_t size = offset_of(c, c->rows);
    c->text = malloc(size);
    c->styles = calloc(1, size);
    if (c->text == NULL || c->styles == NULL) {
        canvas_deinit(c);
        return -ENOMEM;
    }
    memset(c->text, ' ', size);
    for (int row = 0; row < c->rows; row++)
        c->text[offset_of(c, row) + (size_t)c->columns] = '\0';
    return 0;
}

int canvas_copy(canvas *to, const canvas *from)
{
    int error = canvas_init(to, from->columns, from->rows);
    if (error != 0)
        return error;
    memcpy(to->text, from->text, offset_of(from, from->rows));
    memcpy(to->styles, from->styles, offset_of(from, from->rows));
    return 0;
}

void canvas_deinit(canvas *c)
{
    free(c->text);
    free(c->styles);
    *c = (canvas){0};
}

void canvas_put(canvas *c, int row, int column, canvas_style style, const char *text)
{
    if (row < 0 || row >= c->rows || column < 0)
        return;
    for (; *text != '\0' && column < c->columns; text++, column++) {
        size_t at = offset_of(c, row) + (size_t)column;
        c->text[at] = *text;
        if (*text < ' ' || *text > '~')
            c->text[at] = '?';
        c->styles[at] = (unsigned char)style;
    }
}

void canvas_set_style(canvas *c, int row, canvas_style style)
{
    if (row >= 0 && row < c->rows)
        memset(c->styles + offset_of(c, row), style, (size_t)c->columns);
}

const char *canvas_line(const canvas *c, int row)
{
    return c->text + offset_of(c, row);
}

const unsigned char *canvas_styles(const canvas *c, int row)
{
    return c->styles + offset_of(c, row);
}

int canvas_line_length(const canvas *c, int row)
{
    const char *line = canvas_line(c, row);
    int len = c->columns;
    while (len > 0 && line[len - 1] == ' ')
        len--;
    return len;
}
