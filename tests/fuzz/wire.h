/* Both ends of what goes over the wire, for targets that play clients: what a client says, and a check of
 * what it hears. A server may be told anything, but itself it says only what RFC 6455 and protocol/README.md,
 * "Version 1" allow.
 */
#ifndef HOMECALL_TESTS_FUZZ_WIRE_H
#define HOMECALL_TESTS_FUZZ_WIRE_H

#include "fuzz.h"
#include "wire_dialects.h"

#include "base/bytes.h"
#include "websocket/utf8.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* RFC 6455, 1.3 */
static const char wire_request[] = "GET /signal HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* ---- What a client says ---- */

enum { WIRE_MAX_HEADER = 14 };

/* Write a masked frame to `out`, which has WIRE_MAX_HEADER + len bytes. Returns its length. */
static inline size_t wire_frame(uint8_t *out, uint8_t first, const void *payload, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    REQUIRE(len <= UINT16_MAX);
    size_t at = 0;
    out[at++] = first;
    out[at++] = (uint8_t)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    }
    memcpy(out + at, mask, sizeof(mask));
    at += sizeof(mask);
    for (size_t i = 0; i < len; i++)
        out[at++] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    return at;
}

enum { WIRE_MESSAGE_CAP = 128 };

/* A message of a client, in which # and $ become two small numbers. */
static inline void wire_message(char text[WIRE_MESSAGE_CAP], uint8_t what)
{
    static const char *const messages[8] = {
        "{\"type\":\"join\",\"room\":\"r#\",\"user\":\"u$\"}",
        "{\"type\":\"join\",\"room\":\" r# \",\"user\":\"u$\",\"from\":7}",
        "{\"type\":\"offer\",\"room\":\"r#\",\"sdp\":\"v=$\"}",
        "{\"type\":\"answer\",\"sdp\":{\"type\":\"answer\",\"r\":#,\"sdp\":\"$\"}}",
        "{\"type\":\"candidate\",\"candidate\":{\"c\":[#,$]}}",
        "{\"type\":\"leave\",\"room\":\"r#\",\"user\":\"u$\"}",
        "{\"type\":\"error\",\"message\":\"e# $\"}",
        "{\"type\":\"candidate\",\"candidate\":null,\"room\":\"r#\",\"x\":$",
    };
    snprintf(text, WIRE_MESSAGE_CAP, "%s", messages[what & 7]);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '#')
            *at = (char)('0' + (what >> 3 & 3));
        else if (*at == '$')
            *at = (char)('0' + (what >> 5 & 3));
    }
}

/* ---- What it hears ---- */

typedef struct wire_ear {
    bytes *in;        /* owned: what is not whole yet; or NULL */
    bool has_head;    /* the answer to the request was read */
    bool is_upgraded; /* it is a 101 */
    bool has_closed;  /* a close frame was read: nothing may follow */
    unsigned pings;   /* so many were not answered yet */
    unsigned texts;   /* so many messages were read */
    char last[512];   /* the last one of them, as far as it fits */
    wire_dialect dialect;
    wire_past *past; /* borrowed; for version 2 */
} wire_ear;

static inline void wire_forget(wire_ear *ear)
{
    bytes_clear(&ear->in);
    *ear = (wire_ear){0};
}

/* protocol/README.md, "Version 1". */
static inline void wire_check_version_1(const cJSON *message, const char *type)
{
    bool is_error = strcmp(type, "error") == 0;
    const char *payload = is_error ? "message" : strcmp(type, "candidate") == 0 ? "candidate" : "sdp";
    REQUIRE(is_error || strcmp(type, "offer") == 0 || strcmp(type, "answer") == 0 ||
            strcmp(type, "candidate") == 0);
    REQUIRE(cJSON_HasObjectItem(message, payload) && cJSON_GetArraySize(message) == (is_error ? 2 : 4));
    REQUIRE(is_error || (cJSON_IsString(cJSON_GetObjectItem(message, "room")) &&
                         cJSON_IsString(cJSON_GetObjectItem(message, "from"))));
}

static inline void wire_check_message(const wire_ear *ear, slice text)
{
    cJSON *message = cJSON_ParseWithLength(text.data, text.len);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "type"));
    REQUIRE(type != NULL);
    if (ear->dialect == WIRE_VERSION_2)
        wire_check_version_2(message, type, ear->past);
    else if (ear->dialect == WIRE_SESSION)
        wire_check_session(message, type);
    else
        wire_check_version_1(message, type);
    cJSON_Delete(message);
}

static inline void wire_check_frame(wire_ear *ear, uint8_t first, slice payload)
{
    utf8_state utf8 = {0};
    REQUIRE(!ear->has_closed);
    switch (first) {
    case 0x81:
        REQUIRE(utf8_check(&utf8, (const uint8_t *)payload.data, payload.len) && utf8_is_complete(&utf8));
        wire_check_message(ear, payload);
        ear->texts++;
        snprintf(ear->last, sizeof(ear->last), "%.*s", (int)payload.len, payload.data);
        return;
    case 0x88: /* RFC 6455, 5.5.1 and 7.4.1 */
        ear->has_closed = true;
        if (payload.len > 0) {
            REQUIRE(payload.len >= 2);
            unsigned code = (unsigned)(uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1];
            REQUIRE((code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
                    (code >= 3000 && code <= 4999));
            REQUIRE(utf8_check(&utf8, (const uint8_t *)payload.data + 2, payload.len - 2) &&
                    utf8_is_complete(&utf8));
        }
        REQUIRE(payload.len <= 125);
        return;
    case 0x89:
        ear->pings++;
        REQUIRE(payload.len <= 125);
        return;
    case 0x8A:
        REQUIRE(payload.len <= 125);
        return;
    default:
        REQUIRE(!"a frame that a server may send");
    }
}

/* Check the frame at the front of what has come, and take it out. False when it is not whole yet. */
static inline bool wire_take_frame(wire_ear *ear)
{
    size_t len = ear->in != NULL ? bytes_len(ear->in) : 0;
    const uint8_t *data = len > 0 ? bytes_head(ear->in) : NULL;
    if (len < 2)
        return false;
    REQUIRE((data[1] & 0x80) == 0); /* RFC 6455, 5.1: a server does not mask */
    size_t head = 2;
    uint64_t size = data[1];
    if (size >= 126) {
        size_t count = size == 126 ? 2 : 8;
        if (len < head + count)
            return false;
        size = 0;
        for (size_t i = 0; i < count; i++)
            size = size << 8 | data[head++];
        REQUIRE(size < 1 << 20 &&
                size >= (count == 2 ? 126 : 65536)); /* in the shortest way: RFC 6455, 5.2 */
    }
    if (len - head < size)
        return false;
    wire_check_frame(ear, data[0], (slice){(const char *)data + head, (size_t)size});
    bytes_consume(&ear->in, head + (size_t)size);
    return true;
}

/* Check the answer to the request, and take it out. False when it is not whole yet. */
static inline bool wire_take_head(wire_ear *ear)
{
    if (ear->in == NULL)
        return false;
    const char *head = (const char *)bytes_head(ear->in);
    size_t len = bytes_len(ear->in);
    const char *end = memmem(head, len, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    int status = 0;
    char line[32] = {0};
    memcpy(line, head, len < sizeof(line) - 1 ? len : sizeof(line) - 1);
    REQUIRE(sscanf(line, "HTTP/1.1 %3d ", &status) == 1 && status >= 101 && status <= 599);
    ear->has_head = true;
    ear->is_upgraded = status == 101;
    bytes_consume(&ear->in, (size_t)(end + 4 - head));
    return true;
}

/* It has heard this. */
static inline void wire_hear(wire_ear *ear, const void *data, size_t len)
{
    REQUIRE(bytes_append(&ear->in, data, len) == 0);
    if (!ear->has_head && !wire_take_head(ear))
        return;
    while (ear->is_upgraded && wire_take_frame(ear)) {
    }
}

#endif
