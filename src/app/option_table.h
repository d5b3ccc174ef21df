/* The table of all options. Each option is declared once, as a row. Reading, --help, --print-config and the
 * tests all walk the rows.
 *
 * A new option is a field of homecall/signal_server.h with its default in server/server_options.c, or of
 * app_config.h, and a row here. */
#ifndef HOMECALL_APP_OPTION_TABLE_H
#define HOMECALL_APP_OPTION_TABLE_H

#include "app/option.h"

/* The rows. Those of one group stand next to each other. */
const option *option_table_get(void);

/* How many there are. */
size_t option_table_count(void);

/* The row of this name; NULL when there is none. */
const option *option_table_find(slice name);

/* The row whose target is at this offset of app_config. There must be one. */
const option *option_table_find_target(size_t offset);

/* The option whose name is nearest to a wrong key; NULL when none is near. */
const option *option_table_find_near(slice key);

#endif
