/* What made a start fail: filled in where it happens, for signal_server_start() to hand out. */
#ifndef HOMECALL_SERVER_START_FAULT_H
#define HOMECALL_SERVER_START_FAULT_H

#include "homecall/signal_server.h"

/* Say what failed. `entry` is copied, and cut off where it is too long; `port` is 0 where there is none. */
void start_fault_set(signal_server_fault *fault, signal_server_fault_kind kind, const char *entry,
                     uint16_t port);

/* Say that descriptors run out: the limit, a literal, what it is, and what it would have to be; 0 for what is
 * not known. */
void start_fault_set_limit(signal_server_fault *fault, const char *limit, uint64_t value, uint64_t needed);

/* Say with which error. Where that tells of descriptors or memory that ran out, it does not matter what they
 * were wanted for. */
void start_fault_finish(signal_server_fault *fault, int error);

#endif
