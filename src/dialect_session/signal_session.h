/* Signals as clients of the session dialect are told them, wherever they are connected. */
#ifndef HOMECALL_DIALECT_SESSION_SIGNAL_SESSION_H
#define HOMECALL_DIALECT_SESSION_SIGNAL_SESSION_H

#include "dialect/signal_kind.h"
#include "dialect_session/session_message.h"
#include "rooms/room_member.h"

#include <assert.h>

/* What it understands: room_peer_face.kinds. */
#define SIGNAL_SESSION_KINDS                                                               \
    (SIGNAL_BIT(SIGNAL_OFFER) | SIGNAL_BIT(SIGNAL_ANSWER) | SIGNAL_BIT(SIGNAL_CANDIDATE) | \
     SIGNAL_BIT(SIGNAL_HANGUP) | SIGNAL_BIT(SIGNAL_ERROR))

static_assert(SIGNAL_ANSWER - SIGNAL_OFFER == SESSION_MESSAGE_ANSWER - SESSION_MESSAGE_OFFER &&
                  SIGNAL_CANDIDATE - SIGNAL_OFFER == SESSION_MESSAGE_CANDIDATE - SESSION_MESSAGE_OFFER,
              "kinds and types have the same order");

static inline session_message_type signal_session_type(signal_kind kind)
{
    switch (kind) {
    case SIGNAL_HANGUP:
        return SESSION_MESSAGE_HANGUP;
    case SIGNAL_ERROR:
        return SESSION_MESSAGE_ERROR;
    default:
        return (session_message_type)(kind - SIGNAL_OFFER + SESSION_MESSAGE_OFFER);
    }
}

/* Lay out a signal of this member: SESSION_MESSAGE_PARTS parts at most, which borrow both. Returns how many.
 */
static inline size_t signal_session_lay_out(struct iovec *parts, const room_signal *signal,
                                            const room_member *from)
{
    return session_message_envelope(parts, signal_session_type((signal_kind)signal->kind),
                                    room_member_room_json(from), signal->parts, (size_t)signal->count);
}

#endif
