/* The servers under load: one, or several that serve the same rooms together. */
#ifndef HOMECALL_BENCH_SERVER_LIST_H
#define HOMECALL_BENCH_SERVER_LIST_H

#include "wire/opening.h"
#include "wire/target.h"
#include "wire/tls.h"

enum { SERVER_LIST_MAX = 8 };

/* What each connection to a server needs. Immutable while threads run. */
typedef struct load_server {
    target at;
    opening opening;
    tls_settings *tls; /* owned; NULL for ws:// */
} load_server;

typedef struct server_list {
    unsigned count;
    load_server servers[SERVER_LIST_MAX];
} server_list;

/* Read `count` URLs, from 1 to SERVER_LIST_MAX, and make what connections to them need. `ca_file` and
 * `is_insecure` are for tls_settings_new(). 0; or -errno, and *what and *why say what is wrong with which
 * part: literals, or strings of the caller. server_list_deinit() is necessary also after a failure. */
int server_list_init(server_list *list, const char *const *urls, unsigned count, const char *ca_file,
                     bool is_insecure, const char **what, const char **why);

/* Free what it owns. A zeroed list is legal. */
void server_list_deinit(server_list *list);

#endif
