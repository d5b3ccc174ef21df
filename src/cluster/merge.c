#include "cluster/merge.h"

#include "rooms/room_moving.h"

#include <assert.h>
#include <errno.h>

/* ---- Giving ---- */

/* A room on its way out. */
typedef struct giving {
    owner *o;
    const owned_room *room;
    uint64_t time_left_ms;
    int error; /* the first one */
} giving;

static void say(giving *g, wire_message *m)
{
    m->number = g->room->number;
    if (g->error == 0)
        g->error = g->o->all.events.say(g->o->all.events.context, &g->room->to.node, m, true);
}

static void on_place(void *context, const room_member *member, room_place place, uint64_t time_left_ms)
{
    giving *g = context;
    wire_message m = {
        .type = WIRE_MERGE_MEMBER, .order = room_member_order(member), .user = room_member_user(member)};
    bytes *extra = NULL;
    if (place == ROOM_PLACE_LOST) {
        g->time_left_ms = time_left_ms;
        m.flags = WIRE_IS_LOST;
    } else {
        const remote *r = remote_of_peer(room_member_peer(member));
        const remote_kind *kind = remote_kind_of(r);
        m.code = (uint8_t)remote_kind_number(r);
        m.flags = place == ROOM_PLACE_LINE ? WIRE_IS_WAITING : 0;
        m.age_ms = g->o->all.now_ms - r->joined_ms;
        if (r->away_ms == 0) {
            m.other = r->id.edge;
            m.binding = r->id.binding;
        }
        if (kind->pack != NULL)
            kind->pack(r, &extra);
        if (extra != NULL)
            m.extra = (slice){(const char *)bytes_head(extra), bytes_len(extra)};
    }
    say(g, &m);
    bytes_clear(&extra);
}

static void on_queued(void *context, int kind, slice body, uint64_t waited_ms)
{
    wire_message m = {.type = WIRE_MERGE_SIGNAL, .code = (uint8_t)kind, .age_ms = waited_ms, .payload = body};
    say(context, &m);
}

/* It goes on here. What was held comes again. */
static void keep(owner *o, owned_room *room, uint64_t retry_ms)
{
    assert(room->is_given);
    room->is_given = false;
    o->giving--;
    room->retry_ms = retry_ms;
    room_manager_thaw(o->all.manager, room->space, owned_room_name(room), o->all.now_ms);
    STAILQ_CONCAT(&o->all.again, &room->held);
    const wire_message stays = {.type = WIRE_MERGE_ABORT, .key = room->key, .number = room->number};
    (void)o->all.events.say(o->all.events.context, &room->to.node, &stays, true); /* or its link is lost */
}

/* Nobody is in it: there is nothing to give but the name. */
static void give_name(owner *o, owned_room *room, const node_id *to)
{
    const room_home home = {.node = *to};
    o->events.give(o->events.context, &room->key, &home);
    owned_rooms_remove(o, room);
}

static void give(owner *o, owned_room *room, const node_id *to)
{
    slice name = owned_room_name(room);
    if (o->giving >= MERGE_MAX_GIVINGS)
        return; /* its turn comes at a later tick */
    room->retry_ms = o->all.now_ms + MERGE_RETRY_MS;
    if (!o->all.events.is_linked(o->all.events.context, to))
        return;
    if (room_manager_freeze(o->all.manager, room->space, name) != 0) {
        give_name(o, room, to);
        return;
    }
    room->is_given = true;
    o->giving++;
    room->to = (room_home){.node = *to};
    room->number = cluster_number(o->worker, &room->key, ++o->last_serial);
    room->since_ms = o->all.now_ms;
    giving g = {.o = o, .room = room};
    const room_life life = room_manager_frozen_life(o->all.manager, room->space, name);
    wire_message begin = {.type = WIRE_MERGE_BEGIN,
                          .flags = o->events.is_draining(o->events.context, &o->self) ? WIRE_IS_DRAINING : 0,
                          .space = room->space,
                          .key = room->key,
                          .room = name,
                          .life = life.id_base,
                          .order = life.last_order};
    say(&g, &begin);
    const room_export all = {.on_place = on_place, .on_queued = on_queued, .context = &g};
    room_manager_export(o->all.manager, room->space, name, o->all.now_ms, &all);
    wire_message end = {.type = WIRE_MERGE_END, .age_ms = g.time_left_ms};
    say(&g, &end);
    if (g.error != 0) /* END was not sent */
        keep(o, room, o->all.now_ms + MERGE_RETRY_MS);
}

/* ---- Who gives ---- */

/* Is our (draining, incarnation) the higher one? */
static bool is_higher(const owner *o, const node_id *rival, bool they_drain)
{
    bool we_drain = o->events.is_draining(o->events.context, &o->self);
    return we_drain != they_drain ? we_drain : node_id_compare(&o->self, rival) > 0;
}

static bool must_give(const owner *o, const node_id *rival)
{
    return is_higher(o, rival, o->events.is_draining(o->events.context, rival));
}

void merge_on_rival(owner *o, owned_room *room, const node_id *rival)
{
    if (!must_give(o, rival)) {
        const wire_message ask = {.type = WIRE_OWNS, .keys = {(const char *)&room->key, sizeof(room->key)}};
        (void)o->all.events.say(o->all.events.context, rival, &ask, true); /* or we hear of it again */
        return;
    }
    bool had_heir = room->is_given && node_id_is_nobody(&room->rival);
    if (had_heir)
        keep(o, room,
             0); /* we drain, and have found an heir that does not own it. What was held comes first */
    room->rival = *rival;
    if (!had_heir && !room->is_given && o->all.now_ms >= room->retry_ms)
        give(o, room, rival);
}

/* ---- The answer ---- */

/* Its edge is told, and what it has said while it waited goes the same way. */
static void hand_over(owner *o, remote *r, const room_home *to)
{
    wire_message moved = {.type = WIRE_MOVED, .other = to->node, .worker = to->worker};
    if (r->away_ms != 0) {
        remote_end(r);
        return;
    }
    STAILQ_CONCAT(&o->all.again, &r->in);
    remote_become_stub(r, to);
    remote_tell(r, &moved);
}

/* From here on it is the other node's, also if that does not hear of it: then edges join again. */
static void on_ready(owner *o, owned_room *room, const room_home *to)
{
    const wire_message commit = {.type = WIRE_MERGE_COMMIT, .key = room->key, .number = room->number};
    remote *r;
    if (o->all.events.say(o->all.events.context, &to->node, &commit, true) != 0) {
        keep(o, room, o->all.now_ms + MERGE_RETRY_MS);
        return;
    }
    room_manager_discard(o->all.manager, room->space, owned_room_name(room));
    while ((r = TAILQ_FIRST(&room->remotes)) != NULL)
        hand_over(o, r, to);
    STAILQ_CONCAT(&o->all.again, &room->held);
    o->events.give(o->events.context, &room->key, to);
    counter_add(&o->counts.given, 1);
    o->giving--;
    owned_rooms_log_move(room, &to->node, "a room has gone to another node", 0);
    owned_rooms_remove(o, room);
}

static void on_refused(owner *o, owned_room *room, wire_refusal why)
{
    if (why == WIRE_REFUSED_NOT_OWNER) {
        room->rival = (node_id){{0}};
        o->events.check(o->events.context, &room->key); /* it may have given it to another one */
    }
    keep(o, room, o->all.now_ms + MERGE_RETRY_MS);
}

static void on_answer(owner *o, const node_id *from, const wire_message *m)
{
    owned_room *room = owned_rooms_find(o, &m->key);
    if (room == NULL || !room->is_given || room->number != m->number || !node_id_equals(&room->to.node, from))
        return; /* it was kept, and the other node is told so */
    const room_home to = {.node = *from, .worker = m->worker};
    if (m->type == WIRE_MERGE_READY)
        on_ready(o, room, &to);
    else
        on_refused(o, room, (wire_refusal)m->code);
}

/* A room of ours that comes back to us while we give it away: as long as we have not said COMMIT, we keep it.
 */
static void make_way(owner *o, const wire_message *commit)
{
    owned_room *room = owned_rooms_find(o, &commit->key);
    if (room != NULL && room->is_given)
        keep(o, room, o->all.now_ms + MERGE_RETRY_MS);
}

/* We give ours away (to an heir, since we drain; or to that node, before we knew that it drains as well), and
 * it gives its own to us, as it must: first the two become one here. */
static void prefer_rival(owner *o, const node_id *rival, const wire_message *begin)
{
    owned_room *room = owned_rooms_find(o, &begin->key);
    if (room == NULL || !room->is_given || is_higher(o, rival, (begin->flags & WIRE_IS_DRAINING) != 0))
        return;
    if (node_id_equals(&room->rival, rival))
        room->rival = (node_id){{0}};
    if (!node_id_is_nobody(&room->rival))
        return; /* to a third owner, as we must */
    keep(o, room, o->all.now_ms + MERGE_RETRY_MS);
}

void merge_on_message(owner *o, const node_id *from, const wire_message *m)
{
    if (m->type == WIRE_MERGE_READY || m->type == WIRE_MERGE_REFUSED) {
        on_answer(o, from, m);
        return;
    }
    if (m->type == WIRE_MERGE_COMMIT)
        make_way(o, m);
    else if (m->type == WIRE_MERGE_BEGIN)
        prefer_rival(o, from, m);
    merge_collect(o, from, m);
}

void merge_on_node_lost(owner *o, const node_id *node)
{
    merge_forget_from(o, node);
    for (owned_room *room = o->rooms, *next; room != NULL; room = next) {
        next = room->table.next;
        if (node_id_equals(&room->rival, node))
            room->rival = (node_id){{0}};
        if (room->is_given && node_id_equals(&room->to.node, node))
            keep(o, room, o->all.now_ms);
    }
}

/* ---- Time ---- */

/* It lasts too long, or for so long already that another rival is worth a try: nobody may be there any more.
 */
static bool must_end(const owner *o, const owned_room *room)
{
    uint64_t lasts_ms = o->all.now_ms - room->since_ms;
    bool has_another = !node_id_is_nobody(&room->rival) && !node_id_equals(&room->rival, &room->to.node);
    return lasts_ms >= (has_another ? MERGE_RETRY_MS : MERGE_LASTS_MS);
}

static void try_again(owner *o, owned_room *room, bool we_drain)
{
    node_id heir;
    if (o->all.now_ms < room->retry_ms)
        return;
    if (!node_id_is_nobody(&room->rival) && must_give(o, &room->rival))
        give(o, room, &room->rival);
    else if (we_drain && o->events.find_heir(o->events.context, &heir))
        give(o, room, &heir);
}

void merge_tick(owner *o)
{
    bool we_drain = o->events.is_draining(o->events.context, &o->self);
    for (owned_room *room = o->rooms, *next; room != NULL; room = next) {
        next = room->table.next;
        if (!room->is_given)
            try_again(o, room, we_drain);
        else if (must_end(o, room))
            keep(o, room, 0);
    }
}
