/* A list of addresses and networks, as the option TRUSTED_PROXIES has it: whose word about others is
 * believed.
 *
 *     127.0.0.1, 10.0.0.0/8, 2001:db8::/32, unix
 *
 * Entries are separated by commas; blanks around them and entries of nothing do not count. An entry is an
 * address, a network in CIDR notation, or the word unix for whoever comes through a Unix socket. A list is
 * made once, when the server starts, and only read from then on, by any thread.
 *
 * It is strict, since an entry that means another network than its author thinks hands out trust: bits behind
 * the prefix must be 0, and IPv4 networks are written as IPv4. */
#ifndef HOMECALL_BASE_ADDRESS_LIST_H
#define HOMECALL_BASE_ADDRESS_LIST_H

#include "base/address.h"

/* How many networks a list takes. A large provider of proxies publishes some twenty; each costs a comparison
 * for each address that is looked up. */
enum { ADDRESS_LIST_MAX = 256 };

/* The addresses whose first `prefix_bits` bits are those of `first`. */
typedef struct address_network {
    address first;
    uint8_t prefix_bits;
} address_network;

/* Zeroed = an empty list, which holds nobody. A value: it owns nothing and is copied freely. */
typedef struct address_list {
    uint16_t count; /* of the networks */
    bool has_unix;  /* holds the peers of Unix sockets */
    address_network networks[ADDRESS_LIST_MAX];
} address_list;

/* Why a text is no list. */
typedef struct address_list_fault {
    slice entry;        /* the first entry that is wrong; in the text */
    const char *reason; /* what is wrong with it; a literal that can follow its name and a colon */
} address_list_fault;

/* Read the list from `text`. 0; or -EINVAL with *fault set and *list holding nobody. */
int address_list_parse(address_list *list, slice text, address_list_fault *fault);

/* Is this address in the list, whatever its port? An unknown one never is. */
bool address_list_has(const address_list *list, const address *a);

#endif
