/* How options are shown. */
#ifndef HOMECALL_APP_OPTIONS_PRINT_H
#define HOMECALL_APP_OPTIONS_PRINT_H

#include "app/app_config.h"

#include <stdio.h>

/* Describe every option, in lines of at most 80 columns: for --help. */
void options_print_help(FILE *out);

/* Write the texts in effect as a .env file, with a description of each option. 0 or -ENOMEM. */
int options_print_config(const app_config *config, FILE *out);

#endif
