/* A canvas: lines of text of a fixed size, each character with a style, to be shown by whatever can show
 * text.
 *
 * What does not fit is cut off, so nothing drawn here ever wraps. Only printable ASCII: it looks the same in
 * every locale, and each byte is one column. Pure. */
#ifndef HOMECALL_TOP_CANVAS_H
#define HOMECALL_TOP_CANVAS_H

/* Bounds of either size; a terminal beyond them is not filled. */
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

/* An empty canvas; sizes out of bounds are moved into them. 0 or -ENOMEM. */
int canvas_init(canvas *c, int columns, int rows);

void canvas_deinit(canvas *c);

/* Put text at a place, which may lie outside. Bytes that are not printable ASCII become '?'. */
void canvas_put(canvas *c, int row, int column, canvas_style style, const char *text);

/* Give a whole row a style. */
void canvas_set_style(canvas *c, int row, canvas_style style);

/* A row's characters, blanks up to the full width included; borrowed. */
const char *canvas_line(const canvas *c, int row);

/* Its styles, one for each character; borrowed. */
const unsigned char *canvas_styles(const canvas *c, int row);

/* How long the row is without the blanks at its end. */
int canvas_line_length(const canvas *c, int row);

#endif
