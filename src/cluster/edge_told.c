/* What owners say to the bindings of an edge. */
#include "cluster/edge.h"
#include "cluster/edge_parts.h"

static void on_moved(binding *b, const wire_message *m)
{
    const wire_message last = edge_about(b, WIRE_SWITCH);
    if (b->state != BINDING_BOUND && b->state != BINDING_WAITING)
        return;
    b->after = b->state;
    b->state = BINDING_SWITCHING;
    edge_say(b, &last);
    b->former = b->owner.node;
    b->owner = (room_home){.node = m->other, .worker = m->worker};
    b->seek_ms = b->edge->now_ms + EDGE_SWITCH_MS;
    if (!b->edge->events.is_linked(b->edge->events.context, &m->other))
        edge_join_again(b);
}

static void on_switched(binding *b)
{
    if (b->state != BINDING_SWITCHING)
        return;
    b->state = b->after;
    if (b->is_left || b->is_lost) {
        const wire_message last = edge_about(b, b->is_left ? WIRE_LEAVE : WIRE_LOST);
        edge_say(b, &last);
        edge_free_binding(b);
        return;
    }
    edge_say_held(b);
}

static void on_joined(binding *b, const wire_message *m)
{
    b->state = BINDING_BOUND;
    b->edge->events.on_joined(b->edge->events.context, b->as.client, m->extra);
    edge_say_held(b);
}

/* The owner does not know the binding, or the room. */
static void on_unknown(binding *b, const node_id *from, bool is_not_owner)
{
    edge *e = b->edge;
    if (is_not_owner && b->state == BINDING_JOINING) {
        e->events.mistaken(e->events.context, &b->key, from);
        edge_begin_to_seek(b, e->now_ms);
    } else if (!is_not_owner && b->state != BINDING_SEEKING) {
        edge_join_again(b);
    }
}

/* It is over. */
static void on_end(binding *b, const wire_message *m)
{
    const edge *e = b->edge;
    void *client = b->as.client;
    edge_free_binding(b);
    if (client == NULL)
        return; /* it went before */
    if (m->type == WIRE_FULL)
        e->events.on_full(e->events.context, client);
    else
        e->events.on_close(e->events.context, client, (wire_end)m->code);
}

/* Of a binding that is there and not on its way. */
static void on_bound_message(binding *b, const wire_message *m)
{
    const edge *e = b->edge;
    switch (m->type) {
    case WIRE_JOINED:
        on_joined(b, m);
        break;
    case WIRE_WAITING:
        b->state = BINDING_WAITING;
        e->events.on_waiting(e->events.context, b->as.client);
        break;
    case WIRE_DELIVER:
        e->events.on_deliver(e->events.context, b->as.client, m->payload);
        break;
    case WIRE_QUEUE_FULL:
        e->events.on_queue_full(e->events.context, b->as.client, m->extra, (slice){NULL, 0});
        break;
    case WIRE_PROBE:
        e->events.on_probe(e->events.context, b->as.client, m->number);
        break;
    case WIRE_MOVED:
        on_moved(b, m);
        break;
    default:
        break;
    }
}

/* What its client can't be told any more. */
static void lose_delivery(const edge *e, const wire_message *m)
{
    if (m->type == WIRE_DELIVER)
        e->events.on_loss(e->events.context, CLUSTER_LOSS_GONE, m->payload);
}

/* An owner has somebody of ours who is not here. */
static void answer_unknown(const edge *e, const node_id *from, const wire_message *m)
{
    const room_home to = {.node = *from};
    const wire_message lost = {.type = WIRE_LOST, .binding = m->binding};
    if (m->type == WIRE_JOINED || m->type == WIRE_WAITING || m->type == WIRE_DELIVER ||
        m->type == WIRE_PROBE || m->type == WIRE_MOVED || m->type == WIRE_SWITCHED)
        (void)e->events.say(e->events.context, &to, &lost, true); /* or it notices by its link */
}

void edge_on_message(edge *e, const node_id *from, const wire_message *m, uint64_t now_ms)
{
    e->now_ms = now_ms;
    binding *b = edge_find_binding(e, m->binding);
    if (b == NULL) {
        lose_delivery(e, m);
        answer_unknown(e, from, m);
        return;
    }
    bool is_owner = node_id_equals(from, &b->owner.node) && b->state != BINDING_SEEKING;
    bool is_former = b->state == BINDING_SWITCHING && node_id_equals(from, &b->former);
    if (m->type == WIRE_UNBOUND || m->type == WIRE_NOT_OWNER) {
        if (is_owner || is_former)
            on_unknown(b, from, m->type == WIRE_NOT_OWNER);
    } else if (!is_owner ||
               (b->state == BINDING_SWITCHING && m->type != WIRE_SWITCHED && m->type != WIRE_CLOSE)) {
        lose_delivery(e, m); /* it is of an owner that is none any more */
    } else if (m->type == WIRE_FULL || m->type == WIRE_CLOSE) {
        on_end(b, m);
    } else if (m->type == WIRE_SWITCHED) {
        on_switched(b);
    } else {
        on_bound_message(b, m);
    }
}
