#include "dialect_2/seat_peer.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/presence.h"
#include "dialect_2/seat_house.h"

#include <assert.h>

static const participant_host *host_of(const seat *s)
{
    return s->house->dialect->host;
}

/* ---- Signals ---- */

static slice head_of(signal_kind kind)
{
    switch (kind) {
    case SIGNAL_OFFER:
        return SLICE_LITERAL("{\"type\":\"offer\",\"seq\":");
    case SIGNAL_ANSWER:
        return SLICE_LITERAL("{\"type\":\"answer\",\"seq\":");
    case SIGNAL_CANDIDATE:
        return SLICE_LITERAL("{\"type\":\"candidate\",\"seq\":");
    default:
        return SLICE_LITERAL("{\"type\":\"signal\",\"seq\":");
    }
}

static slice payload_key_of(signal_kind kind)
{
    switch (kind) {
    case SIGNAL_OFFER:
    case SIGNAL_ANSWER:
        return SLICE_LITERAL("\",\"sdp\":");
    case SIGNAL_CANDIDATE:
        return SLICE_LITERAL("\",\"candidate\":");
    default:
        return SLICE_LITERAL("\",\"data\":");
    }
}

/* Is this session the only one that gets what that member sends to all? */
static bool is_sole_receiver(const seat *s, const room_member *from)
{
    for (const room_member *m = NULL; (m = room_member_next(from, m)) != NULL;) {
        if (m != from && m != s->peer->member)
            return false;
    }
    return true;
}

/* protocol/README.md, 2.7: a member of version 1 gets its signals back when this session ends
 * and has not acknowledged them. Those of version 2 are told that the session has ended. */
static void note_sender(const seat *s, outbox_entry *entry, const room_signal *signal,
                        const room_member *from)
{
    if (room_member_peer(from) == NULL || room_member_peer(from)->face->version != 1 ||
        !is_sole_receiver(s, from))
        return;
    entry->sender = room_member_order(from);
    entry->kind = (uint8_t)signal->kind;
    entry->body_at = entry->len - (uint32_t)signal->parts[0].iov_len;
}

bool seat_hear(seat *s, const room_signal *signal, const room_member *from)
{
    assert(signal->count == 1);
    signal_kind kind = (signal_kind)signal->kind;
    char id[ROOM_PEER_ID_LEN];
    room_member_write_id(from, id);
    const struct iovec parts[] = {
        slice_to_iovec(SLICE_LITERAL(",\"from\":\"")),
        {id, sizeof(id)},
        slice_to_iovec(payload_key_of(kind)),
        signal->parts[0],
    };
    outbox_entry *entry;
    if (!seat_tell(s, head_of(kind), parts, 4, &entry))
        return false;
    if (entry != NULL)
        note_sender(s, entry, signal, from);
    return true;
}

bool seat_peer_send(room_peer *peer, const room_signal *signal, const room_member *from)
{
    return seat_hear(seat_of_peer(peer), signal, from);
}

void seat_peer_on_news(room_peer *peer, const room_news *news)
{
    presence_tell(seat_of_peer(peer), news);
}

/* ---- Signs of life ---- */

void seat_peer_probe(room_peer *peer)
{
    const seat *s = seat_of_peer(peer);
    if (s->wire != NULL)
        host_of(s)->ping(s->wire);
}

bool seat_peer_is_alive_since(const room_peer *peer, uint64_t since_ms)
{
    const seat *s = seat_of_peer(peer);
    return s->wire != NULL && host_of(s)->has_spoken_since(s->wire, since_ms);
}

uint64_t seat_peer_away_since_ms(const room_peer *peer)
{
    return seat_of_peer(peer)->lost_ms;
}

/* ---- Its place ---- */

void seat_peer_on_entered(room_peer *peer)
{
    seat *s = seat_of_peer(peer);
    s->wire->peer.member = peer->member;
    answers_joined(s, false);
}

void seat_peer_on_admitted(room_peer *peer)
{
    const seat *s = seat_of_peer(peer);
    rules_report_admitted(s->wire);
    host_of(s)->resume(s->wire);
}

void seat_peer_on_refused(room_peer *peer, const room_member *was)
{
    (void)was;
    seat *s = seat_of_peer(peer);
    participant *wire = s->wire;
    wire->peer.member = NULL;
    rules_report_refused(wire);
    answers_error(wire, ANSWER_ROOM_FULL, false);
    host_of(s)->resume(wire);
    seat_free(s);
}

void seat_peer_on_gone(room_peer *peer)
{
    seat_house_give_back(seat_of_peer(peer));
}

/* It was silent while a newcomer waited, or was away and has given way. */
void seat_peer_on_dropped(room_peer *peer)
{
    seat *s = seat_of_peer(peer);
    participant *wire = s->wire;
    const participant_host *host = host_of(s);
    counter_add(&s->house->hall->counters->leaves[SESSION_LEAVE_SILENT], 1);
    seat_free(s);
    if (wire != NULL)
        host->drop(wire, PARTICIPANT_SILENT, "silent while a newcomer waited");
}

uint32_t seat_peer_account(const room_peer *peer)
{
    return seat_of_peer(peer)->account;
}

uint64_t seat_peer_id(const room_peer *peer)
{
    return seat_of_peer(peer)->connection_id;
}
