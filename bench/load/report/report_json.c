#include "report/report.h"
#include "report/stream.h"

#include <cjson/cJSON.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

/* A count with all its digits: cJSON would write large numbers as 1e+15. */
static bool add_count(cJSON *object, const char *name, uint64_t count)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, count);
    return cJSON_AddRawToObject(object, name, digits) != NULL;
}

/* A measured value with six digits behind the point; more would be noise. */
static bool add_number(cJSON *object, const char *name, double value)
{
    double rounded = round(value * 1e6) / 1e6;
    return cJSON_AddNumberToObject(object, name, isfinite(rounded) ? rounded : 0) != NULL;
}

static bool add_number_if(bool is_measured, cJSON *object, const char *name, double value)
{
    return !is_measured || add_number(object, name, value);
}

static bool add_text(cJSON *object, const char *name, const char *text)
{
    return cJSON_AddStringToObject(object, name, text) != NULL;
}

static bool add_started(cJSON *root, uint64_t unix_ms)
{
    char date[32] = "";
    char text[40];
    struct tm utc;
    time_t seconds = (time_t)(unix_ms / 1000);
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%03uZ", date, (unsigned)(unix_ms % 1000));
    return add_text(root, "started", text);
}

/* `url` is the first one; where there are several, `urls` has all. So it is with `pid` and `pids`. */
static bool add_urls(cJSON *root, const result *r)
{
    if (!add_text(root, "url", r->urls[0]))
        return false;
    if (r->url_count == 1)
        return true;
    cJSON *urls = cJSON_AddArrayToObject(root, "urls");
    for (unsigned i = 0; i < r->url_count; i++)
        if (!cJSON_AddItemToArray(urls, cJSON_CreateString(r->urls[i])))
            return false;
    return true;
}

static bool add_heading(cJSON *root, const result *r)
{
    return add_text(root, "scenario", r->scenario) && add_text(root, "operation", r->operation_name) &&
           add_urls(root, r) && add_text(root, "label", r->label) &&
           add_text(root, "command_line", r->command_line) && add_started(root, r->started_unix_ms) &&
           add_count(root, "threads", r->threads) && add_number(root, "seconds", r->seconds) &&
           add_count(root, "open_connections", r->open_connections) &&
           add_number(root, "target_rate", r->target_rate);
}

/* A setting is a number if its text is one, else a string. */
static bool add_setting(cJSON *settings, const char *name, const char *value)
{
    cJSON *parsed = cJSON_ParseWithOpts(value, NULL, true);
    bool is_number = cJSON_IsNumber(parsed) && isfinite(cJSON_GetNumberValue(parsed));
    cJSON_Delete(parsed);
    if (is_number)
        return cJSON_AddRawToObject(settings, name, value) != NULL;
    return add_text(settings, name, value);
}

static bool add_settings(cJSON *root, const result *r)
{
    cJSON *settings = cJSON_AddObjectToObject(root, "settings");
    if (settings == NULL)
        return false;
    for (const char *const *pair = r->settings; *pair != NULL; pair += 2) {
        if (!add_setting(settings, pair[0], pair[1]))
            return false;
    }
    return true;
}

static bool add_counts(cJSON *root, const char *name, const load_counts *counts)
{
    cJSON *object = cJSON_AddObjectToObject(root, name);
    return object != NULL && add_count(object, "operations", counts->operations) &&
           add_count(object, "signals", counts->signals) && add_count(object, "offers", counts->offers) &&
           add_count(object, "answers", counts->answers) &&
           add_count(object, "candidates", counts->candidates) &&
           add_count(object, "signal_bytes", counts->signal_bytes) &&
           add_count(object, "joins", counts->joins) && add_count(object, "connects", counts->connects) &&
           add_count(object, "closes", counts->closes) && add_count(object, "losses", counts->losses) &&
           add_count(object, "resumed", counts->resumed) &&
           add_count(object, "resumes_refused", counts->resumes_refused) &&
           add_count(object, "sent_again", counts->sent_again) && add_count(object, "lost", counts->lost) &&
           add_count(object, "doubled", counts->doubled) && add_count(object, "presence", counts->presence) &&
           add_count(object, "ticks", counts->ticks) && add_count(object, "refused", counts->refused) &&
           add_count(object, "retries", counts->retries);
}

static bool add_traffic(cJSON *root, const result *r)
{
    cJSON *object = cJSON_AddObjectToObject(root, "traffic");
    return object != NULL && add_count(object, "received_bytes", r->received_bytes) &&
           add_count(object, "sent_bytes", r->sent_bytes);
}

static bool add_rates(cJSON *root, const result *r)
{
    cJSON *object = cJSON_AddObjectToObject(root, "per_second");
    return object != NULL && add_number(object, "operations", result_per_second(r, r->counts.operations)) &&
           add_number(object, "signals", result_per_second(r, r->counts.signals));
}

static bool add_quantile(cJSON *object, const char *name, const histogram *h, double share)
{
    return add_number(object, name, (double)histogram_quantile_ns(h, share) / 1e3);
}

static bool add_latency(cJSON *latencies, const char *name, const histogram *h)
{
    if (h->count == 0)
        return true;
    cJSON *object = cJSON_AddObjectToObject(latencies, name);
    return object != NULL && add_count(object, "count", h->count) &&
           add_number(object, "min", (double)h->min_ns / 1e3) &&
           add_number(object, "mean", histogram_mean_ns(h) / 1e3) && add_quantile(object, "p50", h, 0.5) &&
           add_quantile(object, "p90", h, 0.9) && add_quantile(object, "p99", h, 0.99) &&
           add_quantile(object, "p999", h, 0.999) && add_number(object, "max", (double)h->max_ns / 1e3);
}

static bool add_latencies(cJSON *root, const result *r)
{
    cJSON *latencies = cJSON_AddObjectToObject(root, "latency_us");
    if (latencies == NULL)
        return false;
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        if (!add_latency(latencies, latency_kind_name(kind), &r->latency[kind]))
            return false;
    }
    return true;
}

static bool add_client(cJSON *root, const result *r)
{
    uint64_t operations = r->counts.operations;
    cJSON *object = cJSON_AddObjectToObject(root, "client");
    return object != NULL && add_number(object, "cpu_seconds", r->client_cpu_seconds) &&
           add_number_if(operations > 0, object, "cpu_us_per_operation",
                         r->client_cpu_seconds * 1e6 / (double)operations);
}

static bool add_server_cpu(cJSON *object, const result *r)
{
    const load_counts *counts = &r->counts;
    return add_number(object, "cpu_seconds", r->server.cpu_seconds) &&
           add_number(object, "user_seconds", r->server.user_seconds) &&
           add_number(object, "system_seconds", r->server.system_seconds) &&
           add_number_if(counts->operations > 0, object, "cpu_us_per_operation",
                         result_cpu_us_per(r, counts->operations)) &&
           add_number_if(counts->signals > 0, object, "cpu_us_per_signal",
                         result_cpu_us_per(r, counts->signals)) &&
           add_number_if(counts->connects > 0, object, "cpu_us_per_connect",
                         result_cpu_us_per(r, counts->connects));
}

static bool add_syscalls(cJSON *object, const result *r)
{
    const load_counts *counts = &r->counts;
    return !r->server.has_syscalls || (add_count(object, "syscalls", r->server.syscalls) &&
                                       add_number_if(counts->signals > 0, object, "syscalls_per_signal",
                                                     result_syscalls_per(r, counts->signals)) &&
                                       add_number_if(counts->operations > 0, object, "syscalls_per_operation",
                                                     result_syscalls_per(r, counts->operations)));
}

static bool add_pids(cJSON *object, const process_list *processes)
{
    if (!add_count(object, "pid", (uint64_t)processes->pids[0]))
        return false;
    if (processes->count == 1)
        return true;
    cJSON *pids = cJSON_AddArrayToObject(object, "pids");
    for (unsigned i = 0; i < processes->count; i++)
        if (!cJSON_AddItemToArray(pids, cJSON_CreateNumber((double)processes->pids[i])))
            return false;
    return true;
}

static bool add_engine(cJSON *root, const result *r)
{
    if (!r->has_engine)
        return true;
    const uint64_t operations = r->counts.operations;
    const uint64_t signals = r->counts.signals;
    cJSON *object = cJSON_AddObjectToObject(root, "engine");
    return object != NULL && add_number(object, "cpu_seconds", r->engine_cpu_seconds) &&
           add_number_if(operations > 0, object, "cpu_us_per_operation",
                         r->engine_cpu_seconds * 1e6 / (double)operations) &&
           add_number_if(signals > 0, object, "cpu_us_per_signal",
                         r->engine_cpu_seconds * 1e6 / (double)signals);
}

static bool add_server(cJSON *root, const result *r)
{
    const result_server *server = &r->server;
    if (!server->is_known)
        return true;
    cJSON *object = cJSON_AddObjectToObject(root, "server");
    return object != NULL && add_pids(object, &server->processes) &&
           add_count(object, "threads", server->threads) && add_server_cpu(object, r) &&
           add_count(object, "rss_before_bytes", server->rss_before_bytes) &&
           add_count(object, "rss_after_bytes", server->rss_after_bytes) &&
           add_number_if(server->memory_connections > 0, object, "bytes_per_connection",
                         result_bytes_per_connection(r)) &&
           add_syscalls(object, r);
}

static bool add_sample(cJSON *series, const result *r, const result_sample *s)
{
    cJSON *object = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(series, object))
        return false;
    bool has_server = r->server.is_known;
    double per_second = s->interval_seconds > 0 ? 1 / s->interval_seconds : 0;
    return add_number(object, "at_seconds", s->at_seconds) &&
           add_number(object, "operations_per_second", (double)s->operations * per_second) &&
           add_number(object, "signals_per_second", (double)s->signals * per_second) &&
           add_number_if(has_server, object, "server_cpu_share", s->server_cpu_seconds * per_second) &&
           (!has_server || add_count(object, "server_rss_bytes", s->server_rss_bytes)) &&
           add_count(object, "open_connections", s->open_connections) &&
           add_number_if(s->p50_ns > 0, object, "p50_us", (double)s->p50_ns / 1e3) &&
           add_number_if(s->p99_ns > 0, object, "p99_us", (double)s->p99_ns / 1e3) &&
           add_number_if(s->max_ns > 0, object, "max_us", (double)s->max_ns / 1e3);
}

static bool add_series(cJSON *root, const result *r)
{
    cJSON *series = cJSON_AddArrayToObject(root, "series");
    if (series == NULL)
        return false;
    for (size_t i = 0; i < r->sample_count; i++) {
        if (!add_sample(series, r, &r->samples[i]))
            return false;
    }
    return true;
}

static bool add_fault(cJSON *root, const char *fault)
{
    return fault == NULL ? cJSON_AddNullToObject(root, "fault") != NULL : add_text(root, "fault", fault);
}

/* The text of the whole object, which the caller gives to cJSON_free(); NULL without memory. */
static char *render(const result *r)
{
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;
    if (root != NULL && add_heading(root, r) && add_settings(root, r) &&
        add_counts(root, "counts", &r->counts) && add_counts(root, "totals", &r->totals) &&
        add_traffic(root, r) && add_rates(root, r) && add_latencies(root, r) && add_client(root, r) &&
        add_server(root, r) && add_engine(root, r) && add_series(root, r) && add_fault(root, r->fault))
        text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

int report_json(const result *r, FILE *out)
{
    char *text = render(r);
    if (text == NULL)
        return -ENOMEM;
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return stream_flush(out);
}
