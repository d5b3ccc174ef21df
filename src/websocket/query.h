/* The parameters of a query, as pages write them: application/x-www-form-urlencoded, read as the URL Standard
 * of the WHATWG says (5.1, "parsing"). Pure.
 *
 * So every query can be read: pairs stand between `&`, a name ends at the first `=`, `+` is a blank, and a
 * `%` without two hexadecimal digits behind it stands for itself. */
#ifndef HOMECALL_WEBSOCKET_QUERY_H
#define HOMECALL_WEBSOCKET_QUERY_H

#include "base/slice.h"

#include <stddef.h>

/* Decode the value of the first parameter that has this name, which is given decoded, into [out, out + cap).
 * `query` has no `?` in front. Returns the length, which may be 0; -ENOENT when there is no such parameter;
 * -EINVAL when its value is not UTF-8; -ENOSPC when it is longer than `cap`, whatever is behind that. On
 * failure the bytes at `out` are of no use, but may hold a part of the value. */
long query_find(slice query, slice name, char *out, size_t cap);

#endif
