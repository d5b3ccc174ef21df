/* Log records: how an event becomes a binary record, and the record a line of text or of JSON.
 *
 * Pure. The two ends of the format stand here together: packing runs on the thread that logs and copies as
 * little as it can, rendering runs on the writer and makes sure that no byte from outside can forge a line, a
 * field or an escape sequence of a terminal. A record is only valid inside the process that packed it:
 * literals are kept as addresses. */
#ifndef HOMECALL_BASE_LOG_RENDER_H
#define HOMECALL_BASE_LOG_RENDER_H

#include "base/keyed_hash.h"
#include "base/log_field.h"
#include "homecall/signal_log.h"

/* The head of a record; its fields follow. */
typedef struct log_record {
    uint64_t time_ms;       /* UTC, since 1970 */
    const char *namespace_; /* a literal */
    const char *event;      /* a literal */
    const char *thread_key; /* a literal: what kind of thread logs; NULL where it has not said */
    uint32_t thread_number; /* which of its kind */
    uint16_t level;         /* a log_level under LOG_OFF */
    uint16_t count;         /* of the fields */
} log_record;

enum {
    LOG_RENDER_MAX_BYTES = 256,       /* kept of a LOG_FIELD_BYTES, the rest is cut */
    LOG_RENDER_MAX_PRIVATE = 64,      /* kept of a LOG_FIELD_PRIVATE that is written in the clear */
    LOG_RENDER_MAX_LINE = 32 * 1024,  /* room for any line whose literals stay within a screenful */
    LOG_RENDER_MAX_RECORD = 8 * 1024, /* room for any record */
};

/* The size of the record of these fields. `tags` is the key for private fields, or NULL to keep them in the
 * clear. */
size_t log_render_measure(const log_field *fields, size_t count, const keyed_hash *tags);

/* Pack head and fields (head->count of them) into `out`, eight-byte aligned, with room for what
 * log_render_measure() told for the same arguments. */
void log_render_pack(void *out, const log_record *head, const log_field *fields, const keyed_hash *tags);

/* What rendering keeps between two lines. */
typedef struct log_renderer {
    signal_log_format format;
    uint64_t second; /* the one that `stamp` shows */
    char stamp[32];  /* 2026-11-23T10:20:30 */
} log_renderer;

void log_render_init(log_renderer *renderer, signal_log_format format);

/* Write the line of a packed record with its line feed (and without a NUL) to [out, out + cap). Returns its
 * length, or 0 when it does not fit. */
size_t log_render_line(log_renderer *renderer, const log_record *record, char *out, size_t cap);

#endif
