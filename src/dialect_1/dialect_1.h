/* Version 1 of the protocol: protocol/README.md, "Version 1". Its clients ask for nothing at the handshake,
 * and join by a message. */
#ifndef HOMECALL_DIALECT_1_DIALECT_1_H
#define HOMECALL_DIALECT_1_DIALECT_1_H

#include "dialect/dialect.h"

/* Without a host, which who uses it sets. */
extern const dialect dialect_1;

#endif
