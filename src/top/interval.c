#include "top/interval.h"

#include <math.h>
#include <string.h>

static const sample nothing;

/* Was the server restarted between the two samples? */
static bool is_restart(const sample *before, const sample *now)
{
    return now->uptime_seconds < before->uptime_seconds || now->started_seconds != before->started_seconds;
}

void interval_init(interval *i, const sample *before, const sample *now)
{
    *i = (interval){.before = before != NULL ? before : &nothing, .now = now, .seconds = NAN};
    if (before == NULL)
        return;
    if (is_restart(before, now))
        i->before = &nothing;
    double seconds = now->uptime_seconds - i->before->uptime_seconds;
    if (seconds > 0)
        i->seconds = seconds;
}

/* How much a counter grew. */
static double growth(double before, double now)
{
    return now >= before ? now - before : now;
}

double interval_rate(const interval *i, double before, double now)
{
    return growth(before, now) / i->seconds;
}

double interval_word_rate(const interval *i, const sample_words *before, const struct sample_word *now)
{
    for (size_t w = 0; w < before->size; w++)
        if (strcmp(before->words[w].name, now->name) == 0)
            return interval_rate(i, before->words[w].count, now->count);
    return interval_rate(i, 0, now->count);
}

double interval_load(const interval *i, size_t index)
{
    const sample_thread *now = &i->now->threads[index];
    const sample_thread *before = &i->before->threads[index];
    bool is_same = index < i->before->thread_count && strcmp(before->name, now->name) == 0;
    return interval_rate(i, is_same ? before->cpu_seconds : 0, now->cpu_seconds);
}

/* How many values of the interval were at most bound `b`. */
static double within(const sample_histogram *before, const sample_histogram *now, size_t b)
{
    return growth(b < before->size ? before->within[b] : 0, now->within[b]);
}

double interval_percentile(const interval *i, sample_latency latency, double share)
{
    const sample_histogram *before = &i->before->latencies[latency];
    const sample_histogram *now = &i->now->latencies[latency];
    double count = growth(before->count, now->count);
    if (isnan(i->seconds) || count <= 0 || now->size == 0)
        return NAN;

    double rank = share * count;
    double below = 0; /* values in the buckets that were passed */
    double low = 0;   /* the bound of the last of these */
    for (size_t b = 0; b < now->size; b++) {
        double up_to = within(before, now, b);
        if (up_to >= rank && up_to > below)
            return low + (now->bounds[b] - low) * (rank - below) / (up_to - below);
        below = up_to > below ? up_to : below;
        low = now->bounds[b];
    }
    return low;
}
