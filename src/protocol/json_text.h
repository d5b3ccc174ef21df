/* JSON strings to bytes and back, through cJSON: for the small values that the server itself must understand.
 */
#ifndef HOMECALL_PROTOCOL_JSON_TEXT_H
#define HOMECALL_PROTOCOL_JSON_TEXT_H

#include "base/slice.h"

/* Decode the inside of a valid JSON string that has escapes (`raw` without its quotes) into [out, out + cap).
 * \u0000 is a byte like any other. Returns the decoded length, -EINVAL for a surrogate without its other
 * half, -ENOSPC when it does not fit, -ENOMEM. */
long json_text_decode(slice raw, char *out, size_t cap);

/* Encode `text` (valid UTF-8, may hold NUL) as a JSON string with its quotes. A heap string with NUL at its
 * end, owned by the caller, its length in *len; NULL when there is no memory. */
char *json_text_encode(slice text, size_t *len);

#endif
