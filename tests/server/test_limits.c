/* What a server does when something runs out: the process's descriptors, MAX_CONNECTIONS,
 * MAX_CONNECTIONS_PER_ADDRESS. Who is in must not notice, who comes too much is told or waits, and what is
 * given back is given again.
 *
 * Server and clients share the descriptors of this process; so the clients' sockets are made before these run
 * out, and what is left then belongs to the server alone. Valgrind emulates that limit otherwise (it resets a
 * connection that it should leave in the backlog): under it the tests of descriptors fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/log_file.h"
#include "support/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_MS = 3600 * 1000 };

enum { NAME_BYTES = 32 };

/* Two users who talk, to see that who is in does not notice what happens to others. */
typedef struct pair {
    client *a;
    client *b;
} pair;

static pair open_pair(signal_server *server, const char *source)
{
    client *both[2];
    for (int i = 0; i < 2; i++) {
        both[i] = client_dial_from(signal_server_port(server), source);
        client_upgrade(both[i]);
        client_join(both[i], "room", i == 0 ? "anna" : "bert");
        client_expect_nothing(both[i]);
    }
    return (pair){both[0], both[1]};
}

static void expect_talking(const pair *p)
{
    client_send_number(p->a, 1);
    client_expect_number(p->b, "room", "anna", 1);
    client_send_number(p->b, 2);
    client_expect_number(p->a, "room", "bert", 2);
}

/* Has the server sent 101, or anything else, a reset included? */
static bool is_welcome(client *c)
{
    char begin[12];
    if (!client_is_readable(c, CLIENT_WAIT_MS))
        fail_msg("no answer to an upgrade request");
    return recv(client_fd(c), begin, sizeof(begin), MSG_PEEK) == sizeof(begin) &&
           memcmp(begin, "HTTP/1.1 101", sizeof(begin)) == 0;
}

/* Open a connection as soon as its place is free. A client that has gone gives back its place when the server
 * sees it, which nothing tells but this. */
static client *open_when_free(signal_server *server, const char *source)
{
    uint64_t deadline_ms = client_now_ms() + CLIENT_WAIT_MS;
    client *c = NULL;
    do {
        client_close(c);
        if (client_now_ms() > deadline_ms)
            fail_msg("no place becomes free for %s", source);
        c = client_dial_from(signal_server_port(server), source);
        client_send_upgrade(c);
    } while (!is_welcome(c));
    client_expect_upgraded(c);
    return c;
}

static void close_pair(const pair *p)
{
    client_close(p->a);
    client_close(p->b);
}

/* ---- Descriptors ---- */

/* Room for descriptors above those in use, and the connections of a test. */
enum { SPARE = 100, WAITING = 6, ACCEPTED = 4 };

typedef struct shortage {
    struct rlimit before;
    int fillers[2 * SPARE]; /* owned: they use up what is left */
    int count;
    char log_path[LOG_FILE_PATH];
    signal_server *server;
    pair pair;
    client *waiting[WAITING]; /* sockets first, connected when a test says so */
} shortage;

/* Take all descriptors but `left`. */
static void use_up_descriptors(shortage *s, int left)
{
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(lowest >= 0);
    s->fillers[s->count++] = lowest;
    struct rlimit limit = s->before;
    limit.rlim_cur = (rlim_t)lowest + SPARE;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd;
    while ((fd = fcntl(lowest, F_DUPFD_CLOEXEC, 0)) >= 0)
        s->fillers[s->count++] = fd;
    assert_int_equal(errno, EMFILE);
    while (left-- > 0)
        close(s->fillers[--s->count]);
}

static void give_back_one_descriptor(shortage *s)
{
    close(s->fillers[--s->count]);
}

static void give_back_all_descriptors(shortage *s)
{
    while (s->count > 0)
        give_back_one_descriptor(s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &s->before), 0);
}

static int start_short_server(void **state)
{
    shortage *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &s->before), 0);
    log_file_start(s->log_path, SIGNAL_LOG_WARN);

    signal_server_options options = server_options();
    options.handshake_timeout_ms = HOUR_MS;
    s->server = server_start(&options);
    s->pair = open_pair(s->server, "127.0.0.1");
    for (int i = 0; i < WAITING; i++)
        s->waiting[i] = client_new();
    *state = s;
    return 0;
}

static int end_short_server(void **state)
{
    shortage *s = *state;
    give_back_all_descriptors(s);
    close_pair(&s->pair);
    for (int i = 0; i < WAITING; i++)
        client_close(s->waiting[i]);
    server_end(s->server);
    signal_log_stop();
    unlink(s->log_path);
    free(s);
    return 0;
}

static uint64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* More come than there are descriptors for. The kernel takes them; the server has ACCEPTED of them. */
static void let_too_many_come(shortage *s)
{
    uint64_t before = server_stats(s->server).accepted;
    use_up_descriptors(s, ACCEPTED);
    for (int i = 0; i < WAITING; i++) {
        client_connect(s->waiting[i], signal_server_port(s->server));
        client_send_upgrade(s->waiting[i]);
    }
    for (int i = 0; i < ACCEPTED; i++)
        client_expect_upgraded(s->waiting[i]);
    assert_int_equal(server_stats(s->server).accepted, before + ACCEPTED);
}

static void without_descriptors_accepting_pauses_instead_of_spinning(void **state)
{
    enum { WINDOW_MS = 600 };
    shortage *s = *state;
    let_too_many_come(s);
    uint64_t used_ms = cpu_ms();
    assert_false(client_is_readable(s->waiting[ACCEPTED], WINDOW_MS)); /* it waits, as it must */
    used_ms = cpu_ms() - used_ms;
    assert_in_range(used_ms, 0, WINDOW_MS / 4); /* a thread that spins uses all of it */

    give_back_all_descriptors(s);
    for (int i = ACCEPTED; i < WAITING; i++)
        client_expect_upgraded(s->waiting[i]);
    SERVER_AWAIT(s->server, connections, 2 + WAITING);
    for (uint64_t begun_ms = client_now_ms(); log_file_count(s->log_path, "accepting again") == 0;) {
        assert_in_range(client_now_ms() - begun_ms, 0, CLIENT_WAIT_MS);
        client_await_tick();
    }

    signal_server_request_stop(s->server, true);
    signal_server_stop(s->server);
    signal_log_stop();
    assert_int_equal(log_file_count(s->log_path, "accepting pauses"),
                     1); /* however often it was tried again */
    assert_int_equal(log_file_count(s->log_path, "accepting again"), 1);
}

static void who_waits_is_served_as_descriptors_become_free(void **state)
{
    shortage *s = *state;
    let_too_many_come(s);
    for (int i = ACCEPTED; i < WAITING; i++) {
        assert_false(client_is_readable(s->waiting[i], 0));
        give_back_one_descriptor(s);
        client_expect_upgraded(s->waiting[i]);
    }
    for (int i = 0; i < WAITING; i++)
        client_expect_nothing(s->waiting[i]);
}

/* A client that ends gives back two descriptors, its own and the server's: enough for both who wait. */
static void a_connection_that_ends_makes_room_for_one_that_waits(void **state)
{
    shortage *s = *state;
    let_too_many_come(s);
    client_abort(s->waiting[0]);
    s->waiting[0] = NULL;
    for (int i = ACCEPTED; i < WAITING; i++)
        client_expect_upgraded(s->waiting[i]);
    expect_talking(&s->pair);
}

/* Joining, moving to another thread, calling: nothing of it needs a descriptor. */
static void calls_go_on_without_descriptors(void **state)
{
    shortage *s = *state;
    let_too_many_come(s);
    for (int i = 0; i < 100; i++)
        expect_talking(&s->pair);
    for (int i = 0; i < ACCEPTED; i += 2) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %d", i);
        client_join(s->waiting[i], room, "anna");
        client_send_number(s->waiting[i], 1);
        client_join(s->waiting[i + 1], room, "bert");
        client_send_number(s->waiting[i + 1], 2);
        client_expect_number(s->waiting[i + 1], room, "anna", 1);
        client_expect_number(s->waiting[i], room, "bert", 2);
    }
}

static void a_server_without_descriptors_can_be_stopped(void **state)
{
    shortage *s = *state;
    let_too_many_come(s);
    signal_server_request_stop(s->server, false);
    client_expect_close(s->pair.a, 1001);
    client_expect_close(s->pair.b, 1001);
    for (int i = 0; i < ACCEPTED; i++)
        client_expect_close(s->waiting[i], 1001);
    for (int i = ACCEPTED; i < WAITING; i++)
        client_expect_gone(s->waiting[i]); /* it was never ours: the kernel resets it */
    for (int i = 0; i < WAITING; i++) {
        client_close(s->waiting[i]);
        s->waiting[i] = NULL;
    }
    signal_server_stop(s->server);
    assert_int_equal(server_stats(s->server).connections, 0);
}

/* ---- Connections in all ---- */

enum { MAX_CONNECTIONS = 4 };

static int start_with_few_connections(void **state)
{
    signal_server_options options = server_options();
    options.max_connections = MAX_CONNECTIONS;
    options.handshake_timeout_ms = HOUR_MS;
    options.close_timeout_ms = HOUR_MS;
    *state = server_start(&options);
    return 0;
}

static client *dial(signal_server *server, const char *source)
{
    return client_dial_from(signal_server_port(server), source);
}

static client *open_from(signal_server *server, const char *source)
{
    client *c = dial(server, source);
    client_upgrade(c);
    return c;
}

/* One more from there is refused, whether it asks or not. */
static void expect_refused(signal_server *server, const char *source)
{
    uint64_t refused = server_stats(server).refused;
    client *silent = dial(server, source);
    client_expect_http_fault(silent, 503);
    client_close(silent);
    client *asking = dial(server, source);
    client_send_upgrade(asking);
    client_expect_http_fault(asking, 503);
    client_close(asking);
    assert_int_equal(server_stats(server).refused, refused + 2);
}

static void one_connection_too_many_is_refused(void **state)
{
    signal_server *server = *state;
    pair p = open_pair(server, "127.0.0.1"); /* on the workers' threads, where they count as well */
    client *in_lobby = open_from(server, "127.0.0.1");
    client *in_handshake = dial(server, "127.0.0.1");
    SERVER_AWAIT(server, accepted, MAX_CONNECTIONS);
    expect_refused(server, "127.0.0.1");
    expect_refused(server, "127.0.0.2"); /* wherever it comes from */
    expect_talking(&p);
    client_expect_nothing(in_lobby);
    client_upgrade(in_handshake);
    close_pair(&p);
    client_close(in_lobby);
    client_close(in_handshake);
}

/* The ways in which a connection gives its place back, each from another state. */
static client *open_to_be_closed(signal_server *server)
{
    return open_from(server, "127.0.0.1");
}

static client *open_to_be_lost_in_handshake(signal_server *server)
{
    client *c = dial(server, "127.0.0.1");
    client_send_bytes(c, "GET ", 4);
    return c;
}

static client *open_to_be_lost_in_a_room(signal_server *server)
{
    client *c = open_from(server, "127.0.0.1");
    client_join(c, "room", "anna");
    client_expect_nothing(c);
    return c;
}

static client *open_to_be_refused_for_its_request(signal_server *server)
{
    static const char request[] = "GET /elsewhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    client *c = dial(server, "127.0.0.1");
    client_send_bytes(c, request, sizeof(request) - 1);
    client_expect_http_fault(c, 404);
    return c;
}

static client *open_to_be_closed_for_a_fault(signal_server *server)
{
    client *c = open_to_be_lost_in_a_room(server);
    client_send_frame(c, &(client_frame){.opcode = CLIENT_TEXT, .payload = "", .is_unmasked = true});
    client_expect_close(c, 1002);
    return c;
}

static void a_free_place_is_given_again(void **state)
{
    static client *(*const ways[])(signal_server * server) = {
        open_to_be_closed,
        open_to_be_lost_in_handshake,
        open_to_be_lost_in_a_room,
        open_to_be_refused_for_its_request,
        open_to_be_closed_for_a_fault,
    };
    signal_server *server = *state;
    client *others[MAX_CONNECTIONS - 1];
    for (int i = 0; i < MAX_CONNECTIONS - 1; i++)
        others[i] = open_from(server, "127.0.0.1");
    for (size_t way = 0; way < 2 * sizeof(ways) / sizeof(ways[0]); way++) {
        uint64_t accepted = server_stats(server).accepted;
        client *c = ways[way / 2](server);
        SERVER_AWAIT(server, accepted, accepted + 1);
        if (way % 2 == 0)
            client_close(c);
        else
            client_abort(c);
        client *last = open_when_free(server, "127.0.0.1");
        expect_refused(server, "127.0.0.1"); /* no place was given back twice */
        client_close(last);
        client_close(open_when_free(server, "127.0.0.1"));
        SERVER_AWAIT(server, connections, MAX_CONNECTIONS - 1);
    }
    for (int i = 0; i < MAX_CONNECTIONS - 1; i++)
        client_close(others[i]);
}

/* Only so many get their 503 in peace. Whatever becomes of the others, all of them end, nobody who is in
 * notices, and the places that they had for a moment are free again. */
static void a_crowd_that_is_refused_ends(void **state)
{
    enum { CROWD = 600 };
    signal_server *server = *state;
    server_raise_descriptor_limit();
    pair p = open_pair(server, "127.0.0.1");
    client *c = open_from(server, "127.0.0.1");
    client *d = open_from(server, "127.0.0.1");
    static client *crowd[CROWD];
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = dial(server, "127.0.0.1");
        client_send_upgrade(crowd[i]);
    }
    for (int i = 0; i < CROWD; i++)
        client_expect_gone(crowd[i]);
    expect_talking(&p);
    for (int i = 0; i < CROWD; i++)
        client_close(crowd[i]);
    SERVER_AWAIT(server, connections, MAX_CONNECTIONS);
    assert_in_range(server_stats(server).refused, 1, CROWD);
    expect_refused(server, "127.0.0.1");
    client_close(c);
    c = open_when_free(server, "127.0.0.1");
    client_close(c);
    client_close(d);
    close_pair(&p);
}

/* ---- Connections from one address ---- */

enum { MAX_PER_ADDRESS = 2 };

static int start_with_few_from_one_address(void **state)
{
    signal_server_options options = server_options();
    options.max_connections_per_address = MAX_PER_ADDRESS;
    options.close_timeout_ms = HOUR_MS;
    *state = server_start(&options);
    return 0;
}

static void one_connection_too_many_from_an_address_is_refused(void **state)
{
    signal_server *server = *state;
    pair p = open_pair(server, "127.0.0.2");
    expect_refused(server, "127.0.0.2");
    client *c = open_from(server, "127.0.0.3"); /* whom that does not concern */
    client *d = open_from(server, "127.0.0.3");
    expect_refused(server, "127.0.0.3");
    expect_refused(server, "127.0.0.2");
    expect_talking(&p);
    client_expect_nothing(c);
    client_expect_nothing(d);
    close_pair(&p);
    client_close(c);
    client_close(d);
}

static void a_free_place_of_an_address_is_given_again(void **state)
{
    signal_server *server = *state;
    pair p = open_pair(server, "127.0.0.2");
    for (int i = 0; i < 10; i++) {
        client_abort(p.a);
        p.a = open_when_free(server, "127.0.0.2");
        expect_refused(server, "127.0.0.2");
        client_join(p.a, "room", "anna");
        client_expect_nothing(p.a);
        expect_talking(&p);
    }
    close_pair(&p);
}

static void a_place_counts_while_its_connection_waits_in_the_lobby_and_moves(void **state)
{
    signal_server *server = *state;
    client *mover = open_from(server, "127.0.0.2");
    client *other = open_from(server, "127.0.0.2");
    for (int i = 0; i < 20; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %d", i);
        client_join(mover, room, "anna");
        client_expect_nothing(mover);
        expect_refused(server, "127.0.0.2");
    }
    client_close(mover);
    client_close(other);
}

static void many_addresses_have_their_places_each(void **state)
{
    enum { ADDRESSES = 300 };
    signal_server *server = *state;
    server_raise_descriptor_limit();
    static client *clients[ADDRESSES][MAX_PER_ADDRESS];
    char source[NAME_BYTES];
    for (int i = 0; i < ADDRESSES; i++) {
        snprintf(source, sizeof(source), "127.0.%d.%d", 1 + i / 200, 1 + i % 200);
        for (int j = 0; j < MAX_PER_ADDRESS; j++)
            clients[i][j] = open_from(server, source);
    }
    for (int i = 0; i < ADDRESSES; i += 50) {
        snprintf(source, sizeof(source), "127.0.%d.%d", 1 + i / 200, 1 + i % 200);
        expect_refused(server, source);
    }
    for (int i = 0; i < ADDRESSES; i++)
        for (int j = 0; j < MAX_PER_ADDRESS; j++)
            client_close(clients[i][j]);
    client *again[MAX_PER_ADDRESS];
    for (int j = 0; j < MAX_PER_ADDRESS; j++)
        again[j] = open_when_free(server, "127.0.1.1");
    expect_refused(server, "127.0.1.1");
    for (int j = 0; j < MAX_PER_ADDRESS; j++)
        client_close(again[j]);
}

/* Who is refused for its address has taken nobody's place. */
static void both_limits_hold_together(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.max_connections = 3;
    options.max_connections_per_address = MAX_PER_ADDRESS;
    signal_server *server = server_start(&options);
    pair p = open_pair(server, "127.0.0.2");
    expect_refused(server, "127.0.0.2");
    client *c = open_from(server, "127.0.0.3");
    expect_refused(server, "127.0.0.3"); /* for want of places in all */
    expect_refused(server, "127.0.0.4");
    client_close(p.a);
    client *d = open_when_free(server, "127.0.0.3"); /* nor was that address charged for its refusal */
    client_close(p.b);
    client_close(c);
    client_close(d);
    server_end(server);
}

/* Places are taken by several acceptors and given back by several workers: none is lost. */
static void places_are_counted_over_all_threads(void **state)
{
    enum { PLACES = 20, CHURN = 400 };
    (void)state;
    signal_server_options options = server_options();
    options.acceptor_threads = 3;
    options.workers = 3;
    options.max_connections = 2 * PLACES;
    options.max_connections_per_address = PLACES;
    signal_server *server = server_start(&options);
    client *clients[PLACES] = {NULL};
    unsigned churn = server_scale(CHURN);
    for (unsigned i = 0; i < churn; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %u", i);
        client **place = &clients[i % PLACES];
        if (*place != NULL)
            client_abort(*place);
        /* Whether this one finds a place depends on how soon the server sees the end of others. */
        *place = dial(server, i % 2 == 0 ? "127.0.0.2" : "127.0.0.3");
        client_send_upgrade(*place);
        client_join(*place, room, "anna");
    }
    for (int i = 0; i < PLACES; i++)
        client_close(clients[i]);

    for (int i = 0; i < PLACES; i++)
        clients[i] = open_when_free(server, "127.0.0.2");
    expect_refused(server, "127.0.0.2");
    for (int i = 0; i < PLACES; i++)
        client_close(clients[i]);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_descriptors_accepting_pauses_instead_of_spinning,
                                        start_short_server, end_short_server),
        cmocka_unit_test_setup_teardown(who_waits_is_served_as_descriptors_become_free, start_short_server,
                                        end_short_server),
        cmocka_unit_test_setup_teardown(a_connection_that_ends_makes_room_for_one_that_waits,
                                        start_short_server, end_short_server),
        cmocka_unit_test_setup_teardown(calls_go_on_without_descriptors, start_short_server,
                                        end_short_server),
        cmocka_unit_test_setup_teardown(a_server_without_descriptors_can_be_stopped, start_short_server,
                                        end_short_server),
        cmocka_unit_test_setup_teardown(one_connection_too_many_is_refused, start_with_few_connections,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_free_place_is_given_again, start_with_few_connections,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_crowd_that_is_refused_ends, start_with_few_connections,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(one_connection_too_many_from_an_address_is_refused,
                                        start_with_few_from_one_address, server_teardown),
        cmocka_unit_test_setup_teardown(a_free_place_of_an_address_is_given_again,
                                        start_with_few_from_one_address, server_teardown),
        cmocka_unit_test_setup_teardown(a_place_counts_while_its_connection_waits_in_the_lobby_and_moves,
                                        start_with_few_from_one_address, server_teardown),
        cmocka_unit_test_setup_teardown(many_addresses_have_their_places_each,
                                        start_with_few_from_one_address, server_teardown),
        cmocka_unit_test(both_limits_hold_together),
        cmocka_unit_test(places_are_counted_over_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
