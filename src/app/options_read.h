/* Reading the configuration: from a .env file and the environment to values.
 *
 * An empty value counts as not given. Reading only collects texts; options_apply() turns them into numbers
 * and reports every fault at once. Reports are whole lines, meant for standard error. */
#ifndef HOMECALL_APP_OPTIONS_READ_H
#define HOMECALL_APP_OPTIONS_READ_H

#include "app/app_config.h"

#include <stdio.h>

/* Read the .env file `env_file` and the environment into `config`, which is at its defaults, and apply them.
 * NULL stands for .env in the working directory, which may be absent. 0; or -errno when something is not
 * valid or can't be read, and `reports` tells what. */
int options_load(app_config *config, const char *env_file, FILE *reports);

/* Take texts from the .env file `name` with this content. Of two lines for a key the last one counts. Keys
 * that are no option are reported and ignored. 0; -EINVAL when a line can't be read (reported); or -ENOMEM.
 */
int options_read_file(app_config *config, const char *name, slice content, FILE *reports);

/* Take texts from `environment`, which has the form of environ. They replace those of the file. Other
 * variables are ignored. 0 or -ENOMEM. */
int options_read_environment(app_config *config, char *const *environment);

/* Turn the texts into values. 0; or -EINVAL when some are not valid or don't fit each other. Each fault is
 * reported, and the values must not be used. */
int options_apply(app_config *config, FILE *reports);

#endif
