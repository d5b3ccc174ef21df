/* What the admin port answers to a request: a page, or a fault. Without sockets.
 *
 * Left out on purpose: the Date header. Nothing of ours may be cached. */
#ifndef HOMECALL_ADMIN_ADMIN_ANSWER_H
#define HOMECALL_ADMIN_ADMIN_ANSWER_H

#include "admin/admin_options.h"
#include "admin/admin_pages.h"
#include "admin/admin_request.h"
#include "stats/process_stats.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What answers are made with. */
typedef struct admin_answerer {
    admin_options options;
    process_probe probe;
    snapshot_thread *threads;  /* owned: those of a snapshot */
    snapshot_cluster *cluster; /* owned: the same; NULL without one */
    uint64_t refused_hosts;    /* requests that were answered with 421 */
    uint64_t warn_due_ms;      /* monotonic: when the log may tell of one again */
} admin_answerer;

/* 0, or -ENOMEM. After both admin_answerer_deinit() is to be called. `options` is copied. */
int admin_answerer_init(admin_answerer *a, const admin_options *options);

/* Write the body of the answer to a request, which may have a fault, and return its head. ferror(out) tells
 * whether that went well. `local` is the address that the client has connected to, or unknown. A Host under
 * which nothing is answered is logged, every ten seconds at most. */
admin_page_head admin_answer_write(admin_answerer *a, const admin_request *request, const address *local,
                                   FILE *out);

/* Does the connection end with this answer? After a fault nobody knows where the next request begins; no body
 * is read; and a client that asks for a wrong name has come to the wrong server. */
bool admin_answer_is_last(const admin_request *request, admin_page_head head);

/* Write the whole head of HTTP for an answer whose body has `body_len` bytes, as snprintf() does. With
 * `closes` the client is told that the connection ends. */
int admin_answer_format_head(admin_page_head head, size_t body_len, bool closes, char *out, size_t cap);

/* Free what is in it. */
void admin_answerer_deinit(admin_answerer *a);

#endif
