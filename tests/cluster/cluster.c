/* Several nodes against what CLUSTER.md promises: members, claims, links, merges, edges and owners of
 * src/cluster over real RoomManagers, on an engine that delays, loses, doubles and ends, with clients of all
 * dialects.
 *
 *   cluster                      ten thousand runs, multiplied by HOMECALL_TEST_SCALE percent, the same ones
 *                                each time
 *   cluster --runs N --seed S    so many, from this one on; S may be "now", for new ones
 *   cluster --show SEED          print what is drawn from a seed */
#include "cluster/cases.h"
#include "cluster/play.h"
#include "support/run_fail.h"
#include "support/server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

static uint64_t seed;
static uint64_t runs;

static void what_is_promised_holds(void **state)
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
    print_message("%" PRIu64 " signals, %" PRIu64 " handed over, %" PRIu64 " packets, %" PRIu64
                  " rooms merged, %" PRIu64 " links lost, %" PRIu64 " clients ended without engine\n",
                  play_sum.signals, play_sum.handed, play_sum.packets, play_sum.merges, play_sum.link_losses,
                  play_sum.unreachable);
    assert_true(runs < 400 || (play_sum.merges > 0 && play_sum.link_losses > 0 && play_sum.handed > 0 &&
                               play_sum.unreachable > 0));
}

static void what_has_failed_once_holds(void **state)
{
    (void)state;
    for (const known_case *k = known_cases; k->name != NULL; k++) {
        if (!play(&k->script))
            fail_msg("%s: %s", k->name, fail_text);
    }
}

static uint64_t number_of(const char *text)
{
    return strcmp(text, "now") == 0 ? (uint64_t)time(NULL) * 100000 : strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    seed = 1;
    runs = server_scale(10000);
    for (int i = 1; i + 1 < argc; i += 2) {
        static script s;
        if (strcmp(argv[i], "--seed") == 0) {
            seed = number_of(argv[i + 1]);
        } else if (strcmp(argv[i], "--runs") == 0) {
            runs = number_of(argv[i + 1]);
        } else if (strcmp(argv[i], "--show") == 0) {
            script_draw(&s, number_of(argv[i + 1]));
            script_print(&s);
            return 0;
        }
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_failed_once_holds),
        cmocka_unit_test(what_is_promised_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
