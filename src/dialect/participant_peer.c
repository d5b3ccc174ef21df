#include "dialect/participant_peer.h"

#include "dialect/dialect.h"
#include "dialect/rules.h"

#include <assert.h>

static const participant *reader_of(const room_peer *peer)
{
    return participant_of_peer((room_peer *)(uintptr_t)peer);
}

void participant_peer_probe(room_peer *peer)
{
    participant *p = participant_of_peer(peer);
    participant_host_of(p)->ping(p);
}

/* Only what was read in a later millisecond counts: bytes that were read in the same one may have come before
 * the ping. A pong in the same millisecond counts all the same: on_pong calls room_manager_on_alive(). */
bool participant_peer_is_alive_since(const room_peer *peer, uint64_t since_ms)
{
    const participant *p = reader_of(peer);
    return participant_host_of(p)->has_spoken_since(p, since_ms);
}

void participant_peer_on_admitted(room_peer *peer)
{
    participant *p = participant_of_peer(peer);
    rules_report_admitted(p);
    participant_host_of(p)->resume(p);
}

void participant_peer_on_dropped(room_peer *peer)
{
    participant *p = participant_of_peer(peer);
    assert(p->peer.member == NULL); /* so on_end counts no second leave */
    counter_add(&participant_hall(p)->counters->leaves[SESSION_LEAVE_SILENT], 1);
    participant_host_of(p)->drop(p, PARTICIPANT_SILENT, "silent while a newcomer waited");
}

uint32_t participant_peer_account(const room_peer *peer)
{
    return reader_of(peer)->account;
}

uint64_t participant_peer_id(const room_peer *peer)
{
    const participant *p = reader_of(peer);
    return participant_host_of(p)->id(p);
}

void participant_peer_on_pong(participant *p)
{
    const dialect_hall *hall = participant_hall(p);
    if (participant_is_joined(p))
        room_access_alive(p, hall);
}

/* protocol/README.md, 1.4: the end of a connection is a leave, with the grace of rule 1.3. */
void participant_peer_on_end(participant *p, bool is_fault)
{
    const dialect_hall *hall = participant_hall(p);
    if (p->peer.member == NULL)
        return;
    if (participant_is_joined(p))
        counter_add(&hall->counters->leaves[SESSION_LEAVE_LOST], 1);
    room_access_lose(p, hall, is_fault);
}
