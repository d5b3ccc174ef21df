#include "dialect/extra.h"

#include <assert.h>

enum { LENGTH_BYTES = 2, BITS = 8 };

void extra_put_raw(extra_writer *w, const void *data, size_t len)
{
    if (w->is_bad || len > sizeof(w->data) - w->len) {
        w->is_bad = true;
        return;
    }
    if (len > 0)
        memcpy(w->data + w->len, data, len);
    w->len += len;
}

void extra_put(extra_writer *w, uint64_t number, unsigned bytes)
{
    uint8_t written[sizeof(number)];
    assert(bytes >= 1 && bytes <= sizeof(number));
    for (unsigned i = 0; i < bytes; i++)
        written[i] = (uint8_t)(number >> BITS * (bytes - 1 - i));
    extra_put_raw(w, written, bytes);
}

void extra_put_text(extra_writer *w, slice text)
{
    assert(text.len <= UINT16_MAX);
    extra_put(w, text.len, LENGTH_BYTES);
    extra_put_raw(w, text.data, text.len);
}

const uint8_t *extra_take_raw(extra_reader *r, size_t len)
{
    if (r->is_bad || len > r->rest.len) {
        r->is_bad = true;
        return NULL;
    }
    const char *taken = r->rest.data;
    r->rest.data += len;
    r->rest.len -= len;
    return (const uint8_t *)taken;
}

uint64_t extra_take(extra_reader *r, unsigned bytes)
{
    uint64_t number = 0;
    const uint8_t *taken = extra_take_raw(r, bytes);
    for (unsigned i = 0; taken != NULL && i < bytes; i++)
        number = number << BITS | taken[i];
    return number;
}

slice extra_take_text(extra_reader *r, size_t max)
{
    size_t len = (size_t)extra_take(r, LENGTH_BYTES);
    r->is_bad = r->is_bad || len > max;
    const uint8_t *taken = extra_take_raw(r, len);
    return taken == NULL ? (slice){NULL, 0} : (slice){(const char *)taken, len};
}
