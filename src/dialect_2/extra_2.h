/* What version 2 adds to the messages of the cluster: to a JOIN, and to a SIGNAL. It is what a message of its
 * client says besides the names of the room and the user, and besides what is passed on (dialect/extra.h).
 *
 * The connection is at its edge, and the session at the owner of the room. So the edge reads messages, and
 * the owner does what they ask for. What is read here is bounded as the messages of clients are. Pure. */
#ifndef HOMECALL_DIALECT_2_EXTRA_2_H
#define HOMECALL_DIALECT_2_EXTRA_2_H

#include "dialect/extra.h"
#include "dialect_2/message_2.h"
#include "dialect_2/token.h"

/* Of a join. Slices are borrowed from the text. */
typedef struct extra_2_join {
    bool has_token; /* one that a server gives */
    bool has_shown; /* any token */
    bool has_seen;
    bool may_have_ice; /* its edge may give it ICE servers */
    token token;
    uint64_t seen;
    slice formerly, data;
} extra_2_join;

void extra_2_put_join(extra_writer *w, const message_2 *m, bool may_have_ice);

/* Read the rest of a text. False where it is not sound. */
bool extra_2_take_join(extra_reader *from, extra_2_join *join);

/* Of any other message. */
typedef struct extra_2_said {
    bool is_quiet;         /* no line is logged about it */
    message_2_fault fault; /* 0, or: it can't be read but for its number, which is used up */
    message_2 m; /* as it was read at the edge, but for names: only the type, n and ack, `to`, and what
                    the payload of the SIGNAL is: `payload`, or `data` of UPDATE, or `text` of LEAVE */
} extra_2_said;

/* `fault` as above. */
void extra_2_put_said(extra_writer *w, const message_2 *m, int fault, bool is_quiet);

/* What is passed on with such a message: the payload of its SIGNAL. */
slice extra_2_payload_of(const message_2 *m);

/* Read the whole of a SIGNAL. False where it is not sound. */
bool extra_2_read_said(slice extra, slice payload, extra_2_said *said);

#endif
