/* The table of all options: each is declared once, as a row, and everything walks the rows: what reads them,
 * --help, --print-config, .env.example, the tests.
 *
 * A new option is a field of homecall/signal_server.h with its default in server/server_options.c, or of
 * app_config.h, and a row here. */
#ifndef HOMECALL_APP_OPTION_TABLE_H
#define HOMECALL_APP_OPTION_TABLE_H

#include "app/option.h"

/* The rows, those of one group next to each other. */
const option *option_table_get(void);

/* How many there are. */
size_t option_table_count(void);

/* The row of this name; NULL when there is none. */
const option *option_table_find(slice name);

/* The row whose target is at this offset of app_config: there must be one. */
const option *option_table_find_target(size_t offset);

/* The option that a wrong key was probably meant to be; NULL when none is near. */
const option *option_table_find_near(slice key);

#endif
