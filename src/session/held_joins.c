#include "session/held_joins.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static held_joins *held_of(net_ticker *ticker)
{
    return (held_joins *)(void *)((char *)ticker - offsetof(held_joins, ticker));
}

/* ---- The heap ---- */

static void put_at(held_joins *held, uint32_t at, held_join join)
{
    assert(at >= 1 && at <= held->count && at <= HELD_JOINS_MAX);
    held->heap[at] = join;
    join.join->held_at = at & HELD_JOINS_MAX;
}

/* Find the place of `join` on the way from the free place `at` to the first one. */
static void sift_up(held_joins *held, uint32_t at, held_join join)
{
    for (; at > 1 && held->heap[at / 2].due_ms > join.due_ms; at /= 2)
        put_at(held, at, held->heap[at / 2]);
    put_at(held, at, join);
}

/* Find it on the way to the last ones. */
static void sift_down(held_joins *held, uint32_t at, held_join join)
{
    for (uint32_t next; (next = 2 * at) <= held->count; at = next) {
        if (next < held->count && held->heap[next + 1].due_ms < held->heap[next].due_ms)
            next++;
        if (held->heap[next].due_ms >= join.due_ms)
            break;
        put_at(held, at, held->heap[next]);
    }
    put_at(held, at, join);
}

/* Have a place for one more. 0 or -ENOMEM. */
static int make_place(held_joins *held)
{
    if (held->count + 1 < held->capacity)
        return 0;
    if (held->count >= HELD_JOINS_MAX)
        return -ENOMEM;
    uint32_t capacity = held->capacity == 0 ? FIRST_CAPACITY : held->capacity * 2;
    held_join *heap = realloc(held->heap, capacity * sizeof(*heap));
    if (heap == NULL)
        return -ENOMEM;
    held->heap = heap;
    held->capacity = capacity;
    return 0;
}

int held_joins_add(held_joins *held, join_progress *join, connection *c, uint64_t due_ms)
{
    assert(join->held_at == 0);
    int error = make_place(held);
    if (error != 0)
        return error;
    held->count++;
    sift_up(held, held->count, (held_join){join, c, due_ms});
    return 0;
}

void held_joins_remove(held_joins *held, join_progress *join)
{
    uint32_t at = join->held_at;
    if (at == 0)
        return;
    assert(at <= held->count && held->heap[at].join == join);
    join->held_at = 0;
    const held_join last = held->heap[held->count--];
    if (held->count == 0) {
        free(held->heap);
        held->heap = NULL;
        held->capacity = 0;
    } else if (last.join != join) {
        if (at > 1 && held->heap[at / 2].due_ms > last.due_ms)
            sift_up(held, at, last);
        else
            sift_down(held, at, last);
    }
}

/* ---- The loop's ticker ---- */

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    (void)now_ms;
    const held_joins *held =
        (const held_joins *)(const void *)((const char *)ticker - offsetof(held_joins, ticker));
    return held->count == 0 ? UINT64_MAX : held->heap[1].due_ms;
}

static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    held_joins *held = held_of(ticker);
    while (held->count > 0 && held->heap[1].due_ms <= now_ms) {
        const held_join first = held->heap[1];
        held_joins_remove(held, first.join);
        first.join->has_waited = true;
        connection_resume(first.connection);
    }
}

/* ---- Life ---- */

void held_joins_init(held_joins *held, net_loop *loop)
{
    *held = (held_joins){
        .ticker = {.next_due_ms = next_due_ms, .on_due = on_due},
    };
    net_loop_add_ticker(loop, &held->ticker);
}

void held_joins_deinit(held_joins *held)
{
    assert(held->count == 0);
    free(held->heap);
    *held = (held_joins){0};
}
