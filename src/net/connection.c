#include "net/connection.h"

#include "base/clock.h"
#include "net/connection_parts.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static void on_ready(evutil_socket_t fd, short what, void *context);

static const uint8_t phases[CONNECTION_STATES] = {
    [CONNECTION_HANDSHAKE] = NET_PHASE_HANDSHAKE, [CONNECTION_OPEN] = NET_PHASE_OPEN,
    [CONNECTION_PINGED] = NET_PHASE_OPEN,         [CONNECTION_HELD] = NET_PHASE_OPEN,
    [CONNECTION_CLOSING] = NET_PHASE_CLOSING,     [CONNECTION_LINGERING] = NET_PHASE_CLOSING,
    [CONNECTION_CLOSED] = NET_PHASE_CLOSING,
};

void connection_set_state(connection *c, connection_state state)
{
    counter *connections = c->loop->counters.connections[c->is_tls ? NET_TRANSPORT_TLS : NET_TRANSPORT_PLAIN];
    if (c->state < CONNECTION_STATES) {
        TAILQ_REMOVE(&c->loop->by_state[c->state], c, link);
        counter_add(&connections[phases[c->state]], (uint64_t)-1);
    }
    c->state = (uint8_t)state;
    if (state < CONNECTION_STATES) {
        c->due_ms = (uint32_t)(net_loop_now_ms(c->loop) + c->loop->duration_ms[state]);
        TAILQ_INSERT_TAIL(&c->loop->by_state[state], c, link);
        counter_add(&connections[phases[state]], 1);
    }
}

void connection_put_on_todo(connection *c)
{
    if (c->is_todo)
        return;
    c->is_todo = true;
    STAILQ_INSERT_TAIL(&c->loop->todo, c, todo);
}

static int enter_loop(connection *c, net_loop *loop, connection_state state)
{
    transport_attach(&c->transport, loop->base);
    int error = transport_watch_input(&c->transport, true);
    if (error != 0) {
        transport_detach(&c->transport);
        return error;
    }
    c->loop = loop;
    loop->connections++;
    loop->output_bytes += bytes_len(c->output);
    connection_set_state(c, state);
    return 0;
}

/* Wait, or no longer wait, for room to write. 0 or -ENOMEM. */
static int want_room(connection *c, bool wants)
{
    if (wants == transport_wants_room(&c->transport))
        return 0;
    int error = transport_want_room(&c->transport, wants, net_loop_now_us(c->loop));
    if (error == 0)
        counter_add(&c->loop->counters.backlog_connections, wants ? 1 : (uint64_t)-1);
    return error;
}

static void leave_loop(connection *c)
{
    (void)want_room(c, false);
    transport_detach(&c->transport);
    connection_set_state(c, CONNECTION_ADRIFT);
    c->loop->connections--;
    c->loop->output_bytes -= bytes_len(c->output);
}

/* In hundredths of a second, 32 bits of time last for more than a year. */
static uint32_t centiseconds(uint64_t now_ms)
{
    return (uint32_t)(now_ms / 10);
}

/* By the clock and not by the loop's time: while it is adrift, that is another thread's. */
uint64_t connection_age_ms(const connection *c)
{
    return (uint64_t)(centiseconds(clock_monotonic_ms()) - c->opened_cs) * 10;
}

int connection_open(connection *c, int fd, uint64_t id, net_loop *loop)
{
    return connection_open_tls(c, fd, id, loop, NULL);
}

int connection_open_tls(connection *c, int fd, uint64_t id, net_loop *loop, tls_context *tls)
{
    *c = (connection){
        .id = id, .state = CONNECTION_ADRIFT, .loop = loop, .opened_cs = centiseconds(net_loop_now_ms(loop))};
    transport_open(&c->transport, fd, on_ready, c);
    c->is_tls = tls != NULL;
    int error = tls == NULL ? 0 : transport_start_tls(&c->transport, tls);
    if (error == 0)
        error = enter_loop(c, loop, CONNECTION_HANDSHAKE);
    if (error != 0)
        transport_close(&c->transport);
    return error;
}

/* ---- The end ---- */

static void tell_end(connection *c, const connection_end *end)
{
    if (c->has_ended)
        return;
    c->has_ended = true;
    if (c->state != CONNECTION_ADRIFT)
        counter_add(&c->loop->counters.closes[end->reason][close_code_slot(end->code)], 1);
    c->loop->events->on_end(c, end);
}

void connection_drop(connection *c, close_reason reason, const char *why)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    (void)want_room(c, false);
    if (transport_awaits_tls(&c->transport))
        counter_add(&c->loop->counters.tls_failures, 1);
    transport_close(&c->transport);
    connection_set_state(c, CONNECTION_CLOSED);
    connection_put_on_todo(c);
    tell_end(c, &(connection_end){reason, WS_CLOSE_ABNORMAL, why});
}

void connection_drop_without_memory(connection *c)
{
    connection_drop(c, CLOSE_REASON_NO_MEMORY, "out of memory");
}

/* The last that happens to it. It is adrift. */
static void give_back(connection *c)
{
    bytes_clear(&c->unread);
    bytes_clear(&c->message);
    bytes_clear(&c->output);
    c->loop->events->on_free(c);
}

void connection_abandon(connection *c, const char *why)
{
    assert(c->state == CONNECTION_ADRIFT);
    transport_close(&c->transport);
    tell_end(c, &(connection_end){CLOSE_REASON_SERVER_STOPS, WS_CLOSE_ABNORMAL, why});
    give_back(c);
}

void connection_begin_closing(connection *c, const connection_end *end)
{
    bytes_clear(&c->unread);
    bytes_clear(&c->message);
    c->must_resume = false;
    c->must_hand_over = false;
    connection_set_state(c, CONNECTION_CLOSING);
    connection_put_on_todo(c);
    tell_end(c, end);
    if (transport_watch_input(&c->transport, true) != 0)
        connection_drop(c, end->reason, end->why);
}

uint8_t *connection_extend_output(connection *c, size_t len)
{
    uint8_t *out = bytes_extend(&c->output, len);
    if (out != NULL) {
        c->bytes_out += len;
        c->loop->output_bytes += len;
        counter_add(&c->loop->counters.bytes_out, len);
    }
    return out;
}

/* Put a frame behind what waits. */
static int append_frame(connection *c, ws_opcode opcode, const struct iovec *parts, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;

    uint8_t header[WS_MAX_SERVER_HEADER];
    size_t header_len = ws_frame_header(header, opcode, len);
    uint8_t *out = connection_extend_output(c, header_len + len);
    if (out == NULL)
        return -ENOMEM;
    memcpy(out, header, header_len);
    out += header_len;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len > 0)
            memcpy(out, parts[i].iov_base, parts[i].iov_len);
        out += parts[i].iov_len;
    }
    return 0;
}

static int append_close_frame(connection *c, uint16_t code, const char *text)
{
    if (code == WS_CLOSE_NO_STATUS)
        return append_frame(c, WS_OPCODE_CLOSE, NULL, 0);
    uint8_t status[2] = {(uint8_t)(code >> 8), (uint8_t)code}; /* RFC 6455, 5.5.1: network byte order */
    size_t text_len = strnlen(text, WS_MAX_CONTROL_PAYLOAD - sizeof(status));
    struct iovec parts[2] = {{status, sizeof(status)}, {(void *)(uintptr_t)text, text_len}};
    return append_frame(c, WS_OPCODE_CLOSE, parts, 2);
}

/* Close one that is open; `text` is sent. */
static void close_open(connection *c, const connection_end *end, const char *text)
{
    if (append_close_frame(c, end->code, text) != 0)
        connection_drop(c, end->reason, end->why);
    else
        connection_begin_closing(c, end);
}

void connection_close(connection *c, close_reason reason, const char *why)
{
    if (c->state == CONNECTION_HANDSHAKE)
        connection_refuse(c, 503, reason, why);
    else if (connection_is_open(c))
        close_open(c, &(connection_end){reason, close_reason_code(reason), why}, why);
}

/* ---- Output ---- */

static void drop_doomed(connection *c)
{
    if (c->doom == CONNECTION_DOOM_NO_MEMORY)
        connection_drop_without_memory(c);
    else
        connection_drop(c, CLOSE_REASON_NOT_READ, "the peer does not read");
}

/* End it at the end of the turn, since the caller may stand in the middle of a room. */
static void doom(connection *c, connection_doom why)
{
    c->doom = (uint8_t)why;
    connection_put_on_todo(c);
}

/* Write what the socket takes. 0, or -errno when the peer is gone. */
static int write_output(connection *c)
{
    bool is_last = c->state == CONNECTION_CLOSING;
    while (c->output != NULL) {
        ssize_t taken = transport_write(&c->transport, bytes_head(c->output), bytes_len(c->output), is_last);
        if (taken == -EAGAIN)
            break;
        if (taken < 0)
            return (int)taken;
        bytes_consume(&c->output, (size_t)taken);
        c->loop->output_bytes -= (uint64_t)taken;
    }
    return 0;
}

/* All is written: the timed messages in it have arrived. Those of this very turn are counted at its end. */
static void count_timed(connection *c)
{
    if (!transport_wants_room(&c->transport)) {
        c->loop->written_signals += c->timed;
    } else {
        uint64_t took_us = net_loop_now_us(c->loop) - c->transport.extra->since_us;
        counter_histogram_add(&c->loop->counters.relay_us, took_us, c->timed);
    }
    c->timed = 0;
}

/* Write what waits, and have the rest written when there is room. False when the connection is gone. */
static bool flush(connection *c)
{
    if (write_output(c) != 0) {
        connection_drop(c, CLOSE_REASON_LOST, "the peer is gone");
        return false;
    }
    if (c->timed > 0 && c->output == NULL)
        count_timed(c);
    if (want_room(c, c->output != NULL) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    return true;
}

/* More is gathered than may wait. Write at once if nobody has tried yet; does too much remain? */
static bool has_too_much_output(connection *c)
{
    uint64_t limit = c->loop->limits->max_output_bytes;
    if (bytes_len(c->output) > limit && !transport_wants_room(&c->transport))
        (void)write_output(c); /* a peer that is gone is noticed by the flush that follows */
    return bytes_len(c->output) > limit;
}

bool connection_send(connection *c, ws_opcode opcode, const struct iovec *parts, int count)
{
    if (!connection_is_open(c) || c->doom != CONNECTION_DOOM_NONE)
        return false;
    if (append_frame(c, opcode, parts, count) != 0) {
        doom(c, CONNECTION_DOOM_NO_MEMORY);
        return false;
    }
    connection_put_on_todo(c);
    if (has_too_much_output(c)) {
        doom(c, CONNECTION_DOOM_NOT_READ);
        return false;
    }
    if (opcode < WS_OPCODE_CLOSE) {
        c->messages_out++;
        counter_add(&c->loop->counters.messages_out, 1);
    }
    return true;
}

void connection_time_message(connection *c)
{
    if (c->timed < UINT16_MAX)
        c->timed++;
}

void connection_ping(connection *c)
{
    if (!connection_send(c, WS_OPCODE_PING, NULL, 0))
        return;
    counter_add(&c->loop->counters.pings, 1);
    if (c->pongs_owed < UINT16_MAX)
        c->pongs_owed++;
    if (!c->awaits_pong) {
        c->awaits_pong = true;
        c->ping_us = (uint32_t)net_loop_now_us(c->loop);
    }
}

static void take_pong(connection *c)
{
    if (c->awaits_pong) {
        c->awaits_pong = false;
        c->has_ping_rtt = true;
        c->ping_us = (uint32_t)net_loop_now_us(c->loop) - c->ping_us;
        counter_histogram_add(&c->loop->counters.ping_rtt_us, c->ping_us, 1);
    }
    c->loop->events->on_pong(c);
}

/* ---- Input ---- */

/* Hand a whole message to the owner. False: its turn is over, the rest of the input has to wait. */
static bool deliver(connection *c, bool is_text, slice data)
{
    switch (c->loop->events->on_message(c, is_text, data)) {
    case CONNECTION_GO_ON:
        return connection_is_open(c) && c->doom == CONNECTION_DOOM_NONE;
    case CONNECTION_HOLD:
        if (connection_is_open(c))
            connection_set_state(c, CONNECTION_HELD);
        return false;
    case CONNECTION_HAND_OVER:
        if (bytes_append(&c->message, data.data, data.len) != 0) {
            connection_drop_without_memory(c);
            return false;
        }
        c->has_held_message = true;
        c->held_is_text = is_text;
        c->must_hand_over = true;
        transport_watch_input(&c->transport, false);
        connection_put_on_todo(c);
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

static bool take_data(connection *c, const ws_event *event)
{
    if (event->is_last) {
        c->messages_in++;
        counter_add(&c->loop->counters.messages_in, 1);
    }
    if (event->is_first && event->is_last)
        return deliver(c, event->is_text, (slice){(const char *)event->data, event->len});
    if (bytes_append(&c->message, event->data, event->len) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    return event->is_last ? deliver_assembled(c, event->is_text) : true;
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
    return !token_bucket_take(&c->frames, c->loop->limits->frame_rate, net_loop_now_ms(c->loop));
}

static void take_fault(connection *c, const ws_event *event)
{
    close_reason reason =
        event->code == WS_CLOSE_TOO_BIG ? CLOSE_REASON_TOO_BIG : CLOSE_REASON_PROTOCOL_FAULT;
    close_open(c, &(connection_end){reason, event->code, event->reason}, event->reason);
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
        close_open(c, &(connection_end){CLOSE_REASON_BY_PEER, event->code, "the peer closed"}, "");
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
    size_t used = 0;
    while (used < len) {
        ws_event event;
        used +=
            ws_decoder_next(&c->decoder, c->loop->limits->max_message_bytes, data + used, len - used, &event);
        if (event.type == WS_EVENT_NONE || !take_event(c, &event))
            break;
    }
    return used;
}

/* A held connection is still read, so that its end is noticed, but only so far. */
enum { MAX_HELD_BYTES = 64 * 1024 };

/* Keep what can't be handled yet. */
static void keep_for_later(connection *c, const uint8_t *data, size_t len)
{
    if (bytes_append(&c->unread, data, len) != 0)
        connection_drop_without_memory(c);
    else if (c->state == CONNECTION_HELD && bytes_len(c->unread) >= MAX_HELD_BYTES)
        transport_watch_input(&c->transport, false);
}

/* Handle what was read, and keep what could not be handled yet. `c->unread` is NULL here. */
static void take_input(connection *c, uint8_t *data, size_t len)
{
    size_t used = 0;
    if (c->state == CONNECTION_HANDSHAKE)
        used = connection_take_handshake(c, data, len);
    if (c->state == CONNECTION_OPEN)
        used += take_frames(c, data + used, len - used);

    bool is_ending = !connection_is_open(c) && c->state != CONNECTION_HANDSHAKE;
    if (!is_ending)
        keep_for_later(c, data + used, len - used);
}

static void on_bytes(connection *c, size_t before, size_t len)
{
    uint8_t *buffer = c->loop->scratch;
    if (before > 0) {
        memcpy(buffer, bytes_head(c->unread), before);
        bytes_clear(&c->unread);
    }
    c->bytes_in += len;
    counter_add(&c->loop->counters.bytes_in, len);
    c->last_read_ms = (uint32_t)net_loop_now_ms(c->loop);
    if (c->state == CONNECTION_PINGED)
        connection_set_state(c, CONNECTION_OPEN);

    if (c->state == CONNECTION_HELD)
        keep_for_later(c, buffer, before + len);
    else if (c->state == CONNECTION_HANDSHAKE || c->state == CONNECTION_OPEN)
        take_input(c, buffer, before + len);
}

static void on_readable(connection *c)
{
    /* What was left over goes in front of what comes now, in the loop's buffer, once there is something. */
    size_t before = c->state == CONNECTION_HELD ? 0 : bytes_len(c->unread);
    assert(before < c->loop->scratch_size);

    ssize_t got = transport_read(&c->transport, c->loop->scratch + before, c->loop->scratch_size - before);
    if (got == -EAGAIN)
        return;
    if (got > 0)
        on_bytes(c, before, (size_t)got);
    else if (got == 0 && c->state == CONNECTION_CLOSING)
        transport_watch_input(&c->transport, false); /* it may still read what is being written */
    else if (got == -EPROTO)
        connection_drop(c, CLOSE_REASON_TLS_FAULT, transport_fault(&c->transport));
    else
        connection_drop(c, CLOSE_REASON_LOST, got < 0 ? "the connection broke" : "the peer is gone");
    if (transport_holds_input(&c->transport)) /* more than there was room for: in the next turn */
        connection_put_on_todo(c);
}

/* Bytes have come, or there is room again for those that wait: the end of the turn writes them. */
static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    connection *c = context;
    if ((what & EV_WRITE) != 0)
        connection_put_on_todo(c);
    else if ((what & EV_READ) != 0)
        on_readable(c);
    else
        counter_add(&c->loop->counters.tls_handshakes, 1);
}

/* Go on after a hold or a hand-over: first the message that nobody has handled, then the bytes behind it. */
static void resume(connection *c)
{
    c->must_resume = false;
    if (c->state == CONNECTION_HELD) {
        connection_set_state(c, CONNECTION_OPEN);
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

void connection_resume(connection *c)
{
    if (!connection_is_open(c))
        return;
    c->must_resume = true;
    connection_put_on_todo(c);
}

/* ---- From thread to thread ---- */

static void hand_over(connection *c)
{
    c->must_hand_over = false;
    leave_loop(c);
    c->loop->events->on_hand_over(c);
}

int connection_attach(connection *c, net_loop *loop)
{
    /* Held until the end of the turn, so that nothing that is read before overtakes what it brings along. */
    int error = enter_loop(c, loop, CONNECTION_HELD);
    if (error != 0)
        return error;
    c->must_resume = true;
    connection_put_on_todo(c);
    return 0;
}

/* ---- What the loop asks for ---- */

void connection_on_due(connection *c)
{
    switch ((connection_state)c->state) {
    case CONNECTION_HANDSHAKE:
        connection_drop(c, CLOSE_REASON_HANDSHAKE_TIMEOUT, "no upgrade request in time");
        break;
    case CONNECTION_OPEN:
        connection_ping(c);
        connection_set_state(c, CONNECTION_PINGED);
        break;
    case CONNECTION_PINGED:
        connection_drop(c, CLOSE_REASON_SILENT, "no sign of life");
        break;
    case CONNECTION_CLOSING:
    case CONNECTION_LINGERING:
        connection_drop(c, CLOSE_REASON_SILENT, "the peer keeps the connection open");
        break;
    case CONNECTION_HELD:
    case CONNECTION_CLOSED:
    case CONNECTION_STATES:
    case CONNECTION_ADRIFT:
        assert(!"these states have no deadline");
        break;
    }
}

/* All is written: let the peer see that it was the last, and wait for its end, unless that has come already.
 */
static void end_output(connection *c)
{
    if (transport_end_output(&c->transport) == -EAGAIN) {
        if (want_room(c, true) != 0)
            connection_drop_without_memory(c);
        return;
    }
    if (transport_watches_input(&c->transport))
        connection_set_state(c, CONNECTION_LINGERING);
    else
        connection_drop(c, CLOSE_REASON_LOST, "the peer is gone");
}

void connection_on_turn_end(connection *c)
{
    if (c->doom != CONNECTION_DOOM_NONE && connection_is_open(c))
        drop_doomed(c);
    if (c->state == CONNECTION_CLOSED) {
        if (c->is_todo) /* dropped just now: its turn on the list comes again */
            return;
        leave_loop(c);
        give_back(c);
        return;
    }

    if (c->must_resume)
        resume(c);
    if (c->state == CONNECTION_CLOSED || !flush(c))
        return;
    if (c->state == CONNECTION_CLOSING && c->output == NULL)
        end_output(c);
    transport_recall_input(&c->transport);
    if (c->must_hand_over && !c->is_todo)
        hand_over(c);
}
