#include "cluster/edge.h"

#include "base/wipe.h"
#include "cluster/edge_parts.h"

#include <assert.h>
#include <errno.h>

void edge_init(edge *e, const node_id *self, uint16_t worker, const uint8_t secret[CLUSTER_SECRET_BYTES],
               const edge_events *events)
{
    *e = (edge){.events = *events, .self = *self, .worker = worker};
    TAILQ_INIT(&e->seeking);
    memcpy(e->secret, secret, sizeof(e->secret));
}

/* ---- Bindings ---- */

binding *edge_find_binding(const edge *e, uint64_t number)
{
    binding *found;
    HASH_FIND(table, e->table, &number, sizeof(number), found);
    return found;
}

static size_t names_len(const edge_join *as)
{
    return as->room.len + as->user.len + as->extra.len;
}

/* It gets a new number. False without memory: then it is in no table. */
static bool number_it(edge *e, binding *b)
{
    do
        b->number = cluster_number(e->worker, &b->key, ++e->last_serial);
    while (edge_find_binding(e, b->number) != NULL); /* one that is as old as all serials */
    HASH_ADD(table, e->table, number, sizeof(b->number), b);
    return b->table.tbl != NULL;
}

static void stop_to_seek(binding *b)
{
    if (b->is_listed)
        TAILQ_REMOVE(&b->edge->seeking, b, seeking);
    b->is_listed = false;
}

void edge_free_binding(binding *b)
{
    edge *e = b->edge;
    stop_to_seek(b);
    if (b->table.tbl != NULL)
        HASH_DELETE(table, e->table, b);
    if (e->table == NULL) /* and so it is ticked no more */
        counter_set(&e->elsewhere, 0);
    while (!STAILQ_EMPTY(&b->in)) {
        const wire_message m = held_message_read(STAILQ_FIRST(&b->in));
        e->events.on_loss(e->events.context, CLUSTER_LOSS_EDGE, m.payload);
        held_messages_drop_first(&b->in);
    }
    wipe_and_free(b, sizeof(*b) + names_len(&b->as));
}

void edge_deinit(edge *e)
{
    for (binding *b = e->table, *next; b != NULL; b = next) {
        next = b->table.next;
        edge_free_binding(b);
    }
}

static slice keep_name(char **to, slice name)
{
    if (name.len > 0)
        memcpy(*to, name.data, name.len);
    const slice kept = {*to, name.len};
    *to += name.len;
    return kept;
}

/* ---- Seeking and joining ---- */

static void seek(binding *b)
{
    edge *e = b->edge;
    b->is_asked = true;
    b->seek_ms = e->now_ms + EDGE_ASK_AGAIN_MS; /* where there was no memory */
    e->events.want(e->events.context, &b->key);
}

/* Now, or when it may. */
void edge_begin_to_seek(binding *b, uint64_t at_ms)
{
    edge *e = b->edge;
    b->state = BINDING_SEEKING;
    if (!b->is_listed)
        TAILQ_INSERT_TAIL(&e->seeking, b, seeking);
    b->is_listed = true;
    b->is_asked = false;
    b->seek_ms = at_ms;
    if (!b->is_rejoin && b->seek_ms < e->newcomers_ms)
        b->seek_ms = e->newcomers_ms;
}

binding *edge_join_room(edge *e, const edge_join *as, uint64_t now_ms)
{
    e->now_ms = now_ms;
    binding *b = calloc(1, sizeof(*b) + names_len(as));
    if (b == NULL)
        return NULL;
    char *names = b->names;
    b->edge = e;
    b->as = *as;
    b->as.room = keep_name(&names, as->room);
    b->as.user = keep_name(&names, as->user);
    b->as.extra = keep_name(&names, as->extra);
    b->joined_ms = now_ms;
    b->key = room_key_of(e->secret, as->space, as->room);
    STAILQ_INIT(&b->in);
    if (!number_it(e, b)) {
        edge_free_binding(b);
        return NULL;
    }
    edge_begin_to_seek(b, now_ms);
    return b;
}

static void ask_owner(binding *b, const room_home *owner)
{
    edge *e = b->edge;
    const wire_message join = {.type = WIRE_JOIN,
                               .code = b->as.kind,
                               .flags = b->is_rejoin ? WIRE_IS_REJOIN : 0,
                               .space = (uint8_t)b->as.space,
                               .binding = b->number,
                               .number = b->before,
                               .age_ms = e->now_ms - b->joined_ms,
                               .room = b->as.room,
                               .user = b->as.user,
                               .extra = b->as.extra};
    b->owner = *owner;
    b->state = BINDING_JOINING;
    stop_to_seek(b);
    /* A crowd that joins at once must not end the link: no control message. */
    if (e->events.say(e->events.context, owner, &join, false) != 0)
        edge_begin_to_seek(b, e->now_ms + EDGE_TRY_AGAIN_MS);
}

void edge_on_owner(edge *e, const room_key *key, const room_home *owner, uint64_t now_ms)
{
    e->now_ms = now_ms;
    for (binding *b = TAILQ_FIRST(&e->seeking), *next; b != NULL; b = next) {
        next = TAILQ_NEXT(b, seeking);
        if (b->is_asked && room_key_equals(&b->key, key))
            ask_owner(b, owner);
    }
}

/* ---- What its client says ---- */

wire_message edge_about(const binding *b, wire_type type)
{
    return (wire_message){.type = type, .binding = b->number};
}

void edge_say(const binding *b, const wire_message *m)
{
    const edge *e = b->edge;
    (void)e->events.say(e->events.context, &b->owner, m, true); /* or its link is lost, and it joins again */
}

static void go(binding *b, const wire_message *last)
{
    bool is_known = b->state == BINDING_JOINING || b->state == BINDING_WAITING || b->state == BINDING_BOUND;
    if (b->state == BINDING_SWITCHING) { /* behind what is forwarded */
        b->as.client = NULL;
        b->is_left = last->type == WIRE_LEAVE;
        b->is_lost = !b->is_left;
        return;
    }
    if (is_known)
        edge_say(b, last);
    edge_free_binding(b);
}

void edge_leave(binding *b, uint64_t now_ms)
{
    b->edge->now_ms = now_ms;
    const wire_message leave = edge_about(b, WIRE_LEAVE);
    go(b, &leave);
}

void edge_lose(binding *b, bool is_fault, uint64_t now_ms)
{
    b->edge->now_ms = now_ms;
    wire_message lost = edge_about(b, WIRE_LOST);
    lost.flags = is_fault ? WIRE_IS_FAULT : 0;
    go(b, &lost);
}

int edge_signal(binding *b, uint8_t kind, bool is_fleeting, slice extra, slice payload, uint64_t now_ms)
{
    edge *e = b->edge;
    e->now_ms = now_ms;
    wire_message m = edge_about(b, WIRE_SIGNAL);
    m.code = kind;
    m.flags = is_fleeting ? WIRE_IS_FLEETING : 0;
    m.extra = extra;
    m.payload = payload;
    if (b->state == BINDING_BOUND && STAILQ_EMPTY(&b->in)) {
        int error = e->events.say(e->events.context, &b->owner, &m, false);
        if (error == 0 || error == -ENOMEM)
            return error == 0 ? 0 : -EAGAIN;
    }
    if (b->in_count >= EDGE_MAX_HELD || b->in_bytes + payload.len > EDGE_MAX_HELD_BYTES ||
        !held_messages_add(&b->in, &e->self, &m))
        return -EAGAIN;
    b->in_count++;
    b->in_bytes += payload.len;
    return 0;
}

void edge_alive(binding *b, uint64_t number, uint64_t now_ms)
{
    b->edge->now_ms = now_ms;
    wire_message m = edge_about(b, WIRE_ALIVE);
    m.number = number;
    if (b->state == BINDING_BOUND)
        edge_say(b, &m);
}

/* Its owner is not its owner any more: it joins again, under another number, or its client does. */
void edge_join_again(binding *b)
{
    edge *e = b->edge;
    bool was_in = b->state == BINDING_BOUND || (b->state == BINDING_SWITCHING && b->after == BINDING_BOUND);
    const wire_message lost = edge_about(b, WIRE_LOST);
    edge_say(b, &lost); /* where there is still something of it: it must not meet that */
    if (b->is_left || b->is_lost) {
        edge_free_binding(b);
        return;
    }
    HASH_DELETE(table, e->table, b);
    b->table.tbl = NULL;
    b->before = b->number;
    if ((was_in && b->as.comes_back) || !number_it(e, b)) {
        void *client = b->as.client;
        edge_free_binding(b);
        e->events.on_lost(e->events.context, client);
        return;
    }
    b->is_rejoin |= was_in;
    edge_begin_to_seek(b, e->now_ms);
}

/* What was held, as far as it fits. The rest goes on waiting: it was accepted, and a dialect that numbers its
 * messages can't leave one out. */
void edge_say_held(binding *b)
{
    edge *e = b->edge;
    while (b->state == BINDING_BOUND && !STAILQ_EMPTY(&b->in)) {
        wire_message m = held_message_read(STAILQ_FIRST(&b->in));
        m.binding = b->number;
        if (e->events.say(e->events.context, &b->owner, &m, false) != 0)
            return; /* or its link is lost, and it joins again */
        held_messages_drop_first(&b->in);
        b->in_count--;
        b->in_bytes -= m.payload.len;
    }
}

/* ---- Losses and time ---- */

void edge_on_node_lost(edge *e, const node_id *node, bool is_dead, uint64_t now_ms)
{
    e->now_ms = now_ms;
    if (is_dead)
        e->newcomers_ms = now_ms + EDGE_NEWCOMERS_WAIT_MS;
    for (binding *b = e->table, *next; b != NULL; b = next) {
        next = b->table.next;
        bool is_hit = b->state != BINDING_SEEKING &&
                      (node_id_equals(&b->owner.node, node) ||
                       (b->state == BINDING_SWITCHING && node_id_equals(&b->former, node)));
        if (is_hit) /* one that joins again already is seeking */
            edge_join_again(b);
    }
}

static void end_unreachable(binding *b)
{
    const edge *e = b->edge;
    void *client = b->as.client;
    const wire_message lost = edge_about(b, WIRE_LOST);
    if (b->state != BINDING_SEEKING)
        edge_say(b, &lost); /* when the engine is back, if the link has lasted */
    edge_free_binding(b);
    if (client != NULL)
        e->events.on_close(e->events.context, client, WIRE_END_UNREACHABLE);
}

void edge_end_unreachable(edge *e, bool opens_rooms, uint64_t now_ms)
{
    e->now_ms = now_ms;
    for (binding *b = e->table, *next; b != NULL; b = next) {
        next = b->table.next;
        bool is_here = node_id_equals(&b->owner.node, &e->self);
        if (b->state == BINDING_SEEKING ? !opens_rooms : !is_here)
            end_unreachable(b);
    }
}

void edge_seek(edge *e, uint64_t now_ms)
{
    e->now_ms = now_ms;
    for (binding *b = TAILQ_FIRST(&e->seeking), *next; b != NULL; b = next) {
        next = TAILQ_NEXT(b, seeking);
        assert(b->state == BINDING_SEEKING);
        if (now_ms >= b->seek_ms)
            seek(b);
    }
}

void edge_tick(edge *e, uint64_t now_ms)
{
    uint64_t elsewhere = 0;
    edge_seek(e, now_ms);
    for (binding *b = e->table, *next; b != NULL; b = next) {
        next = b->table.next;
        elsewhere += b->state != BINDING_SEEKING && !node_id_equals(&b->owner.node, &e->self);
        if (b->state == BINDING_SWITCHING && now_ms >= b->seek_ms)
            edge_join_again(b);
        else
            edge_say_held(b);
    }
    if (e->table != NULL)
        counter_set(&e->elsewhere, elsewhere);
}
