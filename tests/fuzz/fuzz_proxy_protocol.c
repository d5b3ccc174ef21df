/* PROXY headers, fuzzed: a verdict that is given early must be the one that all of the bytes get, a header
 * must lie within the bytes and its bounds, what follows it must not matter, and every fault has a reason.
 *
 * Input: one byte that says where prefixes are tried, then the bytes. */
#include "proxy/proxy_protocol.h"

#include "support/same_address.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Parse the first `len` bytes in a block of just their size. */
static proxy_protocol_verdict parse(const uint8_t *data, size_t len, proxy_protocol_header *header)
{
    uint8_t *block = malloc(len > 0 ? len : 1);
    require(block != NULL);
    memcpy(block, data, len);
    *header = (proxy_protocol_header){0};
    proxy_protocol_verdict verdict = proxy_protocol_parse(block, len, header);
    free(block);
    return verdict;
}

static void require_same(const proxy_protocol_header *a, const proxy_protocol_header *b)
{
    require(a->len == b->len && a->reason == b->reason && a->is_local == b->is_local);
    require(same_address(&a->source, &b->source));
}

static void require_header(const uint8_t *data, size_t len, const proxy_protocol_header *header)
{
    require(header->reason == NULL && header->len <= len && header->len <= PROXY_PROTOCOL_MAX);
    require(!header->is_local || header->source.family == ADDRESS_UNKNOWN);
    if (data[0] == 'P') {
        require(header->len >= sizeof("PROXY UNKNOWN\r\n") - 1 && header->len <= PROXY_PROTOCOL_MAX_V1);
        require(memcmp(data + header->len - 2, "\r\n", 2) == 0);
        require(memchr(data, '\n', header->len) == data + header->len - 1);
        require(header->source.family != ADDRESS_UNIX && !header->is_local);
    } else {
        require(header->len == PROXY_PROTOCOL_V2_FIXED + ((size_t)data[14] << 8 | data[15]));
        require(header->is_local == (data[12] == 0x20));
    }
    proxy_protocol_header alone;
    require(parse(data, header->len, &alone) == PROXY_PROTOCOL_HEADER);
    require_same(&alone, header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t step = 1 + data[0] % 64;
    const uint8_t *bytes = data + 1;
    size_t len = size - 1;

    proxy_protocol_header whole;
    proxy_protocol_verdict verdict = parse(bytes, len, &whole);
    if (verdict == PROXY_PROTOCOL_HEADER)
        require_header(bytes, len, &whole);
    else if (verdict == PROXY_PROTOCOL_FAULT)
        require(whole.len == 0 && strlen(whole.reason) > 0);
    else
        require(len < PROXY_PROTOCOL_MAX && (len == 0 || bytes[0] != 'P' || len < PROXY_PROTOCOL_MAX_V1));

    for (size_t part = 0; part < len; part += step) {
        proxy_protocol_header early;
        proxy_protocol_verdict early_verdict = parse(bytes, part, &early);
        if (early_verdict == PROXY_PROTOCOL_MORE) {
            require(verdict != PROXY_PROTOCOL_HEADER || part < whole.len);
            continue;
        }
        require(early_verdict == verdict);
        require_same(&early, &whole);
    }
    return 0;
}
