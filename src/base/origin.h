/* One web origin (RFC 6454), as an entry of the option ALLOWED_ORIGINS has it:
 *
 *     https://call.example   https://call.example:8443   https://домозвон.рф   http://[2001:db8::1]
 *     null   file://   capacitor://localhost
 *
 * A browser writes its origin in one way only, and requests are compared with it letter by letter. So what
 * people write is brought into that form once, as browsers do it (WHATWG URL, 3.5 and 4.5): small letters,
 * names in ASCII, addresses in their short form, no port where the scheme has it by itself. What no browser
 * sends is refused, since it would only shut its page out: paths, quotes, ports that are none, wss://.
 *
 * Before the host *. may stand for every host under a domain. Schemes besides http and https are those of
 * extensions and of apps around a browser; what stands behind them is taken as it is. */
#ifndef HOMECALL_BASE_ORIGIN_H
#define HOMECALL_BASE_ORIGIN_H

#include "base/idna.h"

/* The longest origin, with its NUL. */
enum { ORIGIN_CAP = 384 };

/* Read an origin without blanks around it, and write it as a browser sends it into `out`, with *. before the
 * host where it has that. `names` is for international host names. NULL; or why it can match nothing, a
 * literal that can follow the text and a colon, and `out` is unchanged. */
const char *origin_parse(slice text, idna *names, char out[ORIGIN_CAP]);

/* An origin without the port that its scheme has by itself: in the text, which is no origin perhaps. */
slice origin_without_default_port(slice text);

#endif
