/* How options are shown. */
#ifndef HOMECALL_APP_OPTIONS_PRINT_H
#define HOMECALL_APP_OPTIONS_PRINT_H

#include "app/app_config.h"
#include "app/option.h"

#include <stdio.h>

/* What .env.example says of all options, in paragraphs; ends with NULL. An empty one is a line between two.
 */
extern const char *const options_config_head[];

enum { OPTIONS_RANGE_CAP = 512 };

/* Write a line such as "A whole number from 0 to 256 (threads); default 0." `config` has the defaults. */
void options_describe_range(const app_config *config, const option *o, char line[OPTIONS_RANGE_CAP]);

/* Describe every option, in lines of at most 80 columns: for --help. */
void options_print_help(FILE *out);

/* Write the texts in effect as a .env file, with a description of each option. 0 or -ENOMEM. */
int options_print_config(const app_config *config, FILE *out);

#endif
