/* A ring of lines between one thread that writes them and one that reads them.
 *
 * The texts of the lines lie one behind the other, with nothing between them: so the reader can write many of
 * them to a file at once, from where they are. What is to be known of a line besides its text is the same for
 * many lines, and is kept apart, once for each run: lines of the same time and level, in one piece. A line
 * that does not fit before the end of the ring begins a run at its start.
 *
 * The producer publishes a line with one atomic store. It looks at the consumer's position only now and then,
 * so under a steady load neither of them touches the other's cache line.
 *
 * A ring is large for the worst case. As long as the consumer keeps up, the producer begins at the start of
 * the ring again whenever it finds it empty: so the memory that is written to and read from is small, and
 * stays in the caches of the processor.
 *
 * Positions count the bytes since the ring was made, with those that were left out before its end. */
#ifndef HOMECALL_BASE_LOG_RING_H
#define HOMECALL_BASE_LOG_RING_H

#include "base/cache_line.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of the same time and level, in one piece. They end where the next run says. */
typedef struct log_run {
    uint64_t before;  /* the position where the lines before it end */
    uint64_t start;   /* the position of its first byte: more than `before` if bytes were left out */
    uint64_t time_ms; /* UTC, since 1970 */
    uint32_t offset;  /* of its first byte, in the ring's memory */
    uint32_t level;   /* a log_level */
} log_run;

typedef struct log_ring {
    alignas(CACHE_LINE) _Atomic uint64_t head; /* bytes published so far; written by the producer */
    _Atomic uint64_t runs_published;           /* so far; written by the producer, before `head` */
    uint64_t seen_tail;                        /* `tail` as seen last; producer only, as are the next ones */
    uint64_t seen_runs;                        /* `runs_taken` as seen last */
    uint64_t look_at;                          /* from this `head` on, see whether the ring is empty */
    uint64_t reserved;                         /* the position of the line that is reserved */
    uint64_t time_ms;                          /* of the last run */
    uint32_t level;                            /* of the last run */
    uint32_t offset;                           /* in the ring's memory, behind the last line */

    alignas(
        CACHE_LINE) uint64_t first_run; /* the run that is at the start of `runs`. Changed by the producer,
                                 but only while the ring is empty and so the consumer looks at no run */
    uint32_t reserved_offset;           /* of the line that is reserved; producer only */
    bool is_apart;                      /* the next line begins a run; producer only */

    alignas(CACHE_LINE) _Atomic uint64_t tail; /* bytes consumed so far; written by the consumer */
    _Atomic uint64_t runs_taken;               /* copied to `run` so far; written by the consumer */
    uint64_t end;      /* how far the consumer reads in this round; consumer only, as are the next ones */
    uint64_t runs_end; /* runs that it may look at in this round */
    log_run run;       /* the one that `tail` is in, or at the end of */

    alignas(CACHE_LINE) size_t cap; /* bytes of data, a power of two */
    size_t runs_cap;                /* a power of two */
    char *data;                     /* owned; the texts */
    log_run *runs;                  /* owned */
} log_ring;

/* Lines that come next: of one level, in one piece. */
typedef struct log_lines {
    const char *text; /* borrowed from the ring */
    size_t len;       /* 0 = there are none */
    uint32_t level;   /* a log_level */
} log_lines;

/* An empty ring of `cap` bytes (a power of two, from 64 to 2^31), owned by the caller; NULL when there is no
 * memory. */
log_ring *log_ring_new(size_t cap);

/* NULL is legal. */
void log_ring_free(log_ring *ring);

/* Producer: space for a line of at most `len` bytes, to be filled and then committed. NULL when the ring is
 * too full, and always for a line that needs more than half of the ring. Reserving again forgets what was not
 * committed. */
char *log_ring_reserve(log_ring *ring, size_t len);

/* Producer: publish the line that was reserved last. It is `len` bytes long, at least one and at most as many
 * as were reserved. A consumer sees it soon, but not at once: this is a plain store, which costs nothing, and
 * no barrier (see log_rest.h). */
void log_ring_commit(log_ring *ring, size_t len, uint64_t time_ms, uint32_t level);

/* Producer: is more than a quarter of the ring waiting for the consumer? Then it is time for that to come.
 */
bool log_ring_is_filling(log_ring *ring);

/* Producer: is half of the ring free? */
bool log_ring_has_half(log_ring *ring);

/* Any thread: how much has been consumed so far. */
uint64_t log_ring_consumed(const log_ring *ring);

/* Consumer: see what is published by now. The next functions see no more than this. */
void log_ring_look(log_ring *ring);

/* Consumer: is there a line? Then *time_ms is the time of the oldest one. */
bool log_ring_peek(log_ring *ring, uint64_t *time_ms);

/* Consumer: the oldest lines, as far as they lie in one piece, are of one level, and of this time or older.
 * They stay there until they are consumed. */
log_lines log_ring_lines(log_ring *ring, uint64_t until_ms);

/* Consumer: give back the space of the first `len` bytes of the lines that were asked for last. */
void log_ring_consume(log_ring *ring, size_t len);

/* Consumer: has all that is published been consumed? */
bool log_ring_is_empty(const log_ring *ring);

#endif
