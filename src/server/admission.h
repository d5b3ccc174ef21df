/* Admission: how many connections a server takes, in all and from one address.
 *
 * It is asked when a connection is accepted and told when its descriptor is closed, by whichever thread that
 * happens on: the one thing besides mailboxes that threads share. With no limit for an address it is one
 * atomic number; with one it is a table under a lock, touched twice in a connection's life. */
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

/* The refusal in words; a literal. */
const char *admission_refusal_text(admission_refusal refusal);

/* 0 stands for no limit. `hash` is copied. 0 and the admission in *out, owned by the caller; or -ENOMEM. */
int admission_new(uint32_t max_connections, uint32_t max_per_address, const keyed_hash *hash,
                  admission **out);

/* Free it; no place may be held. NULL is legal. */
void admission_free(admission *a);

/* Ask for a place for a connection from this address (an IPv6 client is counted by its /64). One that comes
 * from a proxy gets a place of no address, until admission_claim() tells whose it is.
 *
 * If it is refused: answer with 503 while *place is set, just close when it is NULL, since enough others are
 * being answered. A *place that was set is given back by admission_leave(). Any thread. */
admission_refusal admission_enter(admission *a, const address *from, bool is_proxy, admission_place **place);

/* Change a place that was given to a proxy for one of this address. Nothing happens to any other place. On a
 * refusal the place stays as it is. Any thread. */
admission_refusal admission_claim(admission *a, admission_place **place, const address *client);

/* Give a place back. Any thread. */
void admission_leave(admission *a, admission_place *place);

#endif
