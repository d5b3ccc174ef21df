#include "dialect_2/seat_house.h"

#include "dialect/rules.h"

#include <assert.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* Clients of this node. */
static const seat_holder holder_here = {.seat_of = seat_of_peer, .let_go = seat_free};

void *seat_house_open(const dialect *d, dialect_hall *hall)
{
    return seat_house_open_for(&holder_here, d, hall);
}

void *seat_house_open_for(const seat_holder *holder, const dialect *d, dialect_hall *hall)
{
    seat_house *house = calloc(1, sizeof(*house));
    if (house == NULL)
        return NULL;
    house->holder = holder;
    house->hall = hall;
    house->dialect = d;
    house->bounds = (outbox_bounds){.max_messages = hall->limits->outbox_max_messages,
                                    .max_bytes = hall->limits->outbox_max_bytes,
                                    .reserve = hall->reserve,
                                    .release = hall->release,
                                    .context = hall->context};
    TAILQ_INIT(&house->seats);
    TAILQ_INIT(&house->away);
    TAILQ_INIT(&house->owing);
    return house;
}

/* Rooms that these seats are in are freed by their manager, without a word to the seats. */
void seat_house_close(void *kept)
{
    seat_house *house = kept;
    seat *s;
    while ((s = TAILQ_FIRST(&house->seats)) != NULL) {
        s->peer->member = NULL;
        seat_free(s);
    }
    free(house);
}

seat_house *seat_house_of(const participant *p)
{
    return participant_hall(p)->kept[dialect_of(p)->slot];
}

/* protocol/README.md, 2.7 */
void seat_house_give_back(seat *s)
{
    const dialect_hall *hall = s->house->hall;
    outbox_entry *entry;
    STAILQ_FOREACH(entry, &s->outbox.entries, link)
    {
        const struct iovec body = {entry->text + entry->body_at, entry->len - entry->body_at};
        const room_signal signal = {.kind = entry->kind, .count = 1, .parts = &body};
        if (entry->sender != 0 &&
            room_manager_requeue(hall->manager, s->peer->member, entry->sender, &signal, hall->now_ms(hall)))
            entry->sender = 0; /* its sender has it again */
    }
}

void seat_house_end(seat *s, session_leave counted, room_news_kind why, slice text)
{
    seat_house *house = s->house;
    assert(room_peer_is_joined(s->peer));
    uint64_t now_ms = house->hall->now_ms(house->hall);
    counter_add(&house->hall->counters->leaves[counted], 1);
    room_manager_leave(house->hall->manager, s->peer,
                       &(room_leaving){.why = why, .text = text, .now_ms = now_ms});
    house->holder->let_go(s);
}

/* ---- What is due ---- */

static uint64_t away_until_ms(const seat_house *house, const seat *s)
{
    return s->lost_ms + house->hall->limits->resume_for_ms;
}

uint64_t seat_house_next_due_ms(const void *kept)
{
    const seat_house *house = kept;
    const seat *away = TAILQ_FIRST(&house->away);
    const seat *owing = TAILQ_FIRST(&house->owing);
    uint64_t away_ms = away == NULL ? UINT64_MAX : away_until_ms(house, away);
    uint64_t owing_ms = owing == NULL ? UINT64_MAX : owing->owes_since_ms + SEAT_ACK_AFTER_MS;
    return away_ms < owing_ms ? away_ms : owing_ms;
}

void seat_house_tick(void *kept, uint64_t now_ms)
{
    seat_house *house = kept;
    seat *s;
    while ((s = TAILQ_FIRST(&house->owing)) != NULL && s->owes_since_ms + SEAT_ACK_AFTER_MS <= now_ms)
        seat_acknowledge(s);
    while ((s = TAILQ_FIRST(&house->away)) != NULL && away_until_ms(house, s) <= now_ms) {
        if (house->holder->may_end != NULL && !house->holder->may_end(s)) {
            s->lost_ms = now_ms - house->hall->limits->resume_for_ms + SEAT_TRY_AGAIN_MS;
            continue;
        }
        LOG(LOG_INFO, log_namespace, "away for too long", LOG_NUMBER("conn", s->connection_id),
            LOG_PRIVATE("room", room_member_room(s->peer->member)),
            LOG_PRIVATE("user", room_member_user(s->peer->member)));
        seat_house_end(s, SESSION_LEAVE_LOST, ROOM_NEWS_LOST, (slice){NULL, 0});
    }
}
