#include "measure/refusals.h"

#include <assert.h>
#include <stdio.h>

void refusals_count(refusals *r, unsigned status, uint64_t n)
{
    assert(status != 0);
    size_t at = 0;
    while (at + 1 < REFUSALS_STATUSES && r->by_status[at].status != 0 && r->by_status[at].status != status)
        at++;
    if (r->by_status[at].status == 0)
        r->by_status[at].status = status;
    r->by_status[at].count += n;
}

void refusals_add(refusals *to, const refusals *more)
{
    for (size_t i = 0; i < REFUSALS_STATUSES && more->by_status[i].status != 0; i++)
        refusals_count(to, more->by_status[i].status, more->by_status[i].count);
}

uint64_t refusals_total(const refusals *r)
{
    uint64_t total = 0;
    for (size_t i = 0; i < REFUSALS_STATUSES; i++)
        total += r->by_status[i].count;
    return total;
}

/* What has a HomeCall Signal server answer this; NULL where it is said by the status. */
static const char *cause_of(unsigned status)
{
    switch (status) {
    case 400:
        return "the URL: ws:// or wss://";
    case 403:
        return "ALLOWED_ORIGINS, REQUIRE_ORIGIN";
    case 404:
        return "the path of the URL";
    case 503:
        return "MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, CONNECT_RATE";
    default:
        return NULL;
    }
}

void refusals_describe(const refusals *r, char text[REFUSALS_TEXT])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < REFUSALS_STATUSES && r->by_status[i].status != 0 && len < REFUSALS_TEXT; i++) {
        const char *cause = cause_of(r->by_status[i].status);
        len += (size_t)snprintf(text + len, REFUSALS_TEXT - len, "%s%llu with HTTP status %u%s%s%s",
                                i > 0 ? ", " : "", (unsigned long long)r->by_status[i].count,
                                r->by_status[i].status, cause != NULL ? " (see " : "",
                                cause != NULL ? cause : "", cause != NULL ? ")" : "");
    }
}
