/* lines_server: a server with two workers, and what its clients do, to be run under a tool that writes down
 * every access to memory (shared_lines.py). Clients and server are in one process; the clients are its first
 * thread. One scenario after the other is played, in the same rooms:
 *
 *   relay     pairs of users send signals of version 1
 *   queue     signals are queued for a user who joins then, and leaves
 *   connect   a user connects, joins, and ends TCP
 *   relay_2   pairs send signals of version 2, where they are kept until they are acknowledged
 *
 * Each pair has an address of its own, so nothing is shared for being the same client's. Only what happens
 * between the marks of a scenario is looked at. Standard output tells where they are, and what is where in
 * memory.
 *
 * Every allocation is on cache lines of its own here (heap.c), so the lines that two threads use are those
 * that our structs make them share, and not those where the heap has put two structs side by side. */
#include "lines/heap.h"
#include "server/server_parts.h"
#include "support/client.h"
#include "support/server.h"
#include "support/session_2.h"

#include "homecall/signal_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAIRS = 8, ROUNDS = 3, QUEUED = 3, NEVER_MS = 3600 * 1000 };

typedef struct users {
    char room[16], address[16];
    client *anna, *bert;
    session_2 of_anna, of_bert;
    unsigned sent; /* signals of version 2 by Anna, from 1 */
} users;

typedef struct stage {
    signal_server *server;
    uint16_t port;
    users pairs[PAIRS];
} stage;

typedef struct scenario {
    const char *name;
    void (*come)(stage *s, users *u);  /* once */
    void (*round)(stage *s, users *u); /* again and again */
} scenario;

static client *open_from(const stage *s, const users *u)
{
    client *c = client_dial_from(s->port, u->address);
    client_upgrade(c);
    return c;
}

static client *open_joined(const stage *s, const users *u, const char *name)
{
    client *c = open_from(s, u);
    client_join(c, u->room, name);
    client_expect_nothing(c);
    return c;
}

/* ---- relay ---- */

static void come_both(stage *s, users *u)
{
    u->anna = open_joined(s, u, "anna");
    u->bert = open_joined(s, u, "bert");
}

static void relay(stage *s, users *u)
{
    (void)s;
    client_send_number(u->anna, 1);
    client_expect_number(u->bert, u->room, "anna", 1);
    client_send_number(u->bert, 2);
    client_expect_number(u->anna, u->room, "bert", 2);
}

/* ---- relay_2 ---- */

static client *join_2(const stage *s, const users *u, session_2 *out)
{
    client *c = client_dial_from(s->port, u->address);
    char request[512];
    int len = snprintf(request, sizeof(request),
                       "GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
                       "Sec-WebSocket-Protocol: homecall.2\r\n\r\n",
                       client_key);
    client_send_bytes(c, request, (size_t)len);
    client_expect_upgraded(c);
    session_2_send_join(c, u->room, "");
    session_2_expect_joined(c, u->room, out);
    return c;
}

static void come_both_2(stage *s, users *u)
{
    u->anna = join_2(s, u, &u->of_anna);
    u->bert = join_2(s, u, &u->of_bert);
    (void)client_receive_text(u->anna); /* that Bert has come */
}

static void relay_2(stage *s, users *u)
{
    (void)s;
    u->sent++;
    session_2_send_number(u->anna, u->sent, 1);
    session_2_expect_number(u->bert, u->sent, u->of_anna.peer, 1);
    client_send_textf(u->bert, "{\"type\":\"ack\",\"ack\":%u}", u->sent);
    client_expect_nothing(u->bert);
}

/* ---- queue ---- */

static void come_one_after_the_other(stage *s, users *u)
{
    u->bert = open_joined(s, u, "bert");
    client_leave(u->bert);
    client_expect_nothing(u->bert);
    u->anna = open_joined(s, u, "anna");
}

static void queue(stage *s, users *u)
{
    (void)s;
    for (unsigned i = 0; i < QUEUED; i++)
        client_send_number(u->anna, i);
    client_expect_nothing(u->anna);
    client_join(u->bert, u->room, "bert");
    for (unsigned i = 0; i < QUEUED; i++)
        client_expect_number(u->bert, u->room, "anna", i);
    client_leave(u->bert);
    client_expect_nothing(u->bert);
}

/* ---- connect ---- */

static void come_not(stage *s, users *u)
{
    (void)s;
    (void)u;
}

static void connect_and_go(stage *s, users *u)
{
    client *c = open_joined(s, u, "anna");
    client_close(c);
    SERVER_AWAIT(s->server, connections, 0);
}

/* ---- All of them ---- */

static const scenario scenarios[] = {
    {"relay", come_both, relay},
    {"queue", come_one_after_the_other, queue},
    {"connect", come_not, connect_and_go},
    {"relay_2", come_both_2, relay_2}, /* last, since its sessions stay in their rooms for a while */
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* A plain store to each is where its scenario begins and ends. */
static _Atomic uint64_t begins[SCENARIOS], ends[SCENARIOS];

static void print_marks(void)
{
    for (size_t i = 0; i < SCENARIOS; i++)
        printf("scenario %s 0x%" PRIxPTR " 0x%" PRIxPTR "\n", scenarios[i].name, (uintptr_t)&begins[i],
               (uintptr_t)&ends[i]);
    printf("all\n");
    fflush(stdout);
}

static void play(stage *s, size_t number)
{
    const scenario *played = &scenarios[number];
    for (unsigned i = 0; i < PAIRS; i++) {
        users *u = &s->pairs[i];
        *u = (users){0};
        snprintf(u->room, sizeof(u->room), "room-%u", i);
        snprintf(u->address, sizeof(u->address), "127.0.0.%u", i + 2);
        played->come(s, u);
        played->round(s, u);
    }
    atomic_store_explicit(&begins[number], 1, memory_order_relaxed);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < PAIRS; i++)
            played->round(s, &s->pairs[i]);
    atomic_store_explicit(&ends[number], 1, memory_order_relaxed);
    for (unsigned i = 0; i < PAIRS; i++) {
        client_close(s->pairs[i].anna);
        client_close(s->pairs[i].bert);
    }
    SERVER_AWAIT(s->server, connections, 0);
}

static void print_maps(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
        printf("map %s", line);
    if (maps != NULL)
        fclose(maps);
}

/* The members of the server's own struct that threads may share. */
static void print_members(const signal_server *server)
{
    const struct {
        const char *name;
        const void *at;
        size_t size;
    } parts[] = {
        {"shared.budget.taken", &server->shared.budget.taken, sizeof(server->shared.budget.taken)},
        {"shared.memory.used", &server->shared.memory.used, sizeof(server->shared.memory.used)},
        {"queue_places", server->queue_places, sizeof(server->queue_places)},
        {"certificate", &server->certificate, sizeof(server->certificate)},
        {"workers[0].mailbox", &server->workers[0].mailbox, sizeof(mailbox)},
        {"workers[1].mailbox", &server->workers[1].mailbox, sizeof(mailbox)},
        {"acceptors[0].mailbox", &server->acceptors[0].thread.mailbox, sizeof(mailbox)},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        printf("member %p %zu %s\n", parts[i].at, parts[i].size, parts[i].name);
}

int main(void)
{
    print_marks();
    signal_log_options log;
    signal_log_options_init(&log, sizeof(log));
    log.file = "/dev/null";
    if (signal_log_start(&log) != 0)
        return EXIT_FAILURE;
    static stage s;
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.host = "127.0.0.1";
    options.port = 0;
    options.workers = 2;
    options.acceptor_threads = 1;
    options.exempt_addresses = ""; /* what is done for every other client is done for these */
    options.overload_lag_ms = 0;   /* everything is slow here, so nothing has a deadline */
    options.handshake_timeout_ms = options.pong_timeout_ms = options.message_timeout_ms = NEVER_MS;
    options.ping_interval_ms = options.close_timeout_ms = NEVER_MS;
    s.server = server_start(&options);
    s.port = signal_server_port(s.server);

    for (size_t i = 0; i < SCENARIOS; i++)
        play(&s, i);

    print_maps();
    print_members(s.server);
    heap_print();
    fflush(stdout);
    _exit(EXIT_SUCCESS); /* the end is of no interest, and would take its time under the tool */
}
