/* Who guesses codewords waits (GUESS_RATE), and who does not, does not. The clients come through a trusted
 * proxy, which says what address each has. Nothing here sleeps: what must wait is seen by when its answer
 * comes, and by the metric and the log. A token comes back in a minute, which no test takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_client.h"
#include "support/client.h"
#include "support/free_port.h"
#include "support/log_file.h"
#include "support/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CLIENTS = 32 };

static const char guesser[] = "198.51.100.1";
static const char other[] = "198.51.100.2";

typedef struct fixture {
    signal_server_options options;
    signal_server *server;
    client *clients[MAX_CLIENTS]; /* that stay until the end */
    int client_count;
    char log_path[LOG_FILE_PATH];
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    log_file_start(f->log_path, SIGNAL_LOG_INFO);
    f->options = server_options();
    f->options.trusted_proxies = "127.0.0.1";
    f->options.admin_port = free_port();
    f->options.guess_rate = 1;
    f->options.guess_burst = 1;
    *state = f;
    return 0;
}

static void start(fixture *f)
{
    f->server = server_start(&f->options);
}

/* End the server, and then read the log. */
static void stop(fixture *f)
{
    server_end(f->server);
    f->server = NULL;
    signal_log_stop();
}

static int destroy(void **state)
{
    fixture *f = *state;
    while (f->client_count > 0)
        client_close(f->clients[--f->client_count]);
    server_end(f->server);
    signal_log_stop();
    unlink(f->log_path);
    free(f);
    return 0;
}

/* ---- What can be seen ---- */

/* How many joins were held, as /metrics says. */
static unsigned held(const fixture *f)
{
    static const char sample[] = "\nhomecall_signal_limits_hit_total{limit=\"guess_rate\"} ";
    admin_answer answer;
    assert_int_equal(
        admin_client_get("127.0.0.1", f->options.admin_port, "/metrics", CLIENT_WAIT_MS, &answer), 0);
    const char *found = strstr(answer.body, sample);
    assert_non_null(found);
    unsigned count = (unsigned)strtoul(found + strlen(sample), NULL, 10);
    free(answer.body);
    return count;
}

/* ---- The clients ---- */

static client *come(fixture *f, const char *from)
{
    assert_true(f->client_count < MAX_CLIENTS);
    client *c = client_open_for(signal_server_port(f->server), from);
    f->clients[f->client_count++] = c;
    return c;
}

static void go(fixture *f)
{
    client_close(f->clients[--f->client_count]);
}

/* Join, and wait until the join was handled. Returns how long that took, in ms. */
static uint64_t join(client *c, const char *room, const char *user)
{
    uint64_t before_ms = client_now_ms();
    client_join(c, room, user);
    client_expect_nothing(c);
    return client_now_ms() - before_ms;
}

/* The same of a room of this number, which nobody has joined. */
static uint64_t join_new(client *c, unsigned number)
{
    char room[32];
    snprintf(room, sizeof(room), "new %u", number);
    return join(c, room, "mallory");
}

/* ---- Who does not wait ---- */

static void who_joins_the_same_room_again_and_again_never_waits(void **state)
{
    fixture *f = *state;
    start(f);
    for (int i = 0; i < 40; i++) {
        (void)join(come(f, guesser), "our room", "anna");
        go(f);
    }
    assert_int_equal(held(f), 0);
}

/* Four of a family behind one address call each other, in turn, twenty times. */
static void a_family_behind_one_address_never_waits(void **state)
{
    fixture *f = *state;
    start(f);
    static const char *const users[] = {"anna", "bert", "carl", "dora"};
    client *family[4];
    for (int i = 0; i < 4; i++)
        family[i] = come(f, guesser);
    for (unsigned call = 0; call < 20; call++) {
        unsigned a = call % 4;
        unsigned b = (a + 1 + call / 4 % 3) % 4;
        (void)join(family[a], "our room", users[a]);
        client_send_number(family[a], call);
        client_join(family[b], "our room", users[b]);
        client_expect_number(family[b], "our room", users[a], call);
        client_leave(family[a]);
        client_leave(family[b]);
        client_expect_nothing(family[a]);
        client_expect_nothing(family[b]);
    }
    assert_int_equal(held(f), 0);
}

static void a_codeword_of_22_characters_never_waits(void **state)
{
    fixture *f = *state;
    start(f);
    client *c = come(f, guesser);
    for (unsigned i = 0; i < 40; i++) {
        char room[32];
        snprintf(room, sizeof(room), "%022u", i);
        (void)join(c, room, "anna");
    }
    assert_int_equal(held(f), 0);
    (void)join(c, "000000000000000000001", "anna"); /* of 21: the first that counts */
    (void)join(c, "000000000000000000002", "anna");
    assert_int_equal(held(f), 1);
}

static void an_exempt_address_never_waits(void **state)
{
    fixture *f = *state;
    f->options.exempt_addresses = "198.51.100.0/31";
    start(f);
    client *c = come(f, guesser);
    for (unsigned i = 0; i < 40; i++)
        (void)join_new(c, i);
    assert_int_equal(held(f), 0);
}

/* ---- Who waits ---- */

static void the_31st_new_room_waits(void **state)
{
    fixture *f = *state;
    f->options.guess_burst = 30;
    start(f);
    for (unsigned i = 0; i < 30; i++) {
        (void)join_new(come(f, guesser), i); /* on whichever connection */
        go(f);
    }
    assert_int_equal(held(f), 0);
    assert_true(join_new(come(f, guesser), 30) >= 100);
    assert_int_equal(held(f), 1);
    (void)join_new(come(f, other), 31); /* another address has a budget of its own */
    assert_int_equal(held(f), 1);
    assert_true(join_new(come(f, guesser), 32) >= 200);
    assert_int_equal(held(f), 2);
    stop(f);
    assert_int_equal(log_file_count(f->log_path, "join held"), 2);
    assert_int_equal(log_file_count(f->log_path, "held_ms=100"), 1);
    assert_int_equal(log_file_count(f->log_path, "held_ms=200"), 1);
    assert_int_equal(log_file_count(f->log_path, "somebody guesses"), 0);
}

/* The right one is held as long as a wrong one in its place would be, and then gets what waits for it. */
static void a_right_and_a_wrong_guess_wait_alike(void **state)
{
    fixture *f = *state;
    start(f);
    client *anna = come(f, other);
    (void)join(anna, "right", "anna");
    client_send_number(anna, 7);
    client_expect_nothing(anna);

    client *mallory = come(f, guesser);
    (void)join_new(mallory, 0);
    assert_true(join_new(mallory, 1) >= 100);
    uint64_t before_ms = client_now_ms();
    client_join(mallory, "right", "mallory");
    client_send_ping(mallory, "behind");
    client_expect_number(mallory, "right", "anna", 7);
    assert_true(client_now_ms() - before_ms >= 200);
    client_expect_pong(mallory, "behind");
    assert_true(join_new(mallory, 2) >= 400);
    assert_int_equal(held(f), 3);
    stop(f);
    assert_int_equal(log_file_count(f->log_path, "join held"), 3);
}

/* So many at once that the last ones are held for longer than the test takes. The server stops meanwhile. */
static void many_guesses_are_told_of_once_and_end_with_the_server(void **state)
{
    fixture *f = *state;
    start(f);
    enum { GUESSERS = 14, FIRST_OF_25_S = 8 };
    client *guessers[GUESSERS];
    (void)join_new(come(f, guesser), 0);
    for (unsigned i = 0; i < GUESSERS; i++) {
        guessers[i] = come(f, guesser);
        client_send_textf(guessers[i], "{\"type\":\"join\",\"room\":\"%u\",\"user\":\"mallory\"}", i);
        while (held(f) < i + 1) /* one after the other */
            client_await_tick();
    }
    stop(f);
    for (int i = FIRST_OF_25_S; i < GUESSERS; i++)
        client_expect_close(guessers[i], 1001);
    assert_int_equal(log_file_count(f->log_path, "join held"), GUESSERS);
    assert_int_equal(log_file_count(f->log_path, "held_ms=25000"), GUESSERS - FIRST_OF_25_S);
    assert_int_equal(log_file_count(f->log_path, "[WARN]"), 1);
    assert_int_equal(log_file_count(f->log_path, "somebody guesses codewords"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_joins_the_same_room_again_and_again_never_waits, make, destroy),
        cmocka_unit_test_setup_teardown(a_family_behind_one_address_never_waits, make, destroy),
        cmocka_unit_test_setup_teardown(a_codeword_of_22_characters_never_waits, make, destroy),
        cmocka_unit_test_setup_teardown(an_exempt_address_never_waits, make, destroy),
        cmocka_unit_test_setup_teardown(the_31st_new_room_waits, make, destroy),
        cmocka_unit_test_setup_teardown(a_right_and_a_wrong_guess_wait_alike, make, destroy),
        cmocka_unit_test_setup_teardown(many_guesses_are_told_of_once_and_end_with_the_server, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
