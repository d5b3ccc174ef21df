/* How many connections a server has refused, by the HTTP status that it has answered. */
#ifndef HOMECALL_BENCH_REFUSALS_H
#define HOMECALL_BENCH_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

/* A server refuses for a few reasons. What comes after so many statuses is counted with the last one. */
enum { REFUSALS_STATUSES = 8, REFUSALS_TEXT = 512 };

/* Zeroed, there is none. */
typedef struct refusals {
    struct {
        unsigned status; /* 0 = a free place, and all behind it */
        uint64_t count;
    } by_status[REFUSALS_STATUSES];
} refusals;

/* Count `n` more with this status, which is not 0. */
void refusals_count(refusals *r, unsigned status, uint64_t n);

void refusals_add(refusals *to, const refusals *more);

uint64_t refusals_total(const refusals *r);

/* Write "12 with HTTP status 503 (…), 1 with HTTP status 403 (…)" into `text`: in brackets what to look at.
 * Empty where there is none. */
void refusals_describe(const refusals *r, char text[REFUSALS_TEXT]);

#endif
