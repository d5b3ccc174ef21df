#include "net/connection_handshake.h"

#include "proxy/proxy_protocol.h"

#include <assert.h>

void connection_set_peer(connection *c, const address *peer)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE && c->bytes_in == 0);
    c->peer = *peer;
}

void connection_await_proxy(connection *c)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE && c->bytes_in == 0);
    c->awaits_proxy = true;
}

const address *connection_peer(const connection *c)
{
    assert(c->entry.state == CONNECTION_HANDSHAKE);
    return &c->peer;
}

/* Read the PROXY header if it is complete. Returns how many bytes were used. */
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
        if (header.source.family != ADDRESS_UNKNOWN)
            c->peer = header.source;
        return header.len;
    }
    return 0;
}

/* Ask the owner for the status, and answer with it. True when the connection is open now. */
static bool answer_request(connection *c, ws_handshake *handshake)
{
    int status = c->entry.set->events->on_handshake(c, handshake);
    if (status == 0) /* the owner has called connection_answer() */
        return false;
    if (status == 503) {
        connection_refuse(c, status, CLOSE_REASON_NO_PLACE, "no place or no memory for it");
        return false;
    }
    if (status != 101) {
        connection_refuse(c, status, CLOSE_REASON_HANDSHAKE_FAULT, "the upgrade was refused");
        return false;
    }
    if (connection_append_answer(c, 101, handshake->key, handshake->protocol) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    c->decoder = (ws_decoder){0}; /* from now on it is where `peer` was */
    connection_enter_state(c, CONNECTION_OPEN);
    connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
    if (c->entry.set->events->on_open != NULL)
        c->entry.set->events->on_open(c, handshake);
    return connection_is_open(c);
}

void connection_give_message(connection *c, slice data)
{
    assert(c->entry.state == CONNECTION_OPEN && c->message == NULL);
    if (bytes_append(&c->message, data.data, data.len) != 0) {
        connection_drop_without_memory(c);
        return;
    }
    c->has_kept_message = true;
    c->kept_is_text = false;
    connection_enter_state(c, CONNECTION_HELD);
    connection_resume(c);
}

/* Answer the upgrade request if it is complete or bad. Returns how many bytes were used. */
static size_t take_request(connection *c, const uint8_t *data, size_t len)
{
    ws_handshake handshake;
    if (!ws_handshake_parse(&c->entry.set->limits->handshake, (const char *)data, len, &handshake))
        return 0;
    return answer_request(c, &handshake) ? handshake.head_len : 0;
}

size_t connection_take_handshake(connection *c, const uint8_t *data, size_t len)
{
    size_t used = c->awaits_proxy ? take_proxy_header(c, data, len) : 0;
    if (!c->awaits_proxy && c->entry.state == CONNECTION_HANDSHAKE)
        used += take_request(c, data + used, len - used);
    return used;
}
