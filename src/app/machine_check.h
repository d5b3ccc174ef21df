/* Checks whether a configuration fits the machine, without changing anything there. */
#ifndef HOMECALL_APP_MACHINE_CHECK_H
#define HOMECALL_APP_MACHINE_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Could this user start the server here? Names of hosts must have addresses, no two options may want the same
 * port at one of them, and LOG_FILE and the paths of Unix sockets must be writable. Each fault is reported.
 * No file is made or changed. Blocks until the resolver answers.
 *
 * Only --check-config asks this. A start finds these faults by itself, and what is missing now may be there a
 * moment later. */
bool machine_check(const app_config *config, FILE *reports);

#endif
