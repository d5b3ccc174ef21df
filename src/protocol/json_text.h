/* JSON strings to bytes and back, by cJSON: for the short values that the server itself must understand. */
#ifndef HOMECALL_PROTOCOL_JSON_TEXT_H
#define HOMECALL_PROTOCOL_JSON_TEXT_H

#include "base/slice.h"

/* Decode a valid JSON string into [out, out + cap). `raw` is the string without its quotes. \u0000 becomes a
 * byte like any other. Returns the decoded length, or -EINVAL for a surrogate without its other half, -ENOSPC
 * when it does not fit, or -ENOMEM. */
long json_text_decode(slice raw, char *out, size_t cap);

/* Encode `text`, which is valid UTF-8 and may hold NUL, as a JSON string with its quotes. Returns a heap
 * string with NUL at its end, owned by the caller, and its length in *len. NULL without memory. */
char *json_text_encode(slice text, size_t *len);

#endif
