/* What no option can tell by its range: whether the entries of its list make sense, and whether options fit
 * each other. */
#ifndef HOMECALL_APP_OPTIONS_CHECK_H
#define HOMECALL_APP_OPTIONS_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Is it all right, once each value is within its range? Every fault is reported. */
bool options_check_together(const app_config *config, FILE *reports);

/* Can the files that the server reads at its start be used? A certificate that can't must not be found out at
 * the first call; but who only asks a server that runs need not be able to read its key. 0, or -EINVAL
 * (reported) or -ENOMEM. */
int options_check_files(const app_config *config, FILE *reports);

#endif
