/* How often GET /ice may be asked: by each client, and by each network.
 *
 * A client is an IPv4 address or the /64 of an IPv6 one. A network is a /48 of IPv6, which one customer may
 * have whole (RFC 6177), so with 65,536 clients. Nobody pays for others: there is no budget that strangers
 * share.
 *
 * Addresses that no host of the internet has (address_is_inner()) stand for a crowd: behind a proxy that is
 * not in TRUSTED_PROXIES, or in a container without root, everybody comes from one. They get more. Who
 * is in EXEMPT_ADDRESSES is not counted here.
 *
 * The budgets are tables of fixed size. Each key has two places, which its keyed hash says, and has what the
 * better filled of the two has; it pays at both. Who shares both places with others pays for them as well,
 * but nobody can choose with whom. Nothing needs to be looked up or thrown out. Pure: the caller tells the
 * time. */
#ifndef HOMECALL_SESSION_ICE_RATE_H
#define HOMECALL_SESSION_ICE_RATE_H

#include "base/address.h"
#include "base/keyed_hash.h"
#include "base/token_bucket.h"

/* With 1,000 others who have used up what they have, one in 1,000 finds both of his places empty; with 10,000
 * others, one in 14. */
enum { ICE_RATE_PLACES = 1 << 16 };

/* 1 MiB, of which the kernel gives only those pages that are used. Zeroed = nobody has asked. */
typedef struct ice_rate {
    token_bucket clients[ICE_RATE_PLACES];
    token_bucket networks[ICE_RATE_PLACES / 2];
    token_bucket crowds[ICE_RATE_PLACES / 2];
} ice_rate;

/* May this client ask now? If so, that is counted. `now_ms` is monotonic. */
bool ice_rate_take(ice_rate *rate, const keyed_hash *hash, const address *client, uint64_t now_ms);

#endif
