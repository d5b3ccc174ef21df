#include "base/slice.h"

#include "base/ascii.h"

bool slice_equals_in_any_case(slice a, slice b)
{
    if (slice_equals(a, b)) /* most are in the same case anyway */
        return true;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.data[i];
        char y = b.data[i];
        if (x != y && ascii_lower(x) != ascii_lower(y))
            return false;
    }
    return true;
}

slice slice_trim(slice text)
{
    while (text.len > 0 && ascii_is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && ascii_is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

slice slice_take_until(slice *rest, char separator)
{
    const char *at = rest->len == 0 ? NULL : memchr(rest->data, separator, rest->len);
    size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
    size_t taken = at == NULL ? len : len + 1;
    slice item = {rest->data, len};
    rest->data += taken;
    rest->len -= taken;
    return item;
}

bool slice_take_entry(slice *list, slice *entry)
{
    while (list->len > 0) {
        *entry = slice_trim(slice_take_until(list, ','));
        if (entry->len > 0)
            return true;
    }
    return false;
}
