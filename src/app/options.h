/* The options of a configuration: their defaults, and the texts in effect. An option has its value from the
 * environment, else from a .env file (options_read.h), else its default. */
#ifndef HOMECALL_APP_OPTIONS_H
#define HOMECALL_APP_OPTIONS_H

#include "app/app_config.h"

/* Every option at its default. */
void options_init(app_config *config);

/* Free what the config owns. */
void options_deinit(app_config *config);

/* The text in effect for a row of the table: the one given, else its default. Borrowed from the config. */
const char *options_get_text(const app_config *config, const option *o);

/* The default of an option as a text. Borrowed from the config. */
const char *options_get_default(const app_config *config, const option *o);

#endif
