/* Session host: what a dialect can ask of a session. Internal to src/session. */
#ifndef HOMECALL_SESSION_SESSION_HOST_H
#define HOMECALL_SESSION_SESSION_HOST_H

#include "dialect/dialect.h"

/* The host of all participants that are part of a session. */
extern const participant_host session_host;

#endif
