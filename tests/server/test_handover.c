/* Connections that go from thread to thread, from the lobby to a worker and from worker to worker: with all
 * that they have sent, in order, however it was cut, and with the answers that still waited for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"
#include "support/twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the names that the tests make up. */
enum { NAME_BYTES = 32 };

enum { WORKERS = 4 };

static signal_server_options sharded_options(void)
{
    signal_server_options options = server_options();
    options.workers = WORKERS;
    return options;
}

static int start(void **state)
{
    signal_server_options options = sharded_options();
    *state = server_start(&options);
    return 0;
}

/* With one worker nobody is asked where a room is: a connection goes there when its client says anything. */
static int start_with_one_worker(void **state)
{
    signal_server_options options = server_options();
    options.workers = 1;
    *state = server_start(&options);
    return 0;
}

static client *join_for_sure(signal_server *server, const char *room, const char *user)
{
    return client_open_settled(signal_server_port(server), room, user);
}

/* ---- One connection, one burst ---- */

enum { BURST_CANDIDATES = 50 };

/* A join, an offer and many candidates, as they go out together. */
static void send_burst(client *c, const char *room, const char *user)
{
    client_join(c, room, user);
    client_send_offer(c, "\"v=0\"");
    for (unsigned i = 0; i < BURST_CANDIDATES; i++)
        client_send_number(c, i);
}

static void expect_burst(client *c, const char *room, const char *from)
{
    client_expect_signal(c, "offer", room, from, "\"v=0\"");
    for (unsigned i = 0; i < BURST_CANDIDATES; i++)
        client_expect_number(c, room, from, i);
}

/* The rooms are many enough for every shard to have several. */
static void a_join_and_signals_in_one_segment_keep_their_order(void **state)
{
    signal_server *server = *state;
    for (int i = 0; i < 8 * WORKERS; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %d", i);
        client *caller = client_open(signal_server_port(server));
        client_cork(caller);
        send_burst(caller, room, "anna");
        client_uncork(caller);
        client *callee = client_open_joined(signal_server_port(server), room, "bert");
        expect_burst(callee, room, "anna");
        client_expect_nothing(callee);
        client_expect_nothing(caller);
        client_close(caller);
        client_close(callee);
    }
}

/* The callee is there already: nothing is queued, so the order is that of the hand-over alone. */
static void signals_behind_a_join_reach_who_waits_there(void **state)
{
    signal_server *server = *state;
    client *callee = join_for_sure(server, "room", "bert");
    for (int i = 0; i < 20; i++) {
        client *caller = client_open(signal_server_port(server));
        client_cork(caller);
        send_burst(caller, "room", "anna"); /* and takes over from the one before */
        client_uncork(caller);
        expect_burst(callee, "room", "anna");
        client_expect_nothing(caller);
        client_leave(caller);
        client_expect_nothing(caller);
        client_close(caller);
    }
    client_close(callee);
}

/* The request itself may come together with all the rest, from a client that can't wait for the answer. */
static void even_the_upgrade_may_come_in_the_same_segment(void **state)
{
    signal_server *server = *state;
    client *callee = join_for_sure(server, "room", "bert");
    client *caller = client_dial(signal_server_port(server));
    client_cork(caller);
    client_send_upgrade(caller);
    send_burst(caller, "room", "anna");
    client_uncork(caller);
    expect_burst(callee, "room", "anna");
    client_expect_upgraded(caller);
    client_expect_nothing(caller);
    client_close(caller);
    client_close(callee);
}

/* The bytes of a join and two signals, owned by the caller. */
static uint8_t *make_stream(size_t *len)
{
    static const char *const texts[] = {
        "{\"type\":\"join\",\"room\":\"room\",\"user\":\"anna\"}",
        "{\"type\":\"candidate\",\"candidate\":{\"number\":1}}",
        "{\"type\":\"candidate\",\"candidate\":{\"number\":2}}",
    };
    uint8_t *stream = NULL;
    *len = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t frame_len;
        uint8_t *frame = client_make_frame(
            &(client_frame){.opcode = CLIENT_TEXT, .payload = texts[i], .len = strlen(texts[i])}, &frame_len);
        stream = realloc(stream, *len + frame_len);
        assert_non_null(stream);
        memcpy(stream + *len, frame, frame_len);
        *len += frame_len;
        free(frame);
    }
    return stream;
}

/* The second part goes out without a pause, so it meets the connection before, on or behind its way. */
static void a_stream_cut_anywhere_arrives_whole(void **state)
{
    signal_server *server = *state;
    client *callee = join_for_sure(server, "room", "bert");
    size_t len;
    uint8_t *stream = make_stream(&len);
    for (size_t cut = 0; cut <= len; cut++) {
        client *caller = client_open(signal_server_port(server));
        client_send_bytes(caller, stream, cut);
        client_send_bytes(caller, stream + cut, len - cut);
        client_expect_number(callee, "room", "anna", 1);
        client_expect_number(callee, "room", "anna", 2);
        client_leave(caller);
        client_expect_nothing(caller);
        client_close(caller);
    }
    client_expect_nothing(callee);
    client_close(callee);
    free(stream);
}

/* Now the first part has been handled for certain when the second comes: a connection was handed over with
 * half a frame, whose decoder goes on elsewhere. */
static void half_a_message_goes_along(void **state)
{
    signal_server *server = *state;
    client *callee = join_for_sure(server, "room", "bert");
    uint64_t handed_over = server_stats(server).handed_over;
    size_t len;
    uint8_t *stream = make_stream(&len);
    size_t join_len = 6 + strlen("{\"type\":\"join\",\"room\":\"room\",\"user\":\"anna\"}");
    for (size_t cut = join_len; cut <= len; cut++) {
        client *caller = client_open(signal_server_port(server));
        client_send_bytes(caller, stream, cut);
        SERVER_AWAIT(server, handed_over, ++handed_over);
        SERVER_AWAIT(server, joined, 2);
        client_send_bytes(caller, stream + cut, len - cut);
        client_expect_number(callee, "room", "anna", 1);
        client_expect_number(callee, "room", "anna", 2);
        client_leave(caller);
        client_expect_nothing(caller);
        SERVER_AWAIT(server, joined, 1);
        client_close(caller);
    }
    client_close(callee);
    free(stream);
}

/* Fragments, with a ping between them, around a join that needs a hand-over. */
static void a_join_in_fragments_is_handed_over(void **state)
{
    signal_server *server = *state;
    static const char join[] = "{\"type\":\"join\",\"room\":\"room\",\"user\":\"anna\"}";
    client *callee = join_for_sure(server, "room", "bert");
    for (size_t cut = 0; cut < sizeof(join); cut++) {
        client *caller = client_open(signal_server_port(server));
        client_cork(caller);
        client_send_frame(
            caller,
            &(client_frame){.opcode = CLIENT_TEXT, .payload = join, .len = cut, .is_not_final = true});
        client_send_ping(caller, "between");
        client_send_frame(caller, &(client_frame){.opcode = CLIENT_CONTINUATION,
                                                  .payload = join + cut,
                                                  .len = sizeof(join) - 1 - cut});
        client_send_number(caller, (unsigned)cut);
        client_uncork(caller);
        client_expect_pong(caller, "between");
        client_expect_number(callee, "room", "anna", (unsigned)cut);
        client_leave(caller);
        client_expect_nothing(caller);
        client_close(caller);
    }
    client_close(callee);
}

static void messages_before_a_join_are_answered_in_the_lobby(void **state)
{
    signal_server *server = *state;
    client *c = client_open(signal_server_port(server));
    client_send_number(c, 1);
    client_expect_error(c, "Join the room first");
    client_send_text(c, "no JSON");
    client_expect_error(c, "Invalid message");
    client_send_text(c, "{\"type\":\"join\",\"room\":\"\",\"user\":\"anna\"}");
    client_expect_error(c, "Invalid message");
    client_leave(c);
    client_send_text(c, "{\"type\":\"error\",\"message\":\"no camera\"}");
    client_expect_nothing(c);
    assert_int_equal(server_stats(server).handed_over, 0);
    client_close(c);
}

static void one_worker_answers_whatever_is_said(void **state)
{
    signal_server *server = *state;
    client *silent = client_open(signal_server_port(server));
    client *c = client_open(signal_server_port(server));
    client_expect_nothing(c);
    client_expect_nothing(silent); /* which asks, with a ping, and is handed over by that */
    client_send_number(c, 1);
    client_expect_error(c, "Join the room first");
    client_send_text(c, "no JSON");
    client_expect_error(c, "Invalid message");
    client_leave(c);
    client_expect_nothing(c);
    assert_int_equal(server_stats(server).handed_over, 2);
    client_close(silent);
    client_close(c);
    SERVER_AWAIT(server, connections, 0);
}

/* Answers from the lobby come before those from the worker, though two threads write them. */
static void answers_from_both_threads_keep_their_order(void **state)
{
    signal_server *server = *state;
    client *callee = join_for_sure(server, "room", "bert");
    for (int i = 0; i < 50; i++) {
        client *c = client_open(signal_server_port(server));
        client_cork(c);
        client_send_number(c, 1);
        client_send_ping(c, "lobby");
        client_join(c, "room", "anna");
        client_send_text(c, "no JSON");
        client_send_ping(c, "room");
        client_send_number(c, 2);
        client_uncork(c);
        client_expect_error(c, "Join the room first");
        client_expect_pong(c, "lobby");
        client_expect_error(c, "Invalid message");
        client_expect_pong(c, "room");
        client_expect_number(callee, "room", "anna", 2);
        client_leave(c);
        client_expect_nothing(c);
        client_close(c);
    }
    client_close(callee);
}

/* ---- From worker to worker ---- */

/* All in one segment: each join takes the connection, with the rest of the bytes, to another worker. */
static void a_tour_of_all_rooms_in_one_segment(void **state)
{
    enum { ROOMS = 40 };
    signal_server *server = *state;
    client *listeners[ROOMS];
    char rooms[ROOMS][NAME_BYTES];
    for (unsigned i = 0; i < ROOMS; i++) {
        snprintf(rooms[i], NAME_BYTES, "room %u", i);
        listeners[i] = join_for_sure(server, rooms[i], "bert");
    }
    client *c = client_open(signal_server_port(server));
    client_cork(c);
    for (unsigned i = 0; i < ROOMS; i++) {
        client_join(c, rooms[i], "anna");
        client_send_number(c, i);
        client_send_number(c, i + 1);
    }
    client_uncork(c);
    for (unsigned i = 0; i < ROOMS; i++) {
        client_expect_number(listeners[i], rooms[i], "anna", i);
        client_expect_number(listeners[i], rooms[i], "anna", i + 1);
    }
    client_expect_nothing(c);
    for (unsigned i = 0; i < ROOMS; i++) {
        client_expect_nothing(listeners[i]);
        client_close(listeners[i]);
    }
    client_close(c);
}

/* Two move together through the rooms and talk in each; who comes first changes. */
static void a_pair_that_moves_keeps_talking(void **state)
{
    signal_server *server = *state;
    unsigned rounds = server_scale(200);
    client *a = client_open(signal_server_port(server));
    client *b = client_open(signal_server_port(server));
    for (unsigned i = 0; i < rounds; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %u", i);
        client *first = i % 2 == 0 ? a : b;
        client *second = i % 2 == 0 ? b : a;
        client_join(first, room, first == a ? "anna" : "bert");
        client_send_number(first, i);
        client_join(second, room, second == a ? "anna" : "bert");
        client_send_number(second, i + 1);
        client_expect_number(second, room, first == a ? "anna" : "bert", i);
        client_expect_number(first, room, second == a ? "anna" : "bert", i + 1);
    }
    client_expect_nothing(a);
    client_expect_nothing(b);
    SERVER_AWAIT(server, rooms, 1); /* the others were left, and are gone */
    SERVER_AWAIT(server, joined, 2);
    assert_true(server_stats(server).handed_over > rounds / WORKERS); /* they did change threads */
    client_close(a);
    client_close(b);
}

enum { FAULT_BURST = 20, FAULTS = 60 };

/* Much work without an effect, so that the turns of the workers become long, and their times differ. */
static void send_noise(client *const noise[], unsigned count)
{
    enum { LEAVES = 4000 };
    for (unsigned i = 0; i < count; i++) {
        client_cork(noise[i]);
        for (unsigned leave = 0; leave < LEAVES; leave++)
            client_leave(noise[i]);
        client_uncork(noise[i]);
    }
}

/* Gather a join and a fault for each of many rooms. */
static void gather_faults(client *c, unsigned number)
{
    client_cork(c);
    for (unsigned fault = 0; fault < FAULTS; fault++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "%u %u", number, fault);
        client_join(c, room, "anna");
        client_send_text(c, "no JSON");
    }
}

/* How often is this client, which is to be closed for its faults, told of one? */
static unsigned count_answers_to_faults(client *c)
{
    unsigned answers = 0;
    client_message message;
    while ((message = client_receive(c)).opcode == CLIENT_TEXT)
        answers++;
    assert_int_equal(message.opcode, CLIENT_CLOSE);
    assert_true(message.len >= 2 && memcmp(message.data, "\x03\xf0", 2) == 0); /* 1008 */
    return answers;
}

/* Each fault is handled by another worker than the one before, whose time may lie before that one's. */
static void a_hand_over_gives_nothing_back_to_who_keeps_sending_faults(void **state)
{
    enum { NOISE = 4 * WORKERS, CLIENTS = 30, ROUNDS = 5 };
    (void)state;
    signal_server_options options = sharded_options();
    options.fault_burst = FAULT_BURST;
    options.message_rate = 0;
    signal_server *server = server_start(&options);
    client *noise[NOISE];
    for (unsigned i = 0; i < NOISE; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "noise %u", i);
        noise[i] = join_for_sure(server, room, "bert");
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begun_ms = client_now_ms();
        client *clients[CLIENTS];
        for (unsigned i = 0; i < CLIENTS; i++) {
            clients[i] = client_open(signal_server_port(server));
            gather_faults(clients[i], i);
        }
        send_noise(noise, NOISE);
        for (unsigned i = 0; i < CLIENTS; i++)
            client_uncork(clients[i]);
        for (unsigned i = 0; i < CLIENTS; i++) {
            unsigned answers = count_answers_to_faults(clients[i]);
            uint64_t seconds = (client_now_ms() - begun_ms) / 1000 + 1;
            assert_in_range(answers, FAULT_BURST + 1,
                            FAULT_BURST + 1 + seconds); /* one comes back a second */
            client_close(clients[i]);
        }
    }
    for (unsigned i = 0; i < NOISE; i++)
        client_close(noise[i]);
    server_end(server);
}

/* What the worker that is left still has to write goes along: the client has not read any of it yet. */
static void output_that_waits_goes_along(void **state)
{
    TWINS_SKIP();
    enum { SIGNALS = 100, BYTES = 100 * 1000 };
    (void)state;
    signal_server_options options = sharded_options();
    options.max_output_bytes = 64 * 1024 * 1024;
    signal_server *server = server_start(&options);
    char *sdp = malloc(BYTES + 3);
    assert_non_null(sdp);
    memset(sdp, 'x', BYTES + 2);
    sdp[0] = sdp[BYTES + 1] = '"';
    sdp[BYTES + 2] = '\0';

    client *a = join_for_sure(server, "room", "anna");
    client *reader = join_for_sure(server, "room", "bert");
    for (int i = 0; i < SIGNALS; i++)
        client_send_offer(a, sdp);
    SERVER_AWAIT(server, signals_relayed, SIGNALS);
    uint64_t handed_over = server_stats(server).handed_over;
    char room[NAME_BYTES] = "";
    for (int i = 0; server_stats(server).handed_over < handed_over + 3; i++) {
        snprintf(room, sizeof(room), "room %d", i);
        client *other = join_for_sure(server, room, "cleo");
        handed_over++; /* its own */
        client_join(reader, room, "bert");
        client_send_number(reader, 7);
        client_expect_number(other, room, "bert", 7);
        client_close(other);
    }
    for (int i = 0; i < SIGNALS; i++)
        client_expect_signal(reader, "offer", "room", "anna", sdp);
    client_expect_nothing(reader);
    client_close(a);
    client_close(reader);
    free(sdp);
    server_end(server);
}

/* ---- Many at once ---- */

/* All of them send before any is read: the mailboxes carry whole batches, in both directions. */
static void several_connections_move_at_once(void **state)
{
    enum { PAIRS = 40, ROUNDS = 10 };
    signal_server *server = *state;
    client *a[PAIRS];
    client *b[PAIRS];
    for (unsigned i = 0; i < PAIRS; i++) {
        a[i] = client_open(signal_server_port(server));
        b[i] = client_open(signal_server_port(server));
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        char room[NAME_BYTES];
        for (unsigned i = 0; i < 2 * PAIRS; i++) {
            client *c = i < PAIRS ? a[i] : b[i - PAIRS];
            snprintf(room, sizeof(room), "round %u pair %u", round, i % PAIRS);
            client_cork(c);
            client_join(c, room, i < PAIRS ? "anna" : "bert");
            client_send_number(c, round);
            client_send_number(c, i);
            client_uncork(c);
        }
        for (unsigned i = 0; i < PAIRS; i++) {
            snprintf(room, sizeof(room), "round %u pair %u", round, i);
            client_expect_number(a[i], room, "bert", round);
            client_expect_number(a[i], room, "bert", i + PAIRS);
            client_expect_number(b[i], room, "anna", round);
            client_expect_number(b[i], room, "anna", i);
        }
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        client_close(a[i]);
        client_close(b[i]);
    }
}

/* Killed before, on or behind their way to a worker. */
static void connections_that_die_on_their_way_leave_nothing(void **state)
{
    (void)state;
    signal_server_options options = sharded_options();
    options.pending_ttl_ms = 1;
    signal_server *server = server_start(&options);
    unsigned count = server_scale(200);
    for (unsigned i = 0; i < count; i++) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %u", i);
        client *c = client_open(signal_server_port(server));
        client_cork(c);
        send_burst(c, room, "anna");
        client_uncork(c);
        if (i % 2 == 0)
            client_abort(c);
        else
            client_close(c);
    }
    SERVER_AWAIT(server, connections, 0);
    SERVER_AWAIT(server, rooms, 0);
    SERVER_AWAIT(server, pending_bytes, 0);
    SERVER_AWAIT(server, joined, 0);
    server_end(server);
}

/* The stop meets connections in the lobby, in mailboxes and with the workers: each is told, or ends. */
static void hand_overs_during_a_stop_end_as_well(void **state)
{
    TWINS_SKIP();
    enum { CLIENTS = 30 };
    (void)state;
    unsigned rounds = server_scale(20);
    for (unsigned round = 0; round < rounds; round++) {
        signal_server_options options = sharded_options();
        options.acceptor_threads = 1 + round % 2;
        signal_server *server = server_start(&options);
        client *clients[CLIENTS];
        for (unsigned i = 0; i < CLIENTS; i++)
            clients[i] = client_open(signal_server_port(server));
        for (unsigned i = 0; i < CLIENTS; i++) {
            char room[NAME_BYTES];
            client_cork(clients[i]);
            for (unsigned j = 0; j < 4; j++) {
                snprintf(room, sizeof(room), "room %u %u", i, j);
                client_join(clients[i], room, "anna");
                client_send_number(clients[i], j);
            }
            client_uncork(clients[i]);
            if (i == round % CLIENTS)
                signal_server_request_stop(server, false);
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
            client_expect_close(clients[i], 1001);
            client_close(clients[i]);
        }
        signal_server_stop(server);
        assert_int_equal(server_stats(server).connections, 0);
        server_end(server);
    }
}

static void hand_overs_during_an_end_at_once_end_as_well(void **state)
{
    TWINS_SKIP();
    enum { CLIENTS = 30 };
    (void)state;
    unsigned rounds = server_scale(20);
    for (unsigned round = 0; round < rounds; round++) {
        signal_server_options options = sharded_options();
        signal_server *server = server_start(&options);
        client *clients[CLIENTS];
        for (unsigned i = 0; i < CLIENTS; i++)
            clients[i] = client_open(signal_server_port(server));
        for (unsigned i = 0; i < CLIENTS; i++) {
            char room[NAME_BYTES];
            snprintf(room, sizeof(room), "room %u", i);
            client_join(clients[i], room, "anna");
            if (i == round % CLIENTS)
                signal_server_request_stop(server, true);
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
            client_expect_gone(clients[i]);
            client_close(clients[i]);
        }
        server_end(server);
    }
}

/* Pages that were opened and never call; then some of them do. */
static void a_crowd_in_the_lobby_leaves_calls_alone(void **state)
{
    signal_server *server = *state;
    size_t descriptors = server_raise_descriptor_limit();
    unsigned count = server_scale(3000);
    if (count > (descriptors - 200) / 2) /* both ends are in this process */
        count = (unsigned)(descriptors - 200) / 2;
    count -= count % 2;
    client **crowd = calloc(count + 1, sizeof(*crowd));
    assert_non_null(crowd);
    for (unsigned i = 0; i < count; i++)
        crowd[i] = client_open(signal_server_port(server));
    SERVER_AWAIT(server, connections, count);
    assert_int_equal(server_stats(server).handed_over, 0);

    for (unsigned i = 0; i + 1 < count; i += 20) {
        char room[NAME_BYTES];
        snprintf(room, sizeof(room), "room %u", i);
        client_cork(crowd[i]);
        send_burst(crowd[i], room, "anna");
        client_uncork(crowd[i]);
        client_join(crowd[i + 1], room, "bert");
        client_send_answer(crowd[i + 1], "\"v=1\"");
        expect_burst(crowd[i + 1], room, "anna");
        client_expect_signal(crowd[i], "answer", room, "bert", "\"v=1\"");
    }
    SERVER_AWAIT(server, joined, (count + 19) / 20 * 2);
    SERVER_AWAIT(server, connections, count);
    for (unsigned i = 0; i < count; i++) {
        client_expect_nothing(crowd[i]);
        client_close(crowd[i]);
    }
    SERVER_AWAIT(server, connections, 0);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_join_and_signals_in_one_segment_keep_their_order, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(signals_behind_a_join_reach_who_waits_there, start, server_teardown),
        cmocka_unit_test_setup_teardown(even_the_upgrade_may_come_in_the_same_segment, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_stream_cut_anywhere_arrives_whole, start, server_teardown),
        cmocka_unit_test_setup_teardown(half_a_message_goes_along, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_join_in_fragments_is_handed_over, start, server_teardown),
        cmocka_unit_test_setup_teardown(messages_before_a_join_are_answered_in_the_lobby, start,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(answers_from_both_threads_keep_their_order, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_tour_of_all_rooms_in_one_segment, start, server_teardown),
        cmocka_unit_test_setup_teardown(a_pair_that_moves_keeps_talking, start, server_teardown),
        cmocka_unit_test(a_hand_over_gives_nothing_back_to_who_keeps_sending_faults),
        cmocka_unit_test(output_that_waits_goes_along),
        cmocka_unit_test_setup_teardown(several_connections_move_at_once, start, server_teardown),
        cmocka_unit_test(connections_that_die_on_their_way_leave_nothing),
        cmocka_unit_test(hand_overs_during_a_stop_end_as_well),
        cmocka_unit_test(hand_overs_during_an_end_at_once_end_as_well),
        cmocka_unit_test_setup_teardown(a_crowd_in_the_lobby_leaves_calls_alone, start, server_teardown),
    };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test_setup_teardown(a_join_and_signals_in_one_segment_keep_their_order,
                                        start_with_one_worker, server_teardown),
        cmocka_unit_test_setup_teardown(signals_behind_a_join_reach_who_waits_there, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(even_the_upgrade_may_come_in_the_same_segment, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(a_stream_cut_anywhere_arrives_whole, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(half_a_message_goes_along, start_with_one_worker, server_teardown),
        cmocka_unit_test_setup_teardown(a_join_in_fragments_is_handed_over, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(answers_from_both_threads_keep_their_order, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(several_connections_move_at_once, start_with_one_worker,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(one_worker_answers_whatever_is_said, start_with_one_worker,
                                        server_teardown),
    };
    int failed = cmocka_run_group_tests_name("four workers", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("one worker", alone, NULL, NULL);
}
