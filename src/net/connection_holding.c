#include "net/connection_holding.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Net";

static bool is_in_set(const connection *c)
{
    return c->entry.state < CONNECTION_STATES;
}

/* The holding, made if there is none. NULL without memory. */
static connection_holding *hold(connection *c)
{
    if (c->holding != NULL)
        return c->holding;
    c->holding = calloc(1, sizeof(*c->holding));
    if (c->holding == NULL)
        return NULL;
    c->holding->entry = &c->entry;
    if (is_in_set(c))
        connection_set_add_holding(c->entry.set, c->holding);
    return c->holding;
}

static bytes *unread_of(const connection *c)
{
    return c->holding == NULL ? NULL : c->holding->unread;
}

/* Has a message or a frame begun that is not complete? What is only kept has not been looked at, and what is
 * before the upgrade has a time limit of its own. */
static bool is_in_message(const connection *c)
{
    bool is_reading = c->entry.state == CONNECTION_OPEN || c->entry.state == CONNECTION_PINGED;
    bool awaits_more = unread_of(c) != NULL && !c->holding->is_backlogged;
    return is_reading && (c->decoder.opcode != 0 || awaits_more);
}

/* Note when the current message has begun. If a message was completed since the last look, another one has
 * begun after it. */
static void note_begin(const connection *c)
{
    connection_holding *h = c->holding;
    bool was_begun = h->is_begun && h->begun_after == c->messages_in;
    h->is_begun = is_in_message(c);
    if (!h->is_begun || was_begun)
        return;
    h->begun_after = c->messages_in;
    h->begun_ms = (uint32_t)net_loop_now_ms(c->entry.set->loop);
}

void connection_count_holding(connection *c)
{
    assert(is_in_set(c));
    uint64_t held = bytes_footprint(c->output) + bytes_footprint(c->message) + bytes_footprint(unread_of(c));
    if (held == 0 && !is_in_message(c) && (c->holding == NULL || !c->holding->is_backlogged)) {
        connection_detach_holding(c);
        connection_free_holding(c);
        return;
    }
    connection_holding *h = hold(c);
    if (h == NULL) {
        connection_drop_without_memory(c);
        return;
    }
    c->entry.set->held_bytes += held - h->counted;
    h->counted = held;
    note_begin(c);
}

int connection_keep_unread(connection *c, const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    connection_holding *h = hold(c);
    return h == NULL ? -ENOMEM : bytes_append(&h->unread, data, len);
}

int connection_put_back_unread(connection *c, bytes *unread)
{
    connection_holding *h = hold(c);
    if (h == NULL)
        return -ENOMEM;
    assert(h->unread == NULL);
    h->unread = unread;
    return 0;
}

int connection_join_backlog(connection *c)
{
    connection_holding *h = hold(c);
    if (h == NULL)
        return -ENOMEM;
    if (!h->is_backlogged)
        connection_set_add_to_backlog(c->entry.set, h);
    return 0;
}

bytes *connection_take_unread(connection *c)
{
    bytes *unread = unread_of(c);
    if (unread != NULL)
        c->holding->unread = NULL;
    return unread;
}

/* ---- What ends it ---- */

void connection_end_slow(connection_set *set, uint64_t now_ms)
{
    uint32_t timeout_ms = set->limits->message_timeout_ms;
    if (timeout_ms == 0)
        return;
    connection_holding *next;
    for (connection_holding *h = TAILQ_FIRST(&set->holdings); h != NULL; h = next) {
        next = TAILQ_NEXT(h, link);
        connection *c = connection_of(h->entry);
        if (!h->is_begun || !is_in_message(c) || (uint32_t)now_ms - h->begun_ms < timeout_ms)
            continue;
        connection_close(c, CLOSE_REASON_SLOW_MESSAGE, "a message was not complete in time");
    }
}

/* The most that one connection holds, of those that are not ended yet. */
static uint64_t largest_of(const connection_set *set)
{
    uint64_t largest = 0;
    const connection_holding *h;
    TAILQ_FOREACH(h, &set->holdings, link)
    {
        if (h->entry->state != CONNECTION_CLOSED && h->counted > largest)
            largest = h->counted;
    }
    return largest;
}

/* One pass ends all that hold more than half as much as the largest. So there are few passes, and each holder
 * that is ended held at least about as much as those that are left. */
void connection_end_largest(connection_set *set, uint64_t excess)
{
    uint64_t freed = 0;
    uint64_t ended = 0;
    uint64_t largest;
    while (freed < excess && (largest = largest_of(set)) > 0) {
        connection_holding *h;
        TAILQ_FOREACH(h, &set->holdings, link)
        {
            if (freed >= excess || h->entry->state == CONNECTION_CLOSED || h->counted <= largest / 2)
                continue;
            freed += h->counted;
            ended++;
            connection_drop(connection_of(h->entry), CLOSE_REASON_HELD_MOST,
                            "all buffers together are too large, and this one held the most");
        }
    }
    uint64_t now_ms = net_loop_now_ms(set->loop);
    set->ended_unlogged += ended;
    if (set->ended_unlogged == 0 || now_ms < set->may_log_ms)
        return;
    LOG(LOG_WARN, log_namespace,
        "buffers are over MAX_BUFFERED_BYTES: dropping the connections with the largest",
        LOG_NUMBER("ended", set->ended_unlogged), LOG_NUMBER("freed", freed),
        LOG_NUMBER("limit", set->limits->memory->limit));
    set->ended_unlogged = 0;
    set->may_log_ms = now_ms + 10000;
}
