/* Upgrade requests, fuzzed: a verdict that is given early must be the one that all of the bytes get, no slice
 * may leave the bytes, a request that is served must have what protocol/README.md, "Connecting" asks for, the
 * subprotocol must be the one that a plain reading finds, and every verdict must have a well-formed answer.
 *
 * Input: one byte for the limit of the head, one that says where prefixes are tried, then the request. */
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"
#include "websocket/subprotocol.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SETTINGS = 2, KEY_LEN = 24 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool allows_some(void *context, slice origin)
{
    (void)context;
    return origin.len % 2 == 0;
}

static bool has_status(const ws_handshake *handshake)
{
    static const int statuses[] = {101, 400, 403, 404, 405, 426, 431};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (handshake->status == statuses[i])
            return true;
    }
    return false;
}

static void require_inside(slice part, const char *data, size_t len)
{
    if (part.len > 0)
        require(part.data >= data && part.len <= len && part.data - data <= (ptrdiff_t)(len - part.len));
}

/* 16 bytes are 22 characters of base64 and the padding. */
static bool is_key(slice key)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[KEY_LEN + 1] = {0};
    if (key.len != KEY_LEN)
        return false;
    memcpy(text, key.data, KEY_LEN);
    return strspn(text, alphabet) == KEY_LEN - 2 && strcmp(text + KEY_LEN - 2, "==") == 0;
}

/* Nothing that the log shows of a target can act there, and none of it is a query. */
static void require_visible(slice path)
{
    for (size_t i = 0; i < path.len; i++)
        require(path.data[i] > ' ' && path.data[i] < 0x7F && path.data[i] != '?');
}

/* No control character in the first line, and bytes over ASCII in the query only. */
static void require_clean_line(const char *data, size_t len)
{
    const char *end = memmem(data, len, "\r\n", 2);
    const char *query = memchr(data, '?', (size_t)(end - data));
    for (const char *at = data; at < end; at++) {
        require((unsigned char)*at >= ' ' && *at != 0x7F);
        require((unsigned char)*at < 0x80 || (query != NULL && at > query));
    }
}

static void require_served(const ws_handshake_rules *rules, const char *data, size_t len,
                           const ws_handshake *handshake)
{
    require(handshake->head_len <= len && handshake->head_len <= rules->max_head_bytes);
    require(handshake->head_len >= 4 && memcmp(data + handshake->head_len - 4, "\r\n\r\n", 4) == 0);
    require(memmem(data, handshake->head_len - 1, "\r\n\r\n", 4) == NULL);
    require(memchr(data, '\0', handshake->head_len) == NULL);
    require(memcmp(data, "GET ", 4) == 0);
    require_clean_line(data, handshake->head_len);
    require(slice_equals(handshake->path, SLICE_LITERAL("/signal")));
    require(is_key(handshake->key));
    require(handshake->origin.len % 2 == 0);
}

static const char *const known[] = {"homecall.2", "chat"};
enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

/* Which known name is the element [at, end) of a list? NULL = none. */
static const char *known_at(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (at < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if ((size_t)(end - at) == strlen(known[i]) && memcmp(at, known[i], strlen(known[i])) == 0)
            return known[i];
    }
    return NULL;
}

/* Read the header lines byte by byte, another way than the one under test. */
static const char *choose_plainly(slice fields)
{
    static const char name[] = "sec-websocket-protocol:";
    if (fields.len == 0)
        return NULL;
    const char *end = fields.data + fields.len;
    for (const char *line = fields.data; line < end;) {
        const char *line_end = line;
        while (*line_end != '\r')
            line_end++;
        const char *next = line_end + 2;
        if ((size_t)(line_end - line) >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0) {
            for (const char *at = line + strlen(name), *item = at; at <= line_end; at++) {
                if (at < line_end && *at != ',')
                    continue;
                if (known_at(item, at) != NULL)
                    return known_at(item, at);
                item = at + 1;
            }
        }
        line = next;
    }
    return NULL;
}

static void choose_protocol(ws_handshake *handshake)
{
    require(handshake->protocol == NULL);
    handshake->protocol = ws_subprotocol_choose(handshake->fields, known, KNOWN_COUNT);
    require(handshake->protocol == choose_plainly(handshake->fields));
}

static void require_answer(const ws_handshake *handshake)
{
    char *out = malloc(WS_HANDSHAKE_MAX_ANSWER);
    require(out != NULL);
    size_t len = ws_handshake_answer(out, handshake->status, handshake->key, handshake->protocol);
    require(len > 0 && len < WS_HANDSHAKE_MAX_ANSWER);
    require(memcmp(out, "HTTP/1.1 ", 9) == 0 && atoi(out + 9) == handshake->status);
    require(memmem(out, len, "\r\n\r\n", 4) != NULL);
    bool is_named = memmem(out, len, "\r\nSec-WebSocket-Protocol: ", 26) != NULL;
    require(is_named == (handshake->status == 101 && handshake->protocol != NULL));
    require(!is_named || memmem(out, len, handshake->protocol, strlen(handshake->protocol)) != NULL);
    free(out);
}

/* Parse the first `len` bytes in a block of just their size; slices are told as places in the request. */
static bool parse(const ws_handshake_rules *rules, const char *data, size_t len, ws_handshake *handshake)
{
    char *block = malloc(len > 0 ? len : 1);
    require(block != NULL);
    memcpy(block, data, len);

    bool is_judged = ws_handshake_parse(rules, block, len, handshake);
    if (is_judged) {
        require_inside(handshake->fields, block, len);
        choose_protocol(handshake);
        slice *parts[] = {&handshake->key, &handshake->path, &handshake->query, &handshake->origin};
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            require_inside(*parts[i], block, len);
            parts[i]->data = parts[i]->len == 0 ? NULL : data + (parts[i]->data - block);
        }
    }
    free(block);
    return is_judged;
}

static void require_same(const ws_handshake *a, const ws_handshake *b)
{
    require(a->status == b->status && a->head_len == b->head_len);
    require(a->key.data == b->key.data && a->key.len == b->key.len);
    require(a->path.data == b->path.data && a->path.len == b->path.len);
    require(a->query.data == b->query.data && a->query.len == b->query.len);
    require(a->protocol == b->protocol);
    require(a->origin.data == b->origin.data && a->origin.len == b->origin.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SETTINGS)
        return 0;

    ws_handshake_rules rules = {.path = "/signal",
                                .max_head_bytes = 1 + (size_t)data[0] * 8,
                                .allows_origin = allows_some,
                                .requires_origin = data[1] >= 192};
    size_t step = 1 + data[1] % 64;
    const char *request = (const char *)data + SETTINGS;
    size_t len = size - SETTINGS;

    ws_handshake whole = {0};
    bool is_judged = parse(&rules, request, len, &whole);
    if (is_judged) {
        require(has_status(&whole));
        require_visible(whole.path);
        /* It stands right behind the path and its question mark. */
        if (whole.query.len > 0 && whole.path.len > 0)
            require(whole.query.data == whole.path.data + whole.path.len + 1 && whole.query.data[-1] == '?');
        if (whole.status == 101)
            require_served(&rules, request, len, &whole);
        else
            require(whole.head_len == 0 && whole.key.len == 0);
        require_answer(&whole);
    } else {
        require(len <= rules.max_head_bytes);
    }

    for (size_t part = 0; part < len; part += step) {
        ws_handshake early = {0};
        if (parse(&rules, request, part, &early)) {
            require(is_judged);
            require_same(&early, &whole);
        } else {
            require(!is_judged || whole.status != 101 || part < whole.head_len);
        }
    }
    return 0;
}
