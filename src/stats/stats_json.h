/* The metrics as JSON, for programs that show them: what GET /stats answers.
 *
 *     {"version":"0.1.0","uptime_seconds":12.345,"time":"2026-11-25T10:20:30.400Z",
 *      "live":true,"ready":false,"why":["draining"],
 *      "metrics":{"rooms":3,"joins_total":{"joined":7,"full":0},"thread_turns_total":{"worker-0":12, …}, …}}
 *
 * In a cluster there is also
 *
 *      "nodes":[{"name":"a","incarnation":"0123…","version":"0.1.0","state":"live","draining":false},
 *               {"name":"b", …, "link":"up","held_bytes":0}, …]
 *
 * this node first, without a link; then the others as it sees them: "live" or "doubtful", with a link that is
 * "down", "up" or "in doubt", and the bytes that were said by it and not acknowledged.
 *
 * `why` tells why it is not live or not ready. A metric is named as in Prometheus without the prefix
 * homecall_signal_; its labels are nested objects, in their order; a histogram is
 * {"count":n,"sum":seconds,"buckets":[[bound in seconds, how many are not over it], …]}, with finite bounds
 * only. */
#ifndef HOMECALL_STATS_STATS_JSON_H
#define HOMECALL_STATS_STATS_JSON_H

#include "stats/metric_table.h"

/* Make the text. It is owned by the caller, who frees it; NULL when there is no memory. `utc_ms` is the
 * present time. */
char *stats_json_print(const metric_source *source, uint64_t utc_ms);

#endif
