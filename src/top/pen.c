#include "top/pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the fields of a line start, behind its heading. */
enum { FIELDS_AT = 12 };

pen_line pen_begin_line(pen *p, const char *heading)
{
    canvas_put(p->canvas, p->row, 0, CANVAS_HEADING, heading);
    return (pen_line){.pen = p, .column = FIELDS_AT, .right = p->canvas->columns};
}

void pen_end_line(pen_line *l)
{
    l->pen->row++;
}

void pen_add(pen_line *l, canvas_style style, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    int len = (int)strlen(text);
    if (l->left_out > 0 || l->column + len > l->right) {
        l->left_out++;
        return;
    }
    canvas_put(l->pen->canvas, l->pen->row, l->column, style, text);
    l->column += len + 2;
}

void pen_add_left_out(pen_line *l)
{
    unsigned count = l->left_out;
    l->left_out = 0;
    l->right = l->pen->canvas->columns;
    if (count > 0)
        pen_add(l, CANVAS_PLAIN, "+%u", count);
}

void pen_put_right(pen *p, int row, int end, canvas_style style, const char *text)
{
    canvas_put(p->canvas, row, end - (int)strlen(text), style, text);
}
