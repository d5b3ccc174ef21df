#include "net/connection_input.h"

#include "net/connection_handshake.h"
#include "net/connection_holding.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- Messages ---- */

/* Keep the message, to give it to the owner again. False without memory: then the connection was dropped. */
static bool keep_message(connection *c, bool is_text, slice data)
{
    assert(c->message == NULL);
    if (bytes_append(&c->message, data.data, data.len) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    c->has_kept_message = true;
    c->kept_is_text = is_text;
    return true;
}

/* Handle no more input until connection_resume(), and then the message first. */
static void hold_message(connection *c, bool is_text, slice data)
{
    if (!keep_message(c, is_text, data))
        return;
    connection_enter_state(c, CONNECTION_HELD);
    connection_count_holding(c);
}

/* Leave at the end of the turn. */
static void begin_leaving(connection *c)
{
    (void)transport_watch_input(&c->transport, false);
    connection_enter_state(c, CONNECTION_LEAVING);
    connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
}

/* Give a whole message to the owner. False when the rest of the input must not be handled now. */
static bool deliver(connection *c, bool is_text, slice data)
{
    switch (c->entry.set->events->on_message(c, is_text, data)) {
    case CONNECTION_GO_ON:
        return connection_stays_open(c);
    case CONNECTION_HOLD:
        if (connection_is_open(c))
            connection_enter_state(c, CONNECTION_HELD);
        return false;
    case CONNECTION_HOLD_MESSAGE:
        if (connection_is_open(c))
            hold_message(c, is_text, data);
        return false;
    case CONNECTION_HAND_OVER:
        c->leaves_for_input = false; /* it leaves for this message */
        if (connection_is_open(c) && keep_message(c, is_text, data))
            begin_leaving(c);
        return false;
    }
    return false;
}

/* The same with the message in c->message, which was put together from pieces, or kept by keep_message(). */
static bool deliver_assembled(connection *c, bool is_text)
{
    bytes *message = c->message;
    c->message = NULL;
    c->has_kept_message = false;
    slice data = {message == NULL ? NULL : (const char *)bytes_head(message), bytes_len(message)};
    bool may_go_on = deliver(c, is_text, data);
    bytes_clear(&message);
    return may_go_on;
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

/* A frame is complete: may the peer send it? If not, it was one too many, and the connection ends. */
static bool admit_frame(connection *c)
{
    const connection_set *set = c->entry.set;
    if (token_bucket_take(&c->frames, set->limits->frame_rate, net_loop_now_ms(set->loop)))
        return true;
    connection_close(c, CLOSE_REASON_FLOOD, "too many messages");
    return false;
}

/* The same with a pong. It may answer our ping, which may have been sent because of another user. */
static bool admit_pong(connection *c)
{
    if (c->pongs_owed == 0)
        return admit_frame(c);
    c->pongs_owed--;
    return true;
}

static void join_backlog(connection *c)
{
    if (connection_join_backlog(c) != 0)
        connection_drop_without_memory(c);
}

static void take_fault(connection *c, const ws_event *event)
{
    close_reason reason =
        event->code == WS_CLOSE_TOO_BIG ? CLOSE_REASON_TOO_BIG : CLOSE_REASON_PROTOCOL_FAULT;
    connection_close_with(c, &(connection_end){reason, event->code, event->reason}, event->reason);
}

/* Handle one event of the decoder. False when the rest of the input must not be handled now. A close frame is
 * never too much, and a broken frame gets its own answer. */
static bool take_event(connection *c, const ws_event *event)
{
    switch (event->type) {
    case WS_EVENT_NONE:
        return false;
    case WS_EVENT_DATA:
        return (c->decoder.is_in_frame || admit_frame(c)) && take_data(c, event);
    case WS_EVENT_PING: {
        struct iovec data = {event->data, event->len};
        /* RFC 6455, 5.5.3: the same data */
        return admit_frame(c) && connection_send(c, WS_OPCODE_PONG, &data, 1);
    }
    case WS_EVENT_PONG:
        if (!admit_pong(c))
            return false;
        take_pong(c);
        return connection_is_open(c);
    case WS_EVENT_CLOSE:
        /* RFC 6455, 5.5.1: answer with the code that it sent */
        connection_close_with(c, &(connection_end){CLOSE_REASON_BY_PEER, event->code, "the peer closed"}, "");
        return false;
    case WS_EVENT_FAULT:
        take_fault(c, event);
        return false;
    }
    return false;
}

/* A connection's share of a turn: so many frames, in so many bytes of one read. All with which a call begins
 * (a join, an offer, fifty candidates) is one share, and so is one long message, half of it or a quarter. Who
 * sends more goes on when all others have had their share. */
enum { SHARE_FRAMES = 64, SHARE_BYTES = 32 * 1024 };

/* Its client has sent so many frames, or parts of them, which are handled already, in a read or a share of
 * one. That counts as one frame at least, since a read is what costs the most. If it is too much, the
 * connection ends: whoever sends more than its share has chosen itself. */
static void charge_client(connection *c, int frames, size_t size)
{
    net_allowance *allowance = c->allowance;
    const net_limits *limits = c->entry.set->limits;
    uint64_t now_us = net_loop_now_us(c->entry.set->loop);
    bool has_frames = shared_bucket_charge(&allowance->frames, limits->client_frame_rate,
                                           frames > 0 ? (uint64_t)frames : 1, now_us);
    bool has_bytes = shared_bucket_charge(&allowance->bytes, limits->client_byte_rate, size, now_us);
    if (!has_frames || !has_bytes)
        connection_close(c, CLOSE_REASON_ADDRESS_FLOOD,
                         has_bytes ? "too many messages from one address"
                                   : "too many bytes from one address");
}

/* Handle the whole frames in [data, data + len), and what there is of the last one, as far as its share goes.
 * Returns how many bytes were used. If there is more, it joins the backlog. */
static size_t take_frames(connection *c, uint8_t *data, size_t len)
{
    uint32_t max_message_bytes = c->entry.set->limits->max_message_bytes;
    size_t used = 0;
    int frames = 0;
    for (; used < len; frames++) {
        if (frames == SHARE_FRAMES) {
            join_backlog(c);
            break;
        }
        ws_event event;
        used += ws_decoder_next(&c->decoder, max_message_bytes, data + used, len - used, &event);
        if (event.type == WS_EVENT_CLOSE)
            c->is_peer_done = used == len;
        if (event.type == WS_EVENT_NONE || !take_event(c, &event))
            break;
    }
    if (c->allowance != NULL && c->allowance->is_limited)
        charge_client(c, frames, used);
    return used;
}

/* ---- Bytes ---- */

/* A HELD connection is still read, so that we notice when the peer ends it. When so many bytes are kept,
 * reading stops. */
enum { MAX_HELD_BYTES = 64 * 1024 };

/* Is what is read only kept now? */
static bool keeps_input(const connection *c)
{
    return c->entry.state == CONNECTION_HELD || c->entry.state == CONNECTION_LEAVING;
}

static size_t unread_len(const connection *c)
{
    return c->holding == NULL ? 0 : bytes_len(c->holding->unread);
}

/* Does it hold so much that nothing more is to be read? */
static bool has_kept_enough(const connection *c)
{
    return c->entry.state == CONNECTION_HELD && unread_len(c) >= MAX_HELD_BYTES;
}

/* Keep input that can't be handled now. */
static void keep_for_later(connection *c, const uint8_t *data, size_t len)
{
    if (connection_keep_unread(c, data, len) != 0)
        connection_drop_without_memory(c);
    else if (has_kept_enough(c))
        (void)transport_watch_input(&c->transport, false);
}

/* Handle what was read, and keep the rest. All earlier input is in [data, data + len) as well: none is
 * kept here. */
static void take_input(connection *c, uint8_t *data, size_t len)
{
    assert(unread_len(c) == 0);
    size_t used = 0;
    if (c->entry.state == CONNECTION_HANDSHAKE)
        used = connection_take_handshake(c, data, len);
    if (c->entry.state == CONNECTION_OPEN)
        used += take_frames(c, data + used, len - used);

    bool is_ending = !connection_is_open(c) && c->entry.state != CONNECTION_HANDSHAKE;
    if (!is_ending)
        keep_for_later(c, data + used, len - used);
}

/* After input was handled: count what is kept of it. One that leaves takes it along, and one that is closed
 * will be freed. */
static void count_input(connection *c)
{
    if (c->entry.state != CONNECTION_LEAVING && c->entry.state != CONNECTION_CLOSED)
        connection_count_holding(c);
}

/* `len` bytes were read into the set's buffer, where space for the `before` bytes that are kept was left
 * in front of them. */
static void on_bytes(connection *c, size_t before, size_t len)
{
    connection_set *set = c->entry.set;
    uint8_t *buffer = set->scratch;
    if (before + len > set->scratch_used)
        set->scratch_used = before + len;
    if (before > 0) {
        memcpy(buffer, bytes_head(c->holding->unread), before);
        connection_clear_unread(c);
    }
    c->bytes_in += len;
    set->turn_bytes += len;
    counter_add(&set->counters.bytes_in, len);
    c->last_read_ms = (uint32_t)net_loop_now_ms(set->loop);
    if (c->entry.state == CONNECTION_PINGED)
        connection_enter_state(c, CONNECTION_OPEN);

    if (keeps_input(c))
        keep_for_later(c, buffer, before + len);
    else if (c->entry.state == CONNECTION_HANDSHAKE || c->entry.state == CONNECTION_OPEN)
        take_input(c, buffer, before + len);
    if (c->holding != NULL || c->message != NULL || c->decoder.opcode != 0)
        count_input(c);
}

void connection_read_input(connection *c)
{
    /* Unread bytes are to be handled together with the new ones. So space is left for them in the set's
     * buffer; they are copied there only when something was read. */
    connection_set *set = c->entry.set;
    size_t before = keeps_input(c) ? 0 : unread_len(c);
    assert(before < set->scratch_size);

    size_t most = set->scratch_size - before;
    if (connection_is_open(c) && most > SHARE_BYTES)
        most = SHARE_BYTES;
    ssize_t got = transport_read(&c->transport, set->scratch + before, most);
    if (got == -EAGAIN)
        return;
    if (got > 0) {
        on_bytes(c, before, (size_t)got);
        if ((size_t)got == most && c->entry.state == CONNECTION_OPEN)
            join_backlog(c);
    } else if (got == 0 && c->entry.state == CONNECTION_CLOSING)
        (void)transport_watch_input(&c->transport, false); /* the peer may still read our last bytes */
    else if (got == -ENOMEM)
        connection_drop_without_memory(c);
    else if (got == -EPROTO)
        connection_drop(c, CLOSE_REASON_TLS_FAULT, transport_fault(&c->transport));
    else
        connection_drop_gone(c, got < 0 ? "the connection broke" : "the peer is gone");
    /* More was decrypted than the buffer has space for. The rest is read in the next turn. */
    if (transport_holds_input(&c->transport))
        connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
}

/* Handle a share of what is kept. */
static void take_unread(connection *c)
{
    bytes *unread = connection_take_unread(c);
    size_t used = take_frames(c, bytes_head(unread), bytes_len(unread));
    bytes_consume(&unread, used);
    if (unread != NULL && connection_is_open(c)) {
        if (connection_put_back_unread(c, unread) == 0)
            unread = NULL;
        else
            connection_drop_without_memory(c);
    }
    bytes_clear(&unread);
}

/* A turn in which more has been read is a crowded one. */
enum { CROWDED_BYTES = 128 * 1024 };

/* Has it sent more than users do? A call is 20 KB, and begins a connection at most. */
static bool has_sent_much(const connection *c)
{
    enum { AT_ONCE = 64 * 1024, PER_SECOND = 32 * 1024 };
    if (c->bytes_in <= AT_ONCE)
        return false;
    uint64_t age_cs = connection_age_cs(c, net_loop_now_ms(c->entry.set->loop));
    return c->bytes_in > AT_ONCE + age_cs * (PER_SECOND / 100);
}

void connection_on_readable(connection *c)
{
    if (connection_is_backlogged(c))
        return;
    if (c->leaves_for_input && (c->entry.state == CONNECTION_OPEN || c->entry.state == CONNECTION_PINGED)) {
        begin_leaving(c);
        return;
    }
    if (c->entry.set->turn_bytes > CROWDED_BYTES && c->entry.state == CONNECTION_OPEN && has_sent_much(c))
        join_backlog(c);
    else
        connection_read_input(c);
}

void connection_take_backlog(connection *c)
{
    if (c->entry.state == CONNECTION_PINGED)
        connection_enter_state(c, CONNECTION_OPEN); /* what it has sent is a sign of life */
    if (c->entry.state != CONNECTION_OPEN)
        return; /* what it has not handled is for connection_resume_input(), or for nobody */
    if (unread_len(c) == 0)
        connection_read_input(c);
    else
        take_unread(c);
    if (c->holding != NULL)
        count_input(c);
}

/* Handle what is kept: the message, and then the unread bytes. */
static void take_kept(connection *c)
{
    if (c->has_kept_message && !deliver_assembled(c, c->kept_is_text))
        return;

    bytes *unread = connection_take_unread(c);
    if (unread == NULL)
        return;
    take_input(c, bytes_head(unread), bytes_len(unread));
    bytes_clear(&unread);
}

/* Is it to be told when there is more to read? */
static bool awaits_input(const connection *c)
{
    return connection_is_open(c) && c->entry.state != CONNECTION_LEAVING && !has_kept_enough(c);
}

void connection_resume_input(connection *c)
{
    assert(connection_is_open(c));
    if (c->entry.state == CONNECTION_HELD)
        connection_enter_state(c, CONNECTION_OPEN);
    take_kept(c);
    if (c->leaves_for_input && c->entry.state == CONNECTION_OPEN) {
        c->leaves_for_input = false;
        connection_read_input(c);
    }
    if (awaits_input(c) && transport_watch_input(&c->transport, true) != 0)
        connection_drop_without_memory(c);
}
