/* What the admin port answers to a request: a page, or a fault. Without sockets, and whatever HTTP library
 * has read the request. */
#ifndef HOMECALL_ADMIN_ADMIN_ANSWER_H
#define HOMECALL_ADMIN_ADMIN_ANSWER_H

#include "admin/admin_options.h"
#include "admin/admin_pages.h"
#include "stats/process_stats.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What answers are made with. */
typedef struct admin_answerer {
    admin_options options;
    process_probe probe;
    snapshot_thread *threads; /* owned: those of a snapshot */
    uint64_t refused_hosts;   /* requests that were answered with 421 */
    uint64_t warn_due_ms;     /* monotonic: when the log may tell of one again */
} admin_answerer;

/* What a client asks. Everything is borrowed. */
typedef struct admin_question {
    bool only_reads;    /* it is GET or HEAD */
    const char *path;   /* NULL: it can't be read */
    const char *host;   /* Host, or that of a whole URL; NULL: none was sent, as HTTP/1.0 allows */
    const char *accept; /* the header Accept, or NULL */
    address local;      /* the address that the client has connected to */
} admin_question;

/* 0, or -ENOMEM. After both admin_answerer_deinit() is to be called. `options` is copied. */
int admin_answerer_init(admin_answerer *a, const admin_options *options);

/* Write the body of the answer, and return its head. ferror(out) tells whether that went well. A Host under
 * which nothing is answered is logged, every ten seconds at most. */
admin_page_head admin_answer_write(admin_answerer *a, const admin_question *question, FILE *out);

/* Free what is in it. */
void admin_answerer_deinit(admin_answerer *a);

#endif
