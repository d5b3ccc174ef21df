/* What no option can tell by its range: whether the entries of its list make sense, and whether options fit
 * each other. */
#ifndef HOMECALL_APP_OPTIONS_CHECK_H
#define HOMECALL_APP_OPTIONS_CHECK_H

#include "app/options.h"

/* Is it all right, once each value is within its range? Every fault is reported. */
bool options_check_together(const app_config *config, FILE *reports);

#endif
