/* The part of a view that shows the threads: a cell for each, in as many columns as it takes. */
#ifndef HOMECALL_TOP_VIEW_THREADS_H
#define HOMECALL_TOP_VIEW_THREADS_H

#include "top/pen.h"

/* Draw them from the pen's row to its end; the last cell stands for those that do not fit. */
void view_threads_draw(pen *p);

/* How many threads may stand beside each other, at least 1. */
int view_threads_most_columns(const canvas *c);

#endif
