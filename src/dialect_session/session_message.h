/* Messages of the session dialect (protocol/README.md, "The session dialect"): from JSON text to a checked
 * struct, and as they are passed on.
 *
 * Pure. Only `type` and `sessionId` are decoded. All else stays the raw text that came, so what is passed on
 * is JSON-equal to what was sent.
 *
 * A message that is passed on is an envelope, which names the type and the session, around a body: the
 * members behind these. A room can keep the body and put it into its envelope when it is sent. */
#ifndef HOMECALL_DIALECT_SESSION_SESSION_MESSAGE_H
#define HOMECALL_DIALECT_SESSION_SESSION_MESSAGE_H

#include "base/slice.h"
#include "protocol/fields.h"

#include <sys/uio.h>

typedef enum session_message_type {
    SESSION_MESSAGE_OFFER,
    SESSION_MESSAGE_ANSWER,
    SESSION_MESSAGE_CANDIDATE,
    SESSION_MESSAGE_HANGUP,
    SESSION_MESSAGE_ERROR,
} session_message_type;

/* A decoded message. Its slices point into the text or into `storage`, so the struct must not be copied, and
 * lives no longer than the text. What is raw is JSON, a string with its quotes; len 0 = not given. */
typedef struct session_message {
    session_message_type type;
    slice session_id;                    /* decoded and trimmed; len 0 = not given, or only blanks */
    slice payload;                       /* raw `sdp`, `candidate`, or of ERROR `message`; HANGUP has none */
    slice initiator;                     /* raw, of OFFER, ANSWER and HANGUP */
    slice reason;                        /* raw, of HANGUP */
    slice code;                          /* raw, of ERROR */
    char storage[FIELDS_MAX_NAME_BYTES]; /* an id that had escapes; not initialised */
} session_message;

/* Decode one message. `max_id_bytes`, at most FIELDS_MAX_NAME_BYTES, bounds the id after trimming. 0, or
 * -EINVAL for what is no such message: not a JSON object, an unknown type, no `sdp` (a string that is not
 * empty, or an object), no `candidate` (an object), no `message` (a string that is not empty), or an id that
 * is no string or too long. Or -ENOMEM, but only where the id has escapes. On failure *out is of no use. */
int session_message_decode(slice text, size_t max_id_bytes, session_message *out);

/* "offer", "hangup" and so on: a literal. */
const char *session_message_type_name(session_message_type type);

enum {
    SESSION_MESSAGE_BODY_PARTS = 4,                         /* at most */
    SESSION_MESSAGE_PARTS = SESSION_MESSAGE_BODY_PARTS + 4, /* of a body in its envelope, at most */
    SESSION_MESSAGE_ERROR_PARTS = 5,
};

/* Lay out the members behind the id, as in "sdp":"v=0","initiator":true. Returns how many parts there are; 0
 * for a hangup that tells nothing. They borrow from the message's text. */
size_t session_message_body(struct iovec parts[SESSION_MESSAGE_BODY_PARTS], const session_message *m);

/* Lay out {"type":T,"sessionId":ID,<body>}. `id_json` is a JSON string with its quotes (json_text_encode).
 * The body has SESSION_MESSAGE_BODY_PARTS at most; it may also be one piece that holds all of them, or
 * nothing at all. Returns how many parts there are. They borrow it all. */
size_t session_message_envelope(struct iovec parts[SESSION_MESSAGE_PARTS], session_message_type type,
                                slice id_json, const struct iovec *body, size_t body_count);

/* Lay out {"type":"error","sessionId":ID,"message":M}, which the server says. M is `text`, which is
 * escaped already where it needs that. The parts borrow both. */
void session_message_error(struct iovec parts[SESSION_MESSAGE_ERROR_PARTS], slice id_json, slice text);

/* Every other text of an error that the server sends. */
#define SESSION_MESSAGE_INVALID       SLICE_LITERAL("Invalid message")
#define SESSION_MESSAGE_IS_FULL       SLICE_LITERAL("The session is full")
#define SESSION_MESSAGE_QUEUE_IS_FULL SLICE_LITERAL("Pending queue is full")

#endif
