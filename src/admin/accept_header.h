/* What a scraper wants to read, by its header Accept (RFC 9110, 12.5.1). */
#ifndef HOMECALL_ADMIN_ACCEPT_HEADER_H
#define HOMECALL_ADMIN_ACCEPT_HEADER_H

#include "stats/prometheus.h"

/* OpenMetrics where the client names that, in the version that we speak, and likes nothing else that fits the
 * text format better. `header` may be NULL: there was none. */
prometheus_format accept_header_choose(const char *header);

#endif
