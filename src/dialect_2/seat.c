#include "dialect_2/seat.h"

#include "base/wipe.h"
#include "dialect_2/writer.h"

#include <assert.h>
#include <stdlib.h>

seat *seat_of(const participant *p)
{
    return p->peer.member == NULL ? NULL : seat_of_peer(room_member_peer(p->peer.member));
}

/* ---- What it is ---- */

static size_t card_size(const seat_card *card)
{
    return sizeof(*card) + card->formerly_len + card->data_len;
}

static seat_card *card_new(slice formerly, slice data)
{
    seat_card *card = malloc(sizeof(*card) + formerly.len + data.len);
    if (card == NULL)
        return NULL;
    card->formerly_len = (uint16_t)formerly.len;
    card->data_len = (uint16_t)data.len;
    if (formerly.len > 0)
        memcpy(card->text, formerly.data, formerly.len);
    if (data.len > 0)
        memcpy(card->text + formerly.len, data.data, data.len);
    return card;
}

static void card_free(seat_card *card)
{
    if (card != NULL)
        wipe_and_free(card, card_size(card));
}

seat *seat_new(seat_house *house, room_peer *peer, participant *wire, slice formerly, slice data)
{
    seat *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    bool has_card = formerly.len > 0 || data.len > 0;
    if (has_card)
        s->card = card_new(formerly, data);
    if ((has_card && s->card == NULL) || token_draw(&s->current) != 0) {
        card_free(s->card);
        free(s);
        return NULL;
    }
    s->peer = peer != NULL ? peer : &s->own;
    s->house = house;
    outbox_init(&s->outbox);
    TAILQ_INSERT_TAIL(&s->house->seats, s, link);
    if (peer == NULL)
        s->own.face = wire->peer.face;
    if (wire != NULL)
        seat_give_wire(s, wire);
    return s;
}

static void forget_owing(seat *s)
{
    if (s->owes_since_ms != 0)
        TAILQ_REMOVE(&s->house->owing, s, owing);
    s->owes_since_ms = 0;
}

static void count_away(const seat_house *house, int more)
{
    counter *away = &house->hall->counters->away;
    counter_set(away, counter_get(away) + (uint64_t)more);
}

static void come_back(seat *s)
{
    if (s->lost_ms == 0)
        return;
    TAILQ_REMOVE(&s->house->away, s, away);
    count_away(s->house, -1);
    s->lost_ms = 0;
    if (s->place != NULL)
        s->house->dialect->host->free_place(s->house->hall, s->place);
    s->place = NULL;
}

void seat_retire(seat *s)
{
    come_back(s);
    forget_owing(s);
}

void seat_free(seat *s)
{
    assert(s->peer->member == NULL);
    if (s->wire != NULL)
        s->wire->peer.member = NULL;
    seat_retire(s);
    TAILQ_REMOVE(&s->house->seats, s, link);
    outbox_clear(&s->outbox, &s->house->bounds);
    card_free(s->card);
    wipe_and_free(s, sizeof(*s));
}

slice seat_formerly(const seat *s)
{
    return s->card == NULL ? (slice){NULL, 0} : (slice){s->card->text, s->card->formerly_len};
}

slice seat_data(const seat *s)
{
    return s->card == NULL ? (slice){NULL, 0}
                           : (slice){s->card->text + s->card->formerly_len, s->card->data_len};
}

bool seat_set_data(seat *s, slice data)
{
    seat_card *card = card_new(seat_formerly(s), data);
    if (card == NULL)
        return false;
    card_free(s->card);
    s->card = card;
    return true;
}

/* ---- Tokens ---- */

void seat_renew_token(seat *s)
{
    token next;
    if (token_draw(&next) != 0)
        return; /* then the present one has to do */
    s->former = s->current;
    s->former_kind = SEAT_FORMER_OWN;
    s->current = next;
}

void seat_keep_former(seat *s)
{
    (void)token_draw(&s->current); /* if it fails, the present one has to do */
}

void seat_inherit_token(seat *s, const token *shown)
{
    s->former = *shown;
    s->former_kind = SEAT_FORMER_OTHER;
}

seat_former seat_match_token(const seat *s, const token *shown, bool *is_current)
{
    *is_current = token_equals(&s->current, shown);
    bool is_former = token_equals(&s->former, shown);
    return is_former ? s->former_kind : SEAT_FORMER_NONE;
}

void seat_forget_former(seat *s)
{
    s->former_kind = SEAT_FORMER_NONE;
}

/* ---- Its numbers ---- */

void seat_take(seat *s, uint64_t n)
{
    s->received = n;
    if (s->received - s->acknowledged >= SEAT_ACK_AFTER_MESSAGES) {
        seat_acknowledge(s);
    } else if (s->owes_since_ms == 0) {
        seat_begin_owing(s, s->house->hall->now_ms(s->house->hall));
    }
}

/* Those that owe one stand in the order in which they began to. */
void seat_begin_owing(seat *s, uint64_t since_ms)
{
    assert(s->owes_since_ms == 0 && since_ms > 0);
    s->owes_since_ms = since_ms;
    seat *before = TAILQ_LAST(&s->house->owing, seat_list);
    while (before != NULL && before->owes_since_ms > since_ms)
        before = TAILQ_PREV(before, seat_list, owing);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&s->house->owing, before, s, owing);
    else
        TAILQ_INSERT_HEAD(&s->house->owing, s, owing);
}

void seat_acknowledge(seat *s)
{
    char digits[WRITER_MAX_DIGITS];
    slice number = writer_digits(s->received, digits);
    const struct iovec parts[] = {
        slice_to_iovec(SLICE_LITERAL("{\"type\":\"ack\",\"ack\":")),
        slice_to_iovec(number),
        slice_to_iovec(SLICE_LITERAL("}")),
    };
    if (s->wire != NULL)
        (void)participant_host_of(s->wire)->send(s->wire, parts, 3);
    s->acknowledged = s->received;
    forget_owing(s);
}

/* ---- What it is told ---- */

enum { MAX_PARTS = 16 };

/* Have what is to be acknowledged ride on a message. Returns how many parts it has then, two more at most. */
static int add_acknowledgement(seat *s, struct iovec *parts, int count, char digits[WRITER_MAX_DIGITS])
{
    if (s->owes_since_ms == 0)
        return count;
    parts[count++] = slice_to_iovec(SLICE_LITERAL(",\"ack\":"));
    parts[count++] = slice_to_iovec(writer_digits(s->received, digits));
    s->acknowledged = s->received;
    forget_owing(s);
    return count;
}

/* Send a message whose parts lack the closing brace. The array has space for three parts more. */
static bool send_open(seat *s, struct iovec *parts, int count)
{
    char digits[WRITER_MAX_DIGITS];
    count = add_acknowledgement(s, parts, count, digits);
    parts[count++] = slice_to_iovec(SLICE_LITERAL("}"));
    return participant_host_of(s->wire)->send_signal(s->wire, parts, count);
}

bool seat_tell(seat *s, slice head, const struct iovec *parts, int count, outbox_entry **entry)
{
    assert(count + 5 <= MAX_PARTS);
    struct iovec all[MAX_PARTS];
    char digits[WRITER_MAX_DIGITS];
    all[0] = slice_to_iovec(head);
    all[1] = slice_to_iovec(writer_digits(s->outbox.next_seq, digits));
    memcpy(all + 2, parts, (size_t)count * sizeof(parts[0]));
    outbox_entry *kept = outbox_add(&s->outbox, &s->house->bounds, s->account, all, count + 2);
    if (entry != NULL)
        *entry = kept;
    bool was_sent = s->wire != NULL && send_open(s, all, count + 2);
    return was_sent || kept != NULL;
}

void seat_tell_written(seat *s, slice head, const writer *rest)
{
    const struct iovec part = slice_to_iovec(writer_text(rest));
    if (part.iov_len > 0) {
        (void)seat_tell(s, head, &part, 1, NULL);
        return;
    }
    outbox_skip(&s->outbox, &s->house->bounds);
    if (s->wire != NULL)
        participant_host_of(s->wire)->give_up(s->wire);
}

void seat_tell_again(seat *s, uint64_t seen)
{
    outbox_entry *entry;
    STAILQ_FOREACH(entry, &s->outbox.entries, link)
    {
        struct iovec parts[4] = {{entry->text, entry->len}};
        if (entry->seq > seen && !send_open(s, parts, 1))
            return; /* the connection ends, and the next one is told */
    }
}

/* ---- Its wire ---- */

/* Those that are away stand in the order in which they were lost. */
void seat_begin_away(seat *s, uint64_t lost_ms)
{
    assert(s->wire == NULL && s->lost_ms == 0 && lost_ms > 0);
    s->lost_ms = lost_ms;
    count_away(s->house, 1);
    seat *before = TAILQ_LAST(&s->house->away, seat_list);
    while (before != NULL && before->lost_ms > lost_ms)
        before = TAILQ_PREV(before, seat_list, away);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&s->house->away, before, s, away);
    else
        TAILQ_INSERT_HEAD(&s->house->away, s, away);
}

void seat_lose_wire(seat *s, uint64_t now_ms)
{
    assert(s->wire != NULL && now_ms > 0);
    s->place = participant_host_of(s->wire)->keep_place(s->wire);
    s->wire->peer.member = NULL;
    s->wire = NULL;
    forget_owing(s);
    seat_begin_away(s, now_ms);
}

void seat_give_wire(seat *s, participant *wire)
{
    participant *before = s->wire;
    const participant_host *host = participant_host_of(wire);
    come_back(s);
    s->wire = wire;
    s->account = wire->account;
    s->connection_id = host->id(wire);
    wire->peer.member = s->peer->member;
    if (before != NULL) {
        before->peer.member = NULL; /* so its end is no loss */
        host->close(before, PARTICIPANT_REPLACED, "the session goes on with another connection");
    }
}
