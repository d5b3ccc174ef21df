/* One web origin (RFC 6454), as an entry of the option ALLOWED_ORIGINS has it:
 *
 *     https://call.example   https://call.example:8443   https://домозвон.рф   http://[2001:db8::1]
 *     null   file://   capacitor://localhost
 *
 * A browser writes an origin in one way only, and the server compares letter by letter. So what people write
 * is brought into the browsers' form first (WHATWG URL, 3.5 and 4.5): small letters, names in ASCII, IP
 * addresses in their short form, and no port if it is the usual one of the scheme. A text that no browser
 * sends is refused, because its page could never connect: a path, a quote, a port over 65535, wss://.
 *
 * A pattern has *. before the host and stands for every host under the domain. Schemes other than http and
 * https belong to extensions and to apps around a browser. The host behind those is only checked for its
 * characters. */
#ifndef HOMECALL_BASE_ORIGIN_H
#define HOMECALL_BASE_ORIGIN_H

#include "base/idna.h"

/* The longest origin, with its NUL. */
enum { ORIGIN_CAP = 384 };

/* Read an origin, without blanks around it, and write to `out` how a browser sends it. A pattern keeps its *.
 * there. `names` translates international host names. Returns NULL; or the reason why the text can match
 * nothing, a literal that can follow the text and a colon, and then `out` is unchanged. */
const char *origin_parse(slice text, idna *names, char out[ORIGIN_CAP]);

/* The origin without its port if that is the usual one of the scheme, else all of it. The result lies in the
 * text, which need not be a good origin. */
slice origin_without_default_port(slice text);

#endif
