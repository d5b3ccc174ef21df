/* The names of rooms and users as JSON strings, which rooms keep beside the names: what is told to clients
 * has them in that form. */
#ifndef HOMECALL_CLUSTER_NAME_JSON_H
#define HOMECALL_CLUSTER_NAME_JSON_H

#include "base/slice.h"

#include <stdbool.h>

/* Encode a name, which may be empty. The text is owned by the caller, until name_json_free(). False without
 * memory. */
bool name_json_make(slice name, slice *json);

/* Overwrite it and free it. One that could not be made is legal. */
void name_json_free(slice *json);

#endif
