/* TLS pacer: how many steps of TLS handshakes a thread takes in a turn, and whose turn it is.
 *
 * A step is the work that one read from the socket makes possible: a signature and a key exchange, or less.
 * Many clients that come at once do not keep the others waiting for more than TLS_PACER_STEPS of them.
 * Whoever gets no step waits in a line, which costs no processor time and no memory of OpenSSL. Those that
 * have begun go before those that have not, but take no more than half of the steps from them. Otherwise who
 * has come first is first.
 *
 * No more than TLS_PACER_UNDER_WAY handshakes are under way at a time, so that a handshake that has begun
 * ends soon, also where the clients are slower than we are. One that takes more than twice as long as is
 * usual just now does not count any more, so those that never end keep nobody waiting for long.
 *
 * All functions: the thread whose handshakes these are. */
#ifndef HOMECALL_NET_TLS_PACER_H
#define HOMECALL_NET_TLS_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A step with a signature on P-256 takes 0.2 ms, so these take 2 ms. With so many under way, and a round trip
 * of 60 ms, 4,000 handshakes a second are done, which is what a thread can do. The patience with one of them:
 * at least, so that round trips around the world are no hindrance, and at most, so that of those that never
 * end no more than a hundred a second are waited for. */
enum {
    TLS_PACER_STEPS = 8,
    TLS_PACER_UNDER_WAY = 256,
    TLS_PACER_MIN_PATIENCE_MS = 250,
    TLS_PACER_MAX_PATIENCE_MS = 2500
};

/* What a handshake embeds to be paced. All zero but `on_turn`, it has not begun, and does not wait. */
typedef struct tls_waiter tls_waiter;
struct tls_waiter {
    TAILQ_ENTRY(tls_waiter) link;   /* in a line of its pacer, while it waits */
    TAILQ_ENTRY(tls_waiter) way;    /* in tls_pacer.under_way, while is_under_way */
    void (*on_turn)(tls_waiter *w); /* it waits no more: it is to take its step now. It may be freed. */
    uint32_t begun_ms;              /* monotonic, low 32 bits: when it had its first step */
    bool waits;
    bool has_begun;    /* it has had a step */
    bool is_under_way; /* it has begun, and others wait for its end */
};

typedef TAILQ_HEAD(tls_line, tls_waiter) tls_line;

typedef struct tls_pacer {
    tls_line begun;     /* borrowed: those who wait for another step */
    tls_line fresh;     /* borrowed: those who wait for their first */
    tls_line under_way; /* borrowed: who has begun first is first */
    uint32_t under_way_count;
    uint32_t usual_us;        /* how long a handshake takes, as a moving average */
    uint32_t steps_left;      /* how many steps may still be taken in this turn */
    uint64_t (*now_ms)(void); /* the monotonic clock */
} tls_pacer;

/* Nobody waits, and a turn begins. */
void tls_pacer_init(tls_pacer *p);

/* May `w`, which does not wait, take a step now? If not, it waits from now on. */
bool tls_pacer_ask(tls_pacer *p, tls_waiter *w);

/* The handshake of `w` is done. */
void tls_pacer_note_done(tls_pacer *p, tls_waiter *w);

/* `w` does not wait any more, and nobody waits for it. To do so twice is legal. */
void tls_pacer_leave(tls_pacer *p, tls_waiter *w);

/* Give the steps that are left to those who wait. True if there is work for the next turn already. */
bool tls_pacer_run(tls_pacer *p);

/* The turn is over. */
void tls_pacer_end_turn(tls_pacer *p);

/* When somebody who waits for the first step is to have it at the latest, though no other handshake ends:
 * monotonic time in ms, UINT64_MAX for never. Those that have begun have their turns without it. */
uint64_t tls_pacer_due_ms(const tls_pacer *p, uint64_t now_ms);

/* Does anybody wait? */
static inline bool tls_pacer_is_busy(const tls_pacer *p)
{
    return !TAILQ_EMPTY(&p->begun) || !TAILQ_EMPTY(&p->fresh);
}

#endif
