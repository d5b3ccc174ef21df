/* The end of a server (protocol/README.md, 1.7) and its begin: who is told what, how long it may take, and
 * what a program that embeds it may do in which order.
 *
 * Signals to the process are the program's business: tests/server/test_program.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOUR_MS = 3600 * 1000 };

/* A grace time that is waited for, and what it may take more on a busy machine. */
enum { GRACE_MS = 300, PATIENCE_MS = CLIENT_WAIT_MS };

/* More than the kernel keeps between two sockets: a part of it has to wait in the server. */
enum { BIG_SIGNALS = 100, BIG_BYTES = 100 * 1000 };

static signal_server_options patient_options(void)
{
    signal_server_options options = server_options();
    options.probe_timeout_ms = HOUR_MS;
    options.handshake_timeout_ms = HOUR_MS;
    options.close_timeout_ms = HOUR_MS;
    options.pong_timeout_ms = HOUR_MS;
    options.shutdown_grace_ms = HOUR_MS;
    options.max_output_bytes = 64 * 1024 * 1024;
    return options;
}

static int start(void **state)
{
    signal_server_options options = patient_options();
    *state = server_start(&options);
    return 0;
}

static int start_with_short_grace(void **state)
{
    signal_server_options options = patient_options();
    options.shutdown_grace_ms = GRACE_MS;
    *state = server_start(&options);
    return 0;
}

static client *join_for_sure(signal_server *server, const char *room, const char *user)
{
    return client_open_settled(signal_server_port(server), room, user);
}

/* A connection whose upgrade request is not complete, known to the server. */
static client *open_half(signal_server *server, const char *request)
{
    uint64_t before = server_stats(server).accepted;
    client *c = client_dial(signal_server_port(server));
    client_send_bytes(c, request, strlen(request));
    SERVER_AWAIT(server, accepted, before + 1);
    return c;
}

/* A JSON string of BIG_BYTES letters, owned by the caller. */
static char *make_big_sdp(void)
{
    char *sdp = malloc(BIG_BYTES + 3);
    assert_non_null(sdp);
    memset(sdp, 'x', BIG_BYTES + 2);
    sdp[0] = sdp[BIG_BYTES + 1] = '"';
    sdp[BIG_BYTES + 2] = '\0';
    return sdp;
}

/* Have the server hold much for `reader`, which does not read: "anna" has sent it to the room. */
static void make_much_wait(signal_server *server, client *anna, const char *sdp)
{
    for (int i = 0; i < BIG_SIGNALS; i++)
        client_send_offer(anna, sdp);
    SERVER_AWAIT(server, signals_relayed, BIG_SIGNALS);
}

/* 0 when the port accepts a connection, which is closed again, or -errno. */
static int try_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int error = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

/* Signals go both ways between two users of the room. */
static void expect_serving(signal_server *server, const char *room)
{
    client *a = join_for_sure(server, room, "anna");
    client *b = join_for_sure(server, room, "bert");
    client_send_number(a, 1);
    client_expect_number(b, room, "anna", 1);
    client_send_number(b, 2);
    client_expect_number(a, room, "bert", 2);
    client_close(a);
    client_close(b);
}

/* ---- Who is told what ---- */

static void everybody_is_told_that_the_server_goes_away(void **state)
{
    signal_server *server = *state;
    client *silent = open_half(server, "");
    client *halfway = open_half(server, "GET /signal HTTP/1.1\r\nHost: 127.0");
    client *idle = client_open(signal_server_port(server));
    client *alone = join_for_sure(server, "den", "dora");
    client_send_number(alone, 1); /* is queued, and goes with the server */
    client *a = join_for_sure(server, "room", "anna");
    client *b = join_for_sure(server, "room", "bert");
    client_answer_pings(a, false);
    client_answer_pings(b, false);
    client *waiting = client_open_joined(signal_server_port(server), "room", "cleo");
    client_expect_ping(a); /* so cleo waits before the full room */

    signal_server_request_stop(server, false);
    client_expect_http_fault(silent, 503);
    client_expect_http_fault(halfway, 503);
    client *const open[] = {idle, alone, a, b, waiting};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        client_expect_close(open[i], 1001);

    client_close(silent);
    client_close(halfway);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        client_close(open[i]);
    signal_server_stop(server);
    assert_int_equal(server_stats(server).connections, 0);
    assert_int_equal(server_stats(server).joined, 0);
}

static void a_client_in_the_middle_of_a_message_is_told_as_well(void **state)
{
    signal_server *server = *state;
    client *c = join_for_sure(server, "room", "anna");
    size_t len;
    uint8_t *frame = client_make_frame(
        &(client_frame){.opcode = CLIENT_TEXT, .payload = "{\"type\":\"leave\"}", .len = 16}, &len);
    client_send_bytes(c, frame, len / 2);
    signal_server_request_stop(server, false);
    assert_int_equal(client_receive(c).opcode, CLIENT_CLOSE);
    client_send_bytes(c, frame + len / 2, len - len / 2); /* is thrown away */
    client_send_close(c, 1001);
    client_expect_end(c);
    client_close(c);
    free(frame);
}

static void what_waits_is_flushed_before_the_farewell(void **state)
{
    signal_server *server = *state;
    char *sdp = make_big_sdp();
    client *a = join_for_sure(server, "room", "anna");
    client *reader = join_for_sure(server, "room", "bert");
    make_much_wait(server, a, sdp);

    signal_server_request_stop(server, false);
    client_expect_close(a, 1001); /* from here on the server is stopping */
    for (int i = 0; i < BIG_SIGNALS; i++)
        client_expect_signal(reader, "offer", "room", "anna", sdp);
    client_expect_close(reader, 1001);
    client_close(a);
    client_close(reader);
    free(sdp);
}

static void nobody_is_accepted_any_more(void **state)
{
    signal_server *server = *state;
    client *c = client_open(signal_server_port(server));
    signal_server_request_stop(server, false);
    assert_int_equal(client_receive(c).opcode, CLIENT_CLOSE); /* not answered: the stop goes on */
    assert_int_equal(try_connect(signal_server_port(server)), -ECONNREFUSED);
    client_send_close(c, 1001);
    client_expect_end(c);
    client_close(c);
    signal_server_stop(server);
    assert_int_equal(try_connect(signal_server_port(server)), -ECONNREFUSED);
}

/* ---- How long it takes ---- */

/* Stop, and see that it takes the grace time: not less, since somebody is waited for, nor much more. */
static void stop_in_grace_time(signal_server *server)
{
    uint64_t begin_ms = client_now_ms();
    signal_server_stop(server);
    uint64_t took_ms = client_now_ms() - begin_ms;
    assert_in_range(took_ms, GRACE_MS - 10, GRACE_MS + PATIENCE_MS);
}

static void who_does_not_read_is_waited_for_only_so_long(void **state)
{
    signal_server *server = *state;
    char *sdp = make_big_sdp();
    client *a = join_for_sure(server, "room", "anna");
    client *reader = join_for_sure(server, "room", "bert");
    make_much_wait(server, a, sdp);
    client_close(a);
    stop_in_grace_time(server);
    client_expect_gone(reader);
    client_close(reader);
    free(sdp);
}

static void who_does_not_answer_the_farewell_is_waited_for_only_so_long(void **state)
{
    signal_server *server = *state;
    client *in_lobby = client_open(signal_server_port(server));
    client *in_room = join_for_sure(server, "room", "anna");
    client *halfway = open_half(server, "GET ");
    stop_in_grace_time(server);
    assert_int_equal(client_receive(in_lobby).opcode, CLIENT_CLOSE);
    assert_int_equal(client_receive(in_room).opcode, CLIENT_CLOSE);
    client_expect_gone(in_lobby);
    client_expect_gone(in_room);
    client_expect_gone(halfway);
    client_close(in_lobby);
    client_close(in_room);
    client_close(halfway);
}

static void a_repeated_request_does_not_prolong_the_grace_time(void **state)
{
    signal_server *server = *state;
    client *c = client_open(signal_server_port(server));
    uint64_t begin_ms = client_now_ms();
    signal_server_request_stop(server, false);
    assert_int_equal(client_receive(c).opcode, CLIENT_CLOSE);
    uint64_t deadline_ms = begin_ms + PATIENCE_MS;
    while (server_stats(server).connections > 0 && client_now_ms() < deadline_ms) {
        signal_server_request_stop(server, false);
        poll(NULL, 0, 1); /* not to fill the mailbox's lock with ourselves */
    }
    assert_true(client_now_ms() < deadline_ms);
    client_expect_gone(c);
    client_close(c);
}

static void nobody_is_waited_for_where_nobody_is(void **state)
{
    uint64_t begin_ms = client_now_ms();
    signal_server_stop(*state); /* its grace time is an hour */
    assert_in_range(client_now_ms() - begin_ms, 0, PATIENCE_MS);
}

static void a_second_request_ends_at_once(void **state)
{
    signal_server *server = *state;
    char *sdp = make_big_sdp();
    client *a = join_for_sure(server, "room", "anna");
    client *reader = join_for_sure(server, "room", "bert");
    client *in_lobby = client_open(signal_server_port(server));
    client *halfway = open_half(server, "GET ");
    make_much_wait(server, a, sdp);

    signal_server_request_stop(server, false);
    assert_int_equal(client_receive(a).opcode, CLIENT_CLOSE);
    assert_int_equal(client_receive(in_lobby).opcode, CLIENT_CLOSE);
    SERVER_AWAIT(server, connections, 4); /* all of them are waited for, for an hour */

    signal_server_request_stop(server, true);
    client *const all[] = {a, reader, in_lobby, halfway};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        client_expect_gone(all[i]);
        client_close(all[i]);
    }
    signal_server_stop(server);
    assert_int_equal(server_stats(server).connections, 0);
    free(sdp);
}

static void the_first_request_may_be_for_an_end_at_once(void **state)
{
    signal_server *server = *state;
    client *halfway = open_half(server, "GET ");
    client *in_lobby = client_open(signal_server_port(server));
    client *in_room = join_for_sure(server, "room", "anna");
    signal_server_request_stop(server, true);
    signal_server_stop(server);
    client *const all[] = {halfway, in_lobby, in_room};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        client_expect_gone(all[i]);
        client_close(all[i]);
    }
}

/* ---- Who is told that it has ended ---- */

/* on_stopped writes a byte for each call. */
typedef struct stop_watch {
    int fds[2];
} stop_watch;

static void on_stopped(void *context)
{
    const stop_watch *watch = context;
    if (write(watch->fds[1], "", 1) != 1)
        abort(); /* a server's thread can't fail a cmocka test */
}

static signal_server_options watched_options(stop_watch *watch)
{
    assert_int_equal(pipe(watch->fds), 0);
    signal_server_options options = patient_options();
    options.on_stopped = on_stopped;
    options.context = watch;
    return options;
}

/* How often on_stopped was called; ends the watch. */
static ssize_t count_stops(stop_watch *watch)
{
    char calls[16];
    close(watch->fds[1]);
    ssize_t count = read(watch->fds[0], calls, sizeof(calls));
    close(watch->fds[0]);
    return count;
}

static void the_end_is_told_once(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        stop_watch watch;
        signal_server_options options = watched_options(&watch);
        options.workers = threads;
        options.acceptor_threads = threads;
        signal_server *server = server_start(&options);
        client *c = join_for_sure(server, "room", "anna");
        signal_server_request_stop(server, false);
        assert_int_equal(client_receive(c).opcode, CLIENT_CLOSE);
        struct pollfd told = {.fd = watch.fds[0], .events = POLLIN};
        assert_int_equal(poll(&told, 1, 0), 0); /* not before the last connection has ended */

        client_close(c);
        assert_int_equal(poll(&told, 1, CLIENT_WAIT_MS), 1); /* before anybody waits for the threads */
        signal_server_request_stop(server, false);
        signal_server_request_stop(server, true);
        signal_server_stop(server);
        signal_server_stop(server);
        signal_server_destroy(server);
        assert_int_equal(count_stops(&watch), 1);
    }
}

static void the_end_of_what_never_ran_is_not_told(void **state)
{
    stop_watch watch;
    signal_server_options options = watched_options(&watch);
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    signal_server_stop(server);
    signal_server_destroy(server);

    options.port = signal_server_port(*state);
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    assert_int_equal(signal_server_start(server, NULL), -EADDRINUSE);
    signal_server_destroy(server);
    assert_int_equal(count_stops(&watch), 0);
}

/* ---- The order of a server's life ---- */

static void a_server_that_was_not_started_can_be_stopped_and_freed(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    assert_int_equal(signal_server_port(server), 0);
    assert_int_equal(server_stats(server).connections, 0);
    signal_server_request_stop(server, true);
    signal_server_stop(server);
    signal_server_destroy(server);
    signal_server_destroy(NULL);
}

static void a_stop_before_the_start_is_no_stop_after_it(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    signal_server_request_stop(server, false);
    signal_server_stop(server);
    assert_int_equal(signal_server_start(server, NULL), 0);
    expect_serving(server, "room");
    signal_server_destroy(server);
}

static void a_server_is_started_once(void **state)
{
    signal_server *server = *state;
    uint16_t port = signal_server_port(server);
    assert_int_not_equal(signal_server_start(server, NULL), 0);
    assert_int_equal(signal_server_port(server), port);
    expect_serving(server, "room");
    signal_server_stop(server);
    assert_int_not_equal(signal_server_start(server, NULL), 0);
}

static void options_out_of_range_make_no_server(void **state)
{
    (void)state;
    signal_server *server = NULL;
    signal_server_options options = server_options();
    options.acceptor_threads = 65;
    assert_int_equal(signal_server_create(&options, &server, NULL), -EINVAL);
    options = server_options();
    options.workers = 100 * 1000;
    assert_int_equal(signal_server_create(&options, &server, NULL), -EINVAL);
    options = server_options();
    options.room_capacity = 0;
    assert_int_equal(signal_server_create(&options, &server, NULL), -EINVAL);
    options = server_options();
    options.max_output_bytes = options.max_message_bytes - 1;
    assert_int_equal(signal_server_create(&options, &server, NULL), -EINVAL);
    assert_null(server);
}

static void the_strings_of_the_options_are_copied(void **state)
{
    (void)state;
    char host[] = "127.0.0.1";
    char origins[] = "https://example.org";
    signal_server_options options = server_options();
    options.host = host;
    options.allowed_origins = origins;
    signal_server *server;
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    memset(host, 'x', sizeof(host) - 1);
    memset(origins, 'x', sizeof(origins) - 1);
    assert_int_equal(signal_server_start(server, NULL), 0);
    client *c = client_dial(signal_server_port(server));
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Origin: https://example.org\r\n\r\n";
    client_send_bytes(c, request, sizeof(request) - 1);
    client_expect_upgraded(c);
    client_close(c);
    signal_server_destroy(server);
}

/* ---- Ports ---- */

static void expect_start_to_fail(const signal_server_options *options, int error)
{
    assert_int_equal(server_start_fault(options).error, error);
}

/* Threads get their stacks by this size: more than there are addresses lets none be started. */
static void set_stack_size(size_t bytes, size_t *before)
{
    pthread_attr_t attributes;
    assert_int_equal(pthread_getattr_default_np(&attributes), 0);
    if (before != NULL)
        assert_int_equal(pthread_attr_getstacksize(&attributes, before), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, bytes), 0);
    assert_int_equal(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
}

static void a_thread_that_can_not_be_started_is_told(void **state)
{
    (void)state;
    stop_watch watch;
    signal_server_options options = watched_options(&watch);
    size_t before;
    set_stack_size(SIZE_MAX & ~(size_t)0xFFFFF, &before);
    signal_server_fault fault = server_start_fault(&options);
    set_stack_size(before, NULL);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_THREADS);
    assert_int_equal(fault.error, -EAGAIN);
    assert_string_equal(fault.entry, "worker-0");
    assert_int_equal(count_stops(&watch), 0);
}

static void a_start_that_has_failed_may_be_tried_again(void **state)
{
    stop_watch watch;
    signal_server_options options = watched_options(&watch);
    signal_server *server;
    signal_server_fault fault;
    size_t before;
    options.port = signal_server_port(*state);
    assert_int_equal(signal_server_create(&options, &server, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(signal_server_start(server, &fault), -EADDRINUSE);
    signal_server_destroy(*state);
    *state = NULL;
    set_stack_size(SIZE_MAX & ~(size_t)0xFFFFF, &before);
    assert_int_equal(signal_server_start(server, &fault), -EAGAIN);
    set_stack_size(before, NULL);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_THREADS);

    assert_int_equal(signal_server_start(server, &fault), 0);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_NONE);
    assert_int_equal(signal_server_port(server), options.port);
    expect_serving(server, "room");
    assert_int_equal(signal_server_start(server, &fault), -EALREADY);
    assert_int_equal(fault.kind, SIGNAL_SERVER_FAULT_STATE);
    signal_server_destroy(server);
    assert_int_equal(count_stops(&watch), 1);
}

/* Whether the port is taken by a server that shares it among its own acceptors or by one that does not. */
static void a_port_in_use_is_told(void **state)
{
    (void)state;
    for (uint32_t owners = 1; owners <= 2; owners++) {
        signal_server_options options = server_options();
        options.acceptor_threads = owners;
        signal_server *server = server_start(&options);
        options.port = signal_server_port(server);
        for (options.acceptor_threads = 1; options.acceptor_threads <= 3; options.acceptor_threads++)
            expect_start_to_fail(&options, -EADDRINUSE);
        expect_serving(server, "room"); /* and has lost nothing to the others */
        server_end(server);
    }
}

static void an_address_that_is_not_ours_is_told(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.host = "192.0.2.1"; /* RFC 5737: for documentation, so nobody's */
    expect_start_to_fail(&options, -EADDRNOTAVAIL);
}

/* The first server has closed its connections itself, so the kernel remembers them at its port; the client's
 * ends are still open. */
static void the_same_port_serves_again_at_once(void **state)
{
    (void)state;
    enum { ROUNDS = 8, CLIENTS = 4 };
    signal_server_options options = server_options();
    client *clients[ROUNDS][CLIENTS];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        options.acceptor_threads = 1 + round % 3;
        signal_server *server = server_start(&options);
        if (round > 0)
            assert_int_equal(signal_server_port(server), options.port);
        options.port = signal_server_port(server);
        for (int i = 0; i < CLIENTS; i++)
            clients[round][i] = join_for_sure(server, "room", i % 2 == 0 ? "anna" : "bert");
        signal_server_request_stop(server, round % 2 == 1);
        server_end(server);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < CLIENTS; i++)
            client_close(clients[round][i]);
}

static void several_acceptors_share_a_port(void **state)
{
    (void)state;
    enum { CLIENTS = 64 };
    signal_server_options options = patient_options();
    options.acceptor_threads = 4;
    signal_server *server = server_start(&options);
    client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client_open(signal_server_port(server));
    for (int i = 0; i < CLIENTS; i += 2) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        client_join(clients[i], room, "anna");
        client_expect_nothing(clients[i]);
        client_join(clients[i + 1], room, "bert");
        client_send_number(clients[i + 1], (unsigned)i);
        client_expect_number(clients[i], room, "bert", (unsigned)i);
    }
    SERVER_AWAIT(server, accepted, CLIENTS);
    SERVER_AWAIT(server, joined, CLIENTS);
    client *idle[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        idle[i] = client_open(signal_server_port(server));

    signal_server_request_stop(server, false);
    for (int i = 0; i < CLIENTS; i++) {
        client_expect_close(clients[i], 1001);
        client_close(clients[i]);
        client_expect_close(idle[i], 1001);
        client_close(idle[i]);
    }
    server_end(server);
}

static void two_servers_in_one_process_know_nothing_of_each_other(void **state)
{
    signal_server *one = *state;
    signal_server_options options = server_options();
    signal_server *two = server_start(&options);
    assert_int_not_equal(signal_server_port(one), signal_server_port(two));
    client *a = join_for_sure(one, "room", "anna");
    client *b = join_for_sure(two, "room", "bert");
    client_send_number(a, 1);
    client_expect_nothing(a);
    client_expect_nothing(b);
    assert_int_equal(server_stats(one).signals_queued, 1);
    assert_int_equal(server_stats(two).signals_queued, 0);

    signal_server_request_stop(one, false);
    client_expect_close(a, 1001);
    client_close(a);
    signal_server_stop(one);
    client_expect_nothing(b);
    expect_serving(two, "another room");
    client_close(b);
    server_end(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_is_told_that_the_server_goes_away, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_client_in_the_middle_of_a_message_is_told_as_well, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_flushed_before_the_farewell, start, server_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_accepted_any_more, start, server_teardown),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_waited_for_only_so_long, start_with_short_grace,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(who_does_not_answer_the_farewell_is_waited_for_only_so_long,
                                        start_with_short_grace, server_teardown),
        cmocka_unit_test_setup_teardown(a_repeated_request_does_not_prolong_the_grace_time,
                                        start_with_short_grace, server_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_waited_for_where_nobody_is, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_second_request_ends_at_once, start, server_teardown),
        cmocka_unit_test_setup_teardown(the_first_request_may_be_for_an_end_at_once, start, server_teardown),
        cmocka_unit_test(the_end_is_told_once),
        cmocka_unit_test_setup_teardown(the_end_of_what_never_ran_is_not_told, start, server_teardown),
        cmocka_unit_test(a_server_that_was_not_started_can_be_stopped_and_freed),
        cmocka_unit_test(a_stop_before_the_start_is_no_stop_after_it),
        cmocka_unit_test_setup_teardown(a_server_is_started_once, start, server_teardown),
        cmocka_unit_test(options_out_of_range_make_no_server),
        cmocka_unit_test(the_strings_of_the_options_are_copied),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(a_thread_that_can_not_be_started_is_told),
        cmocka_unit_test_setup_teardown(a_start_that_has_failed_may_be_tried_again, start, server_teardown),
        cmocka_unit_test(an_address_that_is_not_ours_is_told),
        cmocka_unit_test(the_same_port_serves_again_at_once),
        cmocka_unit_test(several_acceptors_share_a_port),
        cmocka_unit_test_setup_teardown(two_servers_in_one_process_know_nothing_of_each_other, start,
                                        server_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
