/* Messages of clients of version 2 (protocol/README.md, "Version 2"): from JSON text to a checked
 * struct.
 *
 * Pure. Names, tokens and peer ids are decoded; `sdp`, `candidate`, `data` and `text` stay the raw text that
 * came.
 *
 * Only what one message says is checked here. Whether its `n` is the next one, and whether it may be sent at
 * all now, are questions for who knows the session. */
#ifndef HOMECALL_DIALECT_2_MESSAGE_2_H
#define HOMECALL_DIALECT_2_MESSAGE_2_H

#include "base/slice.h"
#include "dialect/signal_kind.h"
#include "protocol/fields.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum message_2_type {
    MESSAGE_2_JOIN,
    MESSAGE_2_LEAVE,
    MESSAGE_2_OFFER,
    MESSAGE_2_ANSWER,
    MESSAGE_2_CANDIDATE,
    MESSAGE_2_SIGNAL,
    MESSAGE_2_UPDATE,
    MESSAGE_2_ACK,
    MESSAGE_2_PING,
    MESSAGE_2_PONG,
    MESSAGE_2_NO_TYPE, /* of a message that was refused: it has none that we know */
} message_2_type;

/* Why a message is refused, by the codes of protocol/README.md, "Version 2". */
typedef enum message_2_fault {
    MESSAGE_2_INVALID = 1, /* `invalid` */
    MESSAGE_2_TOO_LARGE,   /* `too-large`: data, text or a name */
    MESSAGE_2_UNSUPPORTED, /* `unsupported`: the type is not known */
    MESSAGE_2_NO_MEMORY,   /* `busy`; only where names or texts have escapes */
} message_2_fault;

enum {
    MESSAGE_2_MIN_TOKEN_BYTES = 22,
    MESSAGE_2_MAX_TOKEN_BYTES = 64,
    MESSAGE_2_MAX_PEER_BYTES = 32,
    MESSAGE_2_MAX_DATA_BYTES = 1024, /* raw JSON, of join and update */
    MESSAGE_2_MAX_TEXT_BYTES = 256,  /* decoded */
};

/* A decoded message. Its slices point into the text or into the storage, so the struct must not be copied,
 * and lives no longer than the text. What the type does not take is as if it were not given: len 0, or false.
 */
typedef struct message_2 {
    message_2_type type;
    bool has_n;     /* always of offer, answer, candidate, signal and update */
    bool has_ack;   /* always of ack; may be of all but join */
    bool has_seen;  /* may be of join, also without a token */
    uint64_t n;     /* 1 to FIELDS_MAX_INTEGER */
    uint64_t ack;   /* 0 to FIELDS_MAX_INTEGER */
    uint64_t seen;  /* the same */
    slice room;     /* of join: decoded and trimmed, not empty */
    slice user;     /* of join: decoded and trimmed; len 0 = none was given, or only blanks */
    slice token;    /* of join: decoded, or not given */
    slice formerly; /* of join: a peer id, decoded, or not given */
    slice to;       /* of offer, answer, candidate and signal: a peer id, decoded; len 0 = all others */
    slice payload; /* raw JSON of sdp (offer, answer), candidate, or data (signal, where null is a value, too)
                    */
    slice data;    /* of join and update: raw JSON; len 0 = none */
    slice text;    /* of leave: raw JSON, a string with its quotes, or not given */

    /* For what had escapes; not initialised. */
    char room_storage[FIELDS_MAX_NAME_BYTES];
    char user_storage[FIELDS_MAX_NAME_BYTES];
    char token_storage[MESSAGE_2_MAX_TOKEN_BYTES];
    char formerly_storage[MESSAGE_2_MAX_PEER_BYTES];
    char to_storage[MESSAGE_2_MAX_PEER_BYTES];
} message_2;

/* Decode one message. `max_name_bytes`, at most FIELDS_MAX_NAME_BYTES, bounds room and user after trimming.
 * 0, or a message_2_fault, of several the first that is met. After a fault only these members of *out are of
 * use: `type`, and `n` and `ack` with `has_n` and `has_ack`, for a message that is refused uses its number
 * up. They tell what was readable; a message of an unknown type has its `n`, too. */
int message_2_decode(slice text, size_t max_name_bytes, message_2 *out);

/* The kind of a signal. Of another message it is of no use. */
signal_kind message_2_kind(const message_2 *m);

/* Does it consist of the characters of tokens and peer ids? */
bool message_2_is_identifier(slice text);

/* "join", "leave" and so on: a literal. Not for MESSAGE_2_NO_TYPE. */
const char *message_2_type_name(message_2_type type);

#endif
