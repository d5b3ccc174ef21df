/* Log records: how an event becomes a binary record, and how a record becomes a line of text or JSON.
 *
 * Pure. Packing runs on the thread that logs and copies as little as it can. Rendering runs on the writer. It
 * makes sure that no byte from outside can forge a line, a field or an escape sequence of a terminal. A
 * record is valid only inside the process that packed it, since literals are kept as addresses. */
#ifndef HOMECALL_BASE_LOG_RENDER_H
#define HOMECALL_BASE_LOG_RENDER_H

#include "base/keyed_hash.h"
#include "base/log_field.h"
#include "homecall/signal_log.h"

#include <stdalign.h>

/* The head of a record; its fields follow. */
typedef struct log_record {
    alignas(8) uint64_t time_ms; /* UTC, since 1970; aligned so on every processor, as is what follows */
    const char *namespace_;      /* a literal */
    const char *event;           /* a literal */
    const char *thread_key;      /* a literal, as given to log_name_thread(); NULL = not named */
    uint32_t thread_number;      /* of the thread among those of its kind */
    uint16_t level;              /* a log_level below LOG_OFF */
    uint16_t count;              /* of the fields */
} log_record;

enum {
    LOG_RENDER_MAX_BYTES = 256,       /* what is kept of a LOG_FIELD_BYTES; the rest is cut off */
    LOG_RENDER_MAX_PRIVATE = 64,      /* the same for a LOG_FIELD_PRIVATE that is written in the clear */
    LOG_RENDER_MAX_LINE = 32 * 1024,  /* enough for any line whose literals are not pages long */
    LOG_RENDER_MAX_RECORD = 8 * 1024, /* enough for any record */
    LOG_RENDER_NODE_CAP =
        16 + 8 * SIGNAL_LOG_NODE_MAX, /* a field with a name of which each byte is escaped */
};

/* The size of a record with these fields. `tags` is the key that turns private fields into tags, or NULL to
 * keep them in the clear. */
size_t log_render_measure(const log_field *fields, size_t count, const keyed_hash *tags);

/* Pack the head and its head->count fields into `out`, which is aligned to eight bytes and as large as
 * log_render_measure() told for the same arguments. */
void log_render_pack(void *out, const log_record *head, const log_field *fields, const keyed_hash *tags);

/* What rendering keeps between two lines. */
typedef struct log_renderer {
    signal_log_format format;
    uint64_t second;                /* that `stamp` shows */
    char stamp[32];                 /* 2026-11-23T10:20:30 */
    size_t node_len;                /* of the next; 0 = there is none */
    char node[LOG_RENDER_NODE_CAP]; /* the field "node" as it is written into each line */
} log_renderer;

void log_render_init(log_renderer *renderer, signal_log_format format);

/* From now on each line has the field "node" with this name, of which the first SIGNAL_LOG_NODE_MAX bytes are
 * taken; with an empty one none has. */
void log_render_name_node(log_renderer *renderer, slice name);

/* Write the line of a packed record to [out, out + cap), with a line feed and without a NUL. Returns its
 * length, or 0 when it does not fit. */
size_t log_render_line(log_renderer *renderer, const log_record *record, char *out, size_t cap);

#endif
