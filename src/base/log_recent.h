/* The fields of the last lines of a thread, as they were written.
 *
 * A client sends many signals one after the other, so most fields of a line are those of the line before: the
 * connection, the room, both users. For each place in a line, this keeps the field that was there last, and
 * its text. If the next line has the same field in this place, the text is copied, which takes less than to
 * make it.
 *
 * A name can be compared only with a copy of the last one. The copy is kept until the end of the turn and no
 * longer, since what was said in a call must not be in memory after it. A thread that does not work in turns
 * keeps no names.
 *
 * For log_render.c alone. Inline, since it is used for each field of each line. */
#ifndef HOMECALL_BASE_LOG_RECENT_H
#define HOMECALL_BASE_LOG_RECENT_H

#include "base/log_field.h"

#include <stdbool.h>

enum {
    LOG_RECENT_TEXT_CAP = 32, /* longer texts are not kept */
    LOG_RECENT_NAME_MAX = 32  /* bytes; longer names are not kept */
};

/* What was last in one place of a line. */
typedef struct log_recent_field {
    const char *key;                /* of the field; NULL = nothing is here */
    uint64_t value;                 /* the number, the address of the literal, or the length of the name */
    uint32_t type;                  /* a log_field_type, but no LOG_FIELD_BYTES */
    uint32_t len;                   /* of the text */
    char text[LOG_RECENT_TEXT_CAP]; /* the key and the value, as they are written */
    char name[LOG_RECENT_NAME_MAX]; /* of a LOG_FIELD_PRIVATE */
} log_recent_field;

/* Of one thread. Zeroed, it is empty. */
typedef struct log_recent {
    bool keeps_names; /* in this turn, which ends with log_recent_forget_names() */
    uint32_t names;   /* a bit for each place that has a name */
    log_recent_field fields[LOG_MAX_FIELDS];
} log_recent;

/* What stands for the value of the field. */
static inline uint64_t log_recent_value(const log_field *field)
{
    if (field->type == LOG_FIELD_PRIVATE)
        return field->bytes.len;
    return field->type == LOG_FIELD_LITERAL ? (uintptr_t)field->literal : field->number;
}

/* Was this field in this place last? Then its text is there. */
static inline bool log_recent_has(const log_recent_field *last, const log_field *field)
{
    return last->key == field->key && last->type == field->type && last->value == log_recent_value(field) &&
           (field->type != LOG_FIELD_PRIVATE ||
            slice_same_bytes(last->name, field->bytes.data, field->bytes.len));
}

/* Keep the field in the place `i`, whose text is at `text`. LOG_RECENT_TEXT_CAP bytes may be read there. */
static inline void log_recent_keep(log_recent *recent, size_t i, const log_field *field, const char *text,
                                   size_t len)
{
    log_recent_field *last = &recent->fields[i];
    bool is_name = field->type == LOG_FIELD_PRIVATE;
    if (len > LOG_RECENT_TEXT_CAP || field->type == LOG_FIELD_BYTES ||
        (is_name && (!recent->keeps_names || field->bytes.len > LOG_RECENT_NAME_MAX)))
        return;
    if (is_name) {
        if (field->bytes.len > 0) /* memcpy must not see the NULL of an empty name */
            memcpy(last->name, field->bytes.data, field->bytes.len);
        recent->names |= UINT32_C(1) << i;
    }
    memcpy(last->text, text, LOG_RECENT_TEXT_CAP);
    last->key = field->key;
    last->value = log_recent_value(field);
    last->type = field->type;
    last->len = (uint32_t)len;
}

/* The turn is over. */
static inline void log_recent_forget_names(log_recent *recent)
{
    for (size_t i = 0; recent->names >> i != 0; i++) {
        if ((recent->names >> i & 1) == 0)
            continue;
        memset(recent->fields[i].name, 0, LOG_RECENT_NAME_MAX);
        recent->fields[i].key = NULL;
    }
    recent->names = 0;
}

#endif
