/* The texts of signals: made so that each can be told from every other, and checked where they arrive.
 *
 * A text is its dialect's head with room and sender, a payload as a browser makes it (an SDP, a candidate)
 * with the number of the signal in it and filled up to a size, and the tail. Sender and receiver know what
 * the text must be, so the check is one comparison of memory; where a server has written the same JSON in
 * another way, it is compared as JSON. Pure. */
#ifndef HOMECALL_BENCH_SIGNAL_TEXT_H
#define HOMECALL_BENCH_SIGNAL_TEXT_H

#include "wire/dialect.h"

#include <stdint.h>

/* The smallest size that every signal can have. */
enum { SIGNAL_TEXT_MIN = 200 };

typedef struct signal_texts {
    const dialect *dialect;    /* borrowed */
    size_t size[SIGNAL_KINDS]; /* bytes of a whole text, at least SIGNAL_TEXT_MIN */
    char *expected;            /* owned: where the receiver's side is written */
} signal_texts;

/* `dialect` and `size` are set by the caller. 0 or -ENOMEM. */
int signal_texts_init(signal_texts *texts);
void signal_texts_deinit(signal_texts *texts);

/* The longest text; a buffer for signal_text_write() must hold it. */
size_t signal_texts_longest(const signal_texts *texts);

/* Write signal `number` of the sender in `names`; returns its length. */
size_t signal_text_write(const signal_texts *texts, signal_kind kind, const dialect_names *names,
                         uint32_t number, char *out);

enum { SIGNAL_TEXT_MAX_WHY = 320 };

/* Is `text` that signal? If not, `why` (SIGNAL_TEXT_MAX_WHY bytes) says what came instead. */
bool signal_text_check(const signal_texts *texts, signal_kind kind, const dialect_names *names,
                       uint32_t number, slice text, char *why);

#endif
