#include "cluster/play.h"

#include "support/run_fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>

play_sums play_sum;

enum {
    MERGED_MS = 2000, /* CLUSTER.md: after a fault has healed, all rooms are merged */
    TOGETHER_MS =
        9000, /* and everybody is where it wants to be, also who had to wait until a node was lost */
    OVER_MS = 30000,
    TALK_MS = 40,
};

static void cut(world *w, unsigned at, unsigned how)
{
    attachment *a = &w->engine.nodes[at];
    world_fault(w);
    a->is_cut_up |= (how & 1) != 0;
    a->is_cut_down |= (how & 2) != 0;
}

static void mend(world *w, unsigned at)
{
    attachment *a = &w->engine.nodes[at];
    a->is_cut_up = a->is_cut_down = false;
    a->cut_ms = 0;
}

static void heal(world *w)
{
    world_heal(w);
    for (unsigned ms = 0; ms < MERGED_MS; ms += TALK_MS) { /* while rooms move people talk */
        if (!w->is_recorded) /* where all must hear the same, they say it when nothing else is on its way */
            clients_send(w, (int)world_draw(w, (unsigned)w->client_count));
        world_pass(w, TALK_MS);
    }
    witness_require_merged(w);
    world_pass(w, TOGETHER_MS);
    witness_require_merged(w);
    witness_require_together(w);
}

/* Everybody who is in a room is heard by all others there. */
static void let_all_speak(world *w)
{
    for (int i = 0; i < w->client_count; i++) {
        uint32_t id = w->signals;
        clients_send(w, i);
        world_pass(w, 200);
        const client *c = &w->clients[i];
        if (w->signals == id || c->state != CLIENT_IN)
            continue;
        for (int j = 0; j < w->client_count; j++) {
            const client *other = &w->clients[j];
            if (j != i && other->state == CLIENT_IN && other->room == c->room && w->fates[id].had[j] != 1)
                run_fail("client %d does not hear client %d", j, i);
        }
    }
}

static void step_of_engine(world *w, const step *s)
{
    switch (s->kind) {
    case STEP_CUT:
        cut(w, s->a, s->b);
        break;
    case STEP_MEND:
        mend(w, s->a);
        break;
    case STEP_LOSS:
        world_fault(w);
        w->engine.loss = s->a;
        w->engine.doubling = s->b;
        break;
    case STEP_DELAY:
        w->engine.max_delay_ms = s->a;
        break;
    case STEP_SPLIT:
        world_fault(w);
        w->engine.is_split[0] |= (s->a & 1) != 0;
        w->engine.is_split[1] |= (s->a & 2) != 0;
        break;
    case STEP_DOWN:
        world_fault(w);
        w->engine.is_down[s->a] = true;
        break;
    case STEP_UP:
        w->engine.is_down[s->a] = false;
        break;
    default:
        break;
    }
}

static void play_step(world *w, const step *s)
{
    switch (s->kind) {
    case STEP_JOIN:
        clients_join(w, (int)s->a, (int)s->b % w->node_count, (int)s->c);
        break;
    case STEP_LEAVE:
        clients_leave(w, (int)s->a);
        break;
    case STEP_LOSE:
        clients_lose(w, (int)s->a);
        break;
    case STEP_SILENT:
        clients_fall_silent(w, (int)s->a);
        break;
    case STEP_SEND:
        for (unsigned i = 0; i < s->b; i++)
            clients_send(w, (int)s->a);
        break;
    case STEP_PASS:
        world_pass(w, s->a);
        break;
    case STEP_KILL:
        world_kill(w, (int)s->a);
        break;
    case STEP_RESTART:
        world_restart(w, (int)s->a);
        break;
    case STEP_PAUSE:
        world_pause(w, (int)s->a, s->b);
        break;
    case STEP_DRAIN:
        world_drain(w, (int)s->a);
        break;
    case STEP_HEAL:
        heal(w);
        break;
    default:
        step_of_engine(w, s);
    }
}

/* All go, and nothing is left. */
static void end_all(world *w)
{
    heal(w);
    let_all_speak(w);
    for (int i = 0; i < w->client_count; i++) {
        w->clients[i].is_dead = false;
        clients_leave(w, i);
    }
    world_pass(w, OVER_MS);
    witness_require_settled(w);
}

static void count(const world *w)
{
    play_sum.signals += w->signals;
    for (uint32_t id = 0; id < w->signals; id++)
        play_sum.handed += w->fates[id].handed;
    play_sum.merges += w->merges;
    play_sum.unreachable += w->unreachable;
    play_sum.link_losses += w->era;
    play_sum.packets += w->engine.passed;
}

static volatile int step_at;

/* An assertion in the code is a failed run, too. */
static void on_abort(int number)
{
    (void)number;
    snprintf(fail_text, sizeof(fail_text), "an assertion does not hold");
    siglongjmp(fail_jump, 1);
}

static bool play_in(world *w, const world_options *o, const script *s)
{
    if (getenv("CLUSTER_CORE") == NULL)
        signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    step_at = 0;
    if (sigsetjmp(fail_jump, 1) != 0) {
        size_t len = strlen(fail_text);
        snprintf(fail_text + len, sizeof(fail_text) - len, ", after step %d", step_at);
        return false; /* what it holds is not given back: who knows how much of it is sound */
    }
    world_open(w, o);
    for (int i = 0; i < s->count; i++) {
        step_at = i + 1;
        play_step(w, &s->steps[i]);
        if (s->is_calm)
            world_pass(w, CALM_MS);
    }
    end_all(w);
    if (s->is_engine_alone)
        witness_require_no_loss(w);
    count(w);
    world_close(w);
    return true;
}

static bool has_heard_the_same(const client *c, const client *there)
{
    size_t at = 0;
    size_t line = 0;
    if (c->transcript_len == there->transcript_len &&
        memcmp(c->transcript, there->transcript, c->transcript_len) == 0)
        return true;
    while (at < c->transcript_len && c->transcript[at] == there->transcript[at]) {
        if (c->transcript[at++] == '\n')
            line = at;
    }
    snprintf(fail_text, sizeof(fail_text), "client %d hears \"%.30s\", and on one node \"%.30s\"", c->index,
             c->transcript + line, there->transcript + line);
    return false;
}

/* The same on one node, where there is one RoomManager: everybody must hear the same. */
static bool is_as_on_one_node(const script *s, const world *w)
{
    static world alone;
    world_options one = s->options;
    one.nodes = 1;
    one.is_recorded = true;
    if (!play_in(&alone, &one, s))
        return false;
    for (int i = 0; i < w->client_count; i++) {
        if (!has_heard_the_same(&w->clients[i], &alone.clients[i]))
            return false;
    }
    return true;
}

bool play(const script *s)
{
    static world w;
    world_options o = s->options;
    o.is_recorded = s->is_calm;
    return play_in(&w, &o, s) && (!s->is_calm || is_as_on_one_node(s, &w));
}

static void leave_out(script *s, int at)
{
    memmove(&s->steps[at], &s->steps[at + 1], (size_t)(s->count - at - 1) * sizeof(step));
    s->count--;
}

void play_explain(const script *fails)
{
    static script shorter, tried;
    shorter = *fails;
    bool has_changed = true;
    while (has_changed) {
        has_changed = false;
        for (int at = shorter.count - 1; at >= 0; at--) {
            tried = shorter;
            leave_out(&tried, at);
            if (play(&tried))
                continue;
            shorter = tried;
            has_changed = true;
        }
    }
    play(&shorter);
    print_message("it fails: %s\n", fail_text);
    script_print(&shorter);
}
