/* The terminal at standard output. Only this file uses ncurses. There is one terminal, so there is no object
 * for it. One thread uses it. */
#ifndef HOMECALL_TOP_TERMINAL_H
#define HOMECALL_TOP_TERMINAL_H

#include "top/canvas.h"

/* Take the terminal over. 0; or -ENOTSUP where it can't show a screen, and then nothing has changed. */
int terminal_open(void);

/* Give it back as it was. */
void terminal_close(void);

void terminal_get_size(int *columns, int *rows);

/* Its size may have changed: look, and paint everything again next time. */
void terminal_resize(void);

/* Show a canvas as the screen. */
void terminal_show(const canvas *c);

/* The next key that was pressed, or -1; doesn't wait. */
int terminal_read_key(void);

#endif
