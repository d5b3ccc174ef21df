#include "cluster/script.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* xorshift64*, by Vigna: small, and the same on every machine. */
static unsigned draw(uint64_t *state, unsigned bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned)(((*state * 0x2545F4914F6CDD1DU) >> 33) % bound);
}

/* How often each kind of step comes, in all. */
static const unsigned calm_shares[STEP_KINDS] = {[STEP_JOIN] = 12,  [STEP_LEAVE] = 3, [STEP_LOSE] = 3,
                                                 [STEP_SILENT] = 1, [STEP_SEND] = 10, [STEP_PASS] = 4};
static const unsigned shares[STEP_KINDS] = {
    [STEP_JOIN] = 16, [STEP_LEAVE] = 2, [STEP_LOSE] = 3,    [STEP_SILENT] = 1, [STEP_SEND] = 16,
    [STEP_PASS] = 14, [STEP_KILL] = 2,  [STEP_RESTART] = 3, [STEP_PAUSE] = 2,  [STEP_DRAIN] = 1,
    [STEP_CUT] = 4,   [STEP_MEND] = 3,  [STEP_LOSS] = 2,    [STEP_DELAY] = 1,  [STEP_SPLIT] = 2,
    [STEP_DOWN] = 2,  [STEP_UP] = 3,    [STEP_HEAL] = 4};

static const unsigned engine_shares[STEP_KINDS] = {
    [STEP_JOIN] = 10, [STEP_LEAVE] = 2, [STEP_LOSE] = 2, [STEP_SEND] = 16, [STEP_PASS] = 14,
    [STEP_DELAY] = 1, [STEP_DOWN] = 6,  [STEP_UP] = 4,   [STEP_HEAL] = 1};

static step_kind draw_kind(uint64_t *r, const unsigned of[STEP_KINDS])
{
    unsigned all = 0;
    for (int kind = 0; kind < STEP_KINDS; kind++)
        all += of[kind];
    unsigned chosen = draw(r, all);
    int kind = 0;
    while (chosen >= of[kind])
        chosen -= of[kind++];
    return (step_kind)kind;
}

/* Around the times at which something is due, and between them. */
static unsigned draw_ms(uint64_t *r)
{
    static const unsigned times[] = {1,    5,    20,   100,  300,  900,  1000, 1500,
                                     1600, 2000, 2500, 3000, 3200, 5000, 5500, 8000};
    return times[draw(r, sizeof(times) / sizeof(times[0]))] + draw(r, 20);
}

static step draw_step(uint64_t *r, const script *s)
{
    const world_options *o = &s->options;
    step it = {.kind = draw_kind(r, s->is_calm           ? calm_shares
                                    : s->is_engine_alone ? engine_shares
                                                         : shares),
               .a = draw(r, (unsigned)o->nodes),
               .b = 1 + draw(r, 3),
               .c = draw(r, 3) == 0};
    switch (it.kind) {
    case STEP_JOIN:
        it.b = it.a;
        it.a = draw(r, (unsigned)o->clients);
        break;
    case STEP_LEAVE:
    case STEP_LOSE:
    case STEP_SILENT:
    case STEP_SEND:
        it.a = draw(r, (unsigned)o->clients);
        break;
    case STEP_PASS:
        it.a = s->is_calm ? CALM_MS * (1 + draw(r, 20)) : draw_ms(r);
        break;
    case STEP_PAUSE:
        it.b = draw_ms(r) * (1 + draw(r, 2));
        break;
    case STEP_LOSS:
        it.a = draw(r, 4) == 0 ? 0 : 10 + draw(r, 200);
        it.b = draw(r, 100);
        break;
    case STEP_DELAY:
        it.a = 1 + draw(r, 60);
        break;
    case STEP_SPLIT:
        it.a = it.b;
        break;
    case STEP_DOWN:
    case STEP_UP:
        it.a = draw(r, (unsigned)o->servers);
        break;
    default:
        break;
    }
    return it;
}

/* Of workers: most often none, or a turn of others, and sometimes much longer. */
static unsigned draw_delay(uint64_t *r)
{
    static const unsigned delays[] = {0, 0, 1, 3, 10, 60};
    return delays[draw(r, sizeof(delays) / sizeof(delays[0]))];
}

void script_draw(script *s, uint64_t seed)
{
    uint64_t r = seed * 0x9E3779B97F4A7C15U + 1;
    draw(&r, 2);
    unsigned what = draw(&r, 6);
    *s = (script){.is_calm = what == 0, .is_engine_alone = what == 1};
    world_options *o = &s->options;
    o->seed = seed;
    o->nodes = 2 + (int)draw(&r, NODES - 1);
    o->servers = 1 + (int)draw(&r, SERVERS);
    o->clients = 2 + (int)draw(&r, CLIENTS - 1);
    o->queue_max = draw(&r, 4) == 0 ? 2 : 16;
    o->link_bytes = draw(&r, 8) == 0 ? 4096 : 1 << 20;
    o->serves_alone = draw(&r, 4) == 0;
    o->is_engine_alone = s->is_engine_alone;
    for (int i = 0; i < NODES; i++)
        o->workers[i] = 1 + draw(&r, WORKERS);
    o->worker_delay_ms = draw_delay(&r);
    if (draw(&r, 4) == 0 && !s->is_engine_alone)
        o->hold_ms = 2000 + draw(&r, 8000);
    if (s->is_calm && o->worker_delay_ms > 3)
        o->worker_delay_ms = 3; /* all that a step leads to must be over long before the next one */
    if (s->is_engine_alone)
        o->link_bytes = 1 << 20; /* what waits for the engine must fit */
    unsigned mix = draw(&r, 5);  /* one dialect alone, or all of them */
    for (int i = 0; i < o->clients; i++) {
        o->kinds[i] = mix < KINDS ? (int)mix : (int)draw(&r, KINDS);
        o->users[i] = (int)draw(&r, USERS);
    }
    s->count = 8 + (int)draw(&r, SCRIPT_MAX_STEPS - 10);
    s->steps[0] = (step){.kind = STEP_JOIN};
    s->steps[1] = (step){.kind = STEP_JOIN, .a = 1, .b = 1};
    for (int i = 2; i < s->count; i++)
        s->steps[i] = draw_step(&r, s);
}

/* ---- Printing ---- */

static void print_step_of_engine(const step *s)
{
    static const char *const cuts[] = {"", "is not heard any more", "hears nothing any more",
                                       "is not heard and hears nothing"};
    static const char *const splits[] = {"", "the first server does not reach the second",
                                         "the second server does not reach the first",
                                         "the servers do not reach each other"};
    switch (s->kind) {
    case STEP_CUT:
        print_message("node %u %s\n", s->a, cuts[s->b]);
        break;
    case STEP_MEND:
        print_message("node %u is heard and hears\n", s->a);
        break;
    case STEP_LOSS:
        print_message("%u of 1,000 packets are lost, %u are doubled\n", s->a, s->b);
        break;
    case STEP_DELAY:
        print_message("packets take up to %u ms\n", s->a);
        break;
    case STEP_SPLIT:
        print_message("%s\n", splits[s->a]);
        break;
    case STEP_DOWN:
        print_message("server %u ends\n", s->a);
        break;
    case STEP_UP:
        print_message("server %u begins\n", s->a);
        break;
    default:
        break;
    }
}

static void print_step(const step *s)
{
    static const char *const rooms[] = {"red", "blue"};
    switch (s->kind) {
    case STEP_JOIN:
        print_message("client %u joins %s by node %u\n", s->a, rooms[s->c], s->b);
        break;
    case STEP_LEAVE:
        print_message("client %u leaves\n", s->a);
        break;
    case STEP_LOSE:
        print_message("client %u loses its connection\n", s->a);
        break;
    case STEP_SILENT:
        print_message("client %u is dead, and nobody is told\n", s->a);
        break;
    case STEP_SEND:
        print_message("client %u sends %u\n", s->a, s->b);
        break;
    case STEP_PASS:
        print_message("%u ms pass\n", s->a);
        break;
    case STEP_KILL:
        print_message("node %u is killed\n", s->a);
        break;
    case STEP_RESTART:
        print_message("node %u is started\n", s->a);
        break;
    case STEP_PAUSE:
        print_message("node %u stands still for %u ms\n", s->a, s->b);
        break;
    case STEP_DRAIN:
        print_message("node %u drains\n", s->a);
        break;
    case STEP_HEAL:
        print_message("all has healed\n");
        break;
    default:
        print_step_of_engine(s);
    }
}

void script_print(const script *s)
{
    static const char *const kinds[] = {"version 1", "sessions", "version 2"};
    const world_options *o = &s->options;
    print_message("seed %" PRIu64 ": %d nodes, %d servers, queues of %u, links of %u bytes%s%s\n", o->seed,
                  o->nodes, o->servers, o->queue_max, o->link_bytes,
                  o->serves_alone ? ", they serve without engine" : "", s->is_calm ? ", calm" : "");
    print_message("workers: %u, %u, %u, %u; up to %u ms late; a hold of %u ms\n", o->workers[0],
                  o->workers[1], o->workers[2], o->workers[3], o->worker_delay_ms, o->hold_ms);
    for (int i = 0; i < o->clients; i++)
        print_message("client %d speaks %s, of user %d\n", i, kinds[o->kinds[i]], o->users[i]);
    for (int i = 0; i < s->count; i++) {
        print_message("%3d. ", i + 1);
        print_step(&s->steps[i]);
    }
}
