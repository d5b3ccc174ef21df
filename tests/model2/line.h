/* A line: one connection of a client to the site, whose bytes wait in between until they are carried, and
 * which can break after any byte, in each direction.
 *
 * It speaks the client's part of RFC 6455: the request, masked frames, pongs. */
#ifndef HOMECALL_TESTS_MODEL2_LINE_H
#define HOMECALL_TESTS_MODEL2_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who hears of it when a line breaks. */
typedef enum line_break {
    LINE_BREAK_BOTH,   /* both ends, at once */
    LINE_BREAK_SERVER, /* only the server: the client's end is silent */
    LINE_BREAK_CLIENT, /* only the client: the server's end is silent */
    LINE_BREAK_NOBODY, /* both ends are silent */
    LINE_BREAKS
} line_break;

typedef struct line_events {
    void (*on_open)(void *context);
    void (*on_text)(void *context, const char *text);
    void (*on_lost)(void *context, int code); /* it is closed already */
} line_events;

enum { LINE_BUFFER = 16 * 1024 };

typedef struct line {
    const line_events *events; /* borrowed, as the next */
    void *context;
    int fd; /* owned; -1 = there is none */
    bool asks_version_2, is_upgraded;
    bool was_cut;              /* it has lost bytes, or may have */
    line_break how;            /* it will break, or has */
    size_t up_left, down_left; /* bytes that are still carried; SIZE_MAX = no end */
    bool is_silent;            /* nothing is carried any more, and the client does not know */
    size_t up_len,
        down_len;     /* what waits to be carried to the server; what has come, and is not a frame yet */
    uint64_t carried; /* bytes, both ways */
    uint8_t up[LINE_BUFFER], down[LINE_BUFFER];
} line;

/* Open a new one. The old one, if any, must be closed. Returns the server's descriptor. */
int line_dial(line *l, bool asks_version_2);

void line_say(line *l, const char *text);

/* Carry bytes: at most so many to the server, and at most so many to the client, which hears them. */
void line_carry_up(line *l, size_t most);
void line_carry_down(line *l, size_t most);

/* It breaks when so many bytes more have been carried in one of the directions. */
void line_cut(line *l, size_t up, size_t down, line_break how);

/* The client's end is closed; what was not carried is lost. */
void line_close(line *l);

/* The client has no use for it any more, and the server does not hear of that until line_forget_all(). */
void line_abandon(line *l);

/* How many are abandoned, and: all of them are closed. */
int line_abandoned(void);
void line_forget_all(void);

#endif
