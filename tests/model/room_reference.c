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

static model_kind kind_of(const reference_place *place)
{
    return model_kind_of(place->peer);
}

/* The others of version 2 hear that something has happened to this member. */
static void tell(reference *r, const reference_room *room, const reference_place *about, const char *what)
{
    for (int i = 0; i < room->member_count; i++) {
        const reference_place *other = &room->members[i];
        if (other->order != about->order && kind_of(other) == OF_VERSION_2)
            transcript_note(&r->heard.peers[other->peer], "%c#%u %s\n", user_letters[about->user],
                            about->order, what);
    }
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

/* Only in version 1 a user is known by its name. */
static int find_user(const reference_place *places, int count, int user)
{
    for (int i = 0; i < count; i++) {
        if (places[i].user == user && kind_of(&places[i]) == OF_VERSION_1)
            return i;
    }
    return -1;
}

static void take_out(reference_place *places, int *count, int at)
{
    *count -= 1;
    memmove(&places[at], &places[at + 1], (size_t)(*count - at) * sizeof(*places));
}

reference_where reference_find(const reference *r, int peer, int *room, const reference_place **place)
{
    for (int i = 0; i < MODEL_ROOMS; i++) {
        const reference_room *in = &r->rooms[i];
        int at = find_peer(in->members, in->member_count, peer);
        *room = i;
        if (at >= 0) {
            *place = &in->members[at];
            return REFERENCE_IN;
        }
        at = find_peer(in->line, in->line_count, peer);
        if (at >= 0) {
            *place = &in->line[at];
            return REFERENCE_WAITING;
        }
    }
    return REFERENCE_OUT;
}

static reference_room *room_of(reference *r, int peer)
{
    int room;
    const reference_place *place;
    if (reference_find(r, peer, &room, &place) == REFERENCE_OUT)
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

static bool understands(model_kind who, int kind)
{
    return kind == MODEL_OFFER || (kind == MODEL_HANGUP && who != OF_VERSION_1) || who == OF_VERSION_2;
}

static void pass(reference *r, const reference_room *room, const char *outcome, reference_signal signal,
                 const reference_place *from, const reference_place *to)
{
    if (!understands(kind_of(to), signal.kind)) {
        report(r, room, "dropped", signal, from->user, to->user, ": not understood");
        return;
    }
    transcript_note(&r->heard.peers[to->peer], "signal %d of %d bytes from %c#%u\n", signal.number,
                    (int)signal.bytes, user_letters[from->user], from->order);
    if (r->is_ending[to->peer])
        report(r, room, "dropped", signal, from->user, to->user, ": receiver is ending");
    else
        report(r, room, outcome, signal, from->user, to->user, "");
}

static bool enqueue(reference *r, reference_room *room, reference_signal signal, const reference_place *from)
{
    const char *why = NULL;
    if (room->queued == r->limits.max_messages || queued_bytes(room) + signal.bytes > r->limits.max_bytes)
        why = ": room queue is full";
    else if (queued_bytes_of_all(r) + signal.bytes > r->limits.budget)
        why = ": server queue budget is used up";
    if (why != NULL) {
        report(r, room, "refused", signal, from->user, -1, why);
        return false;
    }
    room->queue[room->queued++] = signal;
    room->owner = *from;
    report(r, room, "queued", signal, from->user, -1, "");
    return true;
}

void reference_send(reference *r, int peer, reference_signal signal, int to)
{
    reference_room *room = room_of(r, peer);
    const reference_place *from = &room->members[find_peer(room->members, room->member_count, peer)];
    if (room->member_count == 1 && to < 0 && signal.is_fleeting) {
        report(r, room, "dropped", signal, from->user, -1, ": nobody there");
        return;
    }
    if (room->member_count == 1 && to < 0) {
        if (!enqueue(r, room, signal, from))
            hear(r, from->peer, "Pending queue is full");
        return;
    }
    for (int i = 0; i < room->member_count; i++) {
        const reference_place *other = &room->members[i];
        if (to < 0 ? other != from : other->peer == to)
            pass(r, room, "relayed", signal, from, other);
    }
}

bool reference_requeue(reference *r, int peer, unsigned order, reference_signal signal)
{
    reference_room *room = room_of(r, peer);
    const reference_place *only = &room->members[0];
    return room->member_count == 1 && only->order == order && kind_of(only) != OF_VERSION_2 &&
           !signal.is_fleeting && enqueue(r, room, signal, only);
}

static void drop_queue(reference *r, reference_room *room, const char *why)
{
    for (int i = 0; i < room->queued; i++)
        report(r, room, "dropped", room->queue[i], room->owner.user, -1, why);
    room->queued = 0;
    room->is_owner_lost = false;
}

/* Somebody has come in: the queue of another user is delivered, one's own is kept on. */
static void deliver_queue(reference *r, reference_room *room, const reference_place *newcomer)
{
    if (room->queued == 0)
        return;
    room->is_owner_lost = false;
    if (room->owner.user == newcomer->user && kind_of(&room->owner) == OF_VERSION_1 &&
        kind_of(newcomer) == OF_VERSION_1) {
        room->owner = *newcomer;
        return;
    }
    for (int i = 0; i < room->queued; i++)
        pass(r, room, "delivered", room->queue[i], &room->owner, newcomer);
    room->queued = 0;
}

static bool has_queue(const reference_room *room, const reference_place *member)
{
    return room->queued > 0 && room->owner.order == member->order;
}

/* ---- Who is where: rules 1 and 4 ---- */

static bool is_full(const reference *r, const reference_room *room)
{
    return room->member_count >= (room == &r->rooms[MODEL_SESSION] ? 2 : r->limits.capacity);
}

static bool was_read_since(const reference_place *member, uint64_t since_ms)
{
    return member->away_ms == 0 && member->alive_ms > since_ms;
}

/* Does it wait, from its coming on, because the only member of its session may be a ghost? */
static bool doubts(const reference_room *room, const reference_place *newcomer)
{
    return kind_of(newcomer) == OF_SESSION && room->member_count == 1 &&
           !was_read_since(&room->members[0], newcomer->since_ms > 1000 ? newcomer->since_ms - 1000 : 0);
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
    if (kind_of(&newcomer) == OF_VERSION_1)
        forget_former(room, newcomer.user);
    newcomer.order = ++room->last_order;
    room->members[room->member_count++] = newcomer;
    if (kind_of(&newcomer) == OF_VERSION_2)
        hear(r, newcomer.peer, "entered");
    tell(r, room, &newcomer, "joined");
}

static bool nobody_owes_answer_since(const reference_room *room, uint64_t since_ms)
{
    for (int i = 0; i < room->member_count; i++) {
        const reference_place *member = &room->members[i];
        if (member->away_ms != 0 || (member->is_asked && member->alive_ms <= since_ms))
            return false;
    }
    return true;
}

static void refuse(reference *r, reference_room *room, int at)
{
    hear(r, room->line[at].peer, "refused");
    take_out(room->line, &room->line_count, at);
}

static bool was_asked_lately(const reference *r, const reference_place *member)
{
    uint64_t pause_ms = r->limits.probe_ms < 1000 ? r->limits.probe_ms : 1000;
    return member->asked_ms != 0 && r->now_ms < member->asked_ms + pause_ms;
}

/* Who was asked, and has time left to answer, is not asked again. A question that nobody waited for to its
 * end is. Who is away can't be asked. Returns how many owe an answer. */
static int ask_members(const reference *r, reference_room *room)
{
    int owing = 0;
    for (int i = 0; i < room->member_count; i++) {
        reference_place *member = &room->members[i];
        bool is_forgotten = room->line_count == 0 && r->now_ms >= member->asked_ms + r->limits.probe_ms;
        bool owes = member->is_asked && !is_forgotten;
        if (member->away_ms == 0 && !owes && was_asked_lately(r, member))
            continue;
        owing++;
        if (owes || member->away_ms != 0)
            continue;
        member->is_asked = true;
        member->asked_ms = r->now_ms;
    }
    return owing;
}

/* The first in the line whom nothing keeps out, or -1. */
static int find_admissible(const reference *r, const reference_room *room)
{
    for (int i = 0; i < room->line_count && !is_full(r, room); i++) {
        if (!doubts(room, &room->line[i]))
            return i;
    }
    return -1;
}

/* A place has become free, or somebody has shown that it is alive. A room that is empty is forgotten. */
static void look_at_line(reference *r, reference_room *room)
{
    int at;
    while ((at = find_admissible(r, room)) >= 0) {
        reference_place first = room->line[at];
        take_out(room->line, &room->line_count, at);
        hear(r, first.peer, "admitted");
        enter(r, room, first);
        deliver_queue(r, room, &room->members[room->member_count - 1]);
    }
    for (int i = 0; i < room->line_count && is_full(r, room);) {
        if (nobody_owes_answer_since(room, room->line[i].since_ms))
            refuse(r, room, i);
        else
            i++;
    }
    if (room->line_count > 0 && !is_full(r, room))
        ask_members(r, room);
    if (room->member_count == 0 && room->queued == 0) {
        room->former_count = 0;
        room->last_order = 0;
    }
}

static void wait_in_line(const reference *r, reference_room *room, reference_place newcomer)
{
    int former = kind_of(&newcomer) == OF_VERSION_1 ? find_former(room, newcomer.user) : -1;
    newcomer.was_member =
        former >= 0 && newcomer.since_ms <= room->formers[former].lost_ms + r->limits.ttl_ms;
    int at = room->line_count++;
    for (; newcomer.was_member && at > 0 && !room->line[at - 1].was_member; at--)
        room->line[at] = room->line[at - 1];
    room->line[at] = newcomer;
}

/* The same user from a new connection. */
static void take_over(reference *r, reference_room *room, int at, reference_place newcomer)
{
    reference_place old = room->members[at];
    bool owns_queue = has_queue(room, &old);
    hear(r, old.peer, "replaced");
    take_out(room->members, &room->member_count, at);
    tell(r, room, &old, "replaced");
    newcomer.asked_ms = old.asked_ms;
    enter(r, room, newcomer);
    if (owns_queue)
        room->owner = room->members[room->member_count - 1];
    look_at_line(r, room);
}

void reference_join(reference *r, int peer, int room_number, int user)
{
    reference_room *room = &r->rooms[room_number];
    reference_place newcomer = {.peer = peer, .user = user, .since_ms = r->now_ms, .alive_ms = r->now_ms};
    bool is_user = kind_of(&newcomer) == OF_VERSION_1;
    int at = is_user ? find_user(room->members, room->member_count, user) : -1;
    if (at >= 0) {
        take_over(r, room, at, newcomer);
        return;
    }
    at = is_user ? find_user(room->line, room->line_count, user) : -1;
    if (at >= 0) {
        hear(r, room->line[at].peer, "replaced");
        room->line[at].peer = peer;
        room->line[at].alive_ms = r->now_ms;
        return;
    }
    if (!is_full(r, room) && !doubts(room, &newcomer)) {
        enter(r, room, newcomer);
        deliver_queue(r, room, &room->members[room->member_count - 1]);
        return;
    }
    if (ask_members(r, room) > 0)
        wait_in_line(r, room, newcomer);
    else
        hear(r, peer, "refused");
}

static const char *setback_of(const char *why)
{
    return strcmp(why, "lost") == 0 ? ": sender lost" : ": sender left";
}

void reference_leave(reference *r, int peer, const char *why)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->line, room->line_count, peer);
    if (at >= 0) {
        take_out(room->line, &room->line_count, at);
        return;
    }
    at = find_peer(room->members, room->member_count, peer);
    reference_place gone = room->members[at];
    if (has_queue(room, &gone))
        drop_queue(r, room, setback_of(why));
    take_out(room->members, &room->member_count, at);
    tell(r, room, &gone, why);
    look_at_line(r, room);
}

static void lose_member(reference *r, reference_room *room, int at)
{
    reference_place gone = room->members[at];
    if (has_queue(room, &gone) && kind_of(&gone) == OF_VERSION_1) {
        room->is_owner_lost = true;
        room->expires_ms = r->now_ms + r->limits.ttl_ms;
    } else if (has_queue(room, &gone)) {
        drop_queue(r, room, ": sender lost");
    }
    if (kind_of(&gone) == OF_VERSION_1)
        note_former(r, room, gone.user, r->now_ms);
    take_out(room->members, &room->member_count, at);
    tell(r, room, &gone, "lost");
}

void reference_lose(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->line, room->line_count, peer);
    if (at >= 0) {
        take_out(room->line, &room->line_count, at);
        return;
    }
    lose_member(r, room, find_peer(room->members, room->member_count, peer));
    look_at_line(r, room);
}

void reference_answer(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->members, room->member_count, peer);
    if (at < 0) { /* who waits is asked nothing */
        at = find_peer(room->line, room->line_count, peer);
        room->line[at].alive_ms = r->now_ms;
        return;
    }
    room->members[at].alive_ms = r->now_ms;
    room->members[at].is_asked = false;
    look_at_line(r, room);
}

static reference_place *member_of(reference_room *room, int peer)
{
    return &room->members[find_peer(room->members, room->member_count, peer)];
}

void reference_go_away(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    reference_place *member = member_of(room, peer);
    member->away_ms = r->now_ms;
    tell(r, room, member, "away");
}

void reference_come_back(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    reference_place *member = member_of(room, peer);
    member->away_ms = 0;
    tell(r, room, member, "back");
    reference_answer(r, peer);
}

void reference_change(reference *r, int peer)
{
    reference_room *room = room_of(r, peer);
    tell(r, room, member_of(room, peer), "changed");
}

void reference_succeed(reference *r, int peer, int successor, int user, const char *why)
{
    reference_room *room = room_of(r, peer);
    int at = find_peer(room->members, room->member_count, peer);
    reference_place gone = room->members[at];
    if (has_queue(room, &gone))
        drop_queue(r, room, setback_of(why));
    take_out(room->members, &room->member_count, at);
    tell(r, room, &gone, why);
    enter(r, room, (reference_place){.peer = successor, .user = user, .alive_ms = r->now_ms});
    look_at_line(r, room);
}

/* ---- Time ---- */

void reference_set_time(reference *r, uint64_t now_ms)
{
    r->now_ms = now_ms;
}

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

static int longest_away(const reference_room *room)
{
    int found = -1;
    for (int i = 0; i < room->member_count; i++) {
        uint64_t away_ms = room->members[i].away_ms;
        if (away_ms != 0 && (found < 0 || away_ms < room->members[found].away_ms))
            found = i;
    }
    return found;
}

static void drop(reference *r, reference_room *room, int at)
{
    hear(r, room->members[at].peer, "dropped");
    lose_member(r, room, at);
}

/* It has waited for long enough: silent members make way, then one who is away, or it is refused. Where it is
 * kept out by one who was asked later, it waits for that one. */
static void end_wait(reference *r, reference_room *room, int waiter)
{
    for (int i = 0; i < room->member_count;) {
        const reference_place *member = &room->members[i];
        if (member->away_ms == 0 && member->is_asked && r->now_ms >= member->asked_ms + r->limits.probe_ms)
            drop(r, room, i);
        else
            i++;
    }
    if (is_full(r, room) || doubts(room, &room->line[waiter])) {
        int away = longest_away(room);
        if (away >= 0)
            drop(r, room, away);
        else if (is_full(r, room))
            refuse(r, room, waiter);
        else
            room->line[waiter].since_ms = r->now_ms;
    }
    look_at_line(r, room);
}

void reference_tick(reference *r)
{
    for (int i = 0; i < MODEL_ROOMS; i++) {
        reference_room *room = &r->rooms[i];
        int first;
        while ((first = longest_waiting(room)) >= 0 &&
               r->now_ms >= room->line[first].since_ms + r->limits.probe_ms)
            end_wait(r, room, first);
        if (room->is_owner_lost && r->now_ms >= room->expires_ms) {
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
        if (room->is_owner_lost && room->expires_ms < due_ms)
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
