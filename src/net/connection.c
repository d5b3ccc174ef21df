#include "net/connection.h"

#include "base/clock.h"
#include "base/parts.h"
#include "net/transport_tls.h"
#include "websocket/handshake_answer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(CONNECTION_OPEN < CONNECTION_PINGED && CONNECTION_PINGED < CONNECTION_HELD &&
                  CONNECTION_HELD < CONNECTION_LEAVING && CONNECTION_LEAVING - CONNECTION_OPEN == 3,
              "connection_is_open() takes the open states as one range");
static_assert(CONNECTION_STATES <= UINT8_MAX && CONNECTION_WORK_PEER_GONE <= UINT8_MAX,
              "an entry keeps the state and the work in a byte each");

/* ---- In a set ---- */

/* The phase that the counters show for each state. */
static const uint8_t phases[CONNECTION_STATES] = {
    [CONNECTION_HANDSHAKE] = NET_PHASE_HANDSHAKE, [CONNECTION_OPEN] = NET_PHASE_OPEN,
    [CONNECTION_PINGED] = NET_PHASE_OPEN,         [CONNECTION_HELD] = NET_PHASE_OPEN,
    [CONNECTION_LEAVING] = NET_PHASE_OPEN,        [CONNECTION_CLOSING] = NET_PHASE_CLOSING,
    [CONNECTION_LINGERING] = NET_PHASE_CLOSING,   [CONNECTION_CLOSED] = NET_PHASE_CLOSING,
};

void connection_enter_state(connection *c, connection_state state)
{
    net_transport kind = c->is_tls ? NET_TRANSPORT_TLS : NET_TRANSPORT_PLAIN;
    counter *connections = c->entry.set->counters.connections[kind];
    if (c->entry.state < CONNECTION_STATES)
        counter_add(&connections[phases[c->entry.state]], (uint64_t)-1);
    connection_set_move(&c->entry, state);
    if (state < CONNECTION_STATES)
        counter_add(&connections[phases[state]], 1);
}

void connection_clear_unread(connection *c)
{
    if (c->holding != NULL)
        bytes_clear(&c->holding->unread);
}

void connection_detach_holding(connection *c)
{
    connection_holding *h = c->holding;
    if (h == NULL)
        return;
    connection_set *set = c->entry.set;
    assert(set->held_bytes >= h->counted);
    set->held_bytes -= h->counted;
    h->counted = 0;
    connection_set_take_from_backlog(set, h);
    TAILQ_REMOVE(&set->holdings, h, link);
}

void connection_free_holding(connection *c)
{
    if (c->holding == NULL)
        return;
    assert(c->holding->counted == 0);
    bytes_clear(&c->holding->unread);
    free(c->holding);
    c->holding = NULL;
}

/* Attach a detached connection to `set`, and enter `state`. */
static void enter_set(connection *c, connection_set *set, connection_state state)
{
    assert(c->entry.state == CONNECTION_DETACHED && c->entry.work == 0);
    c->entry.set = set;
    set->count++;
    set->output_bytes += bytes_len(c->output);
    connection_enter_state(c, state);
    if (c->holding != NULL)
        connection_set_add_holding(set, c->holding);
}

int connection_want_writable(connection *c, bool wants)
{
    if (wants == transport_wants_writable(&c->transport))
        return 0;
    int error = transport_want_writable(&c->transport, wants, net_loop_now_us(c->entry.set->loop));
    if (error == 0)
        counter_add(&c->entry.set->counters.backlog_connections, wants ? 1 : (uint64_t)-1);
    return error;
}

void connection_leave_set(connection *c)
{
    connection_set *set = c->entry.set;
    assert(c->entry.state == CONNECTION_LEAVING || c->entry.state == CONNECTION_CLOSED);
    assert(c->entry.work == 0 && set->count > 0 && set->output_bytes >= bytes_len(c->output));
    (void)connection_want_writable(c, false);
    transport_detach(&c->transport);
    connection_detach_holding(c);
    connection_enter_state(c, CONNECTION_DETACHED);
    set->count--;
    set->output_bytes -= bytes_len(c->output);
    connection_set_wipe(set);
}

/* This reads the clock, and does not ask the loop: while the connection is detached, the loop of its last set
 * belongs to another thread. */
uint64_t connection_age_ms(const connection *c)
{
    return (uint64_t)connection_age_cs(c, clock_monotonic_ms()) * 10;
}

int connection_open(connection *c, int fd, uint64_t id, connection_set *set, tls_context *tls)
{
    *c = (connection){.entry = {.set = set, .state = CONNECTION_DETACHED},
                      .id = id,
                      .opened_cs = (uint32_t)(net_loop_now_ms(set->loop) / 10),
                      .is_tls = tls != NULL};
    transport_open(&c->transport, fd, set->hooks->on_ready);
    int error = tls == NULL ? 0 : transport_start_tls(&c->transport, tls);
    if (error == 0 && tls != NULL)
        transport_pace_handshake(&c->transport, &set->tls_pacer);
    transport_attach(&c->transport, set->loop);
    if (error == 0)
        error = transport_watch_input(&c->transport, true);
    if (error == 0)
        enter_set(c, set, CONNECTION_HANDSHAKE);
    else
        transport_close(&c->transport);
    return error;
}

void connection_attach(connection *c, connection_set *set)
{
    assert(!c->has_ended);
    transport_attach(&c->transport, set->loop);
    /* HELD until the end of the turn. Then the input that it brings is handled, and after that its socket is
     * watched: that takes a call, and it may have ended by then. */
    enter_set(c, set, CONNECTION_HELD);
    connection_set_put_work(&c->entry, CONNECTION_WORK_RESUME);
}

void connection_leave_for_input(connection *c)
{
    assert(connection_is_open(c));
    c->leaves_for_input = true;
}

void connection_resume(connection *c)
{
    if (connection_is_open(c))
        connection_set_put_work(&c->entry, CONNECTION_WORK_RESUME);
}

void connection_give_up(connection *c)
{
    if (connection_is_open(c))
        connection_set_put_work(&c->entry, CONNECTION_WORK_NO_MEMORY);
}

/* ---- Output ---- */

uint8_t *connection_extend_output(connection *c, size_t len)
{
    if (c->output == NULL)
        c->output = spare_buffers_take(&c->entry.set->spares);
    uint8_t *out = bytes_extend_in_place(c->output, len);
    if (out == NULL)
        out = bytes_extend(&c->output, len);
    if (out == NULL) {
        if (bytes_len(c->output) == 0)
            bytes_clear(&c->output);
        return NULL;
    }
    c->bytes_out += len;
    c->entry.set->output_bytes += len;
    counter_add(&c->entry.set->counters.bytes_out, len);
    return out;
}

/* Append a frame to the output. */
static int append_frame(connection *c, ws_opcode opcode, const struct iovec *parts, int count)
{
    size_t len = parts_len(parts, count);
    uint8_t *out = connection_extend_output(c, ws_frame_header_len(len) + len);
    if (out == NULL)
        return -ENOMEM;
    out += ws_frame_header(out, opcode, len);
    parts_copy(out, parts, count);
    return 0;
}

static int append_close_frame(connection *c, uint16_t code, const char *text)
{
    if (code == WS_CLOSE_NO_STATUS)
        return append_frame(c, WS_OPCODE_CLOSE, NULL, 0);
    uint8_t status[2] = {(uint8_t)(code >> 8), (uint8_t)code}; /* RFC 6455, 5.5.1: network byte order */
    size_t text_len = strnlen(text, WS_MAX_CONTROL_PAYLOAD - sizeof(status));
    struct iovec parts[2] = {{status, sizeof(status)}, slice_to_iovec((slice){text, text_len})};
    return append_frame(c, WS_OPCODE_CLOSE, parts, 2);
}

static net_handshake handshake_of(int status)
{
    switch (status) {
    case 101:
        return NET_HANDSHAKE_101;
    case 200:
        return NET_HANDSHAKE_200;
    case 403:
        return NET_HANDSHAKE_403;
    case 404:
        return NET_HANDSHAKE_404;
    case 405:
        return NET_HANDSHAKE_405;
    case 426:
        return NET_HANDSHAKE_426;
    case 429:
        return NET_HANDSHAKE_429;
    case 431:
        return NET_HANDSHAKE_431;
    case 503:
        return NET_HANDSHAKE_503;
    default:
        return NET_HANDSHAKE_400;
    }
}

static void count_answer(connection *c, int status)
{
    counter_add(&c->entry.set->counters.handshakes[handshake_of(status)], 1);
}

int connection_append_answer(connection *c, int status, slice key, const char *protocol)
{
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    size_t len = ws_handshake_answer(answer, status, key, protocol);
    uint8_t *out = len == 0 ? NULL : connection_extend_output(c, len);
    if (out == NULL)
        return -ENOMEM;
    memcpy(out, answer, len);
    count_answer(c, status);
    return 0;
}

int connection_write_output(connection *c)
{
    bool is_last = c->entry.state == CONNECTION_CLOSING;
    while (c->output != NULL) {
        ssize_t taken = transport_write(&c->transport, bytes_head(c->output), bytes_len(c->output), is_last);
        if (taken == -EAGAIN)
            break;
        if (taken < 0)
            return (int)taken;
        assert(taken > 0 && (size_t)taken <= bytes_len(c->output));
        c->entry.set->output_bytes -= (uint64_t)taken;
        if ((size_t)taken < bytes_len(c->output)) {
            bytes_consume(&c->output, (size_t)taken);
            continue;
        }
        spare_buffers_put(&c->entry.set->spares, c->output);
        c->output = NULL;
    }
    return 0;
}

/* What is to be done with the output after a frame was appended. Where it is more than the limit, first write
 * what the socket takes, also where it took no more a while ago: its peer may have read since then, or may be
 * gone. */
static connection_work limit_output(connection *c)
{
    uint64_t limit = c->entry.set->limits->max_output_bytes;
    if (bytes_len(c->output) > limit && connection_write_output(c) != 0)
        return CONNECTION_WORK_PEER_GONE;
    return bytes_len(c->output) > limit ? CONNECTION_WORK_NOT_READ : CONNECTION_WORK_WRITE;
}

bool connection_send(connection *c, ws_opcode opcode, const struct iovec *parts, int count)
{
    if (!connection_stays_open(c))
        return false;
    connection_work work =
        append_frame(c, opcode, parts, count) == 0 ? limit_output(c) : CONNECTION_WORK_NO_MEMORY;
    connection_set_put_work(&c->entry, work);
    if (work != CONNECTION_WORK_WRITE)
        return false;
    if (opcode < WS_OPCODE_CLOSE) {
        c->messages_out++;
        counter_add(&c->entry.set->counters.messages_out, 1);
    }
    return true;
}

void connection_time_message(connection *c)
{
    if (c->relays_unwritten < UINT16_MAX)
        c->relays_unwritten++;
}

void connection_ping(connection *c)
{
    if (!connection_send(c, WS_OPCODE_PING, NULL, 0))
        return;
    counter_add(&c->entry.set->counters.pings, 1);
    if (c->pongs_owed < UINT8_MAX)
        c->pongs_owed++;
    if (!c->awaits_pong) {
        c->awaits_pong = true;
        c->ping_sent_us = (uint32_t)net_loop_now_us(c->entry.set->loop);
    }
}

/* ---- The end ---- */

/* Call on_end, once, and count the end. One that is detached is in no set whose counters could count it. */
static void tell_end(connection *c, const connection_end *end)
{
    if (c->has_ended)
        return;
    c->has_ended = true;
    connection_set *set = c->entry.set;
    if (c->entry.state != CONNECTION_DETACHED)
        counter_add(&set->counters.closes[end->reason][close_code_slot(end->code)], 1);
    set->events->on_end(c, end);
}

void connection_drop(connection *c, close_reason reason, const char *why)
{
    if (c->entry.state == CONNECTION_CLOSED)
        return;
    (void)connection_want_writable(c, false);
    if (!transport_is_secured(&c->transport))
        counter_add(&c->entry.set->counters.tls_failures, 1);
    transport_close(&c->transport);
    connection_enter_state(c, CONNECTION_CLOSED);
    connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
    tell_end(c, &(connection_end){reason, WS_CLOSE_ABNORMAL, why});
}

void connection_drop_without_memory(connection *c)
{
    connection_drop(c, CLOSE_REASON_NO_MEMORY, "out of memory");
}

void connection_drop_gone(connection *c, const char *why)
{
    bool had_request = c->entry.state != CONNECTION_HANDSHAKE;
    connection_drop(c, had_request ? CLOSE_REASON_LOST : CLOSE_REASON_NO_REQUEST, why);
}

void connection_give_back(connection *c)
{
    assert(c->entry.state == CONNECTION_DETACHED && c->has_ended);
    connection_free_holding(c);
    bytes_clear(&c->message);
    bytes_clear(&c->output);
    c->entry.set->events->on_free(c);
}

void connection_abandon(connection *c, const char *why)
{
    assert(c->entry.state == CONNECTION_DETACHED);
    transport_close(&c->transport);
    tell_end(c, &(connection_end){CLOSE_REASON_SERVER_STOPS, WS_CLOSE_ABNORMAL, why});
    connection_give_back(c);
}

void connection_begin_closing(connection *c, const connection_end *end)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE || connection_is_open(c));
    connection_clear_unread(c);
    bytes_clear(&c->message);
    c->has_kept_message = false;
    connection_enter_state(c, CONNECTION_CLOSING);
    connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
    tell_end(c, end);
    if (!connection_has_read_all(c) && transport_watch_input(&c->transport, true) != 0)
        connection_drop(c, end->reason, end->why);
}

void connection_close_with(connection *c, const connection_end *end, const char *text)
{
    assert(connection_is_open(c));
    if (append_close_frame(c, end->code, text) != 0)
        connection_drop(c, end->reason, end->why);
    else
        connection_begin_closing(c, end);
}

void connection_refuse(connection *c, int status, close_reason reason, const char *why)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE && status != 101);
    if (connection_append_answer(c, status, (slice){0}, NULL) != 0)
        connection_drop_without_memory(c);
    else
        connection_begin_closing(c, &(connection_end){reason, WS_CLOSE_ABNORMAL, why});
}

void connection_answer(connection *c, slice head, slice body)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE);
    uint8_t *out = connection_extend_output(c, head.len + body.len);
    if (out == NULL) {
        connection_drop_without_memory(c);
        return;
    }
    memcpy(out, head.data, head.len);
    memcpy(out + head.len, body.data, body.len);
    count_answer(c, 200);
    connection_begin_closing(c, &(connection_end){CLOSE_REASON_PAGE, WS_CLOSE_ABNORMAL, "the page was sent"});
}

void connection_close(connection *c, close_reason reason, const char *why)
{
    if (c->entry.state == CONNECTION_HANDSHAKE)
        connection_refuse(c, 503, reason, why);
    else if (connection_is_open(c))
        connection_close_with(c, &(connection_end){reason, close_reason_code(reason), why}, why);
}
