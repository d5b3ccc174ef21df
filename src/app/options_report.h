/* Reports of what is wrong with an option. They are whole lines for standard error. */
#ifndef HOMECALL_APP_OPTIONS_REPORT_H
#define HOMECALL_APP_OPTIONS_REPORT_H

#include "app/app_config.h"

#include <stdio.h>

/* Report that the value of an option, or one entry of its list, is not valid. `reason` stands after that. The
 * report tells where the value comes from as well. */
void options_report(FILE *reports, const app_config *config, const option *o, slice value,
                    const char *reason);

#endif
