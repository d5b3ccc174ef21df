/* Admission: how many connections a server takes, in all and from one client, and the accounts of its
 * clients.
 *
 * It is asked when a connection is accepted, and told when the connection's descriptor is closed, on
 * whichever thread that happens. Besides mailboxes it is all that the threads share. A connection holds a
 * place, which has the account of its client. The account stays a minute after the client's last connection,
 * so connecting anew does not make it forget anything; 65,536 are kept so, and who left first is forgotten
 * first. The table of clients is under a lock, which each connection uses twice.
 *
 * Exempt addresses, by default those of this machine, have no limits for one address: such a peer is a test,
 * or a proxy that TRUSTED_PROXIES does not name. */
#ifndef HOMECALL_SERVER_ADMISSION_H
#define HOMECALL_SERVER_ADMISSION_H

#include "base/address.h"
#include "base/address_list.h"
#include "base/keyed_hash.h"
#include "session/client_account.h"

#include <stdint.h>

typedef struct admission admission;

/* What a connection holds while it is open. */
typedef struct admission_place {
    client_account account; /* first, so that a pointer to it is one to the place */
} admission_place;

/* The limits; 0 stands for none. */
typedef struct admission_limits {
    uint32_t max_connections;
    uint32_t max_per_address;
    token_bucket_rate connects; /* how many new connections one address may open */
} admission_limits;

/* Why a connection is not admitted. */
typedef enum admission_refusal {
    ADMISSION_GRANTED,
    ADMISSION_OVER_LIMIT,   /* too many connections */
    ADMISSION_OVER_ADDRESS, /* too many from its address */
    ADMISSION_OVER_RATE,    /* too many new ones from its address */
    ADMISSION_NO_MEMORY,
} admission_refusal;

/* The refusal in words. A literal. */
const char *admission_refusal_text(admission_refusal refusal);

/* `limits` and `hash` are copied; `exempt`, the addresses without such limits, is borrowed. 0
 * and the admission in *out, owned by the caller; or -ENOMEM. */
int admission_new(const admission_limits *limits, const address_list *exempt, const keyed_hash *hash,
                  admission **out);

/* Free it; no place may be held. NULL is legal. */
void admission_free(admission *a);

/* Ask for a place for a connection from this address, at `now_us`, a monotonic time. IPv6 clients are counted
 * by their /64. A connection from a proxy gets a place that belongs to no address, until admission_claim()
 * tells which client it is.
 *
 * If it is refused and *place is set, answer with 503. If *place is NULL, just close: enough others are being
 * answered. Give a *place that was set back with admission_leave(). Any thread. */
admission_refusal admission_enter(admission *a, const address *from, bool is_proxy, uint64_t now_us,
                                  admission_place **place);

/* Exchange a place that was given to a proxy for one of this client. Any other place stays as it is. On a
 * refusal it becomes one of those who are answered with 503. Any thread. */
admission_refusal admission_claim(admission *a, admission_place **place, const address *from,
                                  uint64_t now_us);

/* Give a place back at `now_us`. Any thread. */
void admission_leave(admission *a, admission_place *place, uint64_t now_us);

/* Are there more connections from this machine than one address may have, that came by no trusted proxy? Then
 * they are probably clients of a proxy that TRUSTED_PROXIES does not name. Any thread. */
bool admission_has_untold_proxy(const admission *a);

/* The place whose account this allowance is of. */
static inline admission_place *admission_place_of(net_allowance *allowance)
{
    return (admission_place *)allowance;
}

#endif
