#include "admin/admin_answer.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Admin";

enum { WARN_EVERY_MS = 10 * 1000 };

enum { STATUS_NOT_FOUND = 404, STATUS_BAD_METHOD = 405, STATUS_MISDIRECTED = 421, STATUS_INTERNAL = 500 };

int admin_answerer_init(admin_answerer *a, const admin_options *options)
{
    *a = (admin_answerer){.options = *options};
    process_probe_init(&a->probe);
    a->threads = calloc(options->thread_count + 1, sizeof(*a->threads)); /* never of size 0 */
    return a->threads != NULL ? 0 : -ENOMEM;
}

void admin_answerer_deinit(admin_answerer *a)
{
    process_probe_deinit(&a->probe);
    free(a->threads);
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
    LOG(LOG_WARN, log_namespace, "the admin port was asked by a name that ADMIN_ALLOWED_HOSTS does not have",
        LOG_BYTES("host", host), LOG_NUMBER("so_far", a->refused_hosts));
}

static bool is_host_allowed(admin_answerer *a, const admin_question *question)
{
    if (question->host == NULL)
        return true;
    slice host = slice_of_text(question->host);
    if (admin_hosts_allow(&a->options.hosts, host, &question->local))
        return true;
    log_refused_host(a, host);
    return false;
}

static admin_page_head write_page(admin_answerer *a, const admin_page *page, const char *accept, FILE *out)
{
    for (size_t i = 0; i < a->options.thread_count; i++)
        a->threads[i] = (snapshot_thread){0};
    snapshot s = {.thread_count = a->options.thread_count, .threads = a->threads};
    if (!a->options.collect(a->options.context, &s))
        return admin_page_write_fault(STATUS_INTERNAL, "the numbers can't be read", out);

    process_stats process;
    process_probe_read(&a->probe, &process);
    const admin_page_source source = {
        .numbers = {.snapshot = &s, .process = &process}, .utc_ms = clock_utc_ms(), .accept = accept};
    return admin_page_write(page, &source, out);
}

admin_page_head admin_answer_write(admin_answerer *a, const admin_question *question, FILE *out)
{
    if (!is_host_allowed(a, question)) /* first of all: nothing is told to such a page */
        return admin_page_write_fault(
            STATUS_MISDIRECTED, "nothing is answered under this name; ADMIN_ALLOWED_HOSTS can allow it", out);
    if (!question->only_reads)
        return admin_page_write_fault(STATUS_BAD_METHOD, "only GET and HEAD", out);
    const admin_page *page = question->path != NULL ? admin_page_find(question->path) : NULL;
    if (page == NULL)
        return admin_page_write_fault(STATUS_NOT_FOUND, "no such page; / lists them", out);
    return write_page(a, page, question->accept, out);
}
