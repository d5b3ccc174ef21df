/* The report as a page. It is one file without a script or anything to load, so it can be mailed, kept beside
 * the JSON and opened years later. Most of it is text that report_table.c has made; the plots are those of
 * report_plots.c. */
#include "report/figure.h"
#include "report/html_style.h"
#include "report/html_text.h"
#include "report/report.h"
#include "report/report_plots.h"
#include "report/report_table.h"
#include "report/stream.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between tags that are ours, a text that may not be. */
static void write_element(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    html_write_text(out, text);
    fputs(after, out);
}

static void write_head(const result *r, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
          out);
    write_element(out, "<title>", r->scenario, " ");
    write_element(out, "", r->label[0] != '\0' ? r->label : r->url, " – homecall-bench</title>\n<style>\n");
    html_style_write(out);
    fputs("</style>\n</head>\n<body>\n<main>\n", out);
}

static void write_heading(const result *r, FILE *out)
{
    char conditions[160];
    report_conditions(r, conditions, sizeof(conditions));
    write_element(out, "<header>\n<p class=\"tool\">homecall-bench</p>\n<h1>", r->scenario, "");
    if (r->label[0] != '\0')
        write_element(out, " <span>", r->label, "</span>");
    write_element(out, "</h1>\n<p class=\"url\"><code>", r->url, "</code></p>\n");
    write_element(out, "<p class=\"conditions\">", conditions, "</p>\n</header>\n");
    if (r->fault != NULL)
        write_element(out, "<p class=\"fault\" role=\"alert\"><strong>The run found a fault.</strong> ",
                      r->fault, "</p>\n");
}

static void write_card(FILE *out, const char *name, figure value, const char *note)
{
    char *unit = strrchr(value.text, ' ');
    if (unit != NULL)
        *unit++ = '\0';
    write_element(out, "<div class=\"card\"><dt>", name, "</dt>");
    write_element(out, "<dd class=\"value\">", value.text, "");
    if (unit != NULL)
        write_element(out, " <small>", unit, "</small>");
    write_element(out, "</dd><dd class=\"note\">", note, "</dd></div>\n");
}

static void write_rate_card(const result *r, FILE *out, const char *thing, uint64_t count)
{
    if (count == 0)
        return;
    char name[64];
    char note[96];
    snprintf(name, sizeof(name), "%ss per second", thing);
    snprintf(note, sizeof(note), "%s in %s", figure_count(count).text,
             figure_duration(r->seconds * 1e9).text);
    write_card(out, name, figure_number(result_per_second(r, count)), note);
}

static void write_latency_cards(const result *r, FILE *out)
{
    latency_kind kind = latency_kind_sampled(r->latency);
    if (r->latency[kind].count == 0)
        kind = LATENCY_CONNECT;
    const histogram *h = &r->latency[kind];
    if (h->count == 0)
        return;
    char note[96];
    snprintf(note, sizeof(note), "%s, p50", latency_kind_name(kind));
    write_card(out, "median latency", figure_duration((double)histogram_quantile_ns(h, 0.5)), note);
    snprintf(note, sizeof(note), "%s, max %s", latency_kind_name(kind),
             figure_duration((double)h->max_ns).text);
    write_card(out, "p99 latency", figure_duration((double)histogram_quantile_ns(h, 0.99)), note);
}

static void write_server_cards(const result *r, FILE *out)
{
    if (!r->server.is_known)
        return;
    bool has_signals = r->counts.signals > 0;
    uint64_t count = has_signals ? r->counts.signals : r->counts.operations;
    char text[64];
    char note[96];
    if (count > 0) {
        snprintf(text, sizeof(text), "CPU per %s", has_signals ? "signal" : r->operation_name);
        snprintf(note, sizeof(note), "%s of a core",
                 figure_share(r->seconds > 0 ? r->server.cpu_seconds / r->seconds : 0).text);
        write_card(out, text, figure_duration(result_cpu_us_per(r, count) * 1e3), note);
    }
    snprintf(note, sizeof(note), "server, %s in all", figure_bytes((double)r->server.rss_after_bytes).text);
    if (r->server.memory_connections > 0)
        write_card(out, "memory per connection", figure_bytes(result_bytes_per_connection(r)), note);
    else if (r->server.rss_after_bytes > 0)
        write_card(out, "server memory", figure_bytes((double)r->server.rss_after_bytes),
                   "resident, at the end");
}

static void write_cards(const result *r, FILE *out)
{
    fputs("<dl class=\"cards\">\n", out);
    write_rate_card(r, out, r->operation_name, r->counts.operations);
    if (!report_operation_is(r, "signal"))
        write_rate_card(r, out, "signal", r->counts.signals);
    if (r->counts.operations == 0 && r->open_connections > 0)
        write_card(out, "open connections", figure_count(r->open_connections), "at the end");
    write_latency_cards(r, out);
    write_server_cards(r, out);
    fputs("</dl>\n", out);
}

static void write_latency_row(FILE *out, latency_kind kind, const histogram *h)
{
    write_element(out, "<tr><th scope=\"row\">", latency_kind_name(kind), "</th>");
    for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
        write_element(out, "<td class=\"number\">", report_latency_figure(h, column).text, "</td>");
    fputs("</tr>\n", out);
}

static void write_latencies(const result *r, FILE *out)
{
    bool has_head = false;
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        if (r->latency[kind].count == 0)
            continue;
        if (!has_head) {
            fputs("<div class=\"box\"><table>\n<thead><tr><th scope=\"col\">latency</th>", out);
            for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
                write_element(out, "<th scope=\"col\" class=\"number\">", report_latency_columns[column],
                              "</th>");
            fputs("</tr></thead>\n<tbody>\n", out);
            has_head = true;
        }
        write_latency_row(out, kind, &r->latency[kind]);
    }
    if (has_head)
        fputs("</tbody>\n</table></div>\n", out);
}

static void write_table(const result *r, FILE *out)
{
    report_table table;
    report_table_fill(&table, r);
    if (table.count == 0)
        return;
    const char *group = NULL;
    fputs("<div class=\"box\"><table>\n<tbody>\n", out);
    for (const report_row *row = table.rows; row < table.rows + table.count; row++) {
        if (row->group != group)
            write_element(out, "<tr><th scope=\"rowgroup\" colspan=\"3\" class=\"group\">", row->group,
                          "</th></tr>\n");
        group = row->group;
        write_element(out, "<tr><th scope=\"row\">", row->name, "</th>");
        write_element(out, "<td class=\"number\">", row->value.text, "</td>");
        write_element(out, "<td class=\"note\">", row->note, "</td></tr>\n");
    }
    fputs("</tbody>\n</table></div>\n", out);
}

static void write_settings(const result *r, FILE *out)
{
    fputs("<h2>Settings</h2>\n", out);
    if (r->settings[0] != NULL) {
        fputs("<dl class=\"box settings\">\n", out);
        for (const char *const *pair = r->settings; *pair != NULL; pair += 2) {
            write_element(out, "<div><dt>", pair[0], "</dt>");
            write_element(out, "<dd>", pair[1], "</dd></div>\n");
        }
        fputs("</dl>\n", out);
    }
    write_element(out, "<pre class=\"box\"><code>", r->command_line, "</code></pre>\n");
}

static int write_page(const result *r, FILE *out)
{
    write_head(r, out);
    write_heading(r, out);
    write_cards(r, out);
    fputs("<h2>Plots</h2>\n<div class=\"plots\">", out);
    int error = report_plots_write(r, out);
    fputs("</div>\n<h2>Figures</h2>\n", out);
    write_latencies(r, out);
    write_table(r, out);
    write_settings(r, out);
    fputs("</main>\n</body>\n</html>\n", out);
    return error != 0 ? error : stream_flush(out);
}

static int write_file(const result *r, const char *path)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return -errno;
    int error = write_page(r, out);
    if (fclose(out) != 0 && error == 0)
        error = -errno;
    return error;
}

/* The page appears under its name only when it is whole: who looks at it meanwhile sees the one before. */
int report_html(const result *r, const char *dir)
{
    char path[PATH_MAX];
    char unfinished_path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/index.html", dir) >= (int)sizeof(path) ||
        snprintf(unfinished_path, sizeof(unfinished_path), "%s/index.html.new", dir) >=
            (int)sizeof(unfinished_path))
        return -ENAMETOOLONG;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return -errno;

    int error = write_file(r, unfinished_path);
    if (error == 0 && rename(unfinished_path, path) != 0)
        error = -errno;
    if (error != 0)
        unlink(unfinished_path);
    return error;
}
