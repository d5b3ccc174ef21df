#include "sampler.h"

#include <stdlib.h>

/* A plot has about so many points. At shorter intervals they would only show the noise of the machine. */
enum { SAMPLES = 120, SHORTEST_MS = 250 };

void sampler_add_counts(load_counts *to, const load_counts *more)
{
    to->operations += more->operations;
    to->signals += more->signals;
    to->offers += more->offers;
    to->answers += more->answers;
    to->candidates += more->candidates;
    to->signal_bytes += more->signal_bytes;
    to->joins += more->joins;
    to->connects += more->connects;
    to->closes += more->closes;
    to->losses += more->losses;
    to->resumed += more->resumed;
    to->resumes_refused += more->resumes_refused;
    to->sent_again += more->sent_again;
    to->lost += more->lost;
    to->doubled += more->doubled;
    to->presence += more->presence;
    to->ticks += more->ticks;
    to->refused += more->refused;
    to->retries += more->retries;
}

static void clear(load_record *record)
{
    record->counts = (load_counts){0};
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_init(&record->latency[kind]);
}

sampler_totals sampler_sum(load_thread *threads, unsigned count, load_record *record)
{
    sampler_totals totals = {0};
    if (record != NULL)
        clear(record);
    for (unsigned i = 0; i < count; i++) {
        load_thread *t = &threads[i];
        pthread_mutex_lock(&t->lock);
        totals.operations += t->published_total.operations;
        totals.retries += t->published_total.retries;
        totals.refused += t->published_total.refused;
        totals.open += t->published_open;
        if (record != NULL) {
            sampler_add_counts(&record->counts, &t->published.counts);
            for (int kind = 0; kind < LATENCY_KINDS; kind++)
                histogram_add(&record->latency[kind], &t->published.latency[kind]);
        }
        pthread_mutex_unlock(&t->lock);
    }
    return totals;
}

void sampler_start(sampler *s, load_thread *threads, unsigned count, const process_list *processes,
                   double seconds, result *out)
{
    s->threads = threads;
    s->thread_count = count;
    s->processes = processes;
    s->out = out;
    s->interval_seconds = seconds / SAMPLES > SHORTEST_MS / 1e3 ? seconds / SAMPLES : SHORTEST_MS / 1e3;
    s->started_ns = ws_client_clock_ns();
    s->last_ns = s->started_ns;
    clear(&s->last);
    s->server = (process_usage){0};
    (void)process_usage_read(processes, &s->server);
}

static void add_sample(sampler *s, const result_sample *sample)
{
    result_sample *grown = realloc(s->out->samples, (s->out->sample_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return; /* without memory the plot has one point less */
    s->out->samples = grown;
    grown[s->out->sample_count++] = *sample;
}

void sampler_look(sampler *s, bool is_last)
{
    uint64_t now_ns = ws_client_clock_ns();
    double interval = (double)(now_ns - s->last_ns) / 1e9;
    bool is_due = interval >= (is_last ? s->interval_seconds / 2 : s->interval_seconds);
    if (!is_due)
        return;

    process_usage server = s->server;
    (void)process_usage_read(s->processes, &server);
    sampler_totals totals = sampler_sum(s->threads, s->thread_count, &s->now);
    load_record before = s->last;
    s->last = s->now;
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_subtract(&s->now.latency[kind], &before.latency[kind]);
    const histogram *latency = &s->now.latency[latency_kind_sampled(s->last.latency)];
    const result_sample sample = {
        .at_seconds = (double)(now_ns - s->started_ns) / 1e9,
        .interval_seconds = interval,
        .operations = s->now.counts.operations - before.counts.operations,
        .signals = s->now.counts.signals - before.counts.signals,
        .server_cpu_seconds = server.cpu_seconds - s->server.cpu_seconds,
        .server_rss_bytes = server.rss_bytes,
        .open_connections = totals.open,
        .p50_ns = histogram_quantile_ns(latency, 0.5),
        .p99_ns = histogram_quantile_ns(latency, 0.99),
        .max_ns = latency->count > 0 ? latency->max_ns : 0,
    };
    add_sample(s, &sample);
    s->server = server;
    s->last_ns = now_ns;
}
