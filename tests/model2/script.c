#include "model2/script.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

const char *const script_kinds[4] = {"offer", "answer", "candidate", "signal"};

/* ---- Drawing ---- */

/* splitmix64 */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

/* Mostly within the next messages, sometimes at once, sometimes later. */
static unsigned draw_bytes(uint64_t *r)
{
    uint64_t how = draw(r, 8);
    return how == 0 ? 0 : how == 1 ? (unsigned)draw(r, 4000) : (unsigned)draw(r, 500);
}

static unsigned draw_time(uint64_t *r)
{
    static const unsigned times[] = {10, 300, 1000, 1100, 2100, 3000, 5000, 7000, 9000, 20000};
    return times[draw(r, sizeof(times) / sizeof(times[0]))];
}

static step_kind draw_kind(uint64_t *r)
{
    static const struct {
        step_kind kind;
        unsigned weight;
    } weights[] = {{STEP_SETTLE, 20}, {STEP_PASS, 10},  {STEP_CARRY, 10},  {STEP_JOIN, 14},
                   {STEP_SEND, 30},   {STEP_UPDATE, 4}, {STEP_LEAVE, 4},   {STEP_RELOAD, 5},
                   {STEP_CUT, 11},    {STEP_WAKE, 1},   {STEP_RESTART, 1}, {STEP_CUT_NEXT, 8}};
    uint64_t at = draw(r, 118);
    for (unsigned i = 0; i < STEP_KINDS; i++) {
        if (at < weights[i].weight)
            return weights[i].kind;
        at -= weights[i].weight;
    }
    return STEP_SEND;
}

static step draw_step(uint64_t *r, unsigned actors)
{
    step s = {.kind = draw_kind(r), .who = (unsigned)draw(r, actors)};
    switch (s.kind) {
    case STEP_PASS:
        s.a = draw_time(r);
        break;
    case STEP_CARRY:
    case STEP_CUT:
    case STEP_CUT_NEXT:
        s.a = draw_bytes(r);
        s.b = draw_bytes(r);
        s.c = (unsigned)draw(r, LINE_BREAKS);
        break;
    case STEP_JOIN:
        s.a = draw(r, 8) == 0;
        break;
    case STEP_SEND:
        s.a = (unsigned)draw(r, 4);
        s.b = draw(r, 3) == 0 ? 1 + (unsigned)draw(r, actors) : 0;
        break;
    case STEP_RELOAD:
        s.a = draw(r, 3) != 0;
        s.b = (unsigned)draw(r, 2);
        break;
    case STEP_RESTART:
        s.a = (unsigned)draw(r, 2);
        break;
    case STEP_SETTLE:
    case STEP_UPDATE:
    case STEP_LEAVE:
    case STEP_WAKE:
    case STEP_KINDS:
        break;
    }
    return s;
}

void script_draw(script *s, uint64_t seed)
{
    uint64_t r = seed;
    *s = (script){.seed = seed,
                  .limits = {.capacity = 2 + (unsigned)draw(&r, 2),
                             .outbox_messages = draw(&r, 4) == 0 ? 5 : 200,
                             .pending_messages = draw(&r, 6) == 0 ? 3 : 200},
                  .actor_count = 2 + (unsigned)draw(&r, 2),
                  .nameless = (unsigned)draw(&r, 8),
                  .repeating = (unsigned)draw(&r, 8),
                  .farewell = (unsigned)draw(&r, 64)};
    uint64_t mix = draw(&r, 4); /* half of the runs are of version 2 alone */
    if (mix == 2)
        s->version_1 = 1U << draw(&r, s->actor_count);
    else if (mix == 3)
        s->version_1 = (unsigned)draw(&r, 7);
    s->count = 10 + (int)draw(&r, SCRIPT_MAX_STEPS - 12);
    s->steps[0] = (step){.kind = STEP_JOIN};
    s->steps[1] = (step){.kind = STEP_JOIN, .who = 1};
    for (int i = 2; i < s->count; i++)
        s->steps[i] = draw_step(&r, s->actor_count);
}

/* ---- Printing ---- */

static void print_step(const step *s)
{
    static const char *const breaks[LINE_BREAKS] = {"both ends hear of it", "the server hears of it",
                                                    "the client hears of it", "nobody hears of it"};
    switch (s->kind) {
    case STEP_SETTLE:
        print_message("everything arrives\n");
        break;
    case STEP_PASS:
        print_message("%u ms pass\n", s->a);
        break;
    case STEP_CARRY:
        print_message("of actor %u, %u bytes go up and %u come down\n", s->who, s->a, s->b);
        break;
    case STEP_JOIN:
        print_message("actor %u joins %s\n", s->who, s->a == 0 ? "red" : "blue");
        break;
    case STEP_SEND:
        print_message("actor %u sends %s to ", s->who, script_kinds[s->a]);
        print_message(s->b == 0 ? "all\n" : "actor %u\n", s->b - 1);
        break;
    case STEP_UPDATE:
        print_message("actor %u updates its data\n", s->who);
        break;
    case STEP_LEAVE:
        print_message("actor %u leaves\n", s->who);
        break;
    case STEP_RELOAD:
        print_message("actor %u loads its page anew, %s its token; the server %s\n", s->who,
                      s->a != 0 ? "with" : "without", s->b != 0 ? "does not hear of it" : "hears of it");
        break;
    case STEP_CUT:
        print_message("the line of actor %u breaks after %u bytes up or %u down; %s\n", s->who, s->a, s->b,
                      breaks[s->c]);
        break;
    case STEP_CUT_NEXT:
        print_message("the next lines of actor %u will break after %u bytes up or %u down; %s\n", s->who,
                      s->a, s->b, breaks[s->c]);
        break;
    case STEP_WAKE:
        print_message("actor %u wakes up\n", s->who);
        break;
    case STEP_RESTART:
        print_message("the server restarts %s\n", s->a != 0 ? "with a goodbye" : "without a word");
        break;
    case STEP_KINDS:
        break;
    }
}

void script_print(const script *s)
{
    print_message("seed %" PRIu64 ": a room holds %u, an outbox %u and a queue %u messages\n", s->seed,
                  s->limits.capacity, s->limits.outbox_messages, s->limits.pending_messages);
    for (unsigned i = 0; i < s->actor_count; i++)
        print_message("actor %u speaks version %d; at the end it %s\n", i,
                      (s->version_1 >> i & 1) != 0 ? 1 : 2,
                      (s->farewell >> 2 * i & 3) == 0   ? "leaves"
                      : (s->farewell >> 2 * i & 3) == 1 ? "closes its line"
                                                        : "is just gone");
    for (int i = 0; i < s->count; i++) {
        print_message("%3d. ", i + 1);
        print_step(&s->steps[i]);
    }
}
