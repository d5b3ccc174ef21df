/* The descriptors that clients leave to the rest of the process.
 *
 * If clients could take all of them, the admin port could not be asked why nobody is let in, and neither a
 * new certificate nor a new log file could be opened. So acceptors pause before that, and new connections
 * then waits in the kernel, as when there are none left at all.
 *
 * Nothing is counted. The kernel gives the lowest number that is free, so a descriptor tells by its number
 * that all those below are in use. */
#ifndef HOMECALL_SERVER_DESCRIPTOR_RESERVE_H
#define HOMECALL_SERVER_DESCRIPTOR_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

/* For connections of the admin port, the two files of a certificate, a log file, and what the program that
 * embeds the server may open. */
enum { DESCRIPTOR_RESERVE = 32 };

/* An acceptor that got a descriptor which is not below this number accepts no more clients. Each
 * acceptor notices that by itself, so one descriptor for each is added to the reserve. By the limit of the
 * process at this time; INT_MAX where it has none. Any thread. */
int descriptor_reserve_bound(uint32_t acceptors);

/* Is a descriptor free below the bound? `open_fd` is any that is open. */
bool descriptor_reserve_has_more(int bound, int open_fd);

#endif
