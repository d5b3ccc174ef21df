/* Numbers as text for people: three significant digits, a suitable unit, and commas between thousands. Pure.
 *
 * They are returned by value, so that a call can be an argument of printf(): figure_count(n).text. */
#ifndef HOMECALL_BENCH_FIGURE_H
#define HOMECALL_BENCH_FIGURE_H

#include <stdint.h>

typedef struct figure {
    char text[32]; /* UTF-8 */
} figure;

figure figure_count(uint64_t count); /* 1,234,567 */
figure figure_number(double value);  /* 0.012, 1.50, 12.3, 1,235 */
figure figure_duration(double ns);   /* 950 ns, 1.50 µs, 12.0 ms, 1,235 s */
figure figure_bytes(double bytes);   /* 950 B, 1.50 KiB, 12.0 MiB; may be negative */
figure figure_share(double share);   /* 12.0 %, for 0.12 */

#endif
