/* Telling what is wrong with an option: whole lines, meant for standard error. */
#ifndef HOMECALL_APP_OPTIONS_REPORT_H
#define HOMECALL_APP_OPTIONS_REPORT_H

#include "app/app_config.h"

#include <stdio.h>

/* The value of an option, or one entry of its list, is wrong: `reason` follows the value and a colon. Tells
 * where the value comes from as well. */
void options_report(FILE *reports, const app_config *config, const option *o, slice value,
                    const char *reason);

#endif
