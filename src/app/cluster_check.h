/* Checks of the options of the cluster. */
#ifndef HOMECALL_APP_CLUSTER_CHECK_H
#define HOMECALL_APP_CLUSTER_CHECK_H

#include "app/app_config.h"

#include <stdio.h>

/* Do they make sense? No file is read. A fault is reported. */
bool cluster_check_options(const app_config *config, FILE *reports);

/* Can the files be used? What is doubtful about them is written to `warnings`, unless that is NULL. */
bool cluster_check_files(const app_config *config, FILE *reports, FILE *warnings);

/* Can the engine be used? It is connected to, which takes some seconds where nobody answers. Without a
 * cluster there is nothing to check. */
bool cluster_check_engine(const app_config *config, FILE *reports);

#endif
