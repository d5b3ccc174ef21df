#include "rooms/stored_name.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

__attribute__((unused)) static bool is_quoted(slice plain, slice json)
{
    return json.data[0] == '"' && json.data[json.len - 1] == '"' &&
           slice_equals(plain, (slice){json.data + 1, plain.len});
}

static void copy(char *to, slice from)
{
    if (from.len > 0) /* memcpy must not see the NULL of an empty slice */
        memcpy(to, from.data, from.len);
}

stored_name stored_name_plan(slice plain, slice json)
{
    assert(plain.len <= UINT16_MAX && json.len <= UINT16_MAX);
    assert(json.len != plain.len + 2 || is_quoted(plain, json));
    return (stored_name){.plain_len = (uint16_t)plain.len, .json_len = (uint16_t)json.len};
}

void stored_name_write(const stored_name *name, char *bytes, slice plain, slice json)
{
    size_t plain_at = stored_name_plain_at(name);
    copy(bytes, json);
    if (plain_at == name->json_len) /* it stands behind the JSON and not between its quotes */
        copy(bytes + plain_at, plain);
}
