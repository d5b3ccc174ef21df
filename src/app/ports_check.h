/* Checks whether two options want the same port at the same address. */
#ifndef HOMECALL_APP_PORTS_CHECK_H
#define HOMECALL_APP_PORTS_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Are WS_PORT, WSS_PORT and ADMIN_PORT different at every address that they share? If not, that is reported.
 * With `resolves`, names are looked up, and this blocks until the resolver answers. Without it, two names are
 * the same address only if they are the same text, and localhost stands for the loopback. */
bool ports_check(const app_config *config, bool resolves, FILE *reports);

#endif
