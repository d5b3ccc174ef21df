#include "websocket/query.h"

#include "base/ascii.h"
#include "websocket/utf8.h"

#include <errno.h>
#include <stdint.h>

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    char small = ascii_lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* Take the next byte of a name or a value, which is not empty, and decode it. */
static char take_byte(slice *rest)
{
    const char *at = rest->data;
    size_t taken = 1;
    char byte = *at == '+' ? ' ' : *at;
    if (*at == '%' && rest->len >= 3 && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
        byte = (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
        taken = 3;
    }
    rest->data += taken;
    rest->len -= taken;
    return byte;
}

/* Is this the name, when it is decoded? */
static bool decodes_to(slice raw, slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (raw.len == 0 || take_byte(&raw) != name.data[i])
            return false;
    }
    return raw.len == 0;
}

static long decode_value(slice raw, char *out, size_t cap)
{
    size_t len = 0;
    while (raw.len > 0) {
        if (len == cap)
            return -ENOSPC;
        out[len++] = take_byte(&raw);
    }
    utf8_state utf8 = {0};
    if (len > 0 && (!utf8_check(&utf8, (const uint8_t *)out, len) || !utf8_is_complete(&utf8)))
        return -EINVAL;
    return (long)len;
}

long query_find(slice query, slice name, char *out, size_t cap)
{
    while (query.len > 0) {
        slice value = slice_take_until(&query, '&');
        if (value.len == 0) /* "a=1&&b=2" has two parameters */
            continue;
        if (decodes_to(slice_take_until(&value, '='), name))
            return decode_value(value, out, cap);
    }
    return -ENOENT;
}
