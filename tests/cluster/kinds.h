/* The dialects of the simulation, as remotes see them: how their peers behave in a room is what the real ones
 * say of theirs. Version 2 has a seat, with a token and an outbox, small enough to be read at a glance. */
#ifndef HOMECALL_TESTS_CLUSTER_KINDS_H
#define HOMECALL_TESTS_CLUSTER_KINDS_H

#include "cluster/remote.h"

enum { KIND_1, KIND_SESSION, KIND_2, KINDS };

enum { SIM_RESUME_FOR_MS = 8200, SIM_OFFER = 0 };

extern const remote_kind *const sim_kinds[KINDS];

/* A signal: which, of which client's which session, in which room. Its bytes are the payload. */
typedef struct sim_signal {
    uint32_t id;
    uint8_t client, room;
    uint16_t session;
} sim_signal;

/* What a client of version 2 adds to its JOIN, empty at first; what JOINED says; and what it adds to a
 * signal. */
typedef struct sim_resume {
    uint64_t token, seen;
} sim_resume;

typedef struct sim_joined {
    uint64_t token, received;
    uint64_t is_resumed;
} sim_joined;

typedef struct sim_numbers {
    uint64_t n, ack;
} sim_numbers;

/* What a client of version 2 is told of a signal. */
typedef struct sim_told {
    uint64_t seq;
    sim_signal signal;
} sim_told;

/* A signal has reached the rooms. */
extern void (*sim_on_passed)(const sim_signal *signal);

/* The rooms pass it on to one who is not of version 2. */
extern void (*sim_on_relayed)(const sim_signal *signal);

/* The next token. Each run begins with the same. */
extern uint64_t sim_last_token;

/* Has this remote been away for too long? */
bool sim_is_over(const remote *r);

#endif
