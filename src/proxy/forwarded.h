/* Who the client is, when there are proxies in between that write its address into X-Forwarded-For or
 * Forwarded (RFC 7239).
 *
 * Each proxy appends the address that it was connected from. So our direct peer has written the last element,
 * the one that this element names has written the element before it, and so on. The first elements may be
 * what the client itself has made up. The walk goes from the last element to the first, as long as the writer
 * is trusted. The first address that is not in the list of trusted proxies is the client. A peer that is not
 * trusted is the client itself, whatever headers it sends.
 *
 * An element may tell no address: it is garbage, `unknown`, a name like `_hidden`, or has no `for`. Then the
 * walk ends, and the proxy that has written this element counts as the client. That is the safe choice:
 * nobody can pass for another by writing an address, and all who hide behind one proxy are limited as one.
 * When every address is trusted, the first one is the client.
 *
 * In a request with both headers only X-Forwarded-For counts. Nearly every proxy writes it, and most of these
 * pass on a Forwarded that the client has made up. If Forwarded counted first, anybody behind them could
 * choose an address. The price: a proxy that writes only Forwarded must drop the X-Forwarded-For of its
 * clients.
 *
 * Pure; the values are read in place. The time grows with the length of the headers and of the list. */
#ifndef HOMECALL_PROXY_FORWARDED_H
#define HOMECALL_PROXY_FORWARDED_H

#include "base/address_list.h"

/* The values of all lines of one header, in their order. Together they are one list (RFC 9110, 5.3). Where
 * there are too many to keep, keep the last ones. */
typedef struct forwarded_values {
    const slice *lines; /* borrowed; may be NULL where count is 0 */
    size_t count;
} forwarded_values;

/* Find the client behind `peer`, which is the other end of the connection, or its source as a PROXY header
 * has told. *client is always set. True where the walk has ended at an address, false where it has ended at a
 * trusted proxy that told none.
 *
 * X-Forwarded-For has IP addresses, with or without a port. Elements of Forwarded are read as RFC 7239 has
 * them, and may have blanks around semicolons besides; of their parameters only `for` counts. Empty elements
 * are skipped (RFC 9110, 5.6.1). */
bool forwarded_find_client(const address *peer, const address_list *trusted, forwarded_values x_forwarded_for,
                           forwarded_values forwarded, address *client);

#endif
