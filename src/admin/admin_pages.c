#include "admin/admin_pages.h"

#include "admin/accept_header.h"
#include "stats/health.h"
#include "stats/prometheus.h"
#include "stats/stats_json.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_OK = 200, STATUS_INTERNAL_ERROR = 500, STATUS_UNAVAILABLE = 503 };

static const char plain_text[] = "text/plain; charset=utf-8";
static const char json[] = "application/json";

struct admin_page {
    const char *path;
    const char *about;
    admin_page_head (*write)(const admin_page_source *source, FILE *out);
};

/* ---- The pages ---- */

static admin_page_head write_metrics(const admin_page_source *source, FILE *out)
{
    prometheus_format format = accept_header_choose(source->accept);
    prometheus_write(out, format, &source->numbers);
    return (admin_page_head){STATUS_OK, prometheus_media_type(format)};
}

static admin_page_head write_stats(const admin_page_source *source, FILE *out)
{
    char *text = stats_json_print(&source->numbers, source->utc_ms);
    if (text == NULL)
        return admin_page_write_fault(STATUS_INTERNAL_ERROR, "out of memory", out);
    fprintf(out, "%s\n", text);
    free(text);
    return (admin_page_head){STATUS_OK, json};
}

static void on_objection(void *context, const char *reason)
{
    fprintf(context, "%s\n", reason);
}

/* Write "ok" if it is good. If not, the reasons have been written already. */
static admin_page_head write_verdict(bool is_good, FILE *out)
{
    if (is_good)
        fputs("ok\n", out);
    return (admin_page_head){is_good ? STATUS_OK : STATUS_UNAVAILABLE, plain_text};
}

static admin_page_head write_live(const admin_page_source *source, FILE *out)
{
    return write_verdict(health_is_live(source->numbers.snapshot, on_objection, out), out);
}

static admin_page_head write_ready(const admin_page_source *source, FILE *out)
{
    return write_verdict(health_is_ready(source->numbers.snapshot, on_objection, out), out);
}

static admin_page_head write_version(const admin_page_source *source, FILE *out)
{
    fprintf(out, "{\"name\":\"homecall-signal\",\"version\":\"%s\"}\n", source->numbers.snapshot->version);
    return (admin_page_head){STATUS_OK, json};
}

static admin_page_head write_index(const admin_page_source *source, FILE *out);

static const admin_page pages[] = {
    {"/", "this list", write_index},
    {"/metrics", "all numbers, for Prometheus", write_metrics},
    {"/stats", "all numbers, as JSON", write_stats},
    {"/livez", "200 unless a thread hangs or has failed, and 503 then", write_live},
    {"/readyz", "200 while new connections should come here, or 503 and the reasons", write_ready},
    {"/version", "what runs here, as JSON", write_version},
};

enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static admin_page_head write_index(const admin_page_source *source, FILE *out)
{
    (void)source;
    for (size_t i = 0; i < PAGES; i++)
        fprintf(out, "%-9s %s\n", pages[i].path, pages[i].about);
    return (admin_page_head){STATUS_OK, plain_text};
}

/* ---- Reading the table ---- */

const admin_page *admin_page_find(slice path)
{
    for (size_t i = 0; i < PAGES; i++)
        if (slice_equals(slice_of_text(pages[i].path), path))
            return &pages[i];
    return NULL;
}

admin_page_head admin_page_write(const admin_page *page, const admin_page_source *source, FILE *out)
{
    return page->write(source, out);
}

admin_page_head admin_page_write_fault(int status, const char *text, FILE *out)
{
    fprintf(out, "%s\n", text);
    return (admin_page_head){status, plain_text};
}
