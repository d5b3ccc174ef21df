/* One option: a row of the table, and how its text becomes a value. */
#ifndef HOMECALL_APP_OPTION_H
#define HOMECALL_APP_OPTION_H

#include "base/slice.h"

#include <stdint.h>

/* The longest default, with its NUL; and how many options there may be. */
enum { OPTION_DEFAULT_CAP = 32, OPTIONS_MAX = 96 };

typedef enum option_type {
    OPTION_STRING,   /* a text without control characters; stored as const char * */
    OPTION_INTEGER,  /* decimal digits */
    OPTION_SWITCH,   /* on or off, in upper or lower case; yes, true and 1, no, false and 0 mean the same */
    OPTION_PORT,     /* a TCP port, or off; stored as int32_t with off as -1, or as uint16_t with off as 0 */
    OPTION_SIZE,     /* bytes; a k, m or g after the number multiplies by 1024, 1024^2 or 1024^3 */
    OPTION_DURATION, /* seconds with up to three decimals, or a number with ms, s, m or h after it; stored as
                        ms */
    OPTION_CHOICE,   /* one of `words`, in upper or lower case; stored as its index */
} option_type;

typedef struct option {
    const char *group; /* the heading that it stands under */
    const char *name;
    option_type type;
    const char
        *default_text; /* NULL: the default is what signal_server_options_init() has put into the target */
    uint64_t min;      /* INTEGER; SIZE: bytes; DURATION: ms; STRING: bytes of text */
    uint64_t max;      /* the same */
    const char *const *words; /* CHOICE: ends with NULL */
    const char *unit;         /* what is counted, for --help; NULL where type or help tell it */
    const char *help;         /* whole sentences */
    size_t offset;            /* of the target in app_config */
    size_t size;              /* of the target: an unsigned integer, a bool, an enum or a pointer */
    bool is_secret;           /* no report shows its value */
} option;

/* Is it a control character, which a terminal might obey? No text of an option may have one. */
static inline bool option_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* Put the value of `text` into its place in the struct at `base`; a string is borrowed. False when it is not
 * allowed. */
bool option_set(const option *o, void *base, const char *text);

/* Write the value in the struct at `base` as option_set() reads it, into `out`. False where that is too
 * small. */
bool option_format(const option *o, const void *base, char out[OPTION_DEFAULT_CAP]);

/* Describe what is allowed, as "a whole number from 0 to 65535", in [out, out + cap). 128 bytes are enough.
 */
void option_describe(const option *o, char *out, size_t cap);

#endif
