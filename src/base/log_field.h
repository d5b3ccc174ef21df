/* What a log line consists of besides its event: a level, and fields that have types. */
#ifndef HOMECALL_BASE_LOG_FIELD_H
#define HOMECALL_BASE_LOG_FIELD_H

#include "base/slice.h"

#include <stdint.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF } log_level;

typedef enum log_field_type {
    LOG_FIELD_NUMBER,  /* an unsigned number */
    LOG_FIELD_LITERAL, /* a string that lives as long as the process, and never changes */
    LOG_FIELD_BYTES,   /* bytes from outside: cut at a bound, and escaped */
    LOG_FIELD_PRIVATE, /* a codeword or a user name: written as a short keyed tag unless LOG_PRIVACY=off */
} log_field_type;

/* Made by the macros below. */
typedef struct log_field {
    const char *key; /* made by LOG_KEY() */
    uint8_t key_len; /* of the key alone, computed by the compiler */
    uint8_t type;    /* a log_field_type */
    union {
        uint64_t number;
        const char *literal;
        slice bytes; /* BYTES and PRIVATE; borrowed for the call only */
    };
} log_field;

#define LOG_NUMBER(key_, value_)  LOG_FIELD(key_, LOG_FIELD_NUMBER, .number = (value_))
#define LOG_LITERAL(key_, value_) LOG_FIELD(key_, LOG_FIELD_LITERAL, .literal = (value_))
#define LOG_BYTES(key_, slice_)   LOG_FIELD(key_, LOG_FIELD_BYTES, .bytes = (slice_))
#define LOG_PRIVATE(key_, slice_) LOG_FIELD(key_, LOG_FIELD_PRIVATE, .bytes = (slice_))

/* What the others have in common. */
#define LOG_FIELD(key_, type_, ...) \
    ((log_field){.key = LOG_KEY(key_), .key_len = sizeof(key_) - 1, .type = (type_), __VA_ARGS__})

/* A key, a literal in snake_case, as it is written before the value: in text, and behind a NUL in JSON.
 * LOG_KEY_SPARE bytes follow, so that a short key is copied with a fixed number of bytes (log_render.c). */
#define LOG_KEY(key_) " " key_ "=\0,\"" key_ "\":\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

enum { LOG_KEY_SPARE = 16 };

/* How many fields a line may have. */
enum { LOG_MAX_FIELDS = 12 };

#endif
