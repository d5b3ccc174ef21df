#include "dialect_2/writer.h"

void writer_put(writer *w, slice text)
{
    if (text.len > 0 && !w->has_failed)
        w->has_failed = bytes_append(&w->text, text.data, text.len) != 0;
}

slice writer_digits(uint64_t number, char digits[WRITER_MAX_DIGITS])
{
    size_t at = WRITER_MAX_DIGITS;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return (slice){digits + at, WRITER_MAX_DIGITS - at};
}

void writer_put_number(writer *w, uint64_t number)
{
    char digits[WRITER_MAX_DIGITS];
    writer_put(w, writer_digits(number, digits));
}

slice writer_text(const writer *w)
{
    if (w->has_failed || w->text == NULL)
        return (slice){NULL, 0};
    return (slice){(const char *)bytes_head(w->text), bytes_len(w->text)};
}

void writer_clear(writer *w)
{
    bytes_clear(&w->text);
}
