/* What the clients of a node notice. */
#include "cluster/clients.h"
#include "cluster/node.h"
#include "cluster/witness.h"
#include "support/run_fail.h"

#include <string.h>

static void on_joined(void *context, void *of, slice extra)
{
    (void)context;
    client *c = of;
    sim_joined joined;
    c->state = CLIENT_IN;
    witness_note(c->world, c, "joined", c->room);
    if (c->kind != KIND_2)
        return;
    REQUIRE(extra.len == sizeof(joined));
    memcpy(&joined, extra.data, sizeof(joined));
    bool goes_on = joined.is_resumed != 0 && joined.token == c->resume.token;
    c->must_say_again = goes_on;
    if (!goes_on) {
        c->session++;
        c->n = joined.received;
        c->resume = (sim_resume){.token = joined.token};
        for (int i = 0; i < c->unacknowledged_count; i++) /* its application is told that they are lost */
            witness_fate(c->world, (slice){(const char *)&c->unacknowledged[i], sizeof(sim_signal)})
                ->refused++;
        c->unacknowledged_count = 0;
        c->unacknowledged_from = c->n + 1;
        return;
    }
    while (c->unacknowledged_count > 0 && c->unacknowledged_from <= joined.received) {
        memmove(c->unacknowledged, c->unacknowledged + 1, sizeof(c->unacknowledged) - sizeof(sim_signal));
        c->unacknowledged_from++;
        c->unacknowledged_count--;
    }
}

static void on_waiting(void *context, void *of)
{
    (void)context;
    client *c = of;
    c->state = CLIENT_WAITING;
    witness_note(c->world, c, "waits", c->room);
}

static void on_delivered(void *context, void *of, slice payload)
{
    sim_worker *w = context;
    if (of == NULL)
        witness_fate(w->node->world, payload)->lost[CLUSTER_LOSS_GONE]++;
    else
        witness_on_deliver(of, payload);
}

static void on_queue_full(void *context, void *of, slice extra, slice payload)
{
    (void)context;
    (void)extra;
    client *c = of;
    witness_note(c->world, c, "queue full", 0);
    if (payload.len > 0)
        witness_fate(c->world, payload)->refused++;
}

static void on_probe(void *context, void *of, uint64_t number)
{
    sim_worker *w = context;
    client *c = of;
    if (!c->is_dead)
        edge_alive(c->binding, number, w->node->world->now_ms);
}

/* Who has shown within the last second that it is there is not asked again, as in one server. */
enum { TRUST_MS = 1100 };

/* Two others must be there, or have been since it came, or shortly before: what they do takes its time to
 * come here. */
static void on_full(void *context, void *of)
{
    (void)context;
    client *c = of;
    unsigned others = 0;
    for (int i = 0; i < c->world->client_count; i++) {
        const client *o = &c->world->clients[i];
        bool is_inside = o->room == c->room && o->state != CLIENT_OUT;
        bool was_inside = o->out_ms[c->room] != 0 && o->out_ms[c->room] + TRUST_MS >= c->joined_ms;
        others += (o != c && is_inside) || was_inside;
    }
    clients_go_out(c);
    witness_note(c->world, c, "full", c->room);
    if (others < SIM_CAPACITY)
        run_fail("client %d is refused, and with it there are %u", c->index, others + 1);
}

static void on_close(void *context, void *of, wire_end why)
{
    (void)context;
    client *c = of;
    if (why == WIRE_END_SILENT && c->world->is_engine_alone && !c->is_dead)
        run_fail("client %d is dropped, and only the engine was away", c->index);
    if (why == WIRE_END_UNREACHABLE && node_engine_away_ms(&c->world->nodes[c->node]) < c->world->hold_ms)
        run_fail("client %d is ended before the hold is over", c->index);
    c->world->unreachable += why == WIRE_END_UNREACHABLE;
    clients_go_out(c);
    witness_note(c->world, c, "closed", (int)why);
    if (why == WIRE_END_UNREACHABLE && clients_can_return(c))
        clients_return_within(c, 2000);
}

static void on_lost(void *context, void *of)
{
    (void)context;
    client *c = of;
    c->binding = NULL;
    clients_return_within(c, 500);
    witness_note(c->world, c, "lost", 0);
}

const edge_events node_client_events = {.on_joined = on_joined,
                                        .on_waiting = on_waiting,
                                        .on_deliver = on_delivered,
                                        .on_queue_full = on_queue_full,
                                        .on_probe = on_probe,
                                        .on_full = on_full,
                                        .on_close = on_close,
                                        .on_lost = on_lost};
