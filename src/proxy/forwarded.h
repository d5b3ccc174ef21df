/* Who the client is, when proxies stand in between and write it into X-Forwarded-For or Forwarded (RFC 7239).
 *
 * Each proxy appends the address that it was connected from, so the rightmost element is the word of the
 * direct peer, the one before it the word of whoever that element names, and so on to the left, where in the
 * end stands what the client itself made up. The walk goes from right to left as long as the speaker is
 * trusted: it starts at the peer, and the first address that is not in the list of trusted proxies is the
 * client. An untrusted peer is the client itself, whatever headers it sends.
 *
 * Where an element tells no address (garbage, `unknown`, a name like `_hidden`, an element without `for`) the
 * walk ends, and the last trusted hop stands for its client: the proxy that did not say whom it speaks for.
 * That is the safe side: nobody is taken for a stranger whose address he wrote, and what many hide behind one
 * address is limited as one. The same holds where every hop is trusted: the leftmost one is the client.
 *
 * A request with both headers is judged by X-Forwarded-For alone. Nearly every proxy writes that one, and
 * most of these pass on a Forwarded that the client made up; believing Forwarded first would let anybody
 * behind them choose an address. The price: a proxy that writes Forwarded only must drop the X-Forwarded-For
 * of its clients.
 *
 * Pure; reads the values in place. Its time grows with the length of the headers and of the list. */
#ifndef HOMECALL_PROXY_FORWARDED_H
#define HOMECALL_PROXY_FORWARDED_H

#include "base/address_list.h"

/* The values of one header, in the order of their lines, which together are one list (RFC 9110, 5.3). Where
 * not all can be kept, keep the last ones. */
typedef struct forwarded_values {
    const slice *lines; /* borrowed; may be NULL where count is 0 */
    size_t count;
} forwarded_values;

/* Find the client behind `peer`, which is the other end of the connection, or the source that a PROXY header
 * told of it. *client is set in any case. True where it is an address that the walk ended at, false where
 * the trusted hop that told none stands for it.
 *
 * X-Forwarded-For has IP addresses, with or without a port. Elements of Forwarded are read by the letter of
 * RFC 7239, but for blanks around semicolons; of their parameters only `for` counts. Empty elements are
 * skipped (RFC 9110, 5.6.1). */
bool forwarded_find_client(const address *peer, const address_list *trusted, forwarded_values x_forwarded_for,
                           forwarded_values forwarded, address *client);

#endif
