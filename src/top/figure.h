/* Numbers for people: short, with a unit. NAN, which stands for "not known", is "-". Pure. */
#ifndef HOMECALL_TOP_FIGURE_H
#define HOMECALL_TOP_FIGURE_H

/* Returned by value, so that .text of a call can be used at once. */
typedef struct figure {
    char text[24];
} figure;

/* "0", "1234", "123k", "1.2M": powers of 1000. */
figure figure_count(double number);

/* "0", "0.5", "1234", "123k": of events per second. */
figure figure_rate(double per_second);

/* "0B", "1.5K", "12M": powers of 1024, as in the options. */
figure figure_bytes(double bytes);

/* "85us", "1.2ms", "12s". */
figure figure_seconds(double seconds);

/* "00:01:02", "3d 00:01:02". */
figure figure_age(double seconds);

/* "0%", "42%", of a share where 1 is the whole. */
figure figure_share(double share);

#endif
