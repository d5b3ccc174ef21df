/* A signaling server in the process of the test. */
#ifndef HOMECALL_TESTS_SUPPORT_SERVER_H
#define HOMECALL_TESTS_SUPPORT_SERVER_H

#include "homecall/signal_server.h"

#include <stddef.h>
#include <stdint.h>

/* The defaults, on a free port of 127.0.0.1, with two workers and without the limits on rates and on
 * connections, which a test would otherwise run into by its speed: the tests of these set them. */
signal_server_options server_options(void);

/* Create and start a server; the test fails where that fails. Owned by the caller. */
signal_server *server_start(const signal_server_options *options);

/* Create a server whose start must fail, and free it. Returns what the start says of that. */
signal_server_fault server_start_fault(const signal_server_options *options);

/* Stop and free it. NULL is legal. */
void server_end(signal_server *server);

/* The same for cmocka, where *state is the server. */
int server_teardown(void **state);

/* Wait until a counter has this value; the test fails when it does not come. */
#define SERVER_AWAIT(server, counter, value) \
    server_await_counter((server), offsetof(signal_server_stats, counter), #counter, (value))

/* For SERVER_AWAIT. */
void server_await_counter(const signal_server *server, size_t offset, const char *name, uint64_t value);

/* The numbers of this moment. */
signal_server_stats server_stats(const signal_server *server);

/* Let the process have as many descriptors as it may. Returns how many that are. */
size_t server_raise_descriptor_limit(void);

/* A factor for the size of a test, from HOMECALL_TEST_SCALE in percent (100 unless set): `count` scaled, at
 * least 1. */
unsigned server_scale(unsigned count);

#endif
