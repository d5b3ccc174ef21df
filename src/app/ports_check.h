/* Whether two options want the same port at the same address. */
#ifndef HOMECALL_APP_PORTS_CHECK_H
#define HOMECALL_APP_PORTS_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Are WS_PORT, WSS_PORT and ADMIN_PORT different wherever they meet? What is not is reported. With `resolves`
 * names are looked up, which may take as long as the resolver takes; without, a name is only known to be
 * itself, and localhost to be the loopback. */
bool ports_check(const app_config *config, bool resolves, FILE *reports);

#endif
