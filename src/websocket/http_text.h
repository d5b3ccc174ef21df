/* What an HTTP head may have where: questions about the texts between its separators. An upgrade request has
 * some hundred characters, and all of them are looked at, so this looks at them fast. */
#ifndef HOMECALL_WEBSOCKET_HTTP_TEXT_H
#define HOMECALL_WEBSOCKET_HTTP_TEXT_H

#include "base/slice.h"

#include <stdbool.h>

/* Is it a token (RFC 9110, 5.6.2): a method, or the name of a header field? An empty text is none. */
bool http_text_is_token(slice text);

/* Can this be a host with an optional port (RFC 9110, 7.2)? Nobody resolves it. So it only must not be empty,
 * and have no character that belongs to another part of a URI. */
bool http_text_is_host(slice text);

/* Has it only the 64 characters of base64 (RFC 4648, 4)? The padding is none of them. */
bool http_text_is_base64(slice text);

/* Can this be the value of a header field (RFC 9110, 5.5)? It has no control character but the tab. */
bool http_text_is_value(slice text);

#endif
