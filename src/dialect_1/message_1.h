/* Messages of version 1 of the signaling protocol (protocol/README.md, "Version 1"): from JSON text to a
 * checked struct, and the server's messages back.
 *
 * Pure. Decoding is one pass of protocol/fields. Only `type`, `room` and `user` are decoded. `sdp` and
 * `candidate` stay the raw text that came, so what is passed on is JSON-equal to what was sent. */
#ifndef HOMECALL_DIALECT_1_MESSAGE_1_H
#define HOMECALL_DIALECT_1_MESSAGE_1_H

#include "base/slice.h"
#include "protocol/fields.h"

#include <stdbool.h>
#include <sys/uio.h>

typedef enum message_type {
    MESSAGE_JOIN,
    MESSAGE_LEAVE,
    MESSAGE_OFFER,
    MESSAGE_ANSWER,
    MESSAGE_CANDIDATE,
    MESSAGE_ERROR,
} message_type;

/* The largest bound of names that can be configured. */
enum { MESSAGE_MAX_NAME_BYTES = FIELDS_MAX_NAME_BYTES };

/* A decoded message. Its slices point into the text or into `storage`, so the struct must not be copied, and
 * lives no longer than the text. */
typedef struct message {
    message_type type;
    slice room;                              /* decoded and trimmed; len 0 = not given */
    slice user;                              /* the same; of join and leave */
    slice payload;                           /* raw JSON of sdp (OFFER, ANSWER) or candidate (CANDIDATE) */
    slice text;                              /* ERROR: raw JSON of `message`, a string with its quotes */
    char storage[2][MESSAGE_MAX_NAME_BYTES]; /* names that had escapes; not initialised */
} message;

/* Decode one message. `max_name_bytes`, at most MESSAGE_MAX_NAME_BYTES, bounds room and user after trimming.
 * 0, or -EINVAL for everything that protocol/README.md, 1.5, answers with "Invalid message", or -ENOMEM, but
 * only where names or keys have escapes. On failure *out is of no use. */
int message_decode(slice text, size_t max_name_bytes, message *out);

/* A signal in its usual form. */
typedef struct usual_signal {
    message_type type;    /* OFFER, ANSWER or CANDIDATE */
    slice payload;        /* raw JSON, in the text */
    bool is_as_passed_on; /* the text is, byte for byte, what message_encode_signal() makes of it */
} usual_signal;

/* Read a signal that is written as nearly all clients write theirs: {"type":T,"room":R,"from":U,"sdp":S} in
 * this order and without blanks, with or without `room` and `from`. `room_json` and `user_json` are the names
 * of the sender as JSON strings, none of them empty, and R and U are these. Only the payload needs to be
 * scanned then.
 *
 * False for every other message, good or bad: message_decode() must read it. Where it is true,
 * message_decode() would find the same type and payload, and the sender's room or none. */
bool message_read_usual(slice text, slice room_json, slice user_json, usual_signal *out);

/* "join", "offer" and so on: a literal. */
const char *message_type_name(message_type type);

/* How many parts a signal has as it goes to the peer: {"type":T,"room":R,"from":U,"sdp":S}. */
enum { MESSAGE_SIGNAL_PARTS = 7 };

/* Lay out a signal as parts that are to be written one behind the other. `room_json` and `user_json` are JSON
 * strings with their quotes (json_text_encode). Nothing is copied: the parts borrow it all. */
void message_encode_signal(struct iovec parts[MESSAGE_SIGNAL_PARTS], message_type type, slice room_json,
                           slice user_json, slice payload);

/* Lay out {"type":"error","message":M} with a message that is a JSON string with its quotes: why somebody may
 * not join, in the words of the program that embeds the server. The parts borrow it. */
enum { MESSAGE_REFUSAL_PARTS = 3 };
void message_encode_refusal(struct iovec parts[MESSAGE_REFUSAL_PARTS], slice why_json);

/* {"type":"error","message":M}, a slice over a literal; M needs no escape. */
#define MESSAGE_ERROR_JSON(text) SLICE_LITERAL("{\"type\":\"error\",\"message\":\"" text "\"}")

/* Every other error that the server sends (protocol/README.md, 1.1, 1.2, 1.3 and 1.5). */
#define MESSAGE_INVALID       MESSAGE_ERROR_JSON("Invalid message")
#define MESSAGE_ROOM_IS_FULL  MESSAGE_ERROR_JSON("Room is full")
#define MESSAGE_JOIN_FIRST    MESSAGE_ERROR_JSON("Join the room first")
#define MESSAGE_QUEUE_IS_FULL MESSAGE_ERROR_JSON("Pending queue is full")

#endif
