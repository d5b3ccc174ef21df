/* Checks beyond the range of a single option: do the entries of lists make sense, and do the options fit each
 * other? */
#ifndef HOMECALL_APP_OPTIONS_CHECK_H
#define HOMECALL_APP_OPTIONS_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Is everything all right? Each value must be within its range. Every fault is reported. */
bool options_check_together(const app_config *config, FILE *reports);

/* Can the files be used that the server reads at its start? This is apart from the checks above, since a
 * command that only asks a running server need not be able to read the key. What is doubtful about files
 * that can be used is written to `warnings`, unless that is NULL. 0; -EINVAL (reported); or -ENOMEM. */
int options_check_files(const app_config *config, FILE *reports, FILE *warnings);

#endif
