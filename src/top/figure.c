#include "top/figure.h"

#include <math.h>
#include <stdio.h>

/* The largest number that is shown, whatever a server says. "%.0f" of it fits into a figure. */
static const double largest = 1e18;

static const figure unknown = {"-"};

/* Divide by `step` until less than `limit` is left or there are no more units. Each division moves on to the
 * next unit. */
static figure scale(double number, double step, double limit, const char *units)
{
    while (number >= limit && units[1] != '\0') {
        number /= step;
        units++;
    }
    figure f;
    snprintf(f.text, sizeof(f.text), number < 9.95 ? "%.1f%c" : "%.0f%c", fmin(number, largest), *units);
    return f;
}

/* A count from here on means "no limit": it was UINT64_MAX. */
static const double endless = 1.8e19;

figure figure_count(double number)
{
    if (isnan(number))
        return unknown;
    if (number >= endless)
        return (figure){"no limit"};
    if (number >= 99999.5)
        return scale(number / 1e3, 1e3, 999.5, "kMGT");
    figure f;
    snprintf(f.text, sizeof(f.text), "%.0f", number);
    return f;
}

figure figure_rate(double per_second)
{
    if (isnan(per_second) || per_second >= 99999.5)
        return figure_count(per_second);
    figure f;
    snprintf(f.text, sizeof(f.text), per_second < 99.95 && per_second > 0 ? "%.1f" : "%.0f", per_second);
    return f;
}

figure figure_bytes(double bytes)
{
    if (isnan(bytes))
        return unknown;
    if (bytes >= 999.5)
        return scale(bytes / 1024, 1024, 999.5, "KMGTP");
    figure f;
    snprintf(f.text, sizeof(f.text), "%.0fB", bytes);
    return f;
}

figure figure_seconds(double seconds)
{
    if (isnan(seconds))
        return unknown;
    static const char *const units[] = {"us", "ms", "s"};
    double number = seconds * 1e6;
    int unit = 0;
    for (; number >= 999.5 && unit < 2; unit++)
        number /= 1e3;
    figure f;
    snprintf(f.text, sizeof(f.text), number < 9.95 && unit > 0 ? "%.1f%s" : "%.0f%s", fmin(number, largest),
             units[unit]);
    return f;
}

figure figure_age(double seconds)
{
    if (isnan(seconds))
        return unknown;
    unsigned long long whole = (unsigned long long)fmin(seconds, 1e12);
    unsigned days = (unsigned)(whole / 86400);
    unsigned rest = (unsigned)(whole % 86400);
    figure f;
    int len = days > 0 ? snprintf(f.text, sizeof(f.text), "%ud ", days) : 0;
    snprintf(f.text + len, sizeof(f.text) - (size_t)len, "%02u:%02u:%02u", rest / 3600, rest / 60 % 60,
             rest % 60);
    return f;
}

figure figure_share(double share)
{
    if (isnan(share))
        return unknown;
    figure f;
    snprintf(f.text, sizeof(f.text), "%.0f%%", fmin(share * 100, largest));
    return f;
}
