/* The texts of signals: written by the sender, and checked by the receiver. No two signals have the same
 * text.
 *
 * A text consists of the head of its dialect with the room and the sender; a payload like that of a browser
 * (an SDP or a candidate), which contains the number of the signal and is filled up to a given size; and the
 * tail of its dialect. The receiver can write the same text, so the check is one comparison of memory. If the
 * bytes are different, the two are compared as JSON. Pure. */
#ifndef HOMECALL_BENCH_SIGNAL_TEXT_H
#define HOMECALL_BENCH_SIGNAL_TEXT_H

#include "wire/dialect.h"

#include <stdint.h>

/* The smallest size that a signal of any kind can have. */
enum { SIGNAL_TEXT_MIN = 200 };

typedef struct signal_texts {
    const load_dialect *dialect; /* borrowed */
    size_t size[LOAD_KINDS];     /* bytes of a whole text, at least SIGNAL_TEXT_MIN */
    size_t head_bytes;           /* what a head counts as: see load_dialect.head_bytes. Where users of two
                                    dialects meet, both use it, so that the payloads are the same. */
    char *expected;              /* owned: the buffer for the text that is expected */
} signal_texts;

/* Make the buffer; the caller has set `dialect` and `size`. 0 or -ENOMEM. */
int signal_texts_init(signal_texts *texts);

/* Free the buffer. */
void signal_texts_deinit(signal_texts *texts);

/* The length of the longest text: a buffer for signal_text_write() must have as many bytes, and
 * DIALECT_MAX_TEXT more where `head_bytes` is set. */
size_t signal_texts_longest(const signal_texts *texts);

/* Write the signal with this number of the sender names->from to `out`. Returns its length. */
size_t signal_text_write(const signal_texts *texts, load_kind kind, const dialect_names *names,
                         uint32_t number, char *out);

/* Write only its payload. `head_bytes` must be set. */
size_t signal_payload_write(const signal_texts *texts, load_kind kind, uint32_t number, char *out);

/* The number in a text that contains a payload like ours, or -1. */
long long signal_text_number(slice text, load_kind kind);

/* The same where the kind is not known. */
long long signal_text_number_of_any(slice text);

enum { SIGNAL_TEXT_MAX_WHY = 320 };

/* Is `text` that signal? If not, `why`, which has SIGNAL_TEXT_MAX_WHY bytes, says what it is instead. */
bool signal_text_check(const signal_texts *texts, load_kind kind, const dialect_names *names, uint32_t number,
                       slice text, char *why);

/* The same for its payload alone. */
bool signal_payload_check(const signal_texts *texts, load_kind kind, const dialect_names *names,
                          uint32_t number, slice payload, char *why);

#endif
