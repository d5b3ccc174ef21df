/* What a configuration asks of the machine that it is on, as far as that can be looked at without a trace. */
#ifndef HOMECALL_APP_MACHINE_CHECK_H
#define HOMECALL_APP_MACHINE_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Would a start find what it needs, for the user who asks? The names of hosts have addresses, no port is
 * wanted twice at one of them, LOG_FILE and the paths of Unix sockets can be made. Whatever is not so is
 * reported. Nothing is opened that would leave a trace, and no file is made; looking names up may take as
 * long as the resolver takes.
 *
 * A start does not ask this: it finds out by itself, and what is missing at one moment may be there at the
 * next. */
bool machine_check(const app_config *config, FILE *reports);

#endif
