#include "net/connection_set.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One read takes at most SCRATCH_BYTES. All signals with which a call starts fit, and one peer takes no more
 * than a fair share of a turn. The buffer must also hold an upgrade request, with some frames behind it. */
enum { SCRATCH_BYTES = 64 * 1024, SCRATCH_FOR_FRAMES = 4 * 1024 };

static connection_set *set_of(net_ticker *ticker)
{
    return (connection_set *)(void *)((char *)ticker - offsetof(connection_set, ticker));
}

void connection_set_move(connection_entry *entry, connection_state state)
{
    assert(state < CONNECTION_STATES || state == CONNECTION_DETACHED);
    connection_set *set = entry->set;
    if (entry->state < CONNECTION_STATES)
        TAILQ_REMOVE(&set->by_state[entry->state], entry, link);
    entry->state = (uint8_t)state;
    if (state < CONNECTION_STATES) {
        entry->due_ms = (uint32_t)net_loop_now_ms(set->loop) + set->duration_ms[state];
        TAILQ_INSERT_TAIL(&set->by_state[state], entry, link);
    }
}

void connection_set_each(connection_set *set, void (*visit)(connection_entry *entry))
{
    for (int state = 0; state < CONNECTION_STATES; state++) {
        /* A visit may move its connection to the end of a later list, so it is visited again. That is no
         * harm: to close it a second time does nothing. */
        connection_entry *next;
        for (connection_entry *e = TAILQ_FIRST(&set->by_state[state]); e != NULL; e = next) {
            next = TAILQ_NEXT(e, link);
            visit(e);
        }
    }
}

void connection_set_each_while(connection_set *set, bool (*visit)(connection_entry *entry, void *context),
                               void *context)
{
    for (int state = 0; state < CONNECTION_STATES; state++) {
        connection_entry *next;
        for (connection_entry *e = TAILQ_FIRST(&set->by_state[state]); e != NULL; e = next) {
            next = TAILQ_NEXT(e, link);
            if (!visit(e, context))
                return;
        }
    }
}

/* ---- The loop's ticker ---- */

/* In how many ms the first connection in this state is due; negative when that time is over. INT32_MAX when
 * there is none. */
static int32_t due_in_ms(const connection_set *set, int state, uint64_t now_ms)
{
    const connection_entry *first = TAILQ_FIRST(&set->by_state[state]);
    if (first == NULL || set->duration_ms[state] == 0)
        return INT32_MAX;
    /* An entry keeps only the low half of the time. Deadlines are nearer than 2^31 ms, so the difference is
     * right. */
    return (int32_t)(first->due_ms - (uint32_t)now_ms);
}

/* How often it is looked whether messages take too long. */
enum { SWEEP_MS = 1000 };

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    const connection_set *set =
        (const connection_set *)(const void *)((const char *)ticker - offsetof(connection_set, ticker));
    int32_t earliest = INT32_MAX;
    for (int state = 0; state < CONNECTION_STATES; state++) {
        int32_t due = due_in_ms(set, state, now_ms);
        if (due < earliest)
            earliest = due;
    }
    uint64_t due_ms = earliest == INT32_MAX ? UINT64_MAX : now_ms + (uint64_t)(int64_t)earliest;
    if (!TAILQ_EMPTY(&set->holdings) && set->sweep_ms < due_ms)
        due_ms = set->sweep_ms;
    uint64_t pacer_due_ms = tls_pacer_due_ms(&set->tls_pacer, now_ms);
    return pacer_due_ms < due_ms ? pacer_due_ms : due_ms; /* then on_work does what is due */
}

static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    connection_set *set = set_of(ticker);
    for (int state = 0; state < CONNECTION_STATES; state++)
        while (due_in_ms(set, state, now_ms) <= 0)
            set->hooks->on_due(
                TAILQ_FIRST(&set->by_state[state])); /* afterwards it is not the first any more */
    if (!TAILQ_EMPTY(&set->holdings) && set->sweep_ms <= now_ms) {
        set->sweep_ms = now_ms + SWEEP_MS;
        set->hooks->on_sweep(set, now_ms);
    }
}

void connection_set_add_holding(connection_set *set, connection_holding *holding)
{
    if (TAILQ_EMPTY(&set->holdings))
        set->sweep_ms = net_loop_now_ms(set->loop) + SWEEP_MS;
    TAILQ_INSERT_TAIL(&set->holdings, holding, link);
}

static void do_work(connection_set *set)
{
    connection_entry *entry;
    while ((entry = STAILQ_FIRST(&set->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&set->queue, queued);
        unsigned work = entry->work;
        assert(entry->set == set && entry->state < CONNECTION_STATES && work != 0);
        entry->work = 0;
        set->hooks->on_work(entry, work);
    }
}

/* Tell the other sets what this one holds. Only a turn that has changed that pays for it. */
static void publish(connection_set *set)
{
    memory_bound *memory = set->limits->memory;
    if (memory == NULL || set->held_bytes == set->published_bytes)
        return;
    memory_bound_add(memory, set->held_bytes - set->published_bytes);
    set->published_bytes = set->held_bytes;
}

void connection_set_add_to_backlog(connection_set *set, connection_holding *holding)
{
    assert(!holding->is_backlogged);
    holding->is_backlogged = true;
    TAILQ_INSERT_TAIL(&set->backlog, holding, later);
}

void connection_set_take_from_backlog(connection_set *set, connection_holding *holding)
{
    if (!holding->is_backlogged)
        return;
    holding->is_backlogged = false;
    TAILQ_REMOVE(&set->backlog, holding, later);
}

/* How long the backlog may keep the others waiting in one turn. Whoever sends a few messages waits for this
 * at most, however many others flood. A turn itself costs less than a tenth of it. */
enum { BACKLOG_US = 250 };

/* All that was due for others is written. Go on with those that have more input than their share, one share
 * each in turn, for a while. */
static void do_backlog(connection_set *set)
{
    uint64_t end_us = clock_monotonic_us() + BACKLOG_US;
    do {
        connection_holding *first = TAILQ_FIRST(&set->backlog);
        connection_set_take_from_backlog(set, first);
        set->hooks->on_backlog(first->entry);
    } while (!TAILQ_EMPTY(&set->backlog) && clock_monotonic_us() < end_us);
    do_work(set);
    if (!TAILQ_EMPTY(&set->backlog))
        set->loop->has_more = true;
}

/* All that was due for others is written. Go on with the handshakes that wait. */
static void do_handshakes(connection_set *set)
{
    if (tls_pacer_run(&set->tls_pacer))
        set->loop->has_more = true;
    do_work(set);
}

static void on_work(net_ticker *ticker)
{
    connection_set *set = set_of(ticker);
    do_work(set);
    if (!TAILQ_EMPTY(&set->backlog))
        do_backlog(set);
    set->turn_bytes = 0; /* also what the backlog has read: it does not crowd the next turn */
    if (tls_pacer_is_busy(&set->tls_pacer))
        do_handshakes(set);
    publish(set);
    const memory_bound *memory = set->limits->memory;
    if (memory == NULL || set->held_bytes <= memory->share)
        return;
    uint64_t excess = memory_bound_excess(memory);
    if (excess == 0)
        return;
    set->hooks->on_excess(set, excess);
    do_work(set); /* those that were ended are freed now */
    publish(set);
}

/* Count the signals that were read and written in this turn. Each took as long as the turn. */
static void on_turn_end(net_ticker *ticker, uint64_t took_us)
{
    connection_set *set = set_of(ticker);
    if (set->relays_written > 0)
        counter_histogram_add(&set->counters.relay_us, took_us, set->relays_written);
    set->relays_written = 0;
    tls_pacer_end_turn(&set->tls_pacer);
    counter_set(&set->counters.backlog_bytes, set->output_bytes);
    counter_set(&set->counters.held_bytes, set->held_bytes);
}

/* ---- The set itself ---- */

int connection_set_init(connection_set *set, net_loop *loop, const net_limits *limits,
                        const connection_hooks *hooks, const struct connection_events *events, void *owner)
{
    *set = (connection_set){
        .ticker = {.next_due_ms = next_due_ms,
                   .on_due = on_due,
                   .on_work = on_work,
                   .on_turn_end = on_turn_end},
        .loop = loop,
        .limits = limits,
        .hooks = hooks,
        .events = events,
        .owner = owner,
        .scratch_size = limits->handshake.max_head_bytes + SCRATCH_FOR_FRAMES,
    };
    if (set->scratch_size < SCRATCH_BYTES)
        set->scratch_size = SCRATCH_BYTES;
    set->scratch = malloc(set->scratch_size);
    if (set->scratch == NULL)
        return -ENOMEM;

    for (int state = 0; state < CONNECTION_STATES; state++)
        TAILQ_INIT(&set->by_state[state]);
    STAILQ_INIT(&set->queue);
    tls_pacer_init(&set->tls_pacer);
    TAILQ_INIT(&set->holdings);
    TAILQ_INIT(&set->backlog);
    set->duration_ms[CONNECTION_HANDSHAKE] = limits->handshake_timeout_ms;
    set->duration_ms[CONNECTION_OPEN] = limits->ping_interval_ms;
    set->duration_ms[CONNECTION_HELD] = limits->ping_interval_ms;
    set->duration_ms[CONNECTION_PINGED] = limits->pong_timeout_ms;
    set->duration_ms[CONNECTION_CLOSING] = limits->pong_timeout_ms;
    set->duration_ms[CONNECTION_LINGERING] = limits->close_timeout_ms;
    net_loop_add_ticker(loop, &set->ticker);
    return 0;
}

void connection_set_wipe(connection_set *set)
{
    explicit_bzero(set->scratch, set->scratch_used);
    set->scratch_used = 0;
}

void connection_set_deinit(connection_set *set)
{
    assert(set->count == 0 && set->output_bytes == 0 && STAILQ_EMPTY(&set->queue));
    assert(set->held_bytes == 0 && TAILQ_EMPTY(&set->holdings) && !tls_pacer_is_busy(&set->tls_pacer));
    publish(set);
    spare_buffers_clear(&set->spares);
    free(set->scratch);
    set->scratch = NULL;
}
