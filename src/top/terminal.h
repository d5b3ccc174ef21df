/* The terminal that standard output is, spoken to in the control sequences of ECMA-48 that every terminal of
 * today knows. There is one, so it has no object; one thread uses it.
 *
 * A library for terminals would know those of other kinds, too, of which none is made any more; it would be
 * two more libraries in a server that hardly ever shows a screen. */
#ifndef HOMECALL_TOP_TERMINAL_H
#define HOMECALL_TOP_TERMINAL_H

#include "top/canvas.h"

/* Take the terminal over; when it is suspended (control-Z) meanwhile, it is given back for as long. 0, or
 * -ENOTSUP where it is of a kind that can't show a screen, and nothing has changed. */
int terminal_open(void);

/* Give it back as it was. */
void terminal_close(void);

void terminal_get_size(int *columns, int *rows);

/* Its size may have changed: paint everything anew next time. */
void terminal_resize(void);

/* Show a canvas as the screen: write the rows that have changed since the last one. */
void terminal_show(const canvas *c);

/* The next key that was pressed, or -1; doesn't wait. A key that sends several bytes, such as one for the
 * cursor, is passed over. */
int terminal_read_key(void);

#endif
