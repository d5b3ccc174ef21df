/* Version 2 of the protocol: protocol/README.md, "Version 2". Its clients ask for it by a subprotocol. */
#ifndef HOMECALL_DIALECT_2_DIALECT_2_H
#define HOMECALL_DIALECT_2_DIALECT_2_H

#include "dialect/dialect.h"

/* Without a host, which who uses it sets. */
extern const dialect dialect_2;

#endif
