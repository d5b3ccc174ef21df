#include "net/connection_input.h"

#include "net/connection_handshake.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- Messages ---- */

/* Keep the message for another thread, which is to handle it. */
static void begin_leaving(connection *c, bool is_text, slice data)
{
    if (bytes_append(&c->message, data.data, data.len) != 0) {
        connection_drop_without_memory(c);
        return;
    }
    c->has_held_message = true;
    c->held_is_text = is_text;
    transport_watch_input(&c->transport, false);
    connection_enter_state(c, CONNECTION_LEAVING);
    connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
}

/* Hand a whole message to the owner. False: its turn is over, the rest of the input has to wait. */
static bool deliver(connection *c, bool is_text, slice data)
{
    switch (c->entry.set->events->on_message(c, is_text, data)) {
    case CONNECTION_GO_ON:
        return connection_stays_open(c);
    case CONNECTION_HOLD:
        if (connection_is_open(c))
            connection_enter_state(c, CONNECTION_HELD);
        return false;
    case CONNECTION_HAND_OVER:
        if (connection_is_open(c))
            begin_leaving(c, is_text, data);
        return false;
    }
    return false;
}

/* The same for the message that was assembled from pieces, or held. */
static bool deliver_assembled(connection *c, bool is_text)
{
    bytes *message = c->message;
    c->message = NULL;
    c->has_held_message = false;
    slice data = {message == NULL ? NULL : (const char *)bytes_head(message), bytes_len(message)};
    bool goes_on = deliver(c, is_text, data);
    bytes_clear(&message);
    return goes_on;
}

/* ---- Frames ---- */

static bool take_data(connection *c, const ws_event *event)
{
    if (event->is_last) {
        c->messages_in++;
        counter_add(&c->entry.set->counters.messages_in, 1);
    }
    if (event->is_first && event->is_last)
        return deliver(c, event->is_text, (slice){(const char *)event->data, event->len});
    if (bytes_append(&c->message, event->data, event->len) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    return event->is_last ? deliver_assembled(c, event->is_text) : true;
}

/* A ping may have been sent by another thread, before a hand-over. A turn of this one that began before that
 * has an earlier time, by a turn's length at most. */
enum { MAX_TURN_US = 60 * 1000000 };

static uint32_t round_trip_us(const connection *c)
{
    uint32_t elapsed_us = (uint32_t)net_loop_now_us(c->entry.set->loop) - c->ping_sent_us;
    return elapsed_us > UINT32_MAX - MAX_TURN_US ? 0 : elapsed_us;
}

static void take_pong(connection *c)
{
    connection_set *set = c->entry.set;
    if (c->awaits_pong) {
        uint32_t rtt_us = round_trip_us(c);
        c->awaits_pong = false;
        c->ping_rtt_us = rtt_us > 0 ? rtt_us : 1;
        counter_histogram_add(&set->counters.ping_rtt_us, rtt_us, 1);
    }
    set->events->on_pong(c);
}

/* Is this one frame more than its peer may send? The end of a connection is nobody's flood. */
static bool is_flood(connection *c, const ws_event *event)
{
    if (c->decoder.is_in_frame || event->type == WS_EVENT_CLOSE || event->type == WS_EVENT_FAULT)
        return false;
    if (event->type == WS_EVENT_PONG && c->pongs_owed > 0) {
        c->pongs_owed--; /* we have asked for it, perhaps because of others */
        return false;
    }
    const connection_set *set = c->entry.set;
    return !token_bucket_take(&c->frames, set->limits->frame_rate, net_loop_now_ms(set->loop));
}

static void take_fault(connection *c, const ws_event *event)
{
    close_reason reason =
        event->code == WS_CLOSE_TOO_BIG ? CLOSE_REASON_TOO_BIG : CLOSE_REASON_PROTOCOL_FAULT;
    connection_close_with(c, &(connection_end){reason, event->code, event->reason}, event->reason);
}

/* False: the rest of the input has to wait, or will never be read. */
static bool take_event(connection *c, const ws_event *event)
{
    if (is_flood(c, event)) {
        connection_close(c, CLOSE_REASON_FLOOD, "too many messages");
        return false;
    }

    switch (event->type) {
    case WS_EVENT_NONE:
        return false;
    case WS_EVENT_DATA:
        return take_data(c, event);
    case WS_EVENT_PING: {
        struct iovec data = {event->data, event->len};
        return connection_send(c, WS_OPCODE_PONG, &data, 1); /* RFC 6455, 5.5.3: the same data */
    }
    case WS_EVENT_PONG:
        take_pong(c);
        return connection_is_open(c);
    case WS_EVENT_CLOSE:
        /* RFC 6455, 5.5.1: echo its code */
        connection_close_with(c, &(connection_end){CLOSE_REASON_BY_PEER, event->code, "the peer closed"}, "");
        return false;
    case WS_EVENT_FAULT:
        take_fault(c, event);
        return false;
    }
    return false;
}

/* Read frames; returns how many bytes were used. */
static size_t take_frames(connection *c, uint8_t *data, size_t len)
{
    uint32_t max_message_bytes = c->entry.set->limits->max_message_bytes;
    size_t used = 0;
    while (used < len) {
        ws_event event;
        used += ws_decoder_next(&c->decoder, max_message_bytes, data + used, len - used, &event);
        if (event.type == WS_EVENT_NONE || !take_event(c, &event))
            break;
    }
    return used;
}

/* ---- Bytes ---- */

/* A held connection is still read, so that its end is noticed, but only so far. */
enum { MAX_HELD_BYTES = 64 * 1024 };

/* Must what is read wait behind what was read before? */
static bool is_waiting(const connection *c)
{
    return c->entry.state == CONNECTION_HELD || c->entry.state == CONNECTION_LEAVING;
}

/* Keep what can't be handled yet. */
static void keep_for_later(connection *c, const uint8_t *data, size_t len)
{
    if (bytes_append(&c->unread, data, len) != 0)
        connection_drop_without_memory(c);
    else if (c->entry.state == CONNECTION_HELD && bytes_len(c->unread) >= MAX_HELD_BYTES)
        transport_watch_input(&c->transport, false);
}

/* Handle what was read, and keep what could not be handled yet. `c->unread` is NULL here. */
static void take_input(connection *c, uint8_t *data, size_t len)
{
    assert(c->unread == NULL);
    size_t used = 0;
    if (c->entry.state == CONNECTION_HANDSHAKE)
        used = connection_take_handshake(c, data, len);
    if (c->entry.state == CONNECTION_OPEN)
        used += take_frames(c, data + used, len - used);

    bool is_ending = !connection_is_open(c) && c->entry.state != CONNECTION_HANDSHAKE;
    if (!is_ending)
        keep_for_later(c, data + used, len - used);
}

static void on_bytes(connection *c, size_t before, size_t len)
{
    connection_set *set = c->entry.set;
    uint8_t *buffer = set->scratch;
    if (before > 0) {
        memcpy(buffer, bytes_head(c->unread), before);
        bytes_clear(&c->unread);
    }
    c->bytes_in += len;
    counter_add(&set->counters.bytes_in, len);
    c->last_read_ms = (uint32_t)net_loop_now_ms(set->loop);
    if (c->entry.state == CONNECTION_PINGED)
        connection_enter_state(c, CONNECTION_OPEN);

    if (is_waiting(c))
        keep_for_later(c, buffer, before + len);
    else if (c->entry.state == CONNECTION_HANDSHAKE || c->entry.state == CONNECTION_OPEN)
        take_input(c, buffer, before + len);
}

void connection_read_input(connection *c)
{
    /* What was left over goes in front of what comes now, in the set's buffer, once there is something. */
    connection_set *set = c->entry.set;
    size_t before = is_waiting(c) ? 0 : bytes_len(c->unread);
    assert(before < set->scratch_size);

    ssize_t got = transport_read(&c->transport, set->scratch + before, set->scratch_size - before);
    if (got == -EAGAIN)
        return;
    if (got > 0)
        on_bytes(c, before, (size_t)got);
    else if (got == 0 && c->entry.state == CONNECTION_CLOSING)
        transport_watch_input(&c->transport, false); /* it may still read what is being written */
    else if (got == -EPROTO)
        connection_drop(c, CLOSE_REASON_TLS_FAULT, transport_fault(&c->transport));
    else
        connection_drop(c, CLOSE_REASON_LOST, got < 0 ? "the connection broke" : "the peer is gone");
    if (transport_holds_input(&c->transport)) /* more than the buffer took: in the next turn */
        connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
}

void connection_resume_input(connection *c)
{
    if (c->entry.state == CONNECTION_HELD) {
        connection_enter_state(c, CONNECTION_OPEN);
        if (transport_watch_input(&c->transport, true) != 0) {
            connection_drop_without_memory(c);
            return;
        }
    }
    if (c->has_held_message && !deliver_assembled(c, c->held_is_text))
        return;

    bytes *unread = c->unread;
    if (unread == NULL)
        return;
    c->unread = NULL;
    take_input(c, bytes_head(unread), bytes_len(unread));
    bytes_clear(&unread);
}
