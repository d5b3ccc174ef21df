#include "stats/prometheus.h"

#include <inttypes.h>
#include <string.h>

typedef struct writer {
    FILE *out; /* borrowed */
    prometheus_format format;
} writer;

const char *prometheus_media_type(prometheus_format format)
{
    return format == PROMETHEUS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                            : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- Pieces of a line ---- */

/* In the base unit, without rounding, and without the locale: only a point is put between the digits. */
static void put_number(FILE *out, uint64_t number, metric_unit unit)
{
    int decimals = metric_unit_decimals(unit);
    uint64_t one = 1;
    for (int i = 0; i < decimals; i++)
        one *= 10;
    fprintf(out, "%" PRIu64, number / one);
    if (decimals > 0)
        fprintf(out, ".%0*" PRIu64, decimals, number % one);
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void put_name(FILE *out, const metric_family *family, const char *suffix)
{
    fprintf(out, "%s%s%s", metric_family_prefix(family), family->name, suffix);
}

static void put_labels(FILE *out, const metric_family *family, const metric_sample *sample)
{
    const char *before = "{";
    for (int i = 0; i < METRIC_MAX_LABELS && family->labels[i] != NULL; i++) {
        fprintf(out, "%s%s=\"", before, family->labels[i]);
        put_escaped(out, sample->labels[i]);
        fputc('"', out);
        before = ",";
    }
    if (family->labels[0] != NULL)
        fputc('}', out);
}

/* ---- Lines ---- */

/* What Prometheus calls the kind. The text format has no infos: they are gauges with the value 1 there. */
static const char *kind_name(metric_kind kind, prometheus_format format)
{
    static const char *const names[] = {[METRIC_COUNTER] = "counter",
                                        [METRIC_GAUGE] = "gauge",
                                        [METRIC_HISTOGRAM] = "histogram",
                                        [METRIC_INFO] = "info"};
    return kind == METRIC_INFO && format == PROMETHEUS_TEXT ? "gauge" : names[kind];
}

static void put_head_line(const writer *w, const metric_family *family, const char *word, const char *text)
{
    fprintf(w->out, "# %s ", word);
    /* OpenMetrics names the family, the text format its samples. */
    put_name(w->out, family, w->format == PROMETHEUS_OPENMETRICS ? "" : metric_family_suffix(family));
    fprintf(w->out, " %s\n", text);
}

static void put_head(const writer *w, const metric_family *family)
{
    put_head_line(w, family, "TYPE", kind_name(family->kind, w->format));
    const char *unit = metric_unit_name(family->unit);
    if (w->format == PROMETHEUS_OPENMETRICS && unit != NULL)
        put_head_line(w, family, "UNIT", unit);
    put_head_line(w, family, "HELP", family->help);
}

/* A bucket counts everything up to its bound, so it includes the buckets before it. */
static void put_histogram(FILE *out, const metric_family *family, const counter_histogram *h)
{
    uint64_t count = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += counter_get(&h->buckets[i]);
        put_name(out, family, "_bucket{le=\"");
        if (i < HISTOGRAM_BOUNDS)
            put_number(out, counter_histogram_bound(i), family->unit);
        else
            fputs("+Inf", out);
        fprintf(out, "\"} %" PRIu64 "\n", count);
    }
    put_name(out, family, "_sum ");
    put_number(out, counter_get(&h->sum), family->unit);
    fputc('\n', out);
    put_name(out, family, "_count ");
    fprintf(out, "%" PRIu64 "\n", count);
}

static void on_sample(void *context, const metric_family *family, const metric_sample *sample)
{
    const writer *w = context;
    if (sample->histogram != NULL) {
        put_histogram(w->out, family, sample->histogram);
        return;
    }
    put_name(w->out, family, metric_family_suffix(family));
    put_labels(w->out, family, sample);
    fputc(' ', w->out);
    put_number(w->out, sample->number, family->unit);
    fputc('\n', w->out);
}

void prometheus_write(FILE *out, prometheus_format format, const metric_source *source)
{
    writer w = {.out = out, .format = format};
    for (size_t i = 0; i < metric_family_count(source->snapshot); i++) {
        const metric_family *family = metric_family_at(i);
        put_head(&w, family);
        metric_family_walk(family, source, on_sample, &w);
    }
    if (format == PROMETHEUS_OPENMETRICS)
        fputs("# EOF\n", out);
}
