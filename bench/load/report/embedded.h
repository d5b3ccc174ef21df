/* Files that are built into homecall-bench, as text. bench/CMakeLists.txt makes them. */
#ifndef HOMECALL_BENCH_EMBEDDED_H
#define HOMECALL_BENCH_EMBEDDED_H

extern const char embedded_style_gp[];
extern const char embedded_report_gp[];
extern const char embedded_page_css[];

#endif
