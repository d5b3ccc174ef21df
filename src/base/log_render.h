/* How an event becomes a line of text or JSON.
 *
 * Pure. A thread renders its own lines, with a renderer of its own, which keeps what is the same in many
 * lines: the time up to the millisecond, the beginning of a line by its event, and the tags of names. No byte
 * from outside can forge a line, a field or an escape sequence of a terminal. */
#ifndef HOMECALL_BASE_LOG_RENDER_H
#define HOMECALL_BASE_LOG_RENDER_H

#include "base/log_escape.h"
#include "base/log_field.h"
#include "base/log_recent.h"
#include "base/log_tags.h"

enum {
    LOG_RENDER_MAX_BYTES = 256,      /* what is kept of a LOG_FIELD_BYTES or a literal; the rest is cut off */
    LOG_RENDER_MAX_PRIVATE = 64,     /* the same for a LOG_FIELD_PRIVATE that is written in the clear */
    LOG_RENDER_MAX_LINE = 24 * 1024, /* enough for any line */
    LOG_RENDER_TIME_CAP = 48,        /* for the beginning of a line, up to its time */
    LOG_RENDER_HEAD_CAP = 224,       /* for level, namespace and event; what does not fit is cut off */
    LOG_RENDER_HEADS = 16,           /* how many of these are kept */
    LOG_RENDER_HEAD_PLACES = 4,      /* in how many places one may be */
    LOG_RENDER_WORDS = 32,           /* how many values that are literals are kept */
    LOG_RENDER_WORD_CAP = 32,        /* for each of them */
    LOG_RENDER_ORIGIN_CAP = 640,     /* for the node, each byte of it escaped, and the thread */
};

/* What a line says besides its fields. */
typedef struct log_event_head {
    uint64_t time_ms;       /* UTC, since 1970 */
    const char *namespace_; /* a literal */
    const char *event;      /* a literal */
    log_level level;        /* below LOG_OFF */
} log_event_head;

/* How all lines of a renderer are written. */
typedef struct log_manner {
    signal_log_format format;
    const keyed_hash *tags; /* the key of the tags that stand for names; NULL = names are in the clear */
    slice node;             /* the field "node" of each line, of which the first SIGNAL_LOG_NODE_MAX bytes are
                               taken; empty = there is none */
    const char *thread_key; /* a literal, as given to log_name_thread(); NULL = not named */
    uint32_t thread_number; /* of the thread among those of its kind */
} log_manner;

typedef struct log_renderer {
    signal_log_format format;
    bool is_private;  /* there are tags */
    uint64_t second;  /* that `time` shows */
    uint64_t time_ms; /* that `time` shows */
    size_t time_len;
    char time[LOG_RENDER_TIME_CAP]; /* [2026-11-23T10:20:30.400Z */
    struct log_head_text {
        const char *namespace_; /* NULL = nothing is here */
        const char *event;
        uint32_t level;
        uint32_t len;
        char text[LOG_RENDER_HEAD_CAP]; /* ] [INFO] [namespace] event */
    } heads[LOG_RENDER_HEADS];
    struct log_word {
        const char *literal; /* NULL = nothing is here */
        size_t len;
        char text[LOG_RENDER_WORD_CAP]; /* as it is written */
    } words[LOG_RENDER_WORDS];
    size_t origin_len;
    char origin[LOG_RENDER_ORIGIN_CAP]; /* the fields of the node and the thread, or nothing */
    log_tags tags;
    log_recent recent;
} log_renderer;

/* The renderer keeps `manner->tags`, which must live as long, and copies the rest. */
void log_render_init(log_renderer *renderer, const log_manner *manner);

/* Write a line with `count` fields, at most LOG_MAX_FIELDS, to `out`, where LOG_RENDER_MAX_LINE bytes are
 * free. Bytes behind the line may be overwritten. Returns its length, with the line feed at its end. There is
 * no NUL. */
size_t log_render_line(log_renderer *renderer, const log_event_head *head, const log_field *fields,
                       size_t count, char *out);

/* A turn of the thread is over: names are forgotten. Only a renderer that is told so keeps some at all. */
void log_render_end_turn(log_renderer *renderer);

#endif
