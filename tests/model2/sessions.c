/* Sessions of version 2 against what protocol/README.md, "Version 2" promises: clients on lines that break
 * after any byte, a server that restarts, pages that are loaded anew, and clients of version 1 in the same
 * rooms.
 *
 *   sessions                     ten thousand runs, multiplied by HOMECALL_TEST_SCALE percent, the same ones
 * each time sessions --runs N --seed S   so many, from this one on; S may be "now", for new ones sessions
 * --show SEED         print what is drawn from a seed */
#include "model2/play.h"
#include "support/run_fail.h"
#include "support/server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

static uint64_t seed;
static uint64_t runs;

static void signals_arrive_once_and_in_order(void **state)
{
    (void)state;
    static script s;
    print_message("%" PRIu64 " runs from seed %" PRIu64 "\n", runs, seed);
    for (uint64_t i = 0; i < runs; i++) {
        script_draw(&s, seed + i);
        if (!play(&s)) {
            print_message("seed %" PRIu64 " fails: %s\n", seed + i, fail_text);
            play_explain(&s);
            fail_msg("seed %" PRIu64, seed + i);
        }
    }
}

/* ---- Each byte ---- */

/* A call of two. The cut comes as the second step. */
static const step call[] = {
    {.kind = STEP_JOIN, .who = 0},
    {.kind = STEP_SETTLE},
    {.kind = STEP_JOIN, .who = 1},
    {.kind = STEP_SETTLE},
    {.kind = STEP_SEND, .who = 0, .a = 0},
    {.kind = STEP_SETTLE},
    {.kind = STEP_SEND, .who = 1, .a = 1},
    {.kind = STEP_SEND, .who = 0, .a = 2},
    {.kind = STEP_SEND, .who = 1, .a = 2},
    {.kind = STEP_SETTLE},
    {.kind = STEP_UPDATE, .who = 0},
    {.kind = STEP_SEND, .who = 0, .a = 3, .b = 2},
    {.kind = STEP_SETTLE},
    {.kind = STEP_PASS, .a = 1100},
    {.kind = STEP_LEAVE, .who = 1},
    {.kind = STEP_SETTLE},
    {.kind = STEP_JOIN, .who = 1},
    {.kind = STEP_SETTLE},
};

enum { CALL_STEPS = sizeof(call) / sizeof(call[0]), CALL_BYTES = 2600, FAR = 1 << 20 };

static void call_cut_at(script *s, unsigned who, bool is_up, unsigned at, line_break how)
{
    *s = (script){.limits = {.capacity = 2, .outbox_messages = 200, .pending_messages = 200},
                  .actor_count = 2};
    for (unsigned i = 0; i < CALL_STEPS; i++) {
        s->steps[s->count++] = call[i];
        if (i == 2 * who)
            s->steps[s->count++] = (step){.kind = STEP_CUT,
                                          .who = who,
                                          .a = is_up ? at : FAR,
                                          .b = is_up ? FAR : at,
                                          .c = (unsigned)how};
    }
}

static void a_line_may_break_after_each_byte(void **state)
{
    (void)state;
    static script s;
    unsigned stride = runs >= 10000 ? 1 : runs >= 1000 ? 7 : 61;
    for (unsigned what = 0; what < 4 * LINE_BREAKS; what++) {
        /* One of the ways for each byte, another for the next: the whole in a quarter of the time. */
        for (unsigned at = what / 4; at < CALL_BYTES; at += LINE_BREAKS * stride) {
            call_cut_at(&s, what & 1, (what & 2) != 0, at, (line_break)(what / 4));
            if (!play(&s)) {
                print_message("it fails: %s\n", fail_text);
                play_explain(&s);
                fail_msg("the line of actor %u, after %u bytes", what & 1, at);
            }
        }
    }
}

/* The line is lost in the middle of the call, and the next one breaks while the session is resumed. */
static void call_resumed(script *s, unsigned who, bool is_up, unsigned at)
{
    *s = (script){.limits = {.capacity = 2, .outbox_messages = 200, .pending_messages = 200},
                  .actor_count = 2};
    for (unsigned i = 0; i < CALL_STEPS; i++) {
        s->steps[s->count++] = call[i];
        if (i != 7)
            continue;
        s->steps[s->count++] = (step){
            .kind = STEP_CUT_NEXT, .who = who, .a = is_up ? at : FAR, .b = is_up ? FAR : at, .c = at % 2 * 2};
        s->steps[s->count++] = (step){.kind = STEP_CUT, .who = who};
        s->steps[s->count++] = (step){.kind = STEP_PASS, .a = 2000};
    }
}

static void a_line_may_break_while_a_session_is_resumed(void **state)
{
    (void)state;
    static script s;
    for (unsigned at = 0; at < 4 * 900; at += runs >= 1000 ? 1 : 37) {
        call_resumed(&s, at & 1, (at & 2) != 0, at / 4);
        if (!play(&s)) {
            print_message("it fails: %s\n", fail_text);
            play_explain(&s);
            fail_msg("the second line of actor %u, after %u bytes", at & 1, at / 4);
        }
    }
}

int main(int argc, char **argv)
{
    seed = 1;
    runs = server_scale(10000);
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--runs") == 0)
            runs = number;
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strcmp(argv[i + 1], "now") == 0 ? (uint64_t)time(NULL) * 1000000 : number;
        else if (strcmp(argv[i], "--show") == 0) {
            static script s;
            script_draw(&s, number);
            script_print(&s);
            return 0;
        }
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_arrive_once_and_in_order),
        cmocka_unit_test(a_line_may_break_after_each_byte),
        cmocka_unit_test(a_line_may_break_while_a_session_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
