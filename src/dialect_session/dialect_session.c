/* The rules of protocol/README.md, "The session dialect". Sessions are rooms of a space of their own; their
 * members have no names.
 *
 * The invitation, the id in the query, is the first message. A participant is in its session from then on, or
 * waits before it, or its connection ends. */
#include "dialect_session/dialect_session.h"

#include "dialect/participant_peer.h"
#include "dialect/rules.h"
#include "dialect_session/remote_session.h"
#include "dialect_session/session_message.h"
#include "dialect_session/signal_session.h"
#include "protocol/json_text.h"
#include "websocket/query.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static signal_kind kind_of(session_message_type type)
{
    switch (type) {
    case SESSION_MESSAGE_HANGUP:
        return SIGNAL_HANGUP;
    case SESSION_MESSAGE_ERROR:
        return SIGNAL_ERROR;
    default:
        return (signal_kind)(type - SESSION_MESSAGE_OFFER + SIGNAL_OFFER);
    }
}

/* ---- What is told to a client ---- */

static void say_error(participant *p, slice id_json, slice text)
{
    struct iovec parts[SESSION_MESSAGE_ERROR_PARTS];
    session_message_error(parts, id_json, text);
    (void)participant_host_of(p)->send(p, parts, SESSION_MESSAGE_ERROR_PARTS);
}

/* protocol/README.md, S.4: the error, and then 1008. */
static void refuse_full(participant *p, slice id_json)
{
    say_error(p, id_json, SESSION_MESSAGE_IS_FULL);
    participant_host_of(p)->close(p, PARTICIPANT_FULL, "the session is full");
}

/* The same where it may not join: `why_json` is owned by the caller, and NULL where there was no memory. */
static dialect_verdict refuse(participant *p, slice id, const char *why_json)
{
    size_t len = 0;
    char *id_json = json_text_encode(id, &len);
    if (id_json == NULL || why_json == NULL) {
        free(id_json);
        return rules_close_without_memory(p);
    }
    slice why = slice_of_text(why_json);
    say_error(p, (slice){id_json, len}, (slice){why.data + 1, why.len - 2}); /* without its quotes */
    free(id_json);
    participant_host_of(p)->close(p, PARTICIPANT_NOT_ALLOWED, "not allowed");
    return DIALECT_GO_ON;
}

static bool send_signal(room_peer *peer, const room_signal *signal, const room_member *from)
{
    participant *p = participant_of_peer(peer);
    struct iovec parts[SESSION_MESSAGE_PARTS];
    size_t count = signal_session_lay_out(parts, signal, from);
    return participant_host_of(p)->send_signal(p, parts, (int)count);
}

static void on_refused(room_peer *peer, const room_member *was)
{
    participant *p = participant_of_peer(peer);
    rules_report_refused(p);
    refuse_full(p, room_member_room_json(was));
}

/* ---- Joining ---- */

static size_t find_invitation(slice query, const dialect_limits *limits, char out[DIALECT_MAX_INVITATION])
{
    assert(limits->max_name_bytes <= DIALECT_MAX_INVITATION);
    long len = query_find(query, SLICE_LITERAL("sessionId"), out, limits->max_name_bytes);
    if (len <= 0)
        return 0;
    slice id = fields_trim((slice){out, (size_t)len});
    memmove(out, id.data, id.len);
    return id.len;
}

/* Join a session of this hall. `held` is the verdict for one who has to wait. */
static dialect_verdict enter(participant *p, slice id, dialect_verdict held)
{
    char *why_json;
    if (!rules_is_allowed(p, ROOM_SPACE_SESSIONS, id, SLICE_LITERAL(""), &why_json)) {
        dialect_verdict verdict = refuse(p, id, why_json);
        free(why_json);
        return verdict;
    }
    int result = rules_join(p, &p->peer, ROOM_SPACE_SESSIONS, id, SLICE_LITERAL(""));
    if (result < 0)
        return rules_close_without_memory(p);
    if (result == ROOM_WAITING)
        return held;
    if (result == ROOM_FULL) {
        size_t len = 0;
        char *id_json = json_text_encode(id, &len);
        refuse_full(p, id_json != NULL ? (slice){id_json, len} : SLICE_LITERAL("\"\""));
        free(id_json);
    }
    return DIALECT_GO_ON;
}

static dialect_verdict join(participant *p, slice id, dialect_verdict held)
{
    if (participant_host_of(p)->is_overloaded(p))
        return rules_refuse_overloaded(p);
    dialect_verdict verdict;
    return rules_may_join_here(p, ROOM_SPACE_SESSIONS, id, &verdict) ? enter(p, id, held) : verdict;
}

/* ---- Messages ---- */

static void on_queue_full(participant *p)
{
    say_error(p, room_member_room_json(p->peer.member), SESSION_MESSAGE_QUEUE_IS_FULL);
}

static void pass_signal(participant *p, dialect_hall *hall, const session_message *m)
{
    struct iovec body[SESSION_MESSAGE_BODY_PARTS];
    signal_kind kind = kind_of(m->type);
    const room_signal signal = {.kind = (int)kind,
                                .count = (int)session_message_body(body, m),
                                .parts = body,
                                .is_fleeting = kind == SIGNAL_HANGUP || kind == SIGNAL_ERROR};
    int result = rules_signal(p, hall, &p->peer, &signal);
    if (result == -ENOSPC)
        on_queue_full(p);
    else if (result < 0)
        (void)rules_close_without_memory(p);
}

/* One that names another session than the sender's moves it there; the message is handled there. */
static dialect_verdict on_signal(participant *p, dialect_hall *hall, const session_message *m)
{
    bool names_other = m->session_id.len > 0 && participant_is_joined(p) &&
                       !slice_equals(m->session_id, room_member_room(p->peer.member));
    if (names_other)
        rules_leave(p, SESSION_LEAVE_MOVED);
    if (!participant_is_joined(p)) {
        dialect_verdict verdict = join(p, m->session_id, DIALECT_HOLD_MESSAGE);
        if (verdict != DIALECT_GO_ON || !participant_is_joined(p))
            return verdict;
    }
    pass_signal(p, hall, m);
    return DIALECT_GO_ON;
}

static dialect_verdict on_message(participant *p, dialect_hall *hall, bool is_text, slice data)
{
    if (!is_text && p->peer.member == NULL)
        return join(p, data, DIALECT_HOLD);
    session_message m;
    if (is_text && session_message_decode(data, hall->limits->max_name_bytes, &m) == 0)
        return on_signal(p, hall, &m);
    assert(participant_is_joined(p));
    say_error(p, room_member_room_json(p->peer.member), SESSION_MESSAGE_INVALID);
    return rules_count_invalid(p);
}

const dialect dialect_session = {
    .face =
        {
            .send = send_signal,
            .probe = participant_peer_probe,
            .is_alive_since = participant_peer_is_alive_since,
            .on_admitted = participant_peer_on_admitted,
            .on_refused = on_refused,
            .on_dropped = participant_peer_on_dropped,
            .account = participant_peer_account,
            .id = participant_peer_id,
            .kinds = SIGNAL_SESSION_KINDS,
            .doubts_company = true,
            .version = 1,
        },
    .name = "session",
    .find_invitation = find_invitation,
    .on_message = on_message,
    .on_pong = participant_peer_on_pong,
    .on_end = participant_peer_on_end,
    .remote = &remote_session,
    .on_queue_full_there = on_queue_full,
};
