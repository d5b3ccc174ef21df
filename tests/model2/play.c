#include "model2/play.h"

#include "support/run_fail.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

/* Long enough for every deadline of the site and of the clients. */
enum { ALL_TIMES_MS = 100 * 1000 };

static world the_world;
static const char *const rooms[] = {"red", "blue"};

/* ---- Time ---- */

static uint64_t carried(const world *w)
{
    uint64_t sum = 0;
    for (int i = 0; i < w->actor_count; i++)
        sum += w->actors[i].line.carried;
    return sum;
}

uint64_t play_carried(void)
{
    return carried(&the_world);
}

static bool is_at_rest(const actor *a)
{
    if (a->line.fd >= 0 && (a->line.is_silent || a->line.up_len > 0))
        return false;
    client_2_state state = a->client.state;
    return a->version == 1 ? !a->is_waiting_to_join
                           : state == CLIENT_2_IDLE || state == CLIENT_2_OPEN || state == CLIENT_2_JOINED;
}

/* Everything goes on until nothing moves any more. */
static void settle(world *w)
{
    for (int still = 0; still < 2;) {
        uint64_t before = carried(w);
        for (int i = 0; i < w->actor_count; i++) {
            actor_tick(&w->actors[i]);
            line_carry_up(&w->actors[i].line, SIZE_MAX);
        }
        bool has_moved = site_turn(&w->site);
        for (int i = 0; i < w->actor_count; i++)
            line_carry_down(&w->actors[i].line, SIZE_MAX);
        still = has_moved || carried(w) != before ? 0 : still + 1;
    }
    w->is_quiet = line_abandoned() == 0;
    for (int i = 0; i < w->actor_count; i++)
        w->is_quiet = w->is_quiet && is_at_rest(&w->actors[i]);
}

static uint64_t next_due_ms(const world *w)
{
    uint64_t due_ms = site_next_due_ms(&w->site);
    for (int i = 0; i < w->actor_count; i++) {
        uint64_t its_ms = w->actors[i].version == 2 ? client_2_next_due_ms(&w->actors[i].client) : UINT64_MAX;
        due_ms = its_ms < due_ms ? its_ms : due_ms;
    }
    return due_ms;
}

static void set_time(world *w, uint64_t now_ms)
{
    site_now_ms = now_ms;
    for (int i = 0; i < w->actor_count; i++)
        w->actors[i].client.now_ms = now_ms;
}

static void pass(world *w, uint64_t ms)
{
    uint64_t until_ms = site_now_ms + ms;
    settle(w);
    while (site_now_ms < until_ms) {
        uint64_t due_ms = next_due_ms(w);
        uint64_t next_ms = due_ms <= site_now_ms ? site_now_ms + 1 : due_ms;
        set_time(w, next_ms < until_ms ? next_ms : until_ms);
        settle(w);
    }
}

/* ---- Steps ---- */

static void cut(actor *a, const step *s)
{
    if (a->version == 1 && a->session != WITNESS_NOBODY)
        a->world->witness.sessions[a->session].may_lose = true;
    line_cut(&a->line, s->a, s->b, (line_break)s->c);
}

static void restart(world *w, bool says_goodbye)
{
    if (says_goodbye) {
        site_say_goodbye(&w->site);
        settle(w);
    }
    site_close(&w->site);
    site_open(&w->site, &w->limits, ++w->lives);
    settle(w);
}

static void play_step(world *w, const step *s)
{
    actor *a = &w->actors[s->who];
    if (s->kind != STEP_SEND)
        w->is_quiet = false;
    switch (s->kind) {
    case STEP_SETTLE:
        settle(w);
        break;
    case STEP_PASS:
        pass(w, s->a);
        break;
    case STEP_CARRY:
        line_carry_up(&a->line, s->a);
        (void)site_turn(&w->site);
        line_carry_down(&a->line, s->b);
        break;
    case STEP_JOIN:
        actor_join(a, rooms[s->a]);
        break;
    case STEP_SEND:
        actor_send(a, script_kinds[s->a], s->b == 0 ? NULL : &w->actors[s->b - 1]);
        break;
    case STEP_UPDATE:
        actor_update(a);
        break;
    case STEP_LEAVE:
        actor_leave(a);
        break;
    case STEP_RELOAD:
        actor_reload(a, s->a != 0, s->b != 0);
        break;
    case STEP_CUT:
        cut(a, s);
        break;
    case STEP_CUT_NEXT:
        a->cuts_next = 1 + (int)((s->a + s->b) % 3);
        a->next_up = s->a;
        a->next_down = s->b;
        a->next_how = (line_break)s->c;
        break;
    case STEP_WAKE:
        actor_wake(a);
        break;
    case STEP_RESTART:
        restart(w, s->a != 0);
        break;
    case STEP_KINDS:
        break;
    }
}

/* ---- The end ---- */

static bool is_in(const actor *a, const char *room)
{
    return a->version == 1 ? a->session != WITNESS_NOBODY && strcmp(a->room, room) == 0
                           : a->client.state == CLIENT_2_JOINED && strcmp(a->client.room, room) == 0;
}

static bool wants_in(const actor *a, const char *room)
{
    return a->version == 1 ? is_in(a, room) : a->client.wants_room && strcmp(a->client.room, room) == 0;
}

/* Does `a` know that `other` is there, as it is? */
static bool knows(const actor *a, const actor *other)
{
    for (int i = 0; i < a->client.peer_count; i++) {
        const client_2_peer *peer = &a->client.peers[i];
        if (peer->version != other->version || peer->is_away || strcmp(peer->user, other->user) != 0)
            continue;
        if (other->version == 1 ||
            (strcmp(peer->id, other->client.peer) == 0 && strcmp(peer->data, other->client.data) == 0))
            return true;
    }
    return false;
}

static void check_room(const world *w, const char *room)
{
    unsigned in = 0, wanting = 0;
    for (int i = 0; i < w->actor_count; i++) {
        in += is_in(&w->actors[i], room);
        wanting += wants_in(&w->actors[i], room);
    }
    unsigned expected = wanting < w->limits.capacity ? wanting : w->limits.capacity;
    if (in != expected)
        run_fail("%u are in %s, and not %u, when all lines stand", in, room, expected);
    for (int i = 0; i < w->actor_count; i++) {
        const actor *a = &w->actors[i];
        if (a->version == 1 || !is_in(a, room))
            continue;
        if ((unsigned)a->client.peer_count != in - 1)
            run_fail("actor %d knows of %d others in %s, and not of %u", i, a->client.peer_count, room,
                     in - 1);
        for (int k = 0; k < w->actor_count; k++) {
            if (k != i && is_in(&w->actors[k], room) && !knows(a, &w->actors[k]))
                run_fail("actor %d does not know actor %d as it is", i, k);
        }
    }
}

/* In a room for two, what the only member of version 1 has sent is for the other, whoever that is now. */
static void check_version_1(const world *w, const char *room)
{
    const actor *alone = NULL;
    unsigned in = 0;
    for (int i = 0; i < w->actor_count; i++) {
        in += is_in(&w->actors[i], room);
        if (w->actors[i].version == 1 && is_in(&w->actors[i], room))
            alone = &w->actors[i];
    }
    if (w->version_1_count == 1 && w->limits.capacity == 2 && !w->witness.may_refuse &&
        w->limits.outbox_messages > 100 && alone != NULL && in == 2)
        witness_require_anybody(&w->witness, alone->session);
}

/* All lines stand, and time passes. */
static void calm_down(world *w)
{
    for (int i = 0; i < w->actor_count; i++) {
        line *l = &w->actors[i].line;
        if (w->actors[i].version == 1 && l->fd >= 0 && l->was_cut) {
            line_close(l); /* its user notices */
            l->events->on_lost(l->context, 0);
        }
        l->up_left = l->down_left = SIZE_MAX;
        w->actors[i].cuts_next = 0;
    }
    line_forget_all();
    pass(w, ALL_TIMES_MS);
}

static void check_quiet(world *w)
{
    for (int i = 0; i < 2; i++)
        check_room(w, rooms[i]);
    for (int i = 0; i < w->actor_count; i++)
        actor_send(&w->actors[i], "offer", NULL);
    pass(w, 3000);
    witness_require_all(&w->witness);
    for (int i = 0; i < 2; i++)
        check_version_1(w, rooms[i]);
}

static void say_farewell(world *w, unsigned how)
{
    for (int i = 0; i < w->actor_count; i++) {
        actor *a = &w->actors[i];
        unsigned its = how >> 2 * i & 3;
        if (its == 0) {
            actor_leave(a);
            settle(w);
        }
        if (its < 2)
            line_close(&a->line);
        else
            line_abandon(&a->line);
        actor_init(a, w, i, 1, "gone");
    }
    pass(w, ALL_TIMES_MS);
    line_forget_all();
    settle(w);
    site_require_empty(&w->site);
}

/* ---- A run ---- */

static void open_world(world *w, const script *s)
{
    static const char *const users[ACTORS] = {"anna", "bert", "cleo"};
    memset(&w->witness, 0, sizeof(w->witness));
    w->limits = s->limits;
    w->actor_count = (int)s->actor_count;
    w->version_1_count = 0;
    w->lives = 0;
    w->is_quiet = w->has_ghosts = false;
    w->witness.is_crowded = s->limits.capacity > 2;
    w->witness.may_refuse = s->limits.pending_messages < 100;
    site_now_ms = 1000 * 1000;
    for (int i = 0; i < w->actor_count; i++) {
        bool is_1 = (s->version_1 >> i & 1) != 0;
        bool has_name = is_1 || (s->nameless >> i & 1) == 0;
        actor_init(&w->actors[i], w, i, is_1 ? 1 : 2, has_name ? users[i] : "");
        w->actors[i].client.repeats = (s->repeating >> i & 1) != 0;
        w->actors[i].line.carried = 0;
        w->version_1_count += is_1;
    }
    site_open(&w->site, &s->limits, w->lives);
}

static void close_world(world *w)
{
    for (int i = 0; i < ACTORS; i++)
        line_close(&w->actors[i].line);
    line_forget_all();
    site_close(&w->site);
}

static volatile sig_atomic_t has_fallen;

static void on_fall(int signal_number)
{
    has_fallen = signal_number;
    siglongjmp(fail_jump, 1);
}

/* What a failed assertion leaves behind is lost, but for its descriptors. */
static void sweep(int first_free)
{
    for (int fd = first_free; fd < first_free + 1024; fd++)
        (void)close(fd);
    for (int i = 0; i < ACTORS; i++)
        the_world.actors[i].line.fd = -1;
    line_forget_all();
    the_world.site.is_open = false;
}

static int first_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

bool play(const script *s)
{
    static volatile int at;
    int first_free = first_free_descriptor();
    const struct sigaction falling = {.sa_handler = on_fall};
    struct sigaction on_abrt, on_segv;
    assert_int_equal(sigaction(SIGABRT, &falling, &on_abrt), 0);
    assert_int_equal(sigaction(SIGSEGV, &falling, &on_segv), 0);
    has_fallen = 0;
    at = 0;
    bool is_good = sigsetjmp(fail_jump, 1) == 0;
    if (is_good) {
        open_world(&the_world, s);
        for (at = 0; at < s->count; at++)
            play_step(&the_world, &s->steps[at]);
        calm_down(&the_world);
        check_quiet(&the_world);
        say_farewell(&the_world, s->farewell);
    } else {
        size_t len = has_fallen != 0 ? 0 : strlen(fail_text);
        snprintf(fail_text + len, sizeof(fail_text) - len, "%s after step %d",
                 has_fallen != 0 ? "an assertion has failed, or a pointer was wrong," : ",", at);
    }
    if (has_fallen != 0)
        sweep(first_free);
    else
        close_world(&the_world);
    assert_int_equal(sigaction(SIGABRT, &on_abrt, NULL), 0);
    assert_int_equal(sigaction(SIGSEGV, &on_segv, NULL), 0);
    return is_good;
}

/* ---- Shrinking ---- */

static bool shrink_once(script *s, int len)
{
    bool is_shorter = false;
    for (int from = 0; from < s->count;) {
        script shorter = *s;
        int left_out = from + len < s->count ? len : s->count - from;
        memmove(&shorter.steps[from], &shorter.steps[from + left_out],
                (size_t)(s->count - from - left_out) * sizeof(shorter.steps[0]));
        shorter.count -= left_out;
        if (play(&shorter)) {
            from += len;
            continue;
        }
        *s = shorter;
        is_shorter = true;
    }
    return is_shorter;
}

void play_explain(const script *s)
{
    script shortest = *s;
    for (int len = s->count; len > 0;) {
        bool is_shorter = shrink_once(&shortest, len);
        if (len > 1)
            len = (len + 1) / 2;
        else if (!is_shorter)
            len = 0;
    }
    (void)play(&shortest);
    script_print(&shortest);
    print_message("%s\n", fail_text);
}
