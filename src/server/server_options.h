/* The options of a Signal_Server: their defaults (signal_server_options_init()), and the
 * server's own copy of them. A new option is a field in homecall/signal_server.h, its default here, its
 * bounds in options_check.c, and a row in app/option_table.c where the program has it too. */
#ifndef HOMECALL_SERVER_SERVER_OPTIONS_H
#define HOMECALL_SERVER_SERVER_OPTIONS_H

#include "cluster/cluster_settings.h"
#include "homecall/signal_server.h"

enum { SERVER_MAX_WORKERS = 256, SERVER_MAX_ACCEPTORS = 64 };

/* Copy them, with all strings and lists. 0 and the copy in *out, whose content is owned by the caller; or
 * -ENOMEM and *out is all zero. */
int server_options_copy(signal_server_options *out, const signal_server_options *options);

/* Free what a copy owns; it is all zero then. */
void server_options_free(signal_server_options *copy);

/* How many processors there are, at most SERVER_MAX_WORKERS. */
uint32_t server_options_processors(void);

/* How many threads accept, on a machine with so many processors: what the options ask for; or if that is 0,
 * one without TLS, and with TLS one for each four processors. */
uint32_t server_options_acceptors(const signal_server_options *options, uint32_t processors);

/* What the cluster wants to know of them; borrowed. */
cluster_settings server_options_cluster(const signal_server_options *options);

#endif
