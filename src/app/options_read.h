/* From files and the environment to the values of a configuration.
 *
 * An empty value counts as not given. Reading only collects texts; options_apply() turns them into numbers
 * and reports every fault at once. Reports are whole lines, meant for standard error. */
#ifndef HOMECALL_APP_OPTIONS_READ_H
#define HOMECALL_APP_OPTIONS_READ_H

#include "app/app_config.h"

#include <stdio.h>

/* Read everything into `config`, which is at its defaults: the .env file `env_file` (NULL = .env of the
 * working directory, which may be absent), then the environment; and apply it. 0, or -errno when it is not
 * valid or can't be read; `reports` then tells why. */
int options_load(app_config *config, const char *env_file, FILE *reports);

/* Take texts from the .env file `name`, whose content is `content`. The last of two lines for a key counts.
 * Keys that are no option are reported and ignored. 0; -EINVAL when a line can't be read (reported); -ENOMEM.
 */
int options_read_file(app_config *config, const char *name, slice content, FILE *reports);

/* Take texts from `environment`, which is like environ; they win over what is there. Other variables are
 * ignored. 0 or -ENOMEM. */
int options_read_environment(app_config *config, char *const *environment);

/* Turn the texts into values. 0, or -EINVAL when some are not valid, or don't fit each other: each is
 * reported, and the values are of no use. */
int options_apply(app_config *config, FILE *reports);

#endif
