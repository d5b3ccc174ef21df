/* The client half of the small probes: blocking WebSocket connections to a server on this machine. A probe
 * measures and does not test, so every failure ends the program with a line that says what failed. */
#ifndef HOMECALL_BENCH_PROBE_H
#define HOMECALL_BENCH_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* Print to standard error and exit with 1. */
_Noreturn void probe_fail(const char *what);

/* Read a number argument, or end the program with its usage. */
unsigned long probe_number(const char *text, const char *usage);

/* Connect to 127.0.0.1:port and upgrade on /signal. Returns the descriptor. */
int probe_connect(uint16_t port);

/* Send one masked text frame. */
void probe_send(int fd, const char *text, size_t len);

/* Join a room. */
void probe_join(int fd, const char *room, const char *user);

/* Read one whole unmasked frame of at most `cap` bytes, header included; returns its length. */
size_t probe_receive(int fd, char *frame, size_t cap);

/* Wait until the server has handled everything that this connection has sent: a ping, and its pong. */
void probe_sync(int fd);

#endif
