/* Filling in a signal_server_fault, at the place where a start fails. */
#ifndef HOMECALL_SERVER_START_FAULT_H
#define HOMECALL_SERVER_START_FAULT_H

#include "homecall/signal_server.h"

/* Say what failed. `entry` is copied, and cut off where it is too long; `port` is 0 where there is none. */
void start_fault_set(signal_server_fault *fault, signal_server_fault_kind kind, const char *entry,
                     uint16_t port);

/* Say that descriptors run out: which limit is too low (a literal), its value, and the value that is needed.
 * 0 for what is not known. */
void start_fault_set_limit(signal_server_fault *fault, const char *limit, uint64_t value, uint64_t needed);

/* Add the error. If it tells that descriptors or memory ran out, that becomes the kind of the fault, whatever
 * they were needed for. */
void start_fault_finish(signal_server_fault *fault, int error);

#endif
