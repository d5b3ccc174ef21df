#include "server/origins.h"

#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static slice trim(slice text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Cut the first entry off the list. */
static slice next_entry(slice *list)
{
    const char *comma = memchr(list->data, ',', list->len);
    size_t len = comma == NULL ? list->len : (size_t)(comma - list->data);
    slice entry = {list->data, len};
    size_t used = comma == NULL ? len : len + 1;
    list->data += used;
    list->len -= used;
    return trim(entry);
}

bool origins_allow(slice list, slice origin)
{
    bool has_entries = false;
    while (list.len > 0) {
        slice entry = next_entry(&list);
        if (entry.len == 0)
            continue;
        has_entries = true;
        if (entry.len == origin.len && strncasecmp(entry.data, origin.data, origin.len) == 0)
            return true;
    }
    return !has_entries;
}
