#include "server/origins.h"

bool origins_allow(slice list, slice origin)
{
    bool has_entries = false;
    while (list.len > 0) {
        slice entry = slice_trim(slice_take_until(&list, ','));
        if (entry.len == 0)
            continue;
        has_entries = true;
        if (slice_equals_in_any_case(entry, origin))
            return true;
    }
    return !has_entries;
}
