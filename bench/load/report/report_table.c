#include "report/report_table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char load_group[] = "load";
static const char server_group[] = "server";
static const char engine_group[] = "engine";
static const char client_group[] = "load generator";

/* Has the scenario's operation this name? Then its count needs no row of its own. */
static bool operation_is(const result *r, const char *name)
{
    return strcmp(r->operation_name, name) == 0;
}

/* Add a row without a note. */
static report_row *add(report_table *table, const char *group, figure value, const char *name)
{
    assert(table->count < REPORT_TABLE_ROWS);
    report_row *row = &table->rows[table->count++];
    *row = (report_row){.group = group, .value = value};
    snprintf(row->name, sizeof(row->name), "%s", name);
    return row;
}

__attribute__((format(printf, 2, 3))) static void note(report_row *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->note, sizeof(row->note), format, args);
    va_end(args);
}

/* Add a count with its rate, unless it is 0. */
static void add_count(report_table *table, const result *r, const char *name, uint64_t count)
{
    if (count == 0)
        return;
    report_row *row = add(table, load_group, figure_count(count), name);
    if (r->seconds > 0)
        note(row, "%s /s", figure_number(result_per_second(r, count)).text);
}

static void add_signals(report_table *table, const result *r)
{
    if (!operation_is(r, "signal"))
        add_count(table, r, "signals", r->counts.signals);
    if (r->counts.signal_bytes == 0)
        return;
    report_row *row = add(table, load_group, figure_bytes((double)r->counts.signal_bytes), "signal bytes");
    note(row, "%s/s", figure_bytes(result_per_second(r, r->counts.signal_bytes)).text);
}

static void add_load(report_table *table, const result *r)
{
    char operations[sizeof(table->rows[0].name)];
    snprintf(operations, sizeof(operations), "%ss", r->operation_name);
    add_count(table, r, operations, r->counts.operations);
    if (r->target_rate > 0 && table->count > 0) {
        report_row *row = &table->rows[table->count - 1];
        note(row, "%s /s of %s /s asked for", figure_number(result_per_second(r, r->counts.operations)).text,
             figure_number(r->target_rate).text);
    }
    add_signals(table, r);
    if (!operation_is(r, "join"))
        add_count(table, r, "joins", r->counts.joins);
    if (!operation_is(r, "connection"))
        add_count(table, r, "connections made", r->counts.connects);
    add_count(table, r, "connections closed", r->counts.closes);
    add_count(table, r, "connections lost on purpose", r->counts.losses);
    add_count(table, r, "sessions resumed", r->counts.resumed);
    add_count(table, r, "sessions not resumed", r->counts.resumes_refused);
    add_count(table, r, "signals sent again", r->counts.sent_again);
    add_count(table, r, "signals told as lost", r->counts.lost);
    add_count(table, r, "presence messages", r->counts.presence);
    add_count(table, r, "ticks", r->counts.ticks);
    if (r->totals.refused > 0) {
        char by_status[REFUSALS_TEXT];
        refusals_describe(&r->refusals, by_status);
        note(add(table, load_group, figure_count(r->totals.refused), "connections refused"), "%s", by_status);
    }
    add_count(table, r, "connects tried again", r->counts.retries);
    if (r->open_connections > 0)
        note(add(table, load_group, figure_count(r->open_connections), "open connections"), "at the end");
}

/* The server's processor time for each one of something. */
static void add_cpu_per(report_table *table, const result *r, const char *thing, uint64_t count)
{
    if (count == 0)
        return;
    char name[sizeof(table->rows[0].name)];
    snprintf(name, sizeof(name), "CPU per %s", thing);
    add(table, server_group, figure_duration(result_cpu_us_per(r, count) * 1e3), name);
}

static void add_server_cpu(report_table *table, const result *r)
{
    const result_server *server = &r->server;
    report_row *row = add(table, server_group, figure_duration(server->cpu_seconds * 1e9), "CPU");
    note(row, "%s of a core; user %s, system %s",
         figure_share(r->seconds > 0 ? server->cpu_seconds / r->seconds : 0).text,
         figure_duration(server->user_seconds * 1e9).text,
         figure_duration(server->system_seconds * 1e9).text);

    add_cpu_per(table, r, r->operation_name, r->counts.operations);
    if (!operation_is(r, "signal"))
        add_cpu_per(table, r, "signal", r->counts.signals);
    if (!operation_is(r, "connection"))
        add_cpu_per(table, r, "connection made", r->counts.connects);
}

static void add_server_memory(report_table *table, const result *r)
{
    const result_server *server = &r->server;
    if (server->rss_after_bytes > 0) {
        report_row *row = add(table, server_group, figure_bytes((double)server->rss_after_bytes), "memory");
        note(row, "%s before the load", figure_bytes((double)server->rss_before_bytes).text);
    }
    if (server->memory_connections > 0) {
        report_row *row =
            add(table, server_group, figure_bytes(result_bytes_per_connection(r)), "memory per connection");
        note(row, "over %s connections", figure_count(server->memory_connections).text);
    }
}

static void add_syscalls_per(report_table *table, const result *r, const char *thing, uint64_t count)
{
    if (count == 0)
        return;
    char name[sizeof(table->rows[0].name)];
    snprintf(name, sizeof(name), "system calls per %s", thing);
    add(table, server_group, figure_number(result_syscalls_per(r, count)), name);
}

static void add_syscalls(report_table *table, const result *r)
{
    if (!r->server.has_syscalls)
        return;
    report_row *row = add(table, server_group, figure_count(r->server.syscalls), "system calls");
    note(row, "counting them slows the server down");
    add_syscalls_per(table, r, r->operation_name, r->counts.operations);
    if (!operation_is(r, "signal"))
        add_syscalls_per(table, r, "signal", r->counts.signals);
}

static void add_server(report_table *table, const result *r)
{
    if (!r->server.is_known)
        return;
    const process_list *processes = &r->server.processes;
    figure which = figure_count(processes->count);
    if (processes->count == 1)
        snprintf(which.text, sizeof(which.text), "%ld", processes->pids[0]);
    report_row *row = add(table, server_group, which, processes->count == 1 ? "process" : "processes");
    if (r->server.threads > 0)
        note(row, "%s thread%s", figure_count(r->server.threads).text, r->server.threads == 1 ? "" : "s");
    add_server_cpu(table, r);
    add_server_memory(table, r);
    add_syscalls(table, r);
}

static void add_engine(report_table *table, const result *r)
{
    if (!r->has_engine)
        return;
    report_row *row = add(table, engine_group, figure_duration(r->engine_cpu_seconds * 1e9), "CPU");
    if (r->seconds > 0)
        note(row, "%s of a core", figure_share(r->engine_cpu_seconds / r->seconds).text);
    if (r->counts.operations == 0)
        return;
    char name[sizeof(row->name)];
    snprintf(name, sizeof(name), "CPU per %s", r->operation_name);
    add(table, engine_group, figure_duration(r->engine_cpu_seconds * 1e9 / (double)r->counts.operations),
        name);
}

static void add_client(report_table *table, const result *r)
{
    if (r->client_cpu_seconds <= 0)
        return;
    report_row *row = add(table, client_group, figure_duration(r->client_cpu_seconds * 1e9), "CPU");
    if (r->seconds > 0)
        note(row, "%s of a core", figure_share(r->client_cpu_seconds / r->seconds).text);
    if (r->counts.operations == 0)
        return;
    char name[sizeof(row->name)];
    snprintf(name, sizeof(name), "CPU per %s", r->operation_name);
    add(table, client_group, figure_duration(r->client_cpu_seconds * 1e9 / (double)r->counts.operations),
        name);
}

void report_table_fill(report_table *table, const result *r)
{
    table->count = 0;
    add_load(table, r);
    add_server(table, r);
    add_engine(table, r);
    add_client(table, r);
}

void report_conditions(const result *r, char *line, size_t size)
{
    char started[32] = "";
    struct tm utc;
    time_t seconds = (time_t)(r->started_unix_ms / 1000);
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(started, sizeof(started), "%Y-%m-%d %H:%M:%S UTC", &utc);

    char pace[64] = "closed loop";
    if (r->target_rate > 0)
        snprintf(pace, sizeof(pace), "open loop at %s %ss/s", figure_number(r->target_rate).text,
                 r->operation_name);

    snprintf(line, size, "%s, %s, %u thread%s, %s", started, figure_duration(r->seconds * 1e9).text,
             r->threads, r->threads == 1 ? "" : "s", pace);
}

const char *const report_latency_columns[REPORT_LATENCY_COLUMNS] = {"count", "min", "mean",  "p50",
                                                                    "p90",   "p99", "p99.9", "max"};

figure report_latency_figure(const histogram *h, size_t column)
{
    static const double shares[REPORT_LATENCY_COLUMNS] = {[3] = 0.5, 0.9, 0.99, 0.999, 1};
    if (column == 0)
        return figure_count(h->count);
    if (column == 2)
        return figure_duration(histogram_mean_ns(h));
    return figure_duration((double)histogram_quantile_ns(h, shares[column]));
}
