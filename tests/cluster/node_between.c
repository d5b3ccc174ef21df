/* What the simulation looks at between two parts of a node: the linker puts its functions in the place of
 * theirs. The witness is told of each message that a link loses, and of each client that is ended. */
#include "cluster/node.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

int __real_link_new(const node_id *self, const node_id *peer, const link_limits *limits,
                    const link_events *events, uint64_t now_ms, node_link **out);
int __wrap_link_new(const node_id *self, const node_id *peer, const link_limits *limits,
                    const link_events *events, uint64_t now_ms, node_link **out);

static link_events of_core; /* they are the same for all links, but for their context */

static void note_lost(slice body)
{
    wire_message m;
    REQUIRE(wire_read_link(body, &m) == 0);
    if (m.type == WIRE_FORWARD)
        note_lost(m.payload);
    else if (m.type == WIRE_SIGNAL || m.type == WIRE_DELIVER)
        witness_fate(the_world, m.payload)->lost[CLUSTER_LOSS_LINK]++;
}

static void on_lost_message(void *context, node_link *l, slice body)
{
    note_lost(body);
    of_core.on_lost_message(context, l, body);
}

static void on_lost(void *context, node_link *l)
{
    witness_on_link_lost(the_world);
    of_core.on_lost(context, l);
}

int __wrap_link_new(const node_id *self, const node_id *peer, const link_limits *limits,
                    const link_events *events, uint64_t now_ms, node_link **out)
{
    link_events ours = *events;
    of_core = *events;
    ours.on_lost_message = on_lost_message;
    ours.on_lost = on_lost;
    return __real_link_new(self, peer, limits, &ours, now_ms, out);
}

/* ---- Without the engine ---- */

void __real_edge_end_unreachable(edge *e, bool opens_rooms, uint64_t now_ms);
void __wrap_edge_end_unreachable(edge *e, bool opens_rooms, uint64_t now_ms);

static unsigned count_here(const edge *e)
{
    unsigned here = 0;
    for (const binding *b = e->table; b != NULL; b = b->table.next)
        here += b->state != BINDING_SEEKING && node_id_equals(&b->owner.node, &e->self);
    return here;
}

void __wrap_edge_end_unreachable(edge *e, bool opens_rooms, uint64_t now_ms)
{
    unsigned here = count_here(e);
    __real_edge_end_unreachable(e, opens_rooms, now_ms);
    REQUIRE(count_here(e) == here); /* who is in a room of this node stays */
}
