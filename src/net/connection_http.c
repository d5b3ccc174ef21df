/* A connection before it is a WebSocket: the PROXY header, the upgrade request, and the answers in HTTP. */
#include "net/connection_parts.h"
#include "proxy/proxy_protocol.h"

#include <string.h>

/* ---- Answers ---- */

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
    counter_add(&c->loop->counters.handshakes[handshake_of(status)], 1);
}

/* Put the HTTP answer behind what waits. 0, or -ENOMEM, also for want of what the digest of a 101 needs. */
static int append_answer(connection *c, int status, slice key)
{
    char answer[WS_HANDSHAKE_MAX_ANSWER];
    size_t len = ws_handshake_answer(answer, status, key);
    uint8_t *out = len == 0 ? NULL : connection_extend_output(c, len);
    if (out == NULL)
        return -ENOMEM;
    memcpy(out, answer, len);
    count_answer(c, status);
    return 0;
}

void connection_answer(connection *c, slice head, slice body)
{
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

void connection_refuse(connection *c, int status, close_reason reason, const char *why)
{
    if (append_answer(c, status, (slice){0}) != 0)
        connection_drop_without_memory(c);
    else
        connection_begin_closing(c, &(connection_end){reason, WS_CLOSE_ABNORMAL, why});
}

/* ---- Requests ---- */

void connection_await_proxy(connection *c)
{
    c->awaits_proxy = true;
}

address connection_peer(const connection *c)
{
    if (c->message == NULL)
        return transport_peer(&c->transport);
    address told;
    memcpy(&told, bytes_head(c->message), sizeof(told));
    return told;
}

/* Read what a proxy says ahead of the request; returns how many bytes were used. The address is kept where a
 * message will be. */
static size_t take_proxy_header(connection *c, const uint8_t *data, size_t len)
{
    proxy_protocol_header header;
    switch (proxy_protocol_parse(data, len, &header)) {
    case PROXY_PROTOCOL_MORE:
        return 0;
    case PROXY_PROTOCOL_FAULT:
        connection_drop(c, CLOSE_REASON_HANDSHAKE_FAULT, header.reason);
        return 0;
    case PROXY_PROTOCOL_HEADER:
        c->awaits_proxy = false;
        if (header.source.family != ADDRESS_UNKNOWN &&
            bytes_append(&c->message, &header.source, sizeof(header.source)) != 0)
            connection_drop_without_memory(c);
        return header.len;
    }
    return 0;
}

/* Answer the upgrade request if it is complete; returns how many bytes were used. */
static size_t take_request(connection *c, const uint8_t *data, size_t len)
{
    ws_handshake handshake;
    if (!ws_handshake_parse(&c->loop->limits->handshake, (const char *)data, len, &handshake))
        return 0;

    int status = c->loop->events->on_handshake(c, &handshake);
    bytes_clear(&c->message); /* an address: see take_proxy_header() */
    if (status == 0)
        return 0; /* connection_answer() has done it */
    if (status == 503) {
        connection_refuse(c, status, CLOSE_REASON_NO_PLACE, "no place or no memory for it");
        return 0;
    }
    if (status != 101) {
        connection_refuse(c, status, CLOSE_REASON_HANDSHAKE_FAULT, "the upgrade was refused");
        return 0;
    }
    if (append_answer(c, 101, handshake.key) != 0) {
        connection_drop_without_memory(c);
        return 0;
    }
    connection_set_state(c, CONNECTION_OPEN);
    connection_put_on_todo(c);
    return handshake.head_len;
}

/* The same with what may come before it. */
size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len)
{
    size_t used = c->awaits_proxy ? take_proxy_header(c, data, len) : 0;
    if (!c->awaits_proxy && c->state == CONNECTION_HANDSHAKE)
        used += take_request(c, data + used, len - used);
    return used;
}
