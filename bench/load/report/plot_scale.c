#include "report/plot_scale.h"

#include <math.h>

enum { MOST_STEPS = 6 };

/* More nines than that leave no room for their labels. */
static const double most_nines = 6;

/* The n-th of the round numbers … 0.5, 1, 2, 5, 10, 20 …; number 0 is 1. */
static double round_number(int n)
{
    static const double digits[] = {1, 2, 5};
    int decade = (int)floor(n / 3.0);
    return digits[n - 3 * decade] * pow(10, decade);
}

/* Which round number is the largest that is not over `value`; a value that is round but for its last bits
 * counts as round. */
static int round_below(double value)
{
    int n = 3 * ((int)floor(log10(value)) - 1);
    while (round_number(n + 1) <= value * (1 + 1e-9))
        n++;
    return n;
}

static int round_above(double value)
{
    int n = round_below(value);
    return round_number(n) >= value * (1 - 1e-9) ? n : n + 1;
}

static void add_tick(plot_scale *scale, double value)
{
    if (scale->tick_count < PLOT_SCALE_TICKS)
        scale->ticks[scale->tick_count++] = value;
}

static void fit_linear(plot_scale *scale, double high, bool is_tight)
{
    if (!(high > 0))
        high = 1;
    double step = scale->kind == PLOT_BINARY ? exp2(ceil(log2(high / MOST_STEPS)))
                                             : round_number(round_above(high / MOST_STEPS));
    double steps = high / step;
    int whole_steps = (int)(is_tight ? floor(steps + 1e-9) : ceil(steps - 1e-9));
    scale->high = is_tight ? high : step * whole_steps;
    for (int i = 0; i <= whole_steps; i++)
        add_tick(scale, step * i);
}

static void fit_log(plot_scale *scale, double low, double high)
{
    int first = round_below(low);
    int last = round_above(high);
    if (first == last) {
        first--;
        last++;
    }
    scale->low = log10(round_number(first));
    scale->high = log10(round_number(last));
    bool are_many = last - first > 7;
    int decades_apart = (last - first) / 3 / 8 + 1;
    for (int n = first; n <= last; n++) {
        if (!are_many || n % (3 * decades_apart) == 0)
            add_tick(scale, round_number(n));
    }
}

static double nines(double share)
{
    return share < 1 ? -log10(1 - share) : most_nines;
}

static void fit_percentile(plot_scale *scale, double high)
{
    scale->high = fmin(fmax(nines(high), 1), most_nines);
    add_tick(scale, 0);
    add_tick(scale, 0.5);
    for (int n = 1; n <= scale->high + 1e-9; n++)
        add_tick(scale, 1 - pow(10, -n));
}

void plot_scale_fit(plot_scale *scale, plot_scale_kind kind, double low, double high, bool is_tight)
{
    *scale = (plot_scale){.kind = kind};
    switch (kind) {
    case PLOT_LINEAR:
    case PLOT_BINARY:
        fit_linear(scale, high, is_tight);
        return;
    case PLOT_LOG:
        fit_log(scale, low, high);
        return;
    case PLOT_PERCENTILE:
        fit_percentile(scale, high);
        return;
    }
}

static double transform(plot_scale_kind kind, double value)
{
    if (kind == PLOT_LOG)
        return log10(value);
    return kind == PLOT_PERCENTILE ? nines(value) : value;
}

double plot_scale_place(const plot_scale *scale, double value)
{
    double place = (transform(scale->kind, value) - scale->low) / (scale->high - scale->low);
    return fmin(fmax(place, 0), 1);
}
