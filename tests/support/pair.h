/* Two users in one room: the scene of most tests. */
#ifndef HOMECALL_TESTS_SUPPORT_PAIR_H
#define HOMECALL_TESTS_SUPPORT_PAIR_H

#include "support/client.h"
#include "support/server.h"

typedef struct pair {
    signal_server *server;
    client *anna; /* both joined "room" */
    client *bert;
} pair;

/* For cmocka: *state becomes a pair on a server with the options of server_options(), settled and counted. */
int pair_start(void **state);
int pair_end(void **state);

#endif
