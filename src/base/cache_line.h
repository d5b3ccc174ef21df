/* Cache line: the unit in which processors take memory from each other. When one thread writes to a line,
 * every other processor that uses anything on it has to fetch it again. So what one thread writes often
 * stands apart from what other threads use often.
 *
 * A gap keeps them apart wherever the struct is, so its owner needs no special alignment: two members with a
 * whole line between them are never on the same line. It is never written or read. */
#ifndef HOMECALL_BASE_CACHE_LINE_H
#define HOMECALL_BASE_CACHE_LINE_H

/* Bytes: on x86-64 and on most ARM processors. Where lines are longer, gaps help less, and nothing breaks. */
enum { CACHE_LINE = 64 };

typedef struct cache_line_gap {
    char unused[CACHE_LINE];
} cache_line_gap;

#endif
