/* Whether a server finds the descriptors that its start needs: told before anything is opened, with the
 * number that would do. What is missing nevertheless, since others in the process open some meanwhile, is
 * found out when it is opened. */
#ifndef HOMECALL_SERVER_DESCRIPTORS_H
#define HOMECALL_SERVER_DESCRIPTORS_H

#include "server/server_parts.h"

/* 0, or -EMFILE and *fault has the limit, and what it would have to be. */
int descriptors_check(const signal_server *server, signal_server_fault *fault);

#endif
