/* MAX_BUFFERED_BYTES, MESSAGE_TIMEOUT and the budget of the queues: clients that don't read, don't end their
 * messages or fill queues can't make the server keep more than it was told to, and others don't notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * KIB };

/* What this process has got from malloc() and not given back, in bytes: the server's and the test's. */
static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

typedef struct pair {
    client *a, *b;
} pair;

static pair open_pair(uint16_t port)
{
    return (pair){client_open_settled(port, "honest", "anna"), client_open_settled(port, "honest", "bert")};
}

static void expect_talking(const pair *p, unsigned number)
{
    client_send_number(p->a, number);
    client_expect_number(p->b, "honest", "anna", number);
    client_send_number(p->b, number);
    client_expect_number(p->a, "honest", "bert", number);
}

static char *make_candidate(size_t len)
{
    char *text = malloc(len + 3);
    assert_non_null(text);
    memset(text, 'x', len + 2);
    text[0] = text[len + 1] = '"';
    text[len + 2] = '\0';
    return text;
}

/* Each of them could keep MAX_OUTPUT_BYTES, and all of them together ten times what is allowed. */
static void peers_that_never_read_can_not_fill_the_memory(void **state)
{
    enum { PEERS = 40, LIMIT = 8 * MIB };
    (void)state;
    signal_server_options options = server_options();
    options.max_output_bytes = 2 * MIB;
    options.max_buffered_bytes = LIMIT;
    options.send_buffer_bytes = 16 * KIB;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    const pair honest = open_pair(port);

    client *deaf[PEERS];
    client *sender[PEERS];
    for (int i = 0; i < PEERS; i++) {
        char room[32];
        snprintf(room, sizeof(room), "room %d", i);
        deaf[i] = client_dial_with_small_buffer(port);
        client_upgrade(deaf[i]);
        client_join(deaf[i], room, "deaf");
        client_expect_nothing(deaf[i]);
        sender[i] = client_open_settled(port, room, "sender");
    }
    size_t before = allocated();
    size_t most = 0;
    char *candidate = make_candidate(60 * KIB);
    for (unsigned round = 0; round < 30; round++) {
        for (int i = 0; i < PEERS; i++) {
            client_send_candidate(sender[i], candidate);
            /* It may be alone in its room by now, and its queue full: any answer will do. */
            client_send_ping(sender[i], "done");
            while (client_receive_frame(sender[i]).opcode != CLIENT_PONG)
                ;
            size_t now = allocated();
            if (now > most)
                most = now;
        }
        expect_talking(&honest, round);
    }
    printf(
        "%d deaf peers were sent %d MiB in all; the heap grew by %zu KiB at most, where %d KiB are allowed\n",
        PEERS, PEERS * 30 * 60 / 1024, (most - before) / KIB, LIMIT / KIB);
    assert_in_range(most - before, 0, LIMIT + LIMIT / 2); /* with what malloc() and the rooms add */
    assert_true(server_stats(server).connections < 2 + 2 * PEERS);
    expect_talking(&honest, 99);

    free(candidate);
    for (int i = 0; i < PEERS; i++) {
        client_close(deaf[i]);
        client_close(sender[i]);
    }
    client_close(honest.a);
    client_close(honest.b);
    server_end(server);
}

static void messages_that_are_never_ended_can_not_fill_the_memory(void **state)
{
    enum { PEERS = 100, LIMIT = 4 * MIB };
    (void)state;
    signal_server_options options = server_options();
    options.max_output_bytes = MIB;
    options.max_buffered_bytes = LIMIT;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    const pair honest = open_pair(port);
    client *trickling[PEERS];
    for (int i = 0; i < PEERS; i++)
        trickling[i] = client_open(port);
    size_t before = allocated();
    size_t most = 0;
    static char part[20 * KIB];
    memset(part, 'x', sizeof(part));
    for (unsigned round = 0; round < 6; round++) {
        for (int i = 0; i < PEERS; i++) {
            if (trickling[i] == NULL)
                continue;
            client_send_frame(trickling[i],
                              &(client_frame){.opcode = round == 0 ? CLIENT_TEXT : CLIENT_CONTINUATION,
                                              .payload = part,
                                              .len = sizeof(part),
                                              .is_not_final = true});
            if (client_is_readable(trickling[i], 0)) { /* nothing but its end can come */
                client_close(trickling[i]);
                trickling[i] = NULL;
            }
            size_t now = allocated();
            if (now > most)
                most = now;
        }
        expect_talking(&honest, round);
    }
    printf(
        "%d peers sent %d KiB of messages that they did not end; the heap grew by %zu KiB at most, where %d "
        "KiB are allowed\n",
        PEERS, PEERS * 6 * 20, (most - before) / KIB, LIMIT / KIB);
    assert_in_range(most - before, 0, LIMIT + LIMIT / 2);
    assert_true(server_stats(server).connections < 2 + PEERS);
    for (int i = 0; i < PEERS; i++)
        client_close(trickling[i]);
    client_close(honest.a);
    client_close(honest.b);
    server_end(server);
}

/* Fill the queues of rooms from this address, a connection for each, until a signal is refused; the
 * connections end. Returns how many rooms that were. */
static unsigned fill_queues(uint16_t port, const char *address)
{
    char *candidate = make_candidate(60 * KIB);
    bool is_refused = false;
    unsigned rooms = 0;
    for (; !is_refused && rooms < 1000; rooms++) {
        client *c = client_open_for(port, address);
        char room[64];
        snprintf(room, sizeof(room), "%s %u", address, rooms);
        client_join(c, room, "u");
        for (int i = 0; i < 4; i++)
            client_send_candidate(c, candidate);
        client_send_ping(c, "done");
        client_message message;
        while ((message = client_receive_frame(c)).opcode != CLIENT_PONG)
            is_refused = is_refused || message.opcode == CLIENT_TEXT;
        client_close(c);
    }
    free(candidate);
    return rooms;
}

static void queues_that_strangers_fill_and_leave_behind_are_not_full_for_others(void **state)
{
    for (int is_one_address = 0; is_one_address < 2; is_one_address++) {
        (void)state;
        signal_server_options options = server_options();
        options.trusted_proxies = "127.0.0.1";
        options.pending_max_total_bytes = 16 * MIB;
        options.pending_max_bytes_per_address = is_one_address ? 0 : 4 * MIB;
        signal_server *server = server_start(&options);
        uint16_t port = signal_server_port(server);
        for (int i = 0; i < (is_one_address ? 1 : 8); i++) {
            char address[32];
            snprintf(address, sizeof(address), "198.51.100.%d", i);
            assert_in_range(fill_queues(port, address), 1, 16 * MIB / (4 * 60 * KIB) + 1);
        }
        uint64_t held = server_stats(server).pending_bytes;
        assert_in_range(held, 11 * MIB, 13 * MIB);

        client *caller = client_open_for(port, "203.0.113.9");
        client_join(caller, "home", "anna");
        client_send_offer(caller, "\"v=0\"");
        client_expect_nothing(caller);
        client *callee = client_open_for(port, "203.0.113.10");
        client_join(callee, "home", "bert");
        client_expect_signal(callee, "offer", "home", "anna", "\"v=0\"");
        client_close(caller);
        client_close(callee);
        server_end(server);
    }
}

static void a_message_that_is_not_ended_in_time_ends_its_connection(void **state)
{
    (void)state;
    signal_server_options options = server_options();
    options.message_timeout_ms = 500;
    signal_server *server = server_start(&options);
    uint16_t port = signal_server_port(server);
    const pair honest = open_pair(port);
    client *slow = client_open(port);
    client_send_frame(slow,
                      &(client_frame){.opcode = CLIENT_TEXT, .payload = "{", .len = 1, .is_not_final = true});
    uint64_t begun_ms = client_now_ms();
    client_expect_close(slow, 1008);
    assert_in_range(client_now_ms() - begun_ms, 450, CLIENT_WAIT_MS);
    expect_talking(&honest, 1);
    client_close(slow);
    client_close(honest.a);
    client_close(honest.b);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_that_never_read_can_not_fill_the_memory),
        cmocka_unit_test(messages_that_are_never_ended_can_not_fill_the_memory),
        cmocka_unit_test(queues_that_strangers_fill_and_leave_behind_are_not_full_for_others),
        cmocka_unit_test(a_message_that_is_not_ended_in_time_ends_its_connection),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
