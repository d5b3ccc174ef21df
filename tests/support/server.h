/* A signaling server in the process of the test. */
#ifndef HOMECALL_TESTS_SUPPORT_SERVER_H
#define HOMECALL_TESTS_SUPPORT_SERVER_H

#include "homecall/signal_server.h"

#include <stddef.h>
#include <stdint.h>

/* The default options, but with any free port of 127.0.0.1, two workers, and no limits on rates and
 * connections, which a fast test would reach. A test of a limit sets it. */
signal_server_options server_options(void);

/* Create and start a server, which the caller owns. The test fails if that fails. */
signal_server *server_start(const signal_server_options *options);

/* Create a server, start it, which must fail, and free it. Returns the fault of the start. */
signal_server_fault server_start_fault(const signal_server_options *options);

/* Stop and free a server. NULL is legal. */
void server_end(signal_server *server);

/* The same as a teardown function of cmocka, where *state is the server. */
int server_teardown(void **state);

/* Wait until a counter of signal_server_stats has this value. The test fails if that takes longer than
 * CLIENT_WAIT_MS. */
#define SERVER_AWAIT(server, counter, value) \
    server_await_counter((server), offsetof(signal_server_stats, counter), #counter, (value))

/* For SERVER_AWAIT. */
void server_await_counter(const signal_server *server, size_t offset, const char *name, uint64_t value);

/* The statistics of this moment. */
signal_server_stats server_stats(const signal_server *server);

/* Raise the soft limit of descriptors to the hard limit. Returns the limit. */
size_t server_raise_descriptor_limit(void);

/* The size of a test: `count`, multiplied by the environment variable HOMECALL_TEST_SCALE, which is in
 * percent (100 if it is not set). At least 1. */
unsigned server_scale(unsigned count);

#endif
