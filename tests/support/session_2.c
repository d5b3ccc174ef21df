#include "support/session_2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

client *session_2_open(uint16_t port)
{
    client *c = client_dial(port);
    char request[512];
    int len =
        snprintf(request, sizeof(request),
                 "GET /signal HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
                 "Sec-WebSocket-Protocol: chat, homecall.2\r\n\r\n",
                 client_key);
    client_send_bytes(c, request, (size_t)len);
    client_expect_upgraded(c);
    assert_string_equal(client_http_header(c, "Sec-WebSocket-Protocol"), "homecall.2");
    return c;
}

void session_2_send_join(client *c, const char *room, const char *more)
{
    client_send_textf(c, "{\"type\":\"join\",\"room\":\"%s\"%s}", room, more);
}

static const cJSON *need(const cJSON *message, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(message, name);
    if (member == NULL)
        fail_msg("joined has no %s", name);
    return member;
}

static void copy_text(char *out, size_t cap, const cJSON *text)
{
    assert_true(cJSON_IsString(text) && strlen(text->valuestring) < cap);
    memcpy(out, text->valuestring, strlen(text->valuestring) + 1);
}

void session_2_expect_joined(client *c, const char *room, session_2 *out)
{
    client_message message = client_receive_text(c);
    cJSON *joined = cJSON_ParseWithLength(message.data, message.len);
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(joined, "type");
    if (!cJSON_IsString(type) || strcmp(type->valuestring, "joined") != 0)
        fail_msg("expected joined, got %s", message.data);
    assert_string_equal(need(joined, "room")->valuestring, room);
    copy_text(out->peer, sizeof(out->peer), need(joined, "peer"));
    copy_text(out->token, sizeof(out->token), need(joined, "token"));
    out->order = (unsigned)need(joined, "order")->valuedouble;
    out->received = (unsigned)need(joined, "received")->valuedouble;
    out->is_resumed = cJSON_IsTrue(need(joined, "resumed"));
    assert_true(need(joined, "tick")->valuedouble >= 1);
    need(joined, "resumeFor");
    const cJSON *peers = cJSON_GetObjectItemCaseSensitive(joined, "peers");
    assert_true((peers == NULL) == out->is_resumed);
    out->peers = (unsigned)cJSON_GetArraySize(peers);
    cJSON_Delete(joined);
}

client *session_2_open_joined(uint16_t port, const char *room, const char *more, session_2 *out)
{
    client *c = session_2_open(port);
    session_2_send_join(c, room, more);
    session_2_expect_joined(c, room, out);
    assert_false(out->is_resumed);
    return c;
}

client *session_2_open_resumed(uint16_t port, const char *room, const session_2 *before, unsigned seen,
                               session_2 *out)
{
    char more[128];
    snprintf(more, sizeof(more), ",\"token\":\"%s\",\"seen\":%u", before->token, seen);
    client *c = session_2_open(port);
    session_2_send_join(c, room, more);
    session_2_expect_joined(c, room, out);
    return c;
}

void session_2_expect(client *c, const char *format, ...)
{
    char json[8192];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(json, sizeof(json), format, arguments);
    va_end(arguments);
    assert_in_range(len, 1, sizeof(json) - 1);
    client_expect_json(c, json);
}

void session_2_expect_number(client *c, unsigned seq, const char *from, unsigned number)
{
    session_2_expect(c, "{\"type\":\"candidate\",\"seq\":%u,\"from\":\"%s\",\"candidate\":{\"n\":%u}}", seq,
                     from, number);
}

void session_2_send_number(client *c, unsigned n, unsigned number)
{
    client_send_textf(c, "{\"type\":\"candidate\",\"n\":%u,\"candidate\":{\"n\":%u}}", n, number);
}
