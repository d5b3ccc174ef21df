/* The messages of a server of version 2 (protocol/README.md, "Version 2"), as a client reads them. Pure. */
#ifndef HOMECALL_BENCH_MESSAGE_2_IN_H
#define HOMECALL_BENCH_MESSAGE_2_IN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum message_2_type_in {
    MESSAGE_2_IN_OFFER, /* signals first */
    MESSAGE_2_IN_ANSWER,
    MESSAGE_2_IN_CANDIDATE,
    MESSAGE_2_IN_PEER_JOINED, /* then presence */
    MESSAGE_2_IN_PEER_CHANGED,
    MESSAGE_2_IN_PEER_AWAY,
    MESSAGE_2_IN_PEER_BACK,
    MESSAGE_2_IN_PEER_LEFT,
    MESSAGE_2_IN_ERROR, /* with a number only if it has an `n` */
    MESSAGE_2_IN_JOINED,
    MESSAGE_2_IN_LEFT,
    MESSAGE_2_IN_ACK,
    MESSAGE_2_IN_TICK,
    MESSAGE_2_IN_PING,
    MESSAGE_2_IN_PONG,
    MESSAGE_2_IN_GOAWAY,
    MESSAGE_2_IN_TYPES,
} message_2_type_in;

/* What counts of each message. The slices point into its text. */
typedef struct message_2_in {
    message_2_type_in type;
    slice text;
    bool has_seq; /* always of signals and presence */
    bool has_ack;
    uint64_t seq;
    uint64_t ack;
    uint64_t retry_after_ms; /* of goaway */
    slice from;              /* of a signal */
    slice payload;           /* of a signal: raw JSON of sdp or candidate */
} message_2_in;

/* Read one. False if it is no message of version 2, or lacks what its type must have. */
bool message_2_read(slice text, message_2_in *out);

/* What "joined" says. */
typedef struct message_2_joined {
    char room[64];
    char peer[33];
    char token[65];
    uint32_t order;
    uint64_t received;
    bool is_resumed;
    char other[33];      /* the id of the only other peer; "" = nobody, or resumed */
    char other_user[64]; /* its user */
    bool other_is_away;
} message_2_joined;

/* Read it. NULL, or what is wrong with it: a literal. */
const char *message_2_read_joined(slice text, message_2_joined *out);

/* What a presence message says. */
typedef struct message_2_presence {
    char peer[33];
    char user[64];
    int v;
    bool has_reason; /* one that the protocol knows */
} message_2_presence;

/* Read it. NULL, or what is wrong with it: a literal. */
const char *message_2_read_presence(slice text, message_2_presence *out);

#endif
