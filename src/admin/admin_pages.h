/* The pages of the admin port, without HTTP and sockets. */
#ifndef HOMECALL_ADMIN_ADMIN_PAGES_H
#define HOMECALL_ADMIN_ADMIN_PAGES_H

#include "base/slice.h"
#include "stats/metric_table.h"

#include <stdio.h>

typedef struct admin_page admin_page;

/* What a page is made of. Everything is borrowed. */
typedef struct admin_page_source {
    metric_source numbers;
    uint64_t utc_ms; /* now */
    slice accept;    /* the request's header Accept; empty where there is none */
} admin_page_source;

/* How a page is to be sent. */
typedef struct admin_page_head {
    int status;             /* of HTTP */
    const char *media_type; /* a literal */
} admin_page_head;

/* The page with this path, or NULL. */
const admin_page *admin_page_find(slice path);

/* Write its content. ferror(out) tells whether that went well. */
admin_page_head admin_page_write(const admin_page *page, const admin_page_source *source, FILE *out);

/* Write a fault instead of a page. `text` is one line without its end. */
admin_page_head admin_page_write_fault(int status, const char *text, FILE *out);

#endif
