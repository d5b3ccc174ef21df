/* TLS pacer: how many steps of TLS handshakes a thread takes in a turn, and whose turn it is.
 *
 * A step is the work that one read from the socket makes possible: a signature and a key exchange, or less.
 * Many clients that come at once do not keep the others waiting for more than TLS_PACER_STEPS of them.
 * Whoever gets no step waits in a line, which costs no processor time and no memory of OpenSSL. Those that
 * have begun go before those that have not, so that few handshakes are under way at a time, but take no more
 * than half of the steps from them. Otherwise who has come first is first.
 *
 * All functions: the thread whose handshakes these are. */
#ifndef HOMECALL_NET_TLS_PACER_H
#define HOMECALL_NET_TLS_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A step with a signature on P-256 takes 0.2 ms, so these take 2 ms. */
enum { TLS_PACER_STEPS = 8 };

/* What a handshake embeds to be paced. All zero but `on_turn`, it has not begun, and does not wait. */
typedef struct tls_waiter tls_waiter;
struct tls_waiter {
    TAILQ_ENTRY(tls_waiter) link;   /* in a line of its pacer, while it waits */
    void (*on_turn)(tls_waiter *w); /* it waits no more: it is to take its step now. It may be freed. */
    bool waits;
    bool has_begun; /* it has had a step */
};

typedef TAILQ_HEAD(tls_line, tls_waiter) tls_line;

typedef struct tls_pacer {
    tls_line begun;      /* borrowed: those who wait for another step */
    tls_line fresh;      /* borrowed: those who wait for their first */
    uint32_t steps_left; /* how many steps may still be taken in this turn */
} tls_pacer;

/* Nobody waits, and a turn begins. */
void tls_pacer_init(tls_pacer *p);

/* May `w`, which does not wait, take a step now? If not, it waits from now on. */
bool tls_pacer_ask(tls_pacer *p, tls_waiter *w);

/* Have `w` not wait any more. It may not wait at all. */
void tls_pacer_leave(tls_pacer *p, tls_waiter *w);

/* Give the steps that are left to those who wait. */
void tls_pacer_run(tls_pacer *p);

/* The turn is over. */
void tls_pacer_end_turn(tls_pacer *p);

/* Does anybody wait? */
static inline bool tls_pacer_is_busy(const tls_pacer *p)
{
    return !TAILQ_EMPTY(&p->begun) || !TAILQ_EMPTY(&p->fresh);
}

#endif
