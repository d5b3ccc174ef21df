/* Clients of the session dialect of any node in the sessions of this one. */
#ifndef HOMECALL_DIALECT_SESSION_REMOTE_SESSION_H
#define HOMECALL_DIALECT_SESSION_REMOTE_SESSION_H

#include "cluster/remote.h"

/* For dialect.remote. */
extern const remote_kind remote_session;

#endif
