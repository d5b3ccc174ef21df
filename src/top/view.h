/* The view: the last two samples of a server, drawn on a canvas of any size. Pure.
 *
 * A large canvas shows everything. A small one has a line for each subject, the most important ones first. In
 * a line, too, what does not fit is left out at the end. */
#ifndef HOMECALL_TOP_VIEW_H
#define HOMECALL_TOP_VIEW_H

#include "top/canvas.h"
#include "top/sample.h"

/* What to draw. All pointers are borrowed for the call. */
typedef struct view {
    const char *address;  /* of the admin port */
    const sample *before; /* NULL = there is none, so no rates are known */
    const sample *now;    /* NULL = no answer so far */
    const char *trouble;  /* tells that there is no answer now, and since when; NULL while there is one */
    bool is_paused;
    bool is_brief; /* draw the lines of a small canvas, however large it is */
} view;

void view_draw(canvas *c, const view *v);

#endif
