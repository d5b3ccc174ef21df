/* Clients of version 1 of any node in the rooms of this one. */
#ifndef HOMECALL_DIALECT_1_REMOTE_1_H
#define HOMECALL_DIALECT_1_REMOTE_1_H

#include "cluster/remote.h"

/* For dialect.remote. */
extern const remote_kind remote_1;

#endif
