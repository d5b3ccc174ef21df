/* Answers: what the server says to a client of version 2, besides signals and presence (protocol/README.md,
 * "Version 2"). */
#ifndef HOMECALL_DIALECT_2_ANSWERS_H
#define HOMECALL_DIALECT_2_ANSWERS_H

#include "dialect_2/message_2.h"
#include "dialect_2/seat.h"

/* The codes of errors. */
typedef enum answer_code {
    ANSWER_INVALID,
    ANSWER_NOT_JOINED,
    ANSWER_ROOM_FULL,
    ANSWER_NO_SUCH_PEER,
    ANSWER_QUEUE_FULL,
    ANSWER_TOO_LARGE,
    ANSWER_BUSY,
    ANSWER_UNSUPPORTED,
    ANSWER_NOT_ALLOWED, /* of answers_not_allowed() alone */
} answer_code;

/* The code for a message that can't be read. */
answer_code answers_code_of(message_2_fault fault);

/* May a client have ICE servers now? One that goes on has some that are good for a while still. */
bool answers_needs_ice(const seat *s, bool is_resumed, uint64_t now_ms);

/* "joined": the client of this session is in its room, anew or again. What it says is up to now. */
void answers_joined(seat *s, bool is_resumed);

/* An error that concerns no numbered message. `is_fatal`: the caller closes the connection. */
void answers_error(participant *p, answer_code code, bool is_fatal);

/* The program that embeds the server does not allow its join. `why_json` is the message: a JSON string with
 * its quotes. */
void answers_not_allowed(participant *p, slice why_json);

/* An error that refuses the message `n` of a session. It has a number and stands in order with the signals.
 */
void answers_refusal(seat *s, answer_code code, uint64_t n);

/* Other messages that are always the same. */
void answers_left(participant *p);
void answers_tick(participant *p);
void answers_pong(participant *p);

/* Say that the connection is about to be closed, and when to come back: `spread` spreads the clients. */
void answers_goaway(participant *p, bool is_restart, uint64_t spread);

#endif
