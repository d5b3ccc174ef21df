/* The report as a page. It is one file that has no script and loads nothing, so it can be mailed, and still
 * be opened years later. */
#include "base/memory_text.h"
#include "report/embedded.h"
#include "report/report.h"
#include "report/report_table.h"
#include "report/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Escape characters of markup. Control characters, which HTML does not allow, become U+FFFD. */
static void write_char(FILE *out, char c)
{
    if (c == '&')
        fputs("&amp;", out);
    else if (c == '<')
        fputs("&lt;", out);
    else if (c == '>')
        fputs("&gt;", out);
    else if (c == '"')
        fputs("&quot;", out);
    else if (c != '\t' && c != '\n' && ((unsigned char)c < ' ' || c == 0x7F))
        fputs("\xEF\xBF\xBD", out);
    else
        fputc(c, out);
}

/* Write `text` escaped, between two strings that are written as they are. */
static void write_element(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    for (; *text != '\0'; text++)
        write_char(out, *text);
    fputs(after, out);
}

static void write_heading(const result *r, FILE *out)
{
    char conditions[160];
    report_conditions(r, conditions, sizeof(conditions));
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
          out);
    write_element(out, "<title>", r->scenario, " ");
    write_element(out, "", r->label[0] != '\0' ? r->label : r->urls[0],
                  " – homecall-bench</title>\n<style>\n");
    fputs(embedded_page_css, out);
    write_element(out, "</style>\n</head>\n<body>\n<p class=\"note\">homecall-bench</p>\n<h1>", r->scenario,
                  "");
    write_element(out, " <span>", r->label, "</span></h1>\n");
    for (unsigned i = 0; i < r->url_count; i++)
        write_element(out, "<p><code>", r->urls[i], "</code></p>\n");
    write_element(out, "<p class=\"conditions\">", conditions, "</p>\n");
    if (r->fault != NULL)
        write_element(out, "<p class=\"bad\" role=\"alert\"><strong>The run found a fault.</strong> ",
                      r->fault, "</p>\n");
}

static void write_latencies(const result *r, FILE *out)
{
    fputs("<div class=\"box\"><table>\n<thead><tr><th>latency</th>", out);
    for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
        write_element(out, "<th class=\"number\">", report_latency_columns[column], "</th>");
    fputs("</tr></thead>\n<tbody>\n", out);
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        const histogram *h = &r->latency[kind];
        if (h->count == 0)
            continue;
        write_element(out, "<tr><th>", latency_kind_name(kind), "</th>");
        for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
            write_element(out, "<td class=\"number\">", report_latency_figure(h, column).text, "</td>");
        fputs("</tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n", out);
}

static void write_table(const result *r, FILE *out)
{
    report_table table;
    report_table_fill(&table, r);
    const char *group = NULL;
    fputs("<div class=\"box\"><table>\n<tbody>\n", out);
    for (const report_row *row = table.rows; row < table.rows + table.count; row++) {
        if (row->group != group)
            write_element(out, "<tr><th colspan=\"3\" class=\"group\">", row->group, "</th></tr>\n");
        group = row->group;
        write_element(out, "<tr><th>", row->name, "</th>");
        write_element(out, "<td class=\"number\">", row->value.text, "</td>");
        write_element(out, "<td class=\"note\">", row->note, "</td></tr>\n");
    }
    fputs("</tbody>\n</table></div>\n", out);
}

static void write_settings(const result *r, FILE *out)
{
    fputs("<h2>Settings</h2>\n<dl class=\"box\">\n", out);
    for (const char *const *pair = r->settings; *pair != NULL; pair += 2) {
        write_element(out, "<div><dt class=\"note\">", pair[0], "</dt>");
        write_element(out, "<dd>", pair[1], "</dd></div>\n");
    }
    write_element(out, "</dl>\n<pre class=\"box\"><code>", r->command_line, "</code></pre>\n");
}

static int write_json(const result *r, FILE *out)
{
    char *json = NULL;
    size_t size;
    FILE *text = open_memstream(&json, &size);
    if (text == NULL)
        return -ENOMEM;
    int error = report_json(r, text);
    if (!memory_text_close(text, &json) && error == 0)
        error = -ENOMEM;
    if (error == 0)
        write_element(out, "<details><summary>The same as JSON</summary><pre class=\"box\"><code>", json,
                      "</code></pre></details>\n");
    free(json);
    return error;
}

static int write_page(const result *r, const char *plots, FILE *out)
{
    write_heading(r, out);
    if (plots == NULL)
        fputs("<p class=\"bad\"><strong>There are no plots,</strong> since gnuplot was missing or has "
              "failed. Debian's "
              "package is gnuplot-nox.</p>\n",
              out);
    else
        fprintf(out, "<h2>Plots</h2>\n<div class=\"plots\">%s</div>\n", plots);
    fputs("<h2>Figures</h2>\n", out);
    write_latencies(r, out);
    write_table(r, out);
    write_settings(r, out);
    int error = write_json(r, out);
    fputs("</body>\n</html>\n", out);
    return error != 0 ? error : stream_flush(out);
}

static int write_file(const result *r, const char *plots, const char *path)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return -errno;
    int error = write_page(r, plots, out);
    if (fclose(out) != 0 && error == 0)
        error = -errno;
    return error;
}

/* The page is written under another name first, and renamed when it is complete. Until then, the page of an
 * earlier run can still be opened. */
typedef struct page_paths {
    char whole[PATH_MAX];
    char unfinished[PATH_MAX];
} page_paths;

/* Make the directory if there is none, and name the files in it. 0 or -errno. */
static int make_directory(const char *dir, page_paths *paths)
{
    if (snprintf(paths->whole, sizeof(paths->whole), "%s/index.html", dir) >= (int)sizeof(paths->whole) ||
        snprintf(paths->unfinished, sizeof(paths->unfinished), "%s/index.html.new", dir) >=
            (int)sizeof(paths->unfinished))
        return -ENAMETOOLONG;
    return mkdir(dir, 0777) == 0 || errno == EEXIST ? 0 : -errno;
}

int report_html_check(const char *dir)
{
    page_paths paths;
    int error = make_directory(dir, &paths);
    if (error != 0)
        return error;
    int fd = open(paths.unfinished, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    close(fd);
    return unlink(paths.unfinished) == 0 ? 0 : -errno;
}

int report_html(const result *r, const char *plots, const char *dir)
{
    page_paths paths;
    int error = make_directory(dir, &paths);
    if (error != 0)
        return error;
    error = write_file(r, plots, paths.unfinished);
    if (error == 0 && rename(paths.unfinished, paths.whole) != 0)
        error = -errno;
    if (error != 0)
        unlink(paths.unfinished);
    return error;
}
