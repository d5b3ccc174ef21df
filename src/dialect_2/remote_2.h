/* Clients of version 2 of any node in the rooms of this one. */
#ifndef HOMECALL_DIALECT_2_REMOTE_2_H
#define HOMECALL_DIALECT_2_REMOTE_2_H

#include "dialect_2/remote_seat.h"

/* For dialect.remote. */
extern const remote_kind remote_2;

/* What JOINED says besides: REMOTE_2_WANTS_ICE or nothing, in one byte. Behind it comes "joined". */
enum { REMOTE_2_WANTS_ICE = 1 };

#endif
