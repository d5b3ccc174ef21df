/* Client account: what is counted for one client, whichever of its connections and threads does it. A client
 * is what an address stands for (address_key). The server keeps the accounts, also some time after the last
 * connection of a client, so that nobody gets rid of what was counted by connecting anew.
 *
 * All clients that are being refused share one account. All clients without limits share another: those with
 * exempt addresses, by default the addresses of this machine, and clients of a trusted proxy whose request
 * was not read yet.
 *
 * Any thread: all its parts are for several threads at once. */
#ifndef HOMECALL_SESSION_CLIENT_ACCOUNT_H
#define HOMECALL_SESSION_CLIENT_ACCOUNT_H

#include "base/shared_bucket.h"
#include "net/net_allowance.h"
#include "session/guess_limit.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct client_account {
    net_allowance allowance;   /* first, so that a pointer to it is one to the account */
    shared_bucket log_lines;   /* the lines that may still be logged about it */
    _Atomic uint32_t left_out; /* lines that were not logged since the last one that was; relaxed */
    guess_record guesses;      /* the rooms that it has joined */
} client_account;

static_assert(offsetof(client_account, allowance) == 0, "client_account_of() casts");

/* The account whose allowance this is; NULL when no limit is for this client. */
static inline client_account *client_account_of(net_allowance *allowance)
{
    return allowance != NULL && allowance->is_limited ? (client_account *)allowance : NULL;
}

#endif
