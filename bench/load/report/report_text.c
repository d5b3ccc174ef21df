#include "report/figure.h"
#include "report/report.h"
#include "report/report_table.h"
#include "report/stream.h"

#include <string.h>

/* How many columns of a terminal the text needs. It is UTF-8 ("µs"), so only the first byte of each character
 * counts. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_right(FILE *out, const char *text, int width)
{
    fprintf(out, "%*s%s", width > width_of(text) ? width - width_of(text) : 0, "", text);
}

static void print_heading(const result *r, FILE *out)
{
    char conditions[160];
    report_conditions(r, conditions, sizeof(conditions));
    fputs(r->scenario, out);
    for (unsigned i = 0; i < r->url_count; i++)
        fprintf(out, "  %s", r->urls[i]);
    fprintf(out, "%s%s\n%s\n", r->label[0] != '\0' ? "  " : "", r->label, conditions);

    const char *separator = "";
    for (const char *const *pair = r->settings; *pair != NULL; pair += 2) {
        fprintf(out, "%s%s %s", separator, pair[0], pair[1]);
        separator = ", ";
    }
    if (r->settings[0] != NULL)
        fputc('\n', out);
    if (r->fault != NULL)
        fprintf(out, "\nFAULT: %s\n", r->fault);
}

static void print_table(const result *r, FILE *out)
{
    report_table table;
    report_table_fill(&table, r);
    const char *group = NULL;
    for (const report_row *row = table.rows; row < table.rows + table.count; row++) {
        if (row->group != group)
            fprintf(out, "\n%s\n", row->group);
        group = row->group;
        fprintf(out, "  %-28s", row->name);
        print_right(out, row->value.text, 14);
        fprintf(out, "%s%s\n", row->note[0] != '\0' ? "   " : "", row->note);
    }
}

static void print_latencies(const result *r, FILE *out)
{
    bool has_head = false;
    for (latency_kind kind = 0; kind < LATENCY_KINDS; kind++) {
        const histogram *h = &r->latency[kind];
        if (h->count == 0)
            continue;
        if (!has_head) {
            fprintf(out, "\n%-11s", "latency");
            for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
                print_right(out, report_latency_columns[column], column == 0 ? 13 : 9);
            fputc('\n', out);
            has_head = true;
        }
        fprintf(out, "  %-9s", latency_kind_name(kind));
        for (size_t column = 0; column < REPORT_LATENCY_COLUMNS; column++)
            print_right(out, report_latency_figure(h, column).text, column == 0 ? 13 : 9);
        fputc('\n', out);
    }
}

int report_text(const result *r, FILE *out)
{
    print_heading(r, out);
    print_table(r, out);
    print_latencies(r, out);
    return stream_flush(out);
}
