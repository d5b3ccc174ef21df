#include "rooms/stored_name.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static bool is_quoted(slice plain, slice json)
{
    return json.len == plain.len + 2 && json.data[0] == '"' && json.data[json.len - 1] == '"' &&
           slice_equals(plain, (slice){json.data + 1, plain.len});
}

static void copy(char *to, slice from)
{
    if (from.len > 0) /* memcpy must not see the NULL of an empty slice */
        memcpy(to, from.data, from.len);
}

stored_name stored_name_plan(slice plain, slice json)
{
    assert(plain.len <= UINT16_MAX && json.len <= UINT16_MAX && json.len != 1);
    return (stored_name){
        .plain_at = is_quoted(plain, json) ? 1 : (uint16_t)json.len,
        .plain_len = (uint16_t)plain.len,
    };
}

void stored_name_write(const stored_name *name, char *bytes, slice plain, slice json)
{
    copy(bytes, json);
    if (name->plain_at == json.len) /* it stands behind the JSON and not between its quotes */
        copy(bytes + name->plain_at, plain);
}
