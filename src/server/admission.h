/* Admission: how many connections a server takes, in all and from one address.
 *
 * It is asked when a connection is accepted, and told when the connection's descriptor is closed, on
 * whichever thread that happens. Besides mailboxes it is all that the threads share. Without a limit for each
 * address it is one atomic number. With one it is a table under a lock, which each connection uses twice. */
#ifndef HOMECALL_SERVER_ADMISSION_H
#define HOMECALL_SERVER_ADMISSION_H

#include "base/address.h"
#include "base/keyed_hash.h"

#include <stdint.h>

typedef struct admission admission;
typedef struct admission_place admission_place; /* what a connection holds while it is open */

/* Why a connection is not admitted. */
typedef enum admission_refusal {
    ADMISSION_GRANTED,
    ADMISSION_OVER_LIMIT,   /* too many connections */
    ADMISSION_OVER_ADDRESS, /* too many from its address */
    ADMISSION_NO_MEMORY,
} admission_refusal;

/* The refusal in words. A literal. */
const char *admission_refusal_text(admission_refusal refusal);

/* 0 stands for no limit. `hash` is copied. 0 and the admission in *out, owned by the caller; or -ENOMEM. */
int admission_new(uint32_t max_connections, uint32_t max_per_address, const keyed_hash *hash,
                  admission **out);

/* Free it; no place may be held. NULL is legal. */
void admission_free(admission *a);

/* Ask for a place for a connection from this address. IPv6 clients are counted by their /64. A connection
 * from a proxy gets a place that belongs to no address, until admission_claim() tells which client it is.
 *
 * If it is refused and *place is set, answer with 503. If *place is NULL, just close: enough others are being
 * answered. Give a *place that was set back with admission_leave(). Any thread. */
admission_refusal admission_enter(admission *a, const address *from, bool is_proxy, admission_place **place);

/* Exchange a place that was given to a proxy for one of this client. Any other place stays as it is. On a
 * refusal the place is not changed. Any thread. */
admission_refusal admission_claim(admission *a, admission_place **place, const address *client);

/* Give a place back. Any thread. */
void admission_leave(admission *a, admission_place *place);

#endif
