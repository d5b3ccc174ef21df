/* GET /ice: the servers that a page tells its RTCPeerConnection, with credentials that are good for a while.
 *
 * It is served beside /signal and not at the admin port, since it is for everybody whose page may connect:
 * the proxy that passes /signal on passes it on as well, and the admin port stays inside. */
#ifndef HOMECALL_SESSION_ICE_PAGE_H
#define HOMECALL_SESSION_ICE_PAGE_H

#include "base/address.h"
#include "base/keyed_hash.h"
#include "base/slice.h"
#include "base/token_bucket.h"

/* What is handed out. Immutable while threads run. */
typedef struct ice_settings {
    slice urls;     /* borrowed: TURN_URLS, a good list; empty = there is no such page */
    slice secret;   /* borrowed: TURN_SECRET; may be empty where no URL is a TURN server's */
    uint32_t ttl_s; /* for so long credentials are good */
} ice_settings;

/* How often each address may ask. An address may share its bucket with others, whose questions then count for
 * it: that is told by the hash, whose key nobody knows. Zeroed = nobody has asked. */
enum { ICE_BUCKETS = 1024 };
typedef struct ice_rate {
    token_bucket buckets[ICE_BUCKETS];
} ice_rate;

/* May this client ask once more? */
bool ice_rate_take(ice_rate *rate, const keyed_hash *hash, const address *client, uint64_t now_ms);

/* An answer; both are owned by the caller, who frees them. */
typedef struct ice_page {
    char *head;
    char *body;
} ice_page;

/* Make the answer for a client, to a page of `origin` where the browser names one. 0, or -ENOMEM. */
int ice_page_make(const ice_settings *settings, const keyed_hash *hash, const address *client, slice origin,
                  uint64_t utc_s, ice_page *out);

#endif
