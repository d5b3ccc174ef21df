/* Upgrade requests, fuzzed: a verdict that is given early must be the one that all of the bytes get, no slice
 * may leave the bytes, a request that is served must have what PROTOCOL.md asks for, and every verdict must
 * have a well-formed answer.
 *
 * Input: one byte for the limit of the head, one that says where prefixes are tried, then the request. */
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void require_answer(const ws_handshake *handshake)
{
    char *out = malloc(WS_HANDSHAKE_MAX_ANSWER);
    require(out != NULL);
    size_t len = ws_handshake_answer(out, handshake->status, handshake->key);
    require(len > 0 && len < WS_HANDSHAKE_MAX_ANSWER);
    require(memcmp(out, "HTTP/1.1 ", 9) == 0 && atoi(out + 9) == handshake->status);
    require(memmem(out, len, "\r\n\r\n", 4) != NULL);
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
        slice *parts[] = {&handshake->key, &handshake->path, &handshake->origin};
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
