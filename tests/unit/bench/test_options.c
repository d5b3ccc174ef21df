/* The command line: each default, each bound, and every way to be wrong, which is told on standard error. */
#include "options.h"

#include "scenario/scenario.h"
#include "wire/signal_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_WORDS = 24, MAX_LINE = 512 };

static load_options o; /* of the last parse() */
static char line[MAX_LINE];

/* Parse the words of a line, separated by blanks, as they would stand behind the program's name. */
static options_verdict parse(const char *text)
{
    static char program[] = "homecall-bench";
    char *argv[MAX_WORDS] = {program};
    int argc = 1;
    assert_true(strlen(text) < sizeof(line));
    strcpy(line, text);
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(argc < MAX_WORDS - 1);
        argv[argc++] = word;
    }
    optind = 0; /* getopt_long() begins anew */
    return options_parse(argc, argv, &o);
}

/* Parse what is wrong; standard error must be one line that holds `hint`. */
static void expect_wrong(const char *text, const char *hint)
{
    char said[1024] = "";
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int before = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    options_verdict verdict = parse(text);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t len = read(ends[0], said, sizeof(said) - 1);
    close(ends[0]);

    if (verdict != OPTIONS_WRONG)
        fail_msg("\"%s\" is not refused", text);
    assert_true(len > 0);
    assert_memory_equal(said, "homecall-bench: ", 16);
    assert_ptr_equal(strchr(said, '\n'), said + len - 1);
    if (strstr(said, hint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", said, hint);
}

static void every_option_has_its_default(void **state)
{
    (void)state;
    assert_int_equal(parse("relay ws://127.0.0.1:1/"), OPTIONS_RUN);
    assert_ptr_equal(o.scenario, &scenario_relay);
    assert_string_equal(o.urls[0], "ws://127.0.0.1:1/");
    assert_ptr_equal(o.dialect, &dialect_homecall);
    assert_int_equal(o.threads, 1);
    assert_true(o.seconds == 5);
    assert_true(o.warmup_seconds == 1);
    assert_int_equal(o.count, 0);
    assert_true(o.rate == 0);
    assert_int_equal(o.pairs, 50);
    assert_int_equal(o.connections, 1000);
    assert_int_equal(o.beside, 0);
    assert_int_equal(o.window, 1);
    assert_int_equal(o.size, 200);
    assert_int_equal(o.candidates, 10);
    assert_int_equal(o.offer_size, 3000);
    assert_int_equal(o.candidate_size, 290);
    assert_true(o.talk_seconds == 10);
    assert_true(o.loss == 0.1);
    assert_int_equal(o.sources, 1);
    assert_int_equal(o.server_pids.count, 0);
    assert_null(o.restart);
    assert_null(o.ca_file);
    assert_null(o.json);
    assert_null(o.report);
    assert_string_equal(o.label, "");
    assert_false(o.joined || o.singly || o.reconnect || o.fresh_rooms || o.insecure || o.syscalls || o.quiet);
}

static void every_option_is_set(void **state)
{
    (void)state;
    assert_int_equal(parse("--threads 2 --seconds 0.5 --warmup 0 --count 7 call --rate 1.5 --pairs 3 u"),
                     OPTIONS_RUN);
    assert_ptr_equal(o.scenario, &scenario_call);
    assert_string_equal(o.urls[0], "u");
    assert_int_equal(o.threads, 2);
    assert_true(o.seconds == 0.5);
    assert_true(o.warmup_seconds == 0);
    assert_int_equal(o.count, 7);
    assert_true(o.rate == 1.5);
    assert_int_equal(o.pairs, 3);
    assert_int_equal(parse("storm u --connections 4 --joined --beside 5 --restart cmd"), OPTIONS_RUN);
    assert_int_equal(o.connections, 4);
    assert_true(o.joined);
    assert_int_equal(o.beside, 5);
    assert_string_equal(o.restart, "cmd");
    assert_int_equal(parse("relay u --window=6 --size 201"), OPTIONS_RUN);
    assert_int_equal(o.window, 6);
    assert_int_equal(o.size, 201);
    assert_int_equal(parse("mixed u --candidates 0 --offer-size 202 --candidate-size 203 --talk 0 --loss 1"),
                     OPTIONS_RUN);
    assert_int_equal(o.candidates, 0);
    assert_int_equal(o.offer_size, 202);
    assert_int_equal(o.candidate_size, 203);
    assert_true(o.talk_seconds == 0);
    assert_true(o.loss == 1);
    assert_int_equal(
        parse("call u --singly --reconnect --fresh-rooms --sources 9 --dialect peerjs --insecure"),
        OPTIONS_RUN);
    assert_true(o.singly && o.reconnect && o.fresh_rooms && o.insecure);
    assert_int_equal(o.sources, 9);
    assert_ptr_equal(o.dialect, &dialect_peerjs);
    assert_int_equal(parse("idle u --ca-file c --server-pid 1 --syscalls --json - --report r --label l"),
                     OPTIONS_RUN);
    assert_string_equal(o.ca_file, "c");
    assert_int_equal(o.server_pids.pids[0], 1);
    assert_true(o.syscalls);
    assert_string_equal(o.json, "-");
    assert_string_equal(o.report, "r");
    assert_string_equal(o.label, "l");
    assert_int_equal(parse("idle u --quiet"), OPTIONS_RUN);
    assert_true(o.quiet);
}

static void numbers_are_held_to_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *smallest, *below;
        const char *largest, *above;
        const char *scenario;
    } cases[] = {
        {"threads", "1", "0", "50", "65", "relay"},
        {"seconds", "0.05", "0.049", "604800", "604801", "relay"},
        {"warmup", "0", "-0.1", "3600", "3601", "relay"},
        {"count", "0", "-1", "1000000000000", "1000000000001", "relay"},
        {"rate", "0", "-1", "1e8", "100000001", "relay"},
        {"pairs", "1", "0", "1000000", "1000001", "relay"},
        {"connections", "1", "0", "10000000", "10000001", "idle"},
        {"beside", "0", "-1", "10000000", "10000001", "relay"},
        {"window", "1", "0", "65536", "65537", "relay"},
        {"size", "200", "199", "8388608", "8388609", "relay"},
        {"candidates", "0", "-1", "1000", "1001", "call"},
        {"offer-size", "200", "199", "8388608", "8388609", "call"},
        {"candidate-size", "200", "199", "8388608", "8388609", "call"},
        {"talk", "0", "-1", "86400", "86401", "mixed"},
        {"loss", "0", "-0.01", "1", "1.01", "mixed"},
        {"sources", "1", "0", "65536", "65537", "relay"},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        char text[MAX_LINE];
        const char *const good[] = {cases[i].smallest, cases[i].largest};
        const char *const bad[] = {cases[i].below, cases[i].above, "x", "1x", "nan", "inf", "1e999"};
        for (size_t j = 0; j < LENGTH_OF(good); j++) {
            snprintf(text, sizeof(text), "%s --%s %s u", cases[i].scenario, cases[i].name, good[j]);
            assert_int_equal(parse(text), OPTIONS_RUN);
        }
        for (size_t j = 0; j < LENGTH_OF(bad); j++) {
            char hint[MAX_LINE];
            snprintf(text, sizeof(text), "relay --%s=%s u", cases[i].name, bad[j]);
            snprintf(hint, sizeof(hint), "--%s %s: a ", cases[i].name, bad[j]);
            expect_wrong(text, hint);
        }
        snprintf(text, sizeof(text), "relay --%s= u", cases[i].name); /* an empty value */
        expect_wrong(text, "is allowed");
    }
}

static void processes_are_one_or_several(void **state)
{
    (void)state;
    assert_int_equal(parse("relay --server-pid 1,2,3,4,5,6,7,4194304 --engine-pid 9 u"), OPTIONS_RUN);
    assert_int_equal(o.server_pids.count, 8);
    assert_int_equal(o.server_pids.pids[0], 1);
    assert_int_equal(o.server_pids.pids[7], 4194304);
    assert_int_equal(o.engine_pids.count, 1);
    assert_int_equal(o.engine_pids.pids[0], 9);
    static const char *const bad[] = {"0", "-1", "4194305", "x",    "",
                                      ",", "1,", ",1",      "1,,2", "1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        char text[MAX_LINE];
        snprintf(text, sizeof(text), "relay --server-pid=%s u", bad[i]);
        expect_wrong(text, ": one to 8 numbers of processes, separated by commas, are allowed");
    }
}

static void several_servers_can_be_named(void **state)
{
    (void)state;
    assert_int_equal(parse("relay 1 2 3 4 5 6 7 8"), OPTIONS_RUN);
    assert_int_equal(o.url_count, 8);
    assert_string_equal(o.urls[7], "8");
    assert_false(o.local_rooms || o.roaming);
    assert_int_equal(parse("relay 1 2 --local-rooms --roaming"), OPTIONS_RUN);
    assert_true(o.local_rooms && o.roaming);
    expect_wrong("relay 1 2 3 4 5 6 7 8 9", "a scenario and one to eight URLs are needed");
    expect_wrong("relay 1 --local-rooms", "--local-rooms and --roaming need several URLs");
    expect_wrong("relay 1 --roaming", "--local-rooms and --roaming need several URLs");
    expect_wrong("call 1 2", "call needs --fresh-rooms or --local-rooms with several URLs");
    assert_int_equal(parse("call 1 2 --fresh-rooms"), OPTIONS_RUN);
    assert_int_equal(parse("call 1 2 --local-rooms"), OPTIONS_RUN);
    assert_int_equal(parse("call 1 2 --dialect session"), OPTIONS_RUN);
    expect_wrong("relay 1 --syscalls --server-pid 1,2", "--syscalls needs --server-pid with one process");
}

static void counts_are_whole(void **state)
{
    (void)state;
    expect_wrong("relay --pairs 1.5 u", "--pairs 1.5: a whole number from 1 to 1000000 is allowed");
    expect_wrong("relay --seconds x u", "--seconds x: a number from 0.05 to 604800 is allowed");
}

static void what_there_is_not_is_refused(void **state)
{
    (void)state;
    expect_wrong("relay --sizes 300 u", "--sizes");
    expect_wrong("relay -x u", "invalid option");
    expect_wrong("relay u --pairs", "requires an argument");
    expect_wrong("relay --quiet=yes u", "allow an argument");
    expect_wrong("relay --dialect irc u", "--dialect irc: homecall, session, 2 or peerjs is allowed");
    expect_wrong("flood u", "no scenario is called flood");
    expect_wrong("Relay u", "no scenario is called Relay");
}

static void a_scenario_and_a_url_are_needed(void **state)
{
    (void)state;
    expect_wrong("", "a scenario and one to eight URLs are needed");
    expect_wrong("relay", "a scenario and one to eight URLs are needed");
    expect_wrong("--pairs 3 ws://127.0.0.1/", "a scenario and one to eight URLs are needed");
}

static void what_does_not_fit_together_is_refused(void **state)
{
    (void)state;
    expect_wrong("rejoin --dialect peerjs u", "this dialect has nothing to join for the scenario rejoin");
    expect_wrong("mixed --dialect peerjs u",
                 "in this dialect nobody comes back under a name, as in the scenario mixed");
    expect_wrong("rejoin --dialect session u", "this dialect has nothing to join for the scenario rejoin");
    expect_wrong("call --dialect session --fresh-rooms u", "--fresh-rooms needs --reconnect");
    expect_wrong("call --second-dialect peerjs u", "only homecall and 2 can meet in a room");
    expect_wrong("call --dialect session --second-dialect 2 u", "only homecall and 2 can meet in a room");
    expect_wrong("relay --syscalls u", "--syscalls needs --server-pid");
    expect_wrong("relay --threads 3 --pairs 2 u", "more --threads than pairs");
    expect_wrong("idle --threads 3 --connections 4 u", "more --threads than pairs");
    expect_wrong("idle --count 5 u", "there is nothing to --count in the scenario idle");
}

static void options_of_other_scenarios_are_refused(void **state)
{
    (void)state;
    expect_wrong("storm --window 6 u", "--window is for relay, and not for the scenario storm");
    expect_wrong("idle --pairs 3 u",
                 "--pairs is for call, relay, mixed, churn, and not for the scenario idle");
    expect_wrong("connect u --singly", "--singly is for call, and");
    expect_wrong("rejoin --joined u", "--joined is for idle, connect, storm, and");
    expect_wrong("call --life 1 u", "--life is for churn, and");
    expect_wrong("relay --size 300 --restart cmd u", "--restart is for storm, and");
    expect_wrong("idle --rate 5 u", "nothing is started at a --rate in the scenario idle");
}

static void as_many_threads_as_there_are_pairs_will_do(void **state)
{
    (void)state;
    assert_int_equal(parse("relay --threads 2 --pairs 2 u"), OPTIONS_RUN);
    assert_int_equal(parse("idle --threads 2 --connections 3 u"), OPTIONS_RUN);
    assert_int_equal(parse("connect --connections 1 u"), OPTIONS_RUN);
}

static void help_and_version_are_shown_whatever_else_is_missing(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), OPTIONS_SHOWN);
    assert_int_equal(parse("-h"), OPTIONS_SHOWN);
    assert_int_equal(parse("-V"), OPTIONS_SHOWN);
    assert_int_equal(parse("-x"), OPTIONS_WRONG);
    assert_int_equal(parse("--version"), OPTIONS_SHOWN);
    assert_int_equal(parse("flood --help --pairs"), OPTIONS_SHOWN);
}

static const char *find_setting(const char *const *settings, const char *name)
{
    for (; settings[0] != NULL; settings += 2)
        if (strcmp(settings[0], name) == 0)
            return settings[1];
    return NULL;
}

static void what_shapes_the_load_stands_in_the_reports_and_nothing_else(void **state)
{
    (void)state;
    static char room[OPTIONS_SETTINGS_BYTES];
    const char *settings[OPTIONS_MAX_SETTINGS];
    assert_int_equal(parse("storm u --rate 1e8 --count 1000000000000 --joined --quiet --json j --label l "
                           "--restart cmd --seconds 0.25"),
                     OPTIONS_RUN);
    options_settings(&o, settings, room);
    assert_string_equal(find_setting(settings, "rate"), "100000000");
    assert_string_equal(find_setting(settings, "count"), "1000000000000");
    assert_string_equal(find_setting(settings, "joined"), "yes");
    assert_string_equal(find_setting(settings, "restart"), "cmd");
    assert_string_equal(find_setting(settings, "seconds"), "0.25");
    assert_string_equal(find_setting(settings, "threads"), "1");
    assert_string_equal(find_setting(settings, "dialect"), "homecall");
    assert_null(find_setting(settings, "singly")); /* a flag that was not given */
    assert_null(find_setting(settings, "quiet"));
    assert_null(find_setting(settings, "json"));
    assert_null(find_setting(settings, "label"));
}

static void every_scenario_is_found_by_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"call",  "relay", "idle",   "connect",
                                        "storm", "mixed", "rejoin", "churn"};
    assert_int_equal(scenario_count, LENGTH_OF(names));
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        const scenario *found = scenario_find(names[i]);
        assert_non_null(found);
        assert_string_equal(found->name, names[i]);
    }
    assert_null(scenario_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_its_default),
        cmocka_unit_test(every_option_is_set),
        cmocka_unit_test(numbers_are_held_to_their_bounds),
        cmocka_unit_test(processes_are_one_or_several),
        cmocka_unit_test(several_servers_can_be_named),
        cmocka_unit_test(counts_are_whole),
        cmocka_unit_test(what_there_is_not_is_refused),
        cmocka_unit_test(a_scenario_and_a_url_are_needed),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(options_of_other_scenarios_are_refused),
        cmocka_unit_test(as_many_threads_as_there_are_pairs_will_do),
        cmocka_unit_test(help_and_version_are_shown_whatever_else_is_missing),
        cmocka_unit_test(what_shapes_the_load_stands_in_the_reports_and_nothing_else),
        cmocka_unit_test(every_scenario_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
