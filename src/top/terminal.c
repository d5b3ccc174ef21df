#include "top/terminal.h"

#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAD_PAIR = 1 };

static SCREEN *screen; /* owned; NULL while we have not taken the terminal over */
static bool has_colour;

/* The text tells everything that the colours tell, so these may be missing (https://no-color.org). */
static void start_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    has_colour = (no_color == NULL || *no_color == '\0') && has_colors() && start_color() == OK &&
                 use_default_colors() == OK && init_pair(BAD_PAIR, COLOR_RED, -1) == OK;
}

int terminal_open(void)
{
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL)
        return -ENOTSUP;
    if (tigetstr("cup") == NULL) {
        terminal_close();
        return -ENOTSUP;
    }
    cbreak();
    noecho();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE); /* otherwise the bytes of a cursor key would be taken for letters */
    curs_set(0);
    start_colour();
    terminal_resize(); /* the terminal knows its size better than LINES and COLUMNS of the environment */
    return 0;
}

void terminal_close(void)
{
    endwin();
    delscreen(screen);
    screen = NULL;
}

void terminal_get_size(int *columns, int *rows)
{
    getmaxyx(stdscr, *rows, *columns);
}

void terminal_resize(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    clearok(stdscr, TRUE);
}

static attr_t attributes_of(canvas_style style)
{
    switch (style) {
    case CANVAS_PLAIN:
        break;
    case CANVAS_HEADING:
        return A_BOLD;
    case CANVAS_TITLE:
        return A_REVERSE;
    case CANVAS_BAD:
        return A_BOLD | (has_colour ? COLOR_PAIR(BAD_PAIR) : 0);
    }
    return A_NORMAL;
}

/* Put a row on the screen: each part with one style at once. */
static void show_row(const canvas *c, int row)
{
    const char *line = canvas_line(c, row);
    const unsigned char *styles = canvas_styles(c, row);
    for (int from = 0, to; from < c->columns; from = to) {
        for (to = from + 1; to < c->columns && styles[to] == styles[from];)
            to++;
        attrset((int)attributes_of(styles[from]));
        mvaddnstr(row, from, line + from, to - from);
    }
}

void terminal_show(const canvas *c)
{
    erase();
    for (int row = 0; row < c->rows; row++)
        show_row(c, row);
    refresh();
}

int terminal_read_key(void)
{
    int key = getch();
    return key == ERR ? -1 : key;
}
