/* Compares addresses, which the server itself never does. */
#ifndef HOMECALL_TESTS_SUPPORT_SAME_ADDRESS_H
#define HOMECALL_TESTS_SUPPORT_SAME_ADDRESS_H

#include "base/address.h"

#include <string.h>

/* Are they the same, including the port? Two unknown addresses are the same. */
static inline bool same_address(const address *a, const address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0 && a->port == b->port;
}

#endif
