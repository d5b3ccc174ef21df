/* Two users in one room, as most tests need them. */
#ifndef HOMECALL_TESTS_SUPPORT_PAIR_H
#define HOMECALL_TESTS_SUPPORT_PAIR_H

#include "support/client.h"
#include "support/server.h"

typedef struct pair {
    signal_server *server;
    client *anna; /* in "room" */
    client *bert; /* in "room" */
} pair;

/* A setup function of cmocka: *state becomes a pair on a new server with the options of server_options(). The
 * server has handled and counted both joins. */
int pair_start(void **state);

/* The teardown function for it. */
int pair_end(void **state);

#endif
