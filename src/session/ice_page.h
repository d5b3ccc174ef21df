/* GET /ice: the STUN and TURN servers for the RTCPeerConnection of a page, with credentials that are valid
 * for some time.
 *
 * It is on the port of /signal and not on the admin port, because it is for every page that may connect to
 * /signal. A proxy forwards both; the admin port is not reachable from outside. */
#ifndef HOMECALL_SESSION_ICE_PAGE_H
#define HOMECALL_SESSION_ICE_PAGE_H

#include "base/address.h"
#include "base/keyed_hash.h"
#include "base/slice.h"

/* What the page contains. Immutable while threads run. */
typedef struct ice_settings {
    slice urls;     /* borrowed: TURN_URLS as ice_url_read_list() makes it; empty = there is no such page */
    slice secret;   /* borrowed: TURN_SECRET; may be empty where no URL is a TURN server's */
    uint32_t ttl_s; /* for so long credentials are good */
} ice_settings;

/* An answer. The caller owns both, and calls free() for each. */
typedef struct ice_page {
    char *head; /* of HTTP, with the empty line */
    char *body; /* JSON */
} ice_page;

/* Make the answer for a client, to a page of `origin` where the browser names one. Its credentials are
 * for a user of their own, by whom coturn counts its user-quota: callers behind one address must not use up
 * each other's. 0; -ENOMEM; or -EIO where no random bytes can be drawn. */
int ice_page_make(const ice_settings *settings, const keyed_hash *hash, const address *client, slice origin,
                  uint64_t utc_s, ice_page *out);

/* Make the servers alone, as JSON of RTCConfiguration.iceServers: a heap string, owned by the caller. NULL
 * without memory or random bytes. */
char *ice_page_servers(const ice_settings *settings, uint64_t utc_s);

#endif
