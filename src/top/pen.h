/* A pen: where the next part of a view goes on its canvas, and how a line of fields is put there. */
#ifndef HOMECALL_TOP_PEN_H
#define HOMECALL_TOP_PEN_H

#include "top/canvas.h"
#include "top/interval.h"

#include <stdbool.h>

typedef struct pen {
    canvas *canvas; /* borrowed */
    interval interval;
    int row; /* where the next part starts */
    int end; /* what lies from here on belongs to others */
} pen;

/* A line of fields that is being written. */
typedef struct pen_line {
    pen *pen;
    int column;        /* where the next field starts */
    int right;         /* where it has to end */
    unsigned left_out; /* fields that did not fit */
} pen_line;

/* Start a line in the next row, with its heading. */
pen_line pen_begin_line(pen *p, const char *heading);

/* Add a field if it fits. After one that did not there are no more, so that what is shown is a beginning. */
__attribute__((format(printf, 3, 4))) void pen_add(pen_line *l, canvas_style style, const char *format, ...);

/* Tell how many fields did not fit, in the columns that were kept free for it. */
void pen_add_left_out(pen_line *l);

/* The line is done: the next part starts below it. */
void pen_end_line(pen_line *l);

/* Put a text into a column of a table, at its right. */
void pen_put_right(pen *p, int row, int end, canvas_style style, const char *text);

/* From here on a load, or how full something is, calls for attention. */
#define PEN_HIGH_SHARE 0.9

static inline canvas_style pen_bad_if(bool is_bad)
{
    return is_bad ? CANVAS_BAD : CANVAS_PLAIN;
}

#endif
