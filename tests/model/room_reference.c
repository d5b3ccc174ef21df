#include "model/room_reference.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is noted ---- */

static const char user_letters[] = "abcde";
static_assert(sizeof(user_letters) == MODEL_USERS + 1, "a letter for each user");

static void hear(reference *r, int peer, const char *what)
{
    transcript_note(&r->heard.peers[peer], "%s\n", what);
}

/* `to` is a user, or -1 where there is no receiver. */
static void report(reference *r, const reference_room *room, const char *outcome, reference_signal signal,
                   int from, int to, const char *why)
{
    transcript_note(&r->heard.rooms[room - r->rooms], "%s %d from %c to %c%s\n", outcome, signal.number,
                    user_letters[from], to < 0 ? '-' : user_letters[to], why);
}

/* ---- Finding ---- */

static int find_peer(const reference_place *places, int count, int peer)
{
    for (int i = 0; i < count; i++) {
        if (places[i].peer == peer)
            return i;
    }
    return -1;
}

static int find_user(const reference_place *places, int count, int user)
{
    for (int i = 0; i < count; i++) {
        if (places[i].user == user)
            return i;
    }
    return -1;
}

static void take_out(reference_place *places, int *count, int at)
{
    *count -= 1;
    memmove(&places[at], &places[at + 1], (size_t)(*count - at) * sizeof(*places));
}

reference_where reference_find(const reference *r, int peer, int *room, int *user)
{
    for (int i = 0; i < MODEL_ROOMS; i++) {
        const reference_room *in = &r->rooms[i];
        int at = find_peer(in->members, in->member_count, peer);
        *room = i;
        if (at >= 0) {
            *user = in->members[at].user;
            return REFERENCE_IN;
        }
        at = find_peer(in->line, in->line_count, peer);
        if (at >= 0) {
            *user = in->line[at].user;
            return REFERENCE_WAITING;
        }
    }
    return REFERENCE_OUT;
}

static reference_room *room_of(reference *r, int peer)
{
    int room, user;
    if (reference_find(r, peer, &room, &user) == REFERENCE_OUT)
        abort();
    return &r->rooms[room];
}

/* ---- Signals: rules 2 and 3 ---- */

static uint64_t queued_bytes(const reference_room *room)
{
    uint64_t bytes = 0;
    for (int i = 0; i < room->queued; i++)
        bytes += room->queue[i].bytes;
    return bytes;
}

static uint64_t queued_bytes_of_all(const reference *r)
{
    uint64_t bytes = 0;
    for (int i = 0; i < MODEL_ROOMS; i++)
        bytes += queued_bytes(&r->rooms[i]);
    return bytes;
}

static void pass(reference *r, const reference_room *room, const char *outcome, reference_signal signal,
                 int from, const reference_place *to)
{
    transcript_note(&r->heard.peers[to->peer], "signal %d of %d bytes from %c\n", signal.number,
                    (int)signal.bytes, user_letters[from]);
    if (r->is_ending[to->peer])
        report(r, room, "dropped", signal, from, to->user, ": receiver is ending");
    else
        report(r, room, outcome, signal, from, to->user, "");
}

static void enqueue(reference *r, reference_room *room, reference_signal signal, const reference_place *from)
{
    const char *why = NULL;
    if (room->queued == r->limits.max_messages || queued_bytes(room) + signal.bytes > r->limits.max_bytes)
        why = ": room queue is full";
    else if (queued_bytes_of_all(r) + signal.bytes > r->limits.budget)
        why = ": server queue budget is used up";
    if (why != NULL) {
        report(r, room, "refused", signal, from->user, -1, why);
        hear(r, from->peer, "Pending queue is full");
        return;
    }
    room->queue[room->queued++] = signal;
    room->owner = from->user;
    report(r, room, "queued", signal, from->user, -1, "");
}

void reference_send(reference *r, int peer, reference_signal signal)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->members, room->member_count, peer);
    if (room->member_count == 1) {
        enqueue(r, room, signal, &room->members[at]);
        return;
    }
    for (int i = 0; i < room->member_count; i++) {
        if (i != at)
            pass(r, room, "relayed", signal, room->members[at].user, &room->members[i]);
    }
}

static void drop_queue(reference *r, reference_room *room, const char *why)
{
    for (int i = 0; i < room->queued; i++)
        report(r, room, "dropped", room->queue[i], room->owner, -1, why);
    room->queued = 0;
    room->is_owner_away = false;
}

/* Somebody has come in: the queue of another user is delivered, one's own is kept on. */
static void deliver_queue(reference *r, reference_room *room, const reference_place *newcomer)
{
    room->is_owner_away = false;
    if (room->owner == newcomer->user)
        return;
    for (int i = 0; i < room->queued; i++)
        pass(r, room, "delivered", room->queue[i], room->owner, newcomer);
    room->queued = 0;
}

/* ---- Who is where: rules 1 and 4 ---- */

static bool is_full(const reference *r, const reference_room *room)
{
    return room->member_count >= r->limits.capacity;
}

static int find_former(const reference_room *room, int user)
{
    for (int i = 0; i < room->former_count; i++) {
        if (room->formers[i].user == user)
            return i;
    }
    return -1;
}

static void forget_former(reference_room *room, int user)
{
    int at = find_former(room, user);
    if (at < 0)
        return;
    room->former_count--;
    memmove(&room->formers[at], &room->formers[at + 1],
            (size_t)(room->former_count - at) * sizeof(room->formers[0]));
}

static void note_former(const reference *r, reference_room *room, int user, uint64_t now_ms)
{
    forget_former(room, user);
    int most = r->limits.capacity < MODEL_USERS ? r->limits.capacity : MODEL_USERS;
    if (room->former_count == most)
        room->former_count--;
    memmove(&room->formers[1], &room->formers[0], (size_t)room->former_count * sizeof(room->formers[0]));
    room->formers[0] = (reference_former){.user = user, .lost_ms = now_ms};
    room->former_count++;
}

static void enter(reference *r, reference_room *room, reference_place newcomer)
{
    forget_former(room, newcomer.user);
    room->members[room->member_count++] = newcomer;
    deliver_queue(r, room, &newcomer);
}

static bool nobody_owes_answer_since(const reference_room *room, uint64_t since_ms)
{
    for (int i = 0; i < room->member_count; i++) {
        if (room->members[i].is_asked && room->members[i].alive_ms <= since_ms)
            return false;
    }
    return true;
}

static void refuse(reference *r, reference_room *room, int at)
{
    hear(r, room->line[at].peer, "refused");
    take_out(room->line, &room->line_count, at);
}

/* A place has become free, or somebody has shown that it is alive. A room that is empty is forgotten. */
static void look_at_line(reference *r, reference_room *room)
{
    while (room->line_count > 0 && !is_full(r, room)) {
        reference_place first = room->line[0];
        take_out(room->line, &room->line_count, 0);
        hear(r, first.peer, "admitted");
        enter(r, room, first);
    }
    for (int i = 0; i < room->line_count;) {
        if (nobody_owes_answer_since(room, room->line[i].since_ms))
            refuse(r, room, i);
        else
            i++;
    }
    if (room->member_count == 0 && room->queued == 0)
        room->former_count = 0;
}

static bool was_asked_lately(const reference *r, const reference_place *member, uint64_t now_ms)
{
    uint64_t pause_ms = r->limits.probe_ms < 1000 ? r->limits.probe_ms : 1000;
    return member->asked_ms != 0 && now_ms < member->asked_ms + pause_ms;
}

/* Who was asked, and has time left to answer, is not asked again. A question that nobody waited for to its
 * end is. Returns how many owe an answer. */
static int ask_members(const reference *r, reference_room *room, uint64_t now_ms)
{
    int owing = 0;
    for (int i = 0; i < room->member_count; i++) {
        reference_place *member = &room->members[i];
        bool is_forgotten = room->line_count == 0 && now_ms >= member->asked_ms + r->limits.probe_ms;
        bool owes = member->is_asked && !is_forgotten;
        if (!owes && was_asked_lately(r, member, now_ms))
            continue;
        owing++;
        if (owes)
            continue;
        member->is_asked = true;
        member->asked_ms = now_ms;
    }
    return owing;
}

static void wait_in_line(const reference *r, reference_room *room, reference_place newcomer)
{
    int former = find_former(room, newcomer.user);
    newcomer.was_member =
        former >= 0 && newcomer.since_ms <= room->formers[former].lost_ms + r->limits.ttl_ms;
    int at = room->line_count++;
    for (; newcomer.was_member && at > 0 && !room->line[at - 1].was_member; at--)
        room->line[at] = room->line[at - 1];
    room->line[at] = newcomer;
}

void reference_join(reference *r, int peer, int room_number, int user, uint64_t now_ms)
{
    reference_room *room = &r->rooms[room_number];
    reference_place newcomer = {.peer = peer, .user = user, .since_ms = now_ms, .alive_ms = now_ms};
    int at = find_user(room->members, room->member_count, user);
    if (at >= 0) {
        hear(r, room->members[at].peer, "replaced");
        newcomer.asked_ms = room->members[at].asked_ms;
        take_out(room->members, &room->member_count, at);
        room->members[room->member_count++] = newcomer;
        look_at_line(r, room);
        return;
    }
    at = find_user(room->line, room->line_count, user);
    if (at >= 0) {
        hear(r, room->line[at].peer, "replaced");
        room->line[at].peer = peer;
        room->line[at].alive_ms = now_ms;
        return;
    }
    if (!is_full(r, room)) {
        enter(r, room, newcomer);
        return;
    }
    if (ask_members(r, room, now_ms) > 0)
        wait_in_line(r, room, newcomer);
    else
        hear(r, peer, "refused");
}

void reference_leave(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->line, room->line_count, peer);
    if (at >= 0) {
        take_out(room->line, &room->line_count, at);
        return;
    }
    at = find_peer(room->members, room->member_count, peer);
    if (room->owner == room->members[at].user)
        drop_queue(r, room, ": sender left");
    take_out(room->members, &room->member_count, at);
    look_at_line(r, room);
}

static void lose_member(const reference *r, reference_room *room, int at, uint64_t now_ms)
{
    if (room->queued > 0 && room->owner == room->members[at].user) {
        room->is_owner_away = true;
        room->expires_ms = now_ms + r->limits.ttl_ms;
    }
    note_former(r, room, room->members[at].user, now_ms);
    take_out(room->members, &room->member_count, at);
}

void reference_lose(reference *r, int peer, uint64_t now_ms)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->line, room->line_count, peer);
    if (at >= 0) {
        take_out(room->line, &room->line_count, at);
        return;
    }
    lose_member(r, room, find_peer(room->members, room->member_count, peer), now_ms);
    look_at_line(r, room);
}

void reference_answer(reference *r, int peer, uint64_t now_ms)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->members, room->member_count, peer);
    if (at < 0) { /* who waits is asked nothing */
        at = find_peer(room->line, room->line_count, peer);
        room->line[at].alive_ms = now_ms;
        return;
    }
    room->members[at].alive_ms = now_ms;
    room->members[at].is_asked = false;
    look_at_line(r, room);
}

/* ---- Time ---- */

/* Who came first of those who wait, or -1. */
static int longest_waiting(const reference_room *room)
{
    int found = -1;
    for (int i = 0; i < room->line_count; i++) {
        if (found < 0 || room->line[i].since_ms < room->line[found].since_ms)
            found = i;
    }
    return found;
}

/* It has waited for long enough: silent members make way, or it is refused. */
static void end_wait(reference *r, reference_room *room, int waiter, uint64_t now_ms)
{
    for (int i = 0; i < room->member_count;) {
        const reference_place *member = &room->members[i];
        if (member->is_asked && now_ms >= member->asked_ms + r->limits.probe_ms) {
            hear(r, member->peer, "dropped");
            lose_member(r, room, i, now_ms);
        } else {
            i++;
        }
    }
    if (is_full(r, room))
        refuse(r, room, waiter);
    look_at_line(r, room);
}

void reference_tick(reference *r, uint64_t now_ms)
{
    for (int i = 0; i < MODEL_ROOMS; i++) {
        reference_room *room = &r->rooms[i];
        int first;
        while ((first = longest_waiting(room)) >= 0 &&
               now_ms >= room->line[first].since_ms + r->limits.probe_ms)
            end_wait(r, room, first, now_ms);
        if (room->is_owner_away && now_ms >= room->expires_ms) {
            drop_queue(r, room, ": expired");
            look_at_line(r, room);
        }
    }
}

uint64_t reference_due_ms(const reference *r)
{
    uint64_t due_ms = UINT64_MAX;
    for (int i = 0; i < MODEL_ROOMS; i++) {
        const reference_room *room = &r->rooms[i];
        int first = longest_waiting(room);
        if (first >= 0 && room->line[first].since_ms + r->limits.probe_ms < due_ms)
            due_ms = room->line[first].since_ms + r->limits.probe_ms;
        if (room->is_owner_away && room->expires_ms < due_ms)
            due_ms = room->expires_ms;
    }
    return due_ms;
}

/* ---- Life ---- */

void reference_init(reference *r, const reference_limits *limits)
{
    assert(limits->max_messages <= REFERENCE_QUEUE);
    memset(r, 0, sizeof(*r));
    r->limits = *limits;
}

void reference_stop(reference *r)
{
    for (int i = 0; i < MODEL_ROOMS; i++)
        drop_queue(r, &r->rooms[i], ": server stops");
}
