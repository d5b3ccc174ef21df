/* A list of addresses and networks: the proxies of the option TRUSTED_PROXIES, whose word about other
 * addresses is believed.
 *
 *     127.0.0.1, 10.0.0.0/8, 2001:db8::/32, unix
 *
 * Entries are separated by commas. Blanks around them and empty entries do not count. An entry is an address,
 * a network in CIDR notation, or the word unix for every peer of a Unix socket. A list is made once, when the
 * server starts, and only read from then on, by any thread.
 *
 * The parser is strict: an entry that means another network than its author thinks would trust strangers. So
 * the bits behind the prefix must be 0, and IPv4 networks are written as IPv4. */
#ifndef HOMECALL_BASE_ADDRESS_LIST_H
#define HOMECALL_BASE_ADDRESS_LIST_H

#include "base/address.h"

/* How many networks a list takes. A large provider of proxies publishes about twenty. Each network costs a
 * comparison for each address that is looked up. */
enum { ADDRESS_LIST_MAX = 256 };

/* The addresses whose first `prefix_bits` bits are those of `first`. */
typedef struct address_network {
    address first;
    uint8_t prefix_bits;
} address_network;

/* A value: it owns nothing and may be copied. Zeroed = an empty list. */
typedef struct address_list {
    uint16_t count; /* how many networks there are */
    bool has_unix;  /* the peers of Unix sockets are in the list, too */
    address_network networks[ADDRESS_LIST_MAX];
} address_list;

/* What is wrong with the text of a list. */
typedef struct address_list_fault {
    slice entry;        /* the first entry that is wrong; borrowed from the text */
    const char *reason; /* why; a literal, to be written behind the entry and a colon */
} address_list_fault;

/* Read the list from `text`. 0, or -EINVAL with *fault set and *list empty. */
int address_list_parse(address_list *list, slice text, address_list_fault *fault);

/* Is this address in the list, whatever its port? An unknown address never is. */
bool address_list_has(const address_list *list, const address *a);

#endif
