/* Which format a scraper wants, by its header Accept (RFC 9110, 12.5.1). */
#ifndef HOMECALL_ADMIN_ACCEPT_HEADER_H
#define HOMECALL_ADMIN_ACCEPT_HEADER_H

#include "base/slice.h"
#include "stats/prometheus.h"

/* OpenMetrics if the client names it in the version that we write, and does not prefer the text format.
 * `header` may be empty: there was none. */
prometheus_format accept_header_choose(slice header);

#endif
