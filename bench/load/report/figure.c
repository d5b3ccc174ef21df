#include "report/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct unit {
    double size;
    const char *name; /* with the space before it, if any */
} unit;

/* From the largest to the smallest; the smallest is used for everything below it, too. */
static const unit times[] = {{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}, {1, " ns"}};
static const unit sizes[] = {{1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}, {1, " B"}};

static const unit *fitting_unit(const unit *units, double value)
{
    /* A value that would be rounded up to 1,000 gets the next unit. */
    while (units->size > 1 && fabs(value) < units->size * 0.9995)
        units++;
    return units;
}

/* Copy a decimal number, with commas between thousands in front of its point. */
static figure group(const char *number)
{
    figure f;
    size_t len = 0;
    size_t whole = strcspn(number, ".");
    for (size_t i = 0; number[i] != '\0' && len < sizeof(f.text) - 2; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0 && number[i - 1] != '-')
            f.text[len++] = ',';
        f.text[len++] = number[i];
    }
    f.text[len] = '\0';
    return f;
}

figure figure_count(uint64_t count)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, count);
    return group(digits);
}

figure figure_number(double value)
{
    double size = fabs(value);
    int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
    char number[32];
    snprintf(number, sizeof(number), "%.*f", decimals, value);
    return group(number);
}

static void append(figure *f, const char *text)
{
    size_t len = strlen(f->text);
    snprintf(f->text + len, sizeof(f->text) - len, "%s", text);
}

static figure number_in(const unit *u, double value)
{
    figure f = figure_number(value / u->size);
    append(&f, u->name);
    return f;
}

figure figure_duration(double ns)
{
    return number_in(fitting_unit(times, ns), ns);
}

figure figure_bytes(double bytes)
{
    return number_in(fitting_unit(sizes, bytes), bytes);
}

figure figure_share(double share)
{
    return number_in(&(unit){0.01, " %"}, share);
}
