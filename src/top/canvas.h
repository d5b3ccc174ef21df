/* A canvas: lines of text of a fixed size. Each character has a style. A terminal or a text file can show it.
 *
 * What does not fit is cut off, so no line ever wraps. The text is printable ASCII: it looks the same in
 * every locale, and each byte is one column. Pure. */
#ifndef HOMECALL_TOP_CANVAS_H
#define HOMECALL_TOP_CANVAS_H

/* Bounds of both sizes. A larger terminal is not filled. */
enum { CANVAS_MAX_COLUMNS = 1000, CANVAS_MAX_ROWS = 500 };

typedef enum canvas_style {
    CANVAS_PLAIN,
    CANVAS_HEADING,
    CANVAS_TITLE,
    CANVAS_BAD, /* something is wrong; the text says so too */
} canvas_style;

typedef struct canvas {
    int columns, rows;
    char *text;            /* owned: rows of `columns` characters and a NUL */
    unsigned char *styles; /* owned: as much, a canvas_style each */
} canvas;

/* Make an empty canvas. Sizes out of bounds are corrected. 0 or -ENOMEM. */
int canvas_init(canvas *c, int columns, int rows);

/* Another one with the same on it. 0 or -ENOMEM. */
int canvas_copy(canvas *to, const canvas *from);

void canvas_deinit(canvas *c);

/* Put text at a place, which may be outside of the canvas. Bytes that are not printable ASCII become '?'. */
void canvas_put(canvas *c, int row, int column, canvas_style style, const char *text);

/* Give a whole row a style. */
void canvas_set_style(canvas *c, int row, canvas_style style);

/* The characters of a row, with blanks up to the full width; borrowed. */
const char *canvas_line(const canvas *c, int row);

/* Its styles, one for each character; borrowed. */
const unsigned char *canvas_styles(const canvas *c, int row);

/* How long the row is without the blanks at its end. */
int canvas_line_length(const canvas *c, int row);

#endif
