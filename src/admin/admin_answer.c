#include "admin/admin_answer.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Admin";

enum { WARN_EVERY_MS = 10 * 1000 };

enum {
    STATUS_OK = 200,
    STATUS_BAD = 400,
    STATUS_NOT_FOUND = 404,
    STATUS_BAD_METHOD = 405,
    STATUS_MISDIRECTED = 421, /* RFC 9110, 15.5.20 */
    STATUS_HEAD_TOO_LARGE = 431,
    STATUS_INTERNAL = 500,
    STATUS_UNAVAILABLE = 503,
    STATUS_OTHER_VERSION = 505,
};

int admin_answerer_init(admin_answerer *a, const admin_options *options)
{
    *a = (admin_answerer){.options = *options};
    process_probe_init(&a->probe);
    a->threads = calloc(options->thread_count + 1, sizeof(*a->threads)); /* never of size 0 */
    if (options->is_in_cluster)
        a->cluster = calloc(1, sizeof(*a->cluster));
    return a->threads != NULL && (a->cluster != NULL || !options->is_in_cluster) ? 0 : -ENOMEM;
}

void admin_answerer_deinit(admin_answerer *a)
{
    process_probe_deinit(&a->probe);
    free(a->threads);
    free(a->cluster);
    *a = (admin_answerer){0};
}

/* Whoever sends such requests could fill the log with them. */
static void log_refused_host(admin_answerer *a, slice host)
{
    uint64_t now_ms = clock_monotonic_ms();
    a->refused_hosts++;
    if (now_ms < a->warn_due_ms)
        return;
    a->warn_due_ms = now_ms + WARN_EVERY_MS;
    LOG(LOG_WARN, log_namespace, "a request to the admin port has a host that is not in ADMIN_ALLOWED_HOSTS",
        LOG_BYTES("host", host), LOG_NUMBER("so_far", a->refused_hosts));
}

static bool is_host_allowed(admin_answerer *a, const admin_request *request, const address *local)
{
    if (!request->has_host || admin_hosts_allow(&a->options.hosts, request->host, local))
        return true;
    log_refused_host(a, request->host);
    return false;
}

static admin_page_head write_page(admin_answerer *a, const admin_page *page, slice accept, FILE *out)
{
    for (size_t i = 0; i < a->options.thread_count; i++)
        a->threads[i] = (snapshot_thread){0};
    snapshot s = {.thread_count = a->options.thread_count, .threads = a->threads};
    if (!a->options.collect(a->options.context, &s, a->cluster))
        return admin_page_write_fault(STATUS_INTERNAL, "the numbers can't be read", out);

    process_stats process;
    process_probe_read(&a->probe, &process);
    const admin_page_source source = {
        .numbers = {.snapshot = &s, .process = &process}, .utc_ms = clock_utc_ms(), .accept = accept};
    return admin_page_write(page, &source, out);
}

admin_page_head admin_answer_write(admin_answerer *a, const admin_request *request, const address *local,
                                   FILE *out)
{
    if (request->fault != 0)
        return admin_page_write_fault(request->fault, "this is no request that is understood here", out);
    if (!is_host_allowed(a, request, local)) /* first of all: nothing is told to such a page */
        return admin_page_write_fault(
            STATUS_MISDIRECTED, "nothing is answered under this name; ADMIN_ALLOWED_HOSTS can allow it", out);
    if (!request->only_reads)
        return admin_page_write_fault(STATUS_BAD_METHOD, "only GET and HEAD", out);
    if (request->has_body)
        return admin_page_write_fault(STATUS_BAD, "a request has no body here", out);
    const admin_page *page = admin_page_find(request->path);
    if (page == NULL)
        return admin_page_write_fault(STATUS_NOT_FOUND, "no such page; / lists them", out);
    return write_page(a, page, request->accept, out);
}

bool admin_answer_is_last(const admin_request *request, admin_page_head head)
{
    return request->fault != 0 || request->has_body || !request->stays || head.status == STATUS_MISDIRECTED;
}

/* ---- The head ---- */

typedef struct status_line {
    int status;
    const char *reason;
    const char *headers; /* what else belongs to it */
} status_line;

static const status_line status_lines[] = {
    {STATUS_OK, "OK", ""},
    {STATUS_BAD, "Bad Request", ""},
    {STATUS_NOT_FOUND, "Not Found", ""},
    {STATUS_BAD_METHOD, "Method Not Allowed", "Allow: GET, HEAD\r\n"}, /* RFC 9110, 15.5.6 */
    {STATUS_MISDIRECTED, "Misdirected Request", ""},
    {STATUS_HEAD_TOO_LARGE, "Request Header Fields Too Large", ""},
    {STATUS_INTERNAL, "Internal Server Error", ""},
    {STATUS_UNAVAILABLE, "Service Unavailable", ""},
    {STATUS_OTHER_VERSION, "HTTP Version Not Supported", ""},
};

static const status_line *find_status_line(int status)
{
    for (size_t i = 0; i < sizeof(status_lines) / sizeof(status_lines[0]); i++)
        if (status_lines[i].status == status)
            return &status_lines[i];
    assert(!"a status that no page and no fault has");
    return &status_lines[0];
}

int admin_answer_format_head(admin_page_head head, size_t body_len, bool closes, char *out, size_t cap)
{
    const status_line *line = find_status_line(head.status);
    return snprintf(out, cap,
                    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                    "%s%s\r\n",
                    head.status, line->reason, head.media_type, body_len, line->headers,
                    closes ? "Connection: close\r\n" : "");
}
