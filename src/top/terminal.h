/* The terminal that standard output is, by ncurses, which nobody else knows. There is one, so it has no
 * object; one thread uses it. */
#ifndef HOMECALL_TOP_TERMINAL_H
#define HOMECALL_TOP_TERMINAL_H

#include "top/canvas.h"

/* Take the terminal over. 0, or -ENOTSUP where it is of a kind that can't show a screen, and nothing has
 * changed. */
int terminal_open(void);

/* Give it back as it was. */
void terminal_close(void);

void terminal_get_size(int *columns, int *rows);

/* Its size may have changed: see, and paint everything anew next time. */
void terminal_resize(void);

/* Show a canvas as the screen. */
void terminal_show(const canvas *c);

/* The next key that was pressed, or -1; doesn't wait. */
int terminal_read_key(void);

#endif
