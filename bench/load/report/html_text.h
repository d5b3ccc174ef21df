/* Text of others within HTML or SVG: as content or between double quotes it stays text. */
#ifndef HOMECALL_BENCH_HTML_TEXT_H
#define HOMECALL_BENCH_HTML_TEXT_H

#include <stdio.h>

/* Write `text` with its markup characters escaped, and its control characters, which HTML does not allow, as
 * U+FFFD. */
void html_write_text(FILE *out, const char *text);

#endif
