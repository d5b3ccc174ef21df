/* How the page of report_html.c looks, in light and dark, on a wide screen and on a phone. */
#ifndef HOMECALL_BENCH_HTML_STYLE_H
#define HOMECALL_BENCH_HTML_STYLE_H

#include <stdio.h>

/* Write the style sheet, without its element. */
void html_style_write(FILE *out);

#endif
