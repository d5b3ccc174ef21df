/* What was heard in one step: a text for each peer, and one for each room of what is reported of its signals.
 * The real rooms write one transcript, the reference another, and the two are compared. */
#ifndef HOMECALL_TESTS_MODEL_TRANSCRIPT_H
#define HOMECALL_TESTS_MODEL_TRANSCRIPT_H

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* The last room is a session. */
enum { MODEL_PEERS = 12, MODEL_ROOMS = 4, MODEL_SESSION = MODEL_ROOMS - 1, MODEL_USERS = 5 };

/* Of one peer or room. Even a whole queue that is delivered and dropped fits in. */
typedef struct transcript_text {
    size_t len;
    char text[2048];
} transcript_text;

typedef struct transcript {
    transcript_text peers[MODEL_PEERS];
    transcript_text rooms[MODEL_ROOMS];
} transcript;

__attribute__((format(printf, 2, 3))) static inline void transcript_note(transcript_text *to,
                                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(to->text + to->len, sizeof(to->text) - to->len, format, arguments);
    va_end(arguments);
    assert(len >= 0 && (size_t)len < sizeof(to->text) - to->len);
    to->len += (size_t)len;
}

/* A new step begins. */
static inline void transcript_clear(transcript *t)
{
    for (int i = 0; i < MODEL_PEERS; i++)
        t->peers[i].len = 0;
    for (int i = 0; i < MODEL_ROOMS; i++)
        t->rooms[i].len = 0;
}

#endif
