/* Reports of what is wrong with an option. They are whole lines for standard error: the option, its value
 * unless that is a secret, what is wrong with it or what is allowed, and where the value comes from. */
#ifndef HOMECALL_APP_OPTIONS_REPORT_H
#define HOMECALL_APP_OPTIONS_REPORT_H

#include "app/app_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Report that the value of an option, or one entry of its list, is not valid. `reason` stands after that. */
void options_report(FILE *reports, const app_config *config, const option *o, slice value,
                    const char *reason);

/* The same for the option whose value is at this offset of app_config; false for the caller to return. */
bool options_refuse(FILE *reports, const app_config *config, size_t offset, slice value, const char *reason);

/* The same for its whole value. */
bool options_refuse_whole(FILE *reports, const app_config *config, size_t offset, const char *reason);

/* Report that the text of an option is no value of its type. The report tells what is allowed, and where such
 * a text is known to come from, what helps. */
void options_report_invalid(FILE *reports, const app_config *config, const option *o);

/* Has the text of an option come from the environment with quotes around it? They are a part of the value
 * there. People who write `docker run --env-file` files or compose files often don't know that. */
bool options_is_quoted(const app_config *config, const option *o);

#endif
