#include "server/origins.h"

static slice begin_of(slice text, size_t len)
{
    return (slice){text.data, len};
}

static slice end_of(slice text, size_t len)
{
    return (slice){text.data + text.len - len, len};
}

/* May this stand in a host name? Other characters of an origin would let a pattern match a port as well. */
static bool is_of_host(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

/* Does the origin lie under the domain of the pattern? `star` is where the * stands in the pattern. */
static bool is_under(slice pattern, size_t star, slice origin)
{
    size_t tail_len = pattern.len - star - 1; /* .domain[:port] */
    if (origin.len <= star + tail_len ||
        !slice_equals_in_any_case(begin_of(origin, star), begin_of(pattern, star)) ||
        !slice_equals_in_any_case(end_of(origin, tail_len), end_of(pattern, tail_len)))
        return false;
    for (size_t i = star; i < origin.len - tail_len; i++) {
        if (!is_of_host(origin.data[i]))
            return false;
    }
    return true;
}

static bool matches(slice entry, slice origin)
{
    const char *star = memmem(entry.data, entry.len, "://*.", 5);
    return star == NULL ? slice_equals_in_any_case(entry, origin)
                        : is_under(entry, (size_t)(star - entry.data) + 3, origin);
}

bool origins_allow(slice list, slice origin)
{
    bool has_entries = false;
    for (slice entry; slice_take_entry(&list, &entry);) {
        has_entries = true;
        if (matches(entry, origin))
            return true;
    }
    return !has_entries;
}
