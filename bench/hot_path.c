/* hot_path relay|call COUNT: a worker relays signals, from the bytes of a frame that was received to the
 * bytes of a frame that is sent. There are no threads and no network: two sessions of one group, each with a
 * local socket whose other end is here.
 *
 *   relay   COUNT candidates of 200 bytes go from one user to the other, BURST of them in each read
 *   call    COUNT calls of 22 signals as in `homecall-bench call`
 *
 * It measures nothing by itself: bench/hot_path.sh counts its instructions. */
#include "load/wire/signal_text.h"

#include "session/session_host.h"
#include "session/session_life.h"
#include "websocket/frame.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NEVER_MS = 3600 * 1000, CANDIDATES = 10, BURST = 4, STREAM_CAP = 64 * 1024 };

/* One user: its end of the socket, and what it will send in the next turn. */
typedef struct bench_user {
    int fd; /* owned */
    dialect_names names;
    char stream[STREAM_CAP]; /* whole frames */
    size_t len;              /* how many bytes of `stream` are used */
} bench_user;

/* Everything together. */
typedef struct bench {
    session_shared shared;
    net_loop loop;
    session_group group;
    signal_texts texts;
    bench_user users[2];
} bench;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void hand_over(session_group *group, session *s, int shard)
{
    (void)group;
    (void)s;
    (void)shard;
    abort(); /* there is only one shard */
}

static bool admit(session_group *group, session *s, const address *client)
{
    (void)group;
    (void)s;
    (void)client;
    return true;
}

static void on_gone(session_group *group, session *s)
{
    (void)group;
    (void)s;
}

/* ---- Sending and receiving ---- */

/* Append a masked text frame to what the user will send. */
static void add_text(bench_user *u, const char *text, size_t len)
{
    static const uint8_t mask[WS_MASK_LEN] = {0x37, 0xFA, 0x21, 0x3D};
    uint8_t *out = (uint8_t *)u->stream + u->len;
    size_t header_len = ws_client_frame_header(out, WS_OPCODE_TEXT, len, mask);
    memcpy(out + header_len, text, len);
    ws_mask(out + header_len, len, mask);
    u->len += header_len + len;
}

static void add_membership(bench_user *u, size_t (*write_text)(char *out, const dialect_names *names))
{
    char text[DIALECT_MAX_TEXT];
    add_text(u, text, write_text(text, &u->names));
}

static void add_signal(bench *b, bench_user *u, load_kind kind, uint32_t number)
{
    char text[4096];
    add_text(u, text, signal_text_write(&b->texts, kind, &u->names, number, text));
}

/* Send what was added, and run one turn of the worker. */
static void turn(bench *b, bench_user *u)
{
    if (write(u->fd, u->stream, u->len) != (ssize_t)u->len)
        fail("write");
    u->len = 0;
    if (net_loop_turn(&b->loop) != 0)
        fail("turn");
}

/* Read everything that the worker has sent to this user. Returns how many bytes that are. */
static size_t receive(bench_user *u)
{
    static char heard[256 * 1024];
    size_t len = 0;
    for (ssize_t got; (got = read(u->fd, heard, sizeof(heard))) > 0;)
        len += (size_t)got;
    return len;
}

/* ---- The two workloads ---- */

static void relay(bench *b, unsigned long count)
{
    for (int i = 0; i < 2; i++) {
        add_membership(&b->users[i], dialect_homecall.join);
        turn(b, &b->users[i]);
    }
    uint32_t number = 0;
    for (unsigned long done = 0; done < count; done += BURST) {
        bench_user *from = &b->users[done / BURST % 2];
        bench_user *to = &b->users[(done / BURST + 1) % 2];
        for (int i = 0; i < BURST; i++)
            add_signal(b, from, LOAD_CANDIDATE, number++);
        turn(b, from);
        if (receive(to) < (size_t)BURST * b->texts.size[LOAD_CANDIDATE])
            fail("the signals did not arrive");
    }
}

/* Add an offer or an answer, and its candidates. */
static void add_description(bench *b, bench_user *u, load_kind kind)
{
    add_signal(b, u, kind, 0);
    for (uint32_t i = 1; i <= CANDIDATES; i++)
        add_signal(b, u, LOAD_CANDIDATE, i);
}

static void call(bench *b, unsigned long count)
{
    bench_user *caller = &b->users[0];
    bench_user *callee = &b->users[1];
    for (unsigned long i = 0; i < count; i++) {
        if (i > 0)
            add_membership(caller, dialect_homecall.leave);
        add_membership(caller, dialect_homecall.join);
        add_description(b, caller, LOAD_OFFER);
        turn(b, caller);
        add_membership(callee, dialect_homecall.join);
        turn(b, callee);
        size_t queued = receive(callee);
        add_description(b, callee, LOAD_ANSWER);
        add_membership(callee, dialect_homecall.leave);
        turn(b, callee);
        if (receive(caller) <= queued) /* an answer is at least one byte longer than an offer */
            fail("the signals did not arrive");
    }
}

/* ---- Making and freeing ---- */

/* Make a session for this user, and have it upgraded. */
static void enter(bench *b, bench_user *u, const char *name)
{
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        fail("socketpair");
    u->fd = fds[0];
    u->names = (dialect_names){.room = SLICE_LITERAL("hot-path"), .from = slice_of_text(name)};
    const session_start start = {.fd = fds[1], .id = 1};
    if (session_open(&b->group, &start) != 0)
        fail("session");
    memcpy(u->stream, request, sizeof(request) - 1);
    u->len = sizeof(request) - 1;
    turn(b, u);
    if (receive(u) == 0)
        fail("no upgrade");
}

static void make(bench *b, size_t candidate_size)
{
    session_shared *shared = &b->shared;
    shared->net = (net_limits){.handshake = {.path = "/signal", .max_head_bytes = 8192},
                               .max_message_bytes = 128 * 1024,
                               .max_output_bytes = 4 * 1024 * 1024,
                               .frame_rate = {.per_second = 1000000, .burst = 1000000},
                               .handshake_timeout_ms = NEVER_MS,
                               .ping_interval_ms = NEVER_MS,
                               .pong_timeout_ms = NEVER_MS,
                               .close_timeout_ms = NEVER_MS};
    shared->limits = (session_limits){.rooms = {.capacity = 2,
                                                .pending_max_messages = 256,
                                                .pending_max_bytes = 256 * 1024,
                                                .pending_ttl_ms = NEVER_MS,
                                                .probe_timeout_ms = NEVER_MS},
                                      .dialects = {.max_name_bytes = 512}};
    shared->hash = (keyed_hash){{7, 7, 7}}; /* a fixed key, so that every run uses the same buckets */
    shared->budget.limit = UINT64_MAX / 2;
    shared->budget.spare = session_budget_spare(shared->budget.limit, 1);
    b->texts = (signal_texts){
        .dialect = &dialect_homecall,
        .size = {[LOAD_OFFER] = 3000, [LOAD_ANSWER] = 3001, [LOAD_CANDIDATE] = candidate_size}};
    shared->shards = 1;
    shared->hand_over = hand_over;
    shared->on_gone = on_gone;
    shared->admit = admit;
    if (net_loop_init(&b->loop) != 0)
        fail("loop");
    if (session_group_init(&b->group, shared, &b->loop, &session_events, &session_host, 0) != 0)
        fail("group");
    enter(b, &b->users[0], "anna");
    enter(b, &b->users[1], "boris");
}

static void unmake(bench *b)
{
    session_group_drop_all(&b->group);
    net_loop_end_turn(&b->loop);
    session_group_deinit(&b->group);
    net_loop_deinit(&b->loop);
    close(b->users[0].fd);
    close(b->users[1].fd);
}

int main(int argc, char **argv)
{
    bool is_call = argc == 3 && strcmp(argv[1], "call") == 0;
    bool is_relay = argc == 3 && strcmp(argv[1], "relay") == 0;
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (!is_call && !is_relay) {
        fprintf(stderr, "usage: hot_path relay|call COUNT\n");
        return 2;
    }
    static bench b; /* too large for the stack */
    make(&b, is_call ? 290 : 200);
    if (is_call)
        call(&b, count);
    else
        relay(&b, count);
    unmake(&b);
    return EXIT_SUCCESS;
}
