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
    slice urls;     /* borrowed: TURN_URLS as ice_url_read_list() makes it; empty = there is no such page */
    slice secret;   /* borrowed: TURN_SECRET; may be empty where no URL is a TURN server's */
    uint32_t ttl_s; /* for so long credentials are good */
} ice_settings;

/* How often /ice may be asked: by each address, and by all together who have used up what their address has.
 *
 * The second part is for servers that see everybody as one address: behind a proxy that is not trusted,
 * behind a CDN, or in a container without root. There calls go on, as long as fewer of them begin than one
 * address is granted at most.
 *
 * Addresses share buckets where their hashes meet. Nobody knows the hash's key, so nobody can bring that
 * about. Zeroed = nobody has asked. */
enum { ICE_BUCKETS = 1024 };
typedef struct ice_rate {
    token_bucket buckets[ICE_BUCKETS]; /* of the addresses */
    token_bucket shared;
} ice_rate;

/* May this client ask once more? */
bool ice_rate_take(ice_rate *rate, const keyed_hash *hash, const address *client, uint64_t now_ms);

/* An answer; both are owned by the caller, who frees them. */
typedef struct ice_page {
    char *head;
    char *body;
} ice_page;

/* Make the answer for a client, to a page of `origin` where the browser names one. Its credentials are
 * for a user of their own, by whom coturn counts its user-quota: callers behind one address must not use up
 * each other's. 0, or -ENOMEM, or what getrandom() failed with. */
int ice_page_make(const ice_settings *settings, const keyed_hash *hash, const address *client, slice origin,
                  uint64_t utc_s, ice_page *out);

#endif
