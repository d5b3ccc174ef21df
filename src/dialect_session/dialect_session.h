/* The session dialect: protocol/README.md, "The session dialect". Its clients name a session in the query of
 * their request, and are in it from then on. */
#ifndef HOMECALL_DIALECT_SESSION_DIALECT_SESSION_H
#define HOMECALL_DIALECT_SESSION_DIALECT_SESSION_H

#include "dialect/dialect.h"

/* Without a host, which who uses it sets. */
extern const dialect dialect_session;

#endif
