/* Signals as clients of version 1 are told them, wherever they are connected. */
#ifndef HOMECALL_DIALECT_1_SIGNAL_1_H
#define HOMECALL_DIALECT_1_SIGNAL_1_H

#include "dialect/signal_kind.h"
#include "dialect_1/message_1.h"
#include "rooms/room_member.h"

#include <assert.h>

/* What version 1 understands: room_peer_face.kinds. */
#define SIGNAL_1_KINDS (SIGNAL_BIT(SIGNAL_OFFER) | SIGNAL_BIT(SIGNAL_ANSWER) | SIGNAL_BIT(SIGNAL_CANDIDATE))

static_assert(SIGNAL_ANSWER - SIGNAL_OFFER == MESSAGE_ANSWER - MESSAGE_OFFER &&
                  SIGNAL_CANDIDATE - SIGNAL_OFFER == MESSAGE_CANDIDATE - MESSAGE_OFFER,
              "kinds and types have the same order");

/* Storage for the id of a sender, as JSON. */
typedef struct signal_1_id {
    char json[ROOM_PEER_ID_LEN + 2];
} signal_1_id;

/* Lay out a signal of this member, MESSAGE_SIGNAL_PARTS parts, which borrow all of it and `id`. Who has no
 * user name is called by its peer id. */
static inline void signal_1_lay_out(struct iovec *parts, const room_signal *signal, const room_member *from,
                                    signal_1_id *id)
{
    enum { NO_NAME_LEN = 2 }; /* the quotes */
    slice room_json, from_json;
    assert(signal->count == 1);
    room_member_names_json(from, &room_json, &from_json);
    if (from_json.len == NO_NAME_LEN) {
        id->json[0] = id->json[ROOM_PEER_ID_LEN + 1] = '"';
        room_member_write_id(from, id->json + 1);
        from_json = (slice){id->json, sizeof(id->json)};
    }
    message_encode_signal(parts, (message_type)(signal->kind - SIGNAL_OFFER + MESSAGE_OFFER), room_json,
                          from_json, (slice){signal->parts[0].iov_base, signal->parts[0].iov_len});
}

#endif
