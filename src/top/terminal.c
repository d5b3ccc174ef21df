#include "top/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* ECMA-48, and xterm's private modes: its second screen (1049), the cursor's look (25), and wrapping at the
 * end of a line (7), or a character in the last place of all would move the whole screen up. */
static const char enter_screen[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
static const char leave_screen[] = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/* Where a byte from the keyboard stands in what a key sends: alone, behind an escape, or in a control
 * sequence, which goes on until its final byte. */
typedef enum key_state { KEY_ALONE, KEY_ESCAPED, KEY_ONE_MORE, KEY_IN_SEQUENCE } key_state;

static struct {
    struct termios before; /* to be given back */
    struct termios ours;
    struct sigaction suspend_before;
    canvas shown; /* what the screen shows; none before the first */
    bool has_colour;
    volatile sig_atomic_t is_stale; /* the screen shows something else by now */
    key_state key;
} terminal;

/* ---- Taking over and giving back ---- */

/* Safe in a handler of signals, where stdio is not. */
static void tell(const char *sequence)
{
    size_t len = strlen(sequence);
    while (len > 0) {
        ssize_t taken = write(STDOUT_FILENO, sequence, len);
        if (taken < 0 && errno != EINTR)
            return; /* nobody looks any more */
        sequence += taken > 0 ? taken : 0;
        len -= taken > 0 ? (size_t)taken : 0;
    }
}

static void enter(void)
{
    tcsetattr(STDOUT_FILENO, TCSADRAIN, &terminal.ours);
    tell(enter_screen);
    terminal.is_stale = true;
}

static void leave(void)
{
    tell(leave_screen);
    tcsetattr(STDOUT_FILENO, TCSADRAIN, &terminal.before);
}

/* Control-Z: stop as everybody does, but leave the terminal to the shell as it was. */
static void on_suspend(int number)
{
    int error = errno;
    struct sigaction ours;
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t suspend;
    sigset_t blocked;
    sigemptyset(&suspend);
    sigaddset(&suspend, number);
    leave();
    sigaction(number, &usual, &ours);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &suspend, &blocked); /* stops here, and goes on when it is continued */
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    sigaction(number, &ours, NULL);
    enter();
    errno = error;
}

/* Keys come one by one and are not echoed. Signals are still made of control-C and its like. */
static void make_ours(void)
{
    terminal.ours = terminal.before;
    terminal.ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    terminal.ours.c_cc[VMIN] = 1;
    terminal.ours.c_cc[VTIME] = 0;
}

static bool can_show_a_screen(const char *kind)
{
    return kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0 && strcmp(kind, "unknown") != 0;
}

int terminal_open(void)
{
    if (!can_show_a_screen(getenv("TERM")) || tcgetattr(STDOUT_FILENO, &terminal.before) != 0)
        return -ENOTSUP;
    /* Colour says nothing that the text does not say, so it may be missing (https://no-color.org). */
    const char *no_color = getenv("NO_COLOR");
    terminal.has_colour = no_color == NULL || *no_color == '\0';
    terminal.key = KEY_ALONE;
    make_ours();
    struct sigaction action = {.sa_handler = on_suspend, .sa_flags = SA_RESTART};
    sigaction(SIGTSTP, &action, &terminal.suspend_before);
    enter();
    return 0;
}

void terminal_close(void)
{
    sigaction(SIGTSTP, &terminal.suspend_before, NULL);
    leave();
    canvas_deinit(&terminal.shown);
}

/* ---- The screen ---- */

void terminal_get_size(int *columns, int *rows)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *columns = is_known ? size.ws_col : 80;
    *rows = is_known ? size.ws_row : 24;
}

void terminal_resize(void)
{
    terminal.is_stale = true;
}

static void put_style(canvas_style style)
{
    switch (style) {
    case CANVAS_PLAIN:
        fputs("\x1b[0m", stdout);
        return;
    case CANVAS_HEADING:
        fputs("\x1b[0;1m", stdout);
        return;
    case CANVAS_TITLE:
        fputs("\x1b[0;7m", stdout);
        return;
    case CANVAS_BAD:
        fputs(terminal.has_colour ? "\x1b[0;1m\x1b[31m" : "\x1b[0;1m", stdout);
    }
}

/* Write a row: each run of one style at once. */
static void write_row(const canvas *c, int row)
{
    const char *line = canvas_line(c, row);
    const unsigned char *styles = canvas_styles(c, row);
    printf("\x1b[%d;1H", row + 1);
    for (int from = 0, to; from < c->columns; from = to) {
        for (to = from + 1; to < c->columns && styles[to] == styles[from];)
            to++;
        put_style(styles[from]);
        (void)fwrite(line + from, 1, (size_t)(to - from), stdout); /* its fault shows at the next flush */
    }
}

static bool is_same_row(const canvas *a, const canvas *b, int row)
{
    size_t len = (size_t)a->columns;
    return memcmp(canvas_line(a, row), canvas_line(b, row), len) == 0 &&
           memcmp(canvas_styles(a, row), canvas_styles(b, row), len) == 0;
}

/* Keep what is shown. Without memory for it everything is written anew next time. */
static void remember(const canvas *c)
{
    canvas_deinit(&terminal.shown);
    (void)canvas_copy(&terminal.shown, c);
}

void terminal_show(const canvas *c)
{
    const canvas *shown = &terminal.shown;
    bool is_new = terminal.is_stale || shown->columns != c->columns || shown->rows != c->rows;
    terminal.is_stale = false;
    if (is_new)
        fputs("\x1b[0m\x1b[2J", stdout);
    for (int row = 0; row < c->rows; row++) {
        if (is_new || !is_same_row(shown, c, row))
            write_row(c, row);
    }
    fflush(stdout);
    remember(c);
}

/* ---- Keys ---- */

/* Is this byte a key by itself? ECMA-48, 5.4: behind "ESC [" parameters, and the byte from @ to ~ that ends
 * them; "ESC O" is followed by one byte, and so says a terminal whose keys were told to. */
static bool is_key(unsigned char byte)
{
    switch (terminal.key) {
    case KEY_ALONE:
        terminal.key = byte == '\x1b' ? KEY_ESCAPED : KEY_ALONE;
        return byte != '\x1b';
    case KEY_ESCAPED:
        terminal.key = byte == '[' ? KEY_IN_SEQUENCE : byte == 'O' ? KEY_ONE_MORE : KEY_ALONE;
        return false; /* or it is a letter that was pressed together with Alt */
    case KEY_ONE_MORE:
        terminal.key = KEY_ALONE;
        return false;
    case KEY_IN_SEQUENCE:
        if (byte >= '@' && byte <= '~')
            terminal.key = KEY_ALONE;
        return false;
    }
    return false;
}

static bool read_byte(unsigned char *out)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, out, 1) == 1;
}

int terminal_read_key(void)
{
    unsigned char byte;
    while (read_byte(&byte)) {
        if (is_key(byte))
            return byte;
    }
    if (terminal.key == KEY_ESCAPED)
        terminal.key = KEY_ALONE; /* the key Escape itself: nothing came with it */
    return -1;
}
