#include "cluster/engine.h"

#include "support/run_fail.h"

#include <stdlib.h>

/* xorshift64*, by Vigna: small, and the same on every machine. */
unsigned engine_draw(engine *e, unsigned bound)
{
    e->rng ^= e->rng >> 12;
    e->rng ^= e->rng << 25;
    e->rng ^= e->rng >> 27;
    return (unsigned)(((e->rng * 0x2545F4914F6CDD1DU) >> 33) % bound);
}

void engine_init(engine *e, uint64_t seed, int servers)
{
    *e = (engine){.rng = seed * 0x9E3779B97F4A7C15U + 1, .servers = servers, .max_delay_ms = 3};
    TAILQ_INIT(&e->packets);
}

void engine_deinit(engine *e)
{
    while (!TAILQ_EMPTY(&e->packets))
        free(engine_take(e));
}

static void put(engine *e, sim_packet *p)
{
    sim_packet *later;
    TAILQ_FOREACH(later, &e->packets, link)
    {
        if (later->at_ms > p->at_ms)
            break;
    }
    if (later != NULL)
        TAILQ_INSERT_BEFORE(later, p, link);
    else
        TAILQ_INSERT_TAIL(&e->packets, p, link);
}

static void deliver(engine *e, int from, int to, slice packet, uint64_t now_ms)
{
    sim_packet *p = malloc(sizeof(*p) + packet.len);
    REQUIRE(p != NULL);
    uint64_t at_ms = now_ms + engine_draw(e, e->max_delay_ms + 1);
    if (at_ms < e->last_ms[from][to])
        at_ms = e->last_ms[from][to];
    e->last_ms[from][to] = at_ms;
    *p = (sim_packet){.at_ms = at_ms, .from = from, .to = to, .life = e->nodes[to].life, .len = packet.len};
    memcpy(p->data, packet.data, packet.len);
    put(e, p);
    e->passed++;
}

/* Does a packet get through? */
static bool passes(engine *e, int from, int to)
{
    const attachment *a = &e->nodes[from];
    const attachment *b = &e->nodes[to];
    return !a->is_cut_up && !b->is_cut_down && b->is_connected && !e->is_down[a->server] &&
           !e->is_down[b->server] && (a->server == b->server || !e->is_split[a->server]) &&
           (e->loss == 0 || engine_draw(e, 1000) >= e->loss);
}

bool engine_publish(engine *e, int from, int to, slice packet, uint64_t now_ms)
{
    if (!e->nodes[from].is_connected)
        return false;
    for (int node = 0; node < NODES; node++) {
        if (node == from || e->nodes[node].life == 0 || (to != TO_ALL_NODES && node != to) ||
            !passes(e, from, node))
            continue;
        deliver(e, from, node, packet, now_ms);
        if (e->doubling > 0 && engine_draw(e, 1000) < e->doubling)
            deliver(e, from, node, packet, now_ms);
    }
    return true;
}

uint64_t engine_next_ms(const engine *e)
{
    const sim_packet *first = TAILQ_FIRST(&e->packets);
    return first == NULL ? UINT64_MAX : first->at_ms;
}

sim_packet *engine_take(engine *e)
{
    sim_packet *first = TAILQ_FIRST(&e->packets);
    TAILQ_REMOVE(&e->packets, first, link);
    return first;
}

int engine_find_server(engine *e, int node)
{
    const attachment *a = &e->nodes[node];
    int first = (int)engine_draw(e, (unsigned)e->servers);
    for (int i = 0; i < e->servers && !a->is_cut_up && !a->is_cut_down; i++) {
        int server = (first + i) % e->servers;
        if (!e->is_down[server])
            return server;
    }
    return -1;
}

void engine_heal(engine *e)
{
    e->loss = e->doubling = 0;
    for (int server = 0; server < SERVERS; server++)
        e->is_down[server] = e->is_split[server] = false;
    for (int node = 0; node < NODES; node++) {
        e->nodes[node].is_cut_up = e->nodes[node].is_cut_down = false;
        e->nodes[node].cut_ms = 0;
    }
}
