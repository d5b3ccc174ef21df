#include "cluster/remote.h"

#include "base/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- Lists of messages ---- */

bool held_messages_add(held_messages *list, const node_id *from, const wire_message *m)
{
    size_t len = wire_size(m);
    held_message *held = malloc(sizeof(*held) + len);
    if (held == NULL)
        return false;
    held->from = *from;
    held->len = len;
    wire_write(m, held->data);
    STAILQ_INSERT_TAIL(list, held, link);
    return true;
}

void held_messages_drop_first(held_messages *list)
{
    held_message *first = STAILQ_FIRST(list);
    STAILQ_REMOVE_HEAD(list, link);
    wipe_and_free(first, sizeof(*first) + first->len);
}

void held_messages_clear(held_messages *list)
{
    while (!STAILQ_EMPTY(list))
        held_messages_drop_first(list);
}

wire_message held_message_read(const held_message *held)
{
    wire_message m;
    int error = wire_read_link((slice){(const char *)held->data, held->len}, &m);
    assert(error == 0); /* we have written it */
    (void)error;
    return m;
}

void remotes_lose_held(const remotes *all, held_messages *list, cluster_loss why)
{
    while (!STAILQ_EMPTY(list)) {
        const wire_message m = held_message_read(STAILQ_FIRST(list));
        if (m.type == WIRE_SIGNAL || m.type == WIRE_DELIVER)
            all->events.on_loss(all->events.context, why, m.payload);
        held_messages_drop_first(list);
    }
}

/* ---- All of them ---- */

void remotes_init(remotes *all, const node_id *self, const remotes_events *events,
                  const remote_kind *const *kinds, unsigned kind_count, room_manager *manager)
{
    *all = (remotes){
        .events = *events, .kinds = kinds, .kind_count = kind_count, .manager = manager, .self = *self};
    TAILQ_INIT(&all->loose);
    TAILQ_INIT(&all->ended);
    STAILQ_INIT(&all->again);
}

remote *remotes_find(const remotes *all, const node_id *edge, uint64_t binding)
{
    const remote_id id = {.edge = *edge, .binding = binding};
    remote *found;
    HASH_FIND(table, all->table, &id, sizeof(id), found);
    return found;
}

/* Count whether it is a client of another node: whenever its place or its edge has changed. */
static void count(remote *r)
{
    remotes *all = r->all;
    bool is_counted = r->table.tbl != NULL && r->state == REMOTE_OPEN && !node_id_is_nobody(&r->id.edge) &&
                      !node_id_equals(&r->id.edge, &all->self);
    if (is_counted != r->is_counted)
        counter_set(&all->from_elsewhere, counter_get(&all->from_elsewhere) + (is_counted ? 1 : UINT64_MAX));
    r->is_counted = is_counted;
}

static bool add_to_table(remote *r)
{
    remotes *all = r->all;
    HASH_ADD(table, all->table, id, sizeof(r->id), r);
    count(r);
    return r->table.tbl != NULL; /* that is how uthash says that there is no memory */
}

static void enter_list(remote *r, remote_list *list)
{
    if (r->list != NULL)
        TAILQ_REMOVE(r->list, r, link);
    r->list = list;
    TAILQ_INSERT_TAIL(list, r, link);
}

remote *remotes_open(remotes *all, owned_room *room, remote_list *list, unsigned kind, const remote_id *id,
                     uint64_t joined_ms)
{
    static_assert(sizeof(remote_id) == CLUSTER_ID_BYTES + sizeof(uint64_t),
                  "it is hashed with all its bytes");
    assert(kind < all->kind_count && remotes_find(all, &id->edge, id->binding) == NULL);
    remote *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->peer.face = &all->kinds[kind]->face;
    r->id = *id;
    r->all = all;
    r->room = room;
    r->joined_ms = joined_ms;
    r->alive_ms = all->now_ms;
    STAILQ_INIT(&r->out);
    STAILQ_INIT(&r->in);
    if (!add_to_table(r)) {
        free(r);
        return NULL;
    }
    enter_list(r, list);
    return r;
}

unsigned remote_kind_number(const remote *r)
{
    unsigned number = 0;
    while (r->all->kinds[number] != remote_kind_of(r))
        number++;
    return number;
}

static void leave_table(remote *r)
{
    if (r->table.tbl != NULL)
        HASH_DELETE(table, r->all->table, r);
    r->table.tbl = NULL;
}

static void free_remote(remote *r)
{
    const remote_kind *kind = remote_kind_of(r);
    if (kind->close != NULL)
        kind->close(r);
    held_messages_clear(&r->out);
    held_messages_clear(&r->in);
    free(r);
}

/* It belongs to no room any more. */
static void leave_room(remote *r, remote_state state, remote_list *list)
{
    assert(r->peer.member == NULL);
    r->state = state;
    count(r);
    r->room = NULL;
    enter_list(r, list);
}

void remote_end(remote *r)
{
    if (r->state == REMOTE_ENDED)
        return;
    leave_table(r);
    remotes_lose_held(r->all, &r->out, CLUSTER_LOSS_UNBOUND);
    remotes_lose_held(r->all, &r->in, CLUSTER_LOSS_MERGE);
    leave_room(r, REMOTE_ENDED, &r->all->ended);
}

void remote_close(remote *r)
{
    remotes_lose_held(r->all, &r->in, CLUSTER_LOSS_MERGE);
    if (STAILQ_EMPTY(&r->out) || r->away_ms != 0)
        remote_end(r);
    else
        leave_room(r, REMOTE_CLOSING, &r->all->loose);
}

void remote_become_stub(remote *r, const room_home *to)
{
    r->to = *to;
    leave_room(r, REMOTE_STUB, &r->all->loose);
}

void remotes_end_turn(remotes *all)
{
    remote *r;
    while ((r = TAILQ_FIRST(&all->ended)) != NULL) {
        TAILQ_REMOVE(&all->ended, r, link);
        free_remote(r);
    }
}

void remotes_deinit(remotes *all)
{
    for (remote *r = TAILQ_FIRST(&all->loose), *next; r != NULL; r = next) {
        next = TAILQ_NEXT(r, link);
        remote_end(r);
    }
    remotes_end_turn(all);
    held_messages_clear(&all->again);
    assert(all->table == NULL);
}

bool remote_rebind(remote *r, const remote_id *id)
{
    if (remotes_find(r->all, &id->edge, id->binding) != NULL)
        return false;
    leave_table(r);
    r->id = *id;
    r->away_ms = 0;
    r->alive_ms = r->all->now_ms;
    r->corked_ms = 0;
    held_messages_clear(&r->out); /* its kind tells again what was not acknowledged */
    r->out_bytes = 0;
    return add_to_table(r);
}

/* ---- Telling its edge ---- */

/* What may come in a crowd, and can wait, is no control message: that ends a link which has no place for it.
 */
static bool is_control(const wire_message *m)
{
    return m->type != WIRE_DELIVER && m->type != WIRE_JOINED && m->type != WIRE_WAITING &&
           m->type != WIRE_FULL && m->type != WIRE_QUEUE_FULL && m->type != WIRE_PROBE;
}

static void hold_back(remote *r, const wire_message *m)
{
    size_t size = wire_size(m);
    bool fits = r->out_bytes + size <= REMOTE_HELD_BYTES || m->type != WIRE_DELIVER;
    if (fits && held_messages_add(&r->out, &r->id.edge, m)) {
        r->out_bytes += size;
        return;
    }
    r->is_slow = true;
    if (m->type == WIRE_DELIVER)
        r->all->events.on_loss(r->all->events.context, CLUSTER_LOSS_UNBOUND, m->payload);
}

void remote_tell(remote *r, wire_message *m)
{
    remotes *all = r->all;
    m->binding = r->id.binding;
    if (r->away_ms != 0)
        return; /* its kind keeps what it will be told */
    if (r->corked_ms != 0 || !STAILQ_EMPTY(&r->out)) {
        hold_back(r, m);
        return;
    }
    int error = all->events.say(all->events.context, &r->id.edge, m, is_control(m));
    if (error == -EAGAIN || error == -ENOMEM)
        hold_back(r, m);
    else if (error != 0 && m->type == WIRE_DELIVER) /* its link is lost, and it will be, too */
        all->events.on_loss(all->events.context, CLUSTER_LOSS_LINK, m->payload);
}

void remote_flush(remote *r)
{
    remotes *all = r->all;
    if (r->corked_ms != 0 || r->state == REMOTE_ENDED)
        return;
    while (!STAILQ_EMPTY(&r->out)) {
        const held_message *first = STAILQ_FIRST(&r->out);
        const wire_message m = held_message_read(first);
        int error = all->events.say(all->events.context, &r->id.edge, &m, is_control(&m));
        if (error == -EAGAIN || error == -ENOMEM)
            return;
        if (error != 0 && m.type == WIRE_DELIVER)
            all->events.on_loss(all->events.context, CLUSTER_LOSS_LINK, m.payload);
        r->out_bytes -= first->len;
        held_messages_drop_first(&r->out);
    }
    if (r->state == REMOTE_CLOSING)
        remote_end(r);
}

void remote_uncork(remote *r)
{
    r->corked_ms = 0;
    remotes_tell_of(r->all, WIRE_SWITCHED, &r->id.edge, r->id.binding);
    remote_flush(r);
}

void remotes_tell_of(remotes *all, wire_type type, const node_id *edge, uint64_t binding)
{
    const wire_message m = {.type = type, .binding = binding};
    (void)all->events.say(all->events.context, edge, &m, true); /* or its link is lost: then it knows */
}

/* ---- Its face ---- */

bool remote_face_send(room_peer *peer, const room_signal *signal, const room_member *from)
{
    remote *r = remote_of_peer(peer);
    bytes *text = NULL;
    if (r->is_slow || r->state != REMOTE_OPEN)
        return false;
    if (!remote_kind_of(r)->write(r, signal, from, &text)) {
        r->is_slow = true;
        bytes_clear(&text);
        return false;
    }
    wire_message m = {.type = WIRE_DELIVER, .payload = {(const char *)bytes_head(text), bytes_len(text)}};
    remote_tell(r, &m);
    bytes_clear(&text);
    return true;
}

void remote_face_probe(room_peer *peer)
{
    remote *r = remote_of_peer(peer);
    wire_message m = {.type = WIRE_PROBE, .number = ++r->probe};
    remote_tell(r, &m);
}

bool remote_face_is_alive_since(const room_peer *peer, uint64_t since_ms)
{
    return remote_of_peer(peer)->alive_ms > since_ms;
}

uint64_t remote_face_away_since_ms(const room_peer *peer)
{
    return remote_of_peer(peer)->away_ms;
}

bool remote_face_is_in_doubt(const room_peer *peer)
{
    const remote *r = remote_of_peer(peer);
    return r->away_ms == 0 && r->all->events.is_in_doubt(r->all->events.context, &r->id.edge);
}

void remote_face_on_admitted(room_peer *peer)
{
    (void)peer;
}

/* What it has said while it waited comes before whatever waits behind it. */
static void let_speak(remote *r)
{
    STAILQ_CONCAT(&r->in, &r->all->again);
    STAILQ_CONCAT(&r->all->again, &r->in);
}

void remote_face_on_entered(room_peer *peer)
{
    remote *r = remote_of_peer(peer);
    bytes *extra = NULL;
    let_speak(r);
    if (remote_kind_of(r)->tell_joined != NULL)
        remote_kind_of(r)->tell_joined(r, &extra);
    wire_message m = {.type = WIRE_JOINED};
    if (extra != NULL)
        m.extra = (slice){(const char *)bytes_head(extra), bytes_len(extra)};
    remote_tell(r, &m);
    bytes_clear(&extra);
}

/* It has no place any more: say so, and end, once that is told. */
static void end_with(room_peer *peer, wire_message *m)
{
    remote *r = remote_of_peer(peer);
    remote_tell(r, m);
    remote_close(r);
}

void remote_face_on_refused(room_peer *peer, const room_member *was)
{
    (void)was;
    wire_message m = {.type = WIRE_FULL};
    end_with(peer, &m);
}

void remote_face_on_replaced(room_peer *peer, const room_member *was)
{
    (void)was;
    wire_message m = {.type = WIRE_CLOSE, .code = WIRE_END_TAKEN_OVER};
    end_with(peer, &m);
}

void remote_face_on_dropped(room_peer *peer)
{
    wire_message m = {.type = WIRE_CLOSE, .code = WIRE_END_SILENT};
    end_with(peer, &m);
}

uint32_t remote_face_account(const room_peer *peer)
{
    (void)peer;
    return 0;
}

uint64_t remote_face_id(const room_peer *peer)
{
    return remote_of_peer(peer)->id.binding;
}
