/* hot_path relay|call COUNT: what a worker does with signals, from the bytes of a frame to the bytes of a
 * frame, without threads and without a network: sessions of one group whose peers are local sockets.
 *
 *   relay   COUNT candidates of 200 bytes go from user to user, a few in each read
 *   call    COUNT calls of 22 signals as in `homecall-bench call`
 *
 * It measures nothing by itself: bench/hot_path.sh counts its instructions. */
#include "load/wire/signal_text.h"

#include "session/session_life.h"
#include "websocket/frame.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NEVER_MS = 3600 * 1000, CANDIDATES = 10, BURST = 4, STREAM_CAP = 64 * 1024 };

/* One user: the peer's end of its socket, and what it is about to send. */
typedef struct speaker {
    int fd; /* owned */
    dialect_names names;
    char stream[STREAM_CAP];
    size_t len;
} speaker;

typedef struct stage {
    session_shared shared;
    net_loop loop;
    session_group group;
    signal_texts texts;
    speaker users[2];
} stage;

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
    abort(); /* there is one shard */
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

/* ---- Speaking ---- */

/* Put a masked text frame behind what the user is about to send. */
static void add_text(speaker *u, const char *text, size_t len)
{
    static const uint8_t mask[WS_MASK_LEN] = {0x37, 0xFA, 0x21, 0x3D};
    uint8_t *out = (uint8_t *)u->stream + u->len;
    size_t header_len = ws_client_frame_header(out, WS_OPCODE_TEXT, len, mask);
    memcpy(out + header_len, text, len);
    ws_mask(out + header_len, len, mask);
    u->len += header_len + len;
}

static void add_membership(speaker *u, size_t (*write_text)(char *out, const dialect_names *names))
{
    char text[DIALECT_MAX_TEXT];
    add_text(u, text, write_text(text, &u->names));
}

static void add_signal(stage *s, speaker *u, signal_kind kind, uint32_t number)
{
    char text[4096];
    add_text(u, text, signal_text_write(&s->texts, kind, &u->names, number, text));
}

/* Let the worker see what was added, and take what it sends to the other user. */
static void turn(stage *s, speaker *u)
{
    if (write(u->fd, u->stream, u->len) != (ssize_t)u->len)
        fail("write");
    u->len = 0;
    if (net_loop_turn(&s->loop) != 0)
        fail("turn");
}

static size_t listen_to(speaker *u)
{
    static char heard[256 * 1024];
    size_t len = 0;
    for (ssize_t got; (got = read(u->fd, heard, sizeof(heard))) > 0;)
        len += (size_t)got;
    return len;
}

/* ---- The two workloads ---- */

static void relay(stage *s, unsigned long count)
{
    for (int i = 0; i < 2; i++) {
        add_membership(&s->users[i], dialect_homecall.join);
        turn(s, &s->users[i]);
    }
    uint32_t number = 0;
    for (unsigned long done = 0; done < count; done += BURST) {
        speaker *from = &s->users[done / BURST % 2];
        speaker *to = &s->users[(done / BURST + 1) % 2];
        for (int i = 0; i < BURST; i++)
            add_signal(s, from, SIGNAL_CANDIDATE, number++);
        turn(s, from);
        if (listen_to(to) < (size_t)BURST * s->texts.size[SIGNAL_CANDIDATE])
            fail("the signals did not arrive");
    }
}

static void speak(stage *s, speaker *u, signal_kind kind)
{
    add_signal(s, u, kind, 0);
    for (uint32_t i = 1; i <= CANDIDATES; i++)
        add_signal(s, u, SIGNAL_CANDIDATE, i);
}

static void call(stage *s, unsigned long count)
{
    speaker *caller = &s->users[0];
    speaker *callee = &s->users[1];
    for (unsigned long i = 0; i < count; i++) {
        if (i > 0)
            add_membership(caller, dialect_homecall.leave);
        add_membership(caller, dialect_homecall.join);
        speak(s, caller, SIGNAL_OFFER);
        turn(s, caller);
        add_membership(callee, dialect_homecall.join);
        turn(s, callee);
        size_t queued = listen_to(callee);
        speak(s, callee, SIGNAL_ANSWER);
        add_membership(callee, dialect_homecall.leave);
        turn(s, callee);
        if (listen_to(caller) <= queued) /* an answer's text is a letter longer than an offer's, at least */
            fail("the signals did not arrive");
    }
}

/* ---- The stage ---- */

static void enter(stage *s, speaker *u, const char *name)
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
    if (session_open(&s->group, &start) != 0)
        fail("session");
    memcpy(u->stream, request, sizeof(request) - 1);
    u->len = sizeof(request) - 1;
    turn(s, u);
    if (listen_to(u) == 0)
        fail("no upgrade");
}

static void set(stage *s, size_t candidate_size)
{
    session_shared *shared = &s->shared;
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
                                      .max_name_bytes = 512};
    shared->hash = (keyed_hash){{7, 7, 7}}; /* the same buckets in every run */
    shared->budget.limit = UINT64_MAX / 2;
    s->texts = (signal_texts){
        .dialect = &dialect_homecall,
        .size = {[SIGNAL_OFFER] = 3000, [SIGNAL_ANSWER] = 3001, [SIGNAL_CANDIDATE] = candidate_size}};
    shared->shards = 1;
    shared->hand_over = hand_over;
    shared->on_gone = on_gone;
    shared->admit = admit;
    if (net_loop_init(&s->loop) != 0)
        fail("loop");
    if (session_group_init(&s->group, shared, &s->loop, &session_events, 0) != 0)
        fail("group");
    enter(s, &s->users[0], "anna");
    enter(s, &s->users[1], "boris");
}

static void strike(stage *s)
{
    session_group_drop_all(&s->group);
    net_loop_end_turn(&s->loop);
    session_group_deinit(&s->group);
    net_loop_deinit(&s->loop);
    close(s->users[0].fd);
    close(s->users[1].fd);
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
    static stage s; /* its buffers are large for a stack */
    set(&s, is_call ? 290 : 200);
    if (is_call)
        call(&s, count);
    else
        relay(&s, count);
    strike(&s);
    return EXIT_SUCCESS;
}
