/* Twins: where HOMECALL_TEST_NODES=2 is set, each server of a test is two servers of one cluster, over an
 * engine that lasts as long as the test program, and its clients come to them in turn. So what is tested of
 * one server is tested of two. */
#ifndef HOMECALL_TESTS_SUPPORT_TWINS_H
#define HOMECALL_TESTS_SUPPORT_TWINS_H

#include "homecall/signal_server.h"

#include <stdbool.h>

/* Of a test of what each node has for itself: it is skipped where servers are two. */
#define TWINS_SKIP()          \
    do {                      \
        if (twins_are_used()) \
            skip();           \
    } while (0)

/* Is the variable set? */
bool twins_are_used(void);

/* Is a server with these options to be two? Not one that shares sockets or has a port of its own. */
bool twins_are_wanted(const signal_server_options *options);

/* Put into `options` what makes two servers a cluster. The strings are lent until the next call. */
void twins_join(signal_server_options *options);

/* The two belong together; `second` is owned from then on. */
void twins_add(const signal_server *first, signal_server *second);

/* The second one of this server, or NULL; and: take it out, for the caller to end. */
const signal_server *twins_find(const signal_server *first);
signal_server *twins_take(const signal_server *first);

/* To which of the two the next client of this port goes. */
uint16_t twins_choose_port(uint16_t port);

#endif
