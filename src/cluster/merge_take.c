#include "cluster/merge_take.h"

#include "cluster/name_json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- Collecting ---- */

static taking *find_taking(const owner *o, const node_id *from, uint64_t number)
{
    taking *t;
    TAILQ_FOREACH(t, &o->takings, link)
    {
        if (t->number == number && node_id_equals(&t->from, from))
            break;
    }
    return t;
}

static void forget(owner *o, taking *t)
{
    if (t->is_ready) {
        const wire_message begin = held_message_read(STAILQ_FIRST(&t->messages));
        o->events.break_promise(o->events.context, &begin.key);
    }
    TAILQ_REMOVE(&o->takings, t, link);
    held_messages_clear(&t->messages);
    free(t);
}

static taking *begin(owner *o, const node_id *from, uint64_t number)
{
    unsigned count = 0;
    taking *t;
    TAILQ_FOREACH(t, &o->takings, link)
    {
        count++;
    }
    if (count >= MERGE_MAX_TAKINGS)
        return NULL;
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->from = *from;
    t->number = number;
    STAILQ_INIT(&t->messages);
    TAILQ_INSERT_TAIL(&o->takings, t, link);
    return t;
}

void merge_forget_from(owner *o, const node_id *node)
{
    for (taking *t = TAILQ_FIRST(&o->takings), *next; t != NULL; t = next) {
        next = TAILQ_NEXT(t, link);
        if (node_id_equals(&t->from, node))
            forget(o, t);
    }
}

void merge_deinit(owner *o)
{
    for (taking *t = TAILQ_FIRST(&o->takings), *next; t != NULL; t = next) {
        next = TAILQ_NEXT(t, link);
        forget(o, t);
    }
}

/* ---- Taking ---- */

/* A room on its way in. */
typedef struct arrival {
    owner *o;
    owned_room *room;
    room_import import;
    room_queued *queued; /* owned */
    room_import_queue queue;
    slice user_json; /* owned; of the MEMBER before, as the next */
    bool has_place;
} arrival;

static bool is_younger(void *context, const room_peer *a, const room_peer *b)
{
    (void)context;
    const remote *first = remote_of_peer(a);
    const remote *second = remote_of_peer(b);
    if (first->joined_ms != second->joined_ms)
        return first->joined_ms > second->joined_ms;
    return memcmp(&first->id, &second->id, sizeof(first->id)) > 0;
}

static void on_demoted(void *context, room_peer *peer)
{
    arrival *a = context;
    wire_message waiting = {.type = WIRE_WAITING};
    counter_add(&a->o->counts.pushed_out, 1);
    remote_tell(remote_of_peer(peer), &waiting);
}

/* Its room has gone away and comes back, before its edge has noticed either. */
static void forget_stub(owner *o, const wire_message *m)
{
    remote *r = remotes_find(&o->all, &m->other, m->binding);
    if (r != NULL && r->state != REMOTE_OPEN)
        remote_end(r);
}

static remote *open_remote(owner *o, owned_room *room, const wire_message *m)
{
    const remote_id id = {.edge = m->other, .binding = m->binding};
    uint64_t age_ms = m->age_ms < o->all.now_ms ? m->age_ms : o->all.now_ms;
    bool is_away = node_id_is_nobody(&m->other);
    const remote_id away = {.binding = ++o->away_bindings};
    if (!is_away)
        forget_stub(o, m);
    if (m->code >= o->all.kind_count || o->all.kinds[m->code]->space != room->space ||
        (!is_away && remotes_find(&o->all, &m->other, m->binding) != NULL))
        return NULL;
    remote *r =
        remotes_open(&o->all, room, &room->remotes, m->code, is_away ? &away : &id, o->all.now_ms - age_ms);
    if (r == NULL)
        return NULL;
    r->corked_ms = is_away ? 0 : o->all.now_ms;
    r->away_ms = is_away ? o->all.now_ms : 0;
    const remote_kind *kind = remote_kind_of(r);
    if (kind->open == NULL || kind->open(r, m->extra, true))
        return r;
    remote_end(r);
    return NULL;
}

static void import_member(arrival *a, const wire_message *m)
{
    owner *o = a->o;
    a->queue.owner = NULL;
    a->queue.user = m->user;
    a->queue.order = m->order;
    name_json_free(&a->user_json);
    a->has_place = name_json_make(m->user, &a->user_json);
    a->queue.user_json = a->user_json;
    if ((m->flags & WIRE_IS_LOST) != 0)
        return;
    remote *r = a->has_place ? open_remote(o, a->room, m) : NULL;
    a->has_place = r != NULL && (!remote_kind_of(r)->face.has_users || m->user.len > 0);
    if (r == NULL)
        return;
    const room_arrival coming = {.peer = &r->peer,
                                 .user = m->user,
                                 .user_json = a->user_json,
                                 .has_waited = (m->flags & WIRE_IS_WAITING) != 0,
                                 .order = m->order};
    a->queue.owner = &r->peer;
    if (!a->has_place || room_manager_import_member(o->all.manager, &a->import, &coming) != 0) {
        a->has_place = false;
        remote_end(r);
    } else if (room_peer_is_waiting(&r->peer)) {
        wire_message waiting = {.type = WIRE_WAITING};
        counter_add(&o->counts.pushed_out, !coming.has_waited);
        remote_tell(r, &waiting);
    }
}

/* Does any dialect have signals of this kind? */
static bool is_known_kind(const remotes *all, unsigned kind)
{
    uint32_t known = 0;
    for (unsigned i = 0; i < all->kind_count; i++)
        known |= all->kinds[i]->face.kinds;
    return (known >> kind & 1) != 0;
}

static void collect_signal(arrival *a, const wire_message *m)
{
    if (a->has_place && a->queue.count < MERGE_MAX_SIGNALS && is_known_kind(&a->o->all, m->code))
        a->queued[a->queue.count++] =
            (room_queued){.kind = m->code, .body = m->payload, .waited_ms = m->age_ms};
    else
        a->o->all.events.on_loss(a->o->all.events.context, CLUSTER_LOSS_MERGE, m->payload);
}

/* Who has queued something is told before it; those who wait come behind. So the queue is complete when the
 * next place comes. */
static void import_queue(arrival *a, uint64_t time_left_ms)
{
    if (a->queue.count == 0)
        return;
    a->queue.signals = a->queued;
    a->queue.time_left_ms = time_left_ms;
    if (room_manager_import_queue(a->o->all.manager, &a->import, &a->queue) != 0) {
        for (unsigned i = 0; i < a->queue.count; i++)
            a->o->all.events.on_loss(a->o->all.events.context, CLUSTER_LOSS_MERGE, a->queued[i].body);
    }
    a->queue.count = 0;
}

static void import_all(arrival *a, const taking *t)
{
    const held_message *held;
    STAILQ_FOREACH(held, &t->messages, link)
    {
        const wire_message m = held_message_read(held);
        if (m.type == WIRE_MERGE_MEMBER) {
            import_queue(a, t->time_left_ms);
            import_member(a, &m);
        } else if (m.type == WIRE_MERGE_SIGNAL) {
            collect_signal(a, &m);
        }
    }
    import_queue(a, t->time_left_ms);
}

/* Those whose edge can't be reached from here are lost. */
static void lose_unreachable(owner *o, owned_room *room)
{
    for (remote *r = TAILQ_FIRST(&room->remotes), *next; r != NULL; r = next) {
        next = TAILQ_NEXT(r, link);
        if (r->corked_ms == 0 || node_id_equals(&r->id.edge, &o->self) ||
            o->all.events.is_linked(o->all.events.context, &r->id.edge))
            continue;
        counter_add(&o->counts.unlinked, 1);
        if (r->peer.member != NULL)
            room_manager_lose(o->all.manager, &r->peer, o->all.now_ms);
        remote_end(r);
    }
}

/* May it be taken, as far as we know now? 0, or a wire_refusal with its sign turned, less 1. */
static int judge(owner *o, const taking *t, const wire_message *begin)
{
    const owned_room *room = owned_rooms_find(o, &begin->key);
    const room_key key = room_key_of(o->secret, begin->space, begin->room);
    bool is_ours = o->events.standing(o->events.context, &begin->key) == CLAIMS_MINE;
    if (!room_key_equals(&key, &begin->key) || (!is_ours && (begin->flags & WIRE_IS_DRAINING) == 0))
        return -1 - WIRE_REFUSED_NOT_OWNER;
    /* Who drains takes no more rooms, but two owners become one before an heir is looked for. */
    bool may_take = is_ours || !o->events.is_draining(o->events.context, &o->self);
    if ((room != NULL && room->is_given) || !may_take ||
        o->events.promise(o->events.context, &begin->key, &t->from) != 0)
        return -1 - WIRE_REFUSED_BUSY;
    return 0;
}

static void answer(owner *o, taking *t, uint64_t time_left_ms)
{
    const wire_message begin = held_message_read(STAILQ_FIRST(&t->messages));
    int result = judge(o, t, &begin);
    const wire_message told = {.type = result == 0 ? WIRE_MERGE_READY : WIRE_MERGE_REFUSED,
                               .code = result == 0 ? 0 : (uint8_t)(-result - 1),
                               .worker = o->worker,
                               .key = begin.key,
                               .number = t->number};
    (void)o->all.events.say(o->all.events.context, &t->from, &told, true); /* or its link is lost */
    t->is_ready = result == 0;
    t->time_left_ms = time_left_ms;
    if (t->is_ready)
        return;
    counter_add(&o->counts.refused, 1);
    forget(o, t);
}

/* It was given to us. Without memory it is nobody's: its edges find that out when they switch. */
static void take(owner *o, const taking *t, const wire_message *begin)
{
    uint64_t pushed_out = counter_get(&o->counts.pushed_out);
    owned_room *room = owned_rooms_find(o, &begin->key);
    if (room == NULL)
        room = owned_rooms_add(o, &begin->key, begin->space, begin->room);
    arrival a = {.o = o,
                 .room = room,
                 .queued = calloc(MERGE_MAX_SIGNALS, sizeof(room_queued)),
                 .import = {.space = begin->space,
                            .room = begin->room,
                            .life = {.id_base = begin->life, .last_order = begin->order},
                            .now_ms = o->all.now_ms,
                            .is_younger = is_younger,
                            .on_demoted = on_demoted,
                            .context = &a}};
    if (room != NULL && a.queued != NULL && name_json_make(begin->room, &a.import.room_json) &&
        o->events.take(o->events.context, &begin->key) == 0 &&
        room_manager_import_begin(o->all.manager, &a.import) == 0) {
        import_all(&a, t);
        room_manager_import_end(o->all.manager, &a.import);
        lose_unreachable(o, room);
        counter_add(&o->counts.taken, 1);
        owned_rooms_log_move(room, &t->from, "a room has come from another node",
                             counter_get(&o->counts.pushed_out) - pushed_out);
    } /* an empty record is removed by owner_tick() */
    name_json_free(&a.user_json);
    name_json_free(&a.import.room_json);
    free(a.queued);
}

static void on_commit(owner *o, taking *t)
{
    if (t->is_ready) {
        const wire_message begin = held_message_read(STAILQ_FIRST(&t->messages));
        t->is_ready = false; /* the promise is kept */
        take(o, t, &begin);
    }
    forget(o, t);
}

/* Of a room that is on its way: BEGIN has come. */
static void go_on(owner *o, taking *t, const wire_message *m)
{
    switch (m->type) {
    case WIRE_MERGE_MEMBER:
    case WIRE_MERGE_SIGNAL:
    case WIRE_MERGE_END:
        t->bytes += wire_size(m);
        if (t->is_ready || t->bytes > MERGE_MAX_BYTES || !held_messages_add(&t->messages, &t->from, m))
            forget(o, t); /* the giver keeps it, since nobody says that it is ready */
        else if (m->type == WIRE_MERGE_END)
            answer(o, t, m->age_ms);
        break;
    case WIRE_MERGE_COMMIT:
        on_commit(o, t);
        break;
    default:
        forget(o, t);
    }
}

void merge_collect(owner *o, const node_id *from, const wire_message *m)
{
    taking *t = find_taking(o, from, m->number);
    if (t != NULL) {
        go_on(o, t, m);
        return;
    }
    if (m->type != WIRE_MERGE_BEGIN)
        return; /* too many rooms came at once */
    t = begin(o, from, m->number);
    if (t != NULL && !held_messages_add(&t->messages, from, m))
        forget(o, t);
}
