/* Connections and sessions as a machine: a script of bytes, ends, time and stops is played by clients to a
 * lobby and two shards of rooms, whose loops the target turns itself, with mailboxes between them. The clock
 * is the script's, so every deadline is within its reach.
 *
 * What must hold: what the clients hear is what a server may say (wire.h); two users whose room nobody else
 * knows hear each other to the end, whatever the others do; and when all is over nothing is left: no
 * connection, no byte of the queues' budget, no place.
 *
 * Input: a byte that chooses limits; then for each step a byte that says what and who, and what it needs. */
#include "wire.h"

#include "base/clock.h"
#include "net/connection_handshake.h"
#include "server/mailbox.h"
#include "session/session_host.h"
#include "session/session_life.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SHARDS = 2, LOBBY = SHARDS, GROUPS, CLIENTS = 6, ANNA = 4, BERT = 5, MAX_STEPS = 400 };
enum { PING_MS = 2500, PONG_MS = 1000, SHAKE_MS = 1500, CLOSE_MS = 500, STEP_MS = 200, RESUME_MS = 2000 };

typedef struct client {
    int fd; /* owned; -1 = there is none */
    bool reads;
    wire_ear ear;
    wire_past past;
} client;

typedef struct machine {
    session_shared shared;
    net_loop loops[GROUPS];
    session_group groups[GROUPS];
    mailbox mailboxes[GROUPS];
    mailbox_list to_wake;
    client clients[CLIENTS];
    unsigned opened, gone;  /* sessions */
    client_account account; /* of all of them */
    bool is_stopping;       /* a group drains */
} machine;

/* ---- The clock ---- */

static uint64_t now_us;

uint64_t clock_read_us(clockid_t id)
{
    (void)id;
    return now_us;
}

uint64_t clock_monotonic_us(void)
{
    return now_us;
}

uint64_t clock_monotonic_ms(void)
{
    return now_us / 1000;
}

uint64_t clock_utc_ms(void)
{
    return now_us / 1000;
}

/* The timers of the loops never fire by themselves. */
int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
    (void)fd;
    (void)flags;
    (void)to;
    (void)before;
    return 0;
}

/* ---- The server's side ---- */

static void hand_over(session_group *group, session *s, int shard)
{
    machine *m = group->shared->context;
    REQUIRE(shard >= 0 && shard < SHARDS && shard == s->participant.join.next_shard);
    int error = mailbox_push(&m->mailboxes[shard], &s->connection.entry, &m->to_wake);
    REQUIRE(error == 0 || error == -ESHUTDOWN);
    if (error != 0)
        session_take_back(s, group);
}

static bool admit(session_group *group, session *s, const address *from)
{
    (void)group;
    (void)from;
    return s->connection.id % 8 != 7;
}

static void on_gone(session_group *group, session *s)
{
    machine *m = group->shared->context;
    REQUIRE(s->connection.allowance == &m->account.allowance);
    m->gone++;
}

static void on_place_free(session_group *group, net_allowance *place)
{
    machine *m = group->shared->context;
    REQUIRE(place == &m->account.allowance);
    m->gone++;
}

static void drain(machine *m, int group)
{
    m->is_stopping = true;
    m->groups[group].is_draining = true;
    session_close_all(&m->groups[group]);
}

static void take_mail(machine *m, int group)
{
    connection_queue arrived = STAILQ_HEAD_INITIALIZER(arrived);
    unsigned commands = mailbox_take(&m->mailboxes[group], &arrived);
    connection_entry *entry;
    while ((entry = STAILQ_FIRST(&arrived)) != NULL) {
        STAILQ_REMOVE_HEAD(&arrived, queued);
        session_attach(session_of(connection_of(entry)), &m->groups[group]);
    }
    if (commands != 0)
        drain(m, group);
    if ((commands & MAILBOX_END) != 0)
        session_group_drop_all(&m->groups[group]);
}

static void turn(machine *m, int group)
{
    net_loop *loop = &m->loops[group];
    if (loop->timer_due_ms <= now_us / 1000) { /* as its timer would do */
        loop->timer_was_late = now_us / 1000 > loop->timer_due_ms + 250;
        loop->timer_due_ms = UINT64_MAX;
    }
    REQUIRE(net_loop_pass(loop, false) == 0);
    net_loop_end_turn(loop);
    mailbox_wake_all(&m->to_wake);
    if (m->groups[group].is_draining && m->groups[group].connections.count == 0)
        (void)mailbox_close_if_empty(&m->mailboxes[group]);
}

/* ---- The clients ---- */

static void say(client *c, const void *data, size_t len)
{
    if (c->fd >= 0)
        (void)!send(c->fd, data, len, MSG_NOSIGNAL); /* what does not fit is lost */
}

static void say_frame(client *c, uint8_t first, const void *payload, size_t len)
{
    uint8_t frame[WIRE_MAX_HEADER + 1024];
    REQUIRE(len <= 1024);
    say(c, frame, wire_frame(frame, first, payload, len));
}

static void say_text(client *c, const char *text)
{
    say_frame(c, 0x81, text, strlen(text));
}

static void hang_up(client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    wire_forget(&c->ear);
}

static void hear(client *c)
{
    char data[16 * 1024];
    ssize_t got;
    while (c->fd >= 0 && c->reads && (got = recv(c->fd, data, sizeof(data), 0)) > 0)
        wire_hear(&c->ear, data, (size_t)got);
}

/* The two users behave well. */
static void answer_pings(client *c)
{
    hear(c);
    for (; c->ear.pings > 0; c->ear.pings--)
        say_frame(c, 0x8A, "", 0);
}

static void say_request(client *c, uint8_t how)
{
    const char *request = wire_request_of(c->ear.dialect, how >> 6);
    say(c, request, strlen(request));
}

static void dial(machine *m, client *c, uint8_t how)
{
    int fds[2];
    hang_up(c);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    c->fd = fds[0];
    c->reads = true;
    c->ear.dialect = (wire_dialect)((how >> 3 & 3) % WIRE_DIALECTS);
    c->ear.past = &c->past;
    const session_start start = {.fd = fds[1],
                                 .id = how,
                                 .client = &m->account,
                                 .awaits_proxy = (how & 1) != 0,
                                 .refusal = (how & 2) != 0 ? "no place" : NULL};
    REQUIRE(session_open(&m->groups[LOBBY], &start) == 0);
    m->opened++;
    if ((how & 4) == 0)
        say_request(c, how);
}

/* ---- Time ---- */

/* Every loop goes on, as often as a session may have to move. */
static void settle(machine *m)
{
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < GROUPS; i++) {
            take_mail(m, i);
            turn(m, i);
        }
        answer_pings(&m->clients[ANNA]);
        answer_pings(&m->clients[BERT]);
    }
}

static void pass(machine *m, unsigned ms)
{
    for (unsigned step; ms > 0; ms -= step) {
        step = ms < STEP_MS ? ms : STEP_MS;
        now_us += step * 1000;
        settle(m);
    }
}

/* ---- The script ---- */

static void say_message(client *c, uint8_t what)
{
    char text[WIRE_TEXT_CAP];
    if (c->ear.dialect == WIRE_VERSION_1)
        wire_message(text, what);
    else
        wire_say(text, c->ear.dialect, &c->past, what);
    say_text(c, text);
}

static void end_input(client *c, uint8_t how)
{
    if (c->fd < 0)
        return;
    if ((how & 3) == 0)
        hang_up(c);
    else if ((how & 3) == 1)
        (void)shutdown(c->fd, SHUT_WR);
    else
        c->reads = (how & 3) == 3;
}

/* One step; `what` tells what and who. Only the first four clients do what the script says. */
static void play(machine *m, fuzz_input *in)
{
    uint8_t what = fuzz_take_byte(in);
    client *c = &m->clients[what >> 3 & 3];
    slice bytes;
    uint8_t how;
    switch (what & 7) {
    case 0:
        dial(m, c, fuzz_take_byte(in));
        break;
    case 1:
        bytes = fuzz_take_bytes(in);
        say(c, bytes.data, bytes.len);
        break;
    case 2:
    case 3:
        say_message(c, fuzz_take_byte(in));
        break;
    case 4:
        how = fuzz_take_byte(in);
        bytes = fuzz_take_bytes(in);
        say_frame(c, how, bytes.data, bytes.len);
        break;
    case 5:
        end_input(c, fuzz_take_byte(in));
        break;
    case 6:
        how = fuzz_take_byte(in);
        if (how == 255) /* few inputs should stop a group */
            mailbox_order(&m->mailboxes[what >> 3 & 1], (what & 64) != 0 ? MAILBOX_END : MAILBOX_DRAIN);
        else if ((what & 128) != 0)
            pass(m, how * 20u);
        else
            turn(m, how % GROUPS);
        break;
    case 7:
        take_mail(m, fuzz_take_byte(in) % GROUPS);
        hear(c);
        break;
    }
}

/* Bert hears what Anna says. */
static void check_users(machine *m, int number)
{
    char said[64], expected[128];
    settle(m);
    unsigned before = m->clients[BERT].ear.texts;
    snprintf(said, sizeof(said), "{\"type\":\"candidate\",\"candidate\":\"%d\"}", number);
    say_text(&m->clients[ANNA], said);
    settle(m);
    if (m->is_stopping)
        return;
    snprintf(expected, sizeof(expected),
             "{\"type\":\"candidate\",\"room\":\"a room that nobody "
             "guesses\",\"from\":\"anna\",\"candidate\":\"%d\"}",
             number);
    REQUIRE(m->clients[BERT].ear.texts == before + 1 && strcmp(m->clients[BERT].ear.last, expected) == 0);
}

static void start_users(machine *m)
{
    static const char *const joins[] = {
        "{\"type\":\"join\",\"room\":\"a room that nobody guesses\",\"user\":\"anna\"}",
        "{\"type\":\"join\",\"room\":\"a room that nobody guesses\",\"user\":\"bert\"}"};
    for (int i = 0; i < 2; i++) {
        dial(m, &m->clients[ANNA + i], 0);
        settle(m);
        say_text(&m->clients[ANNA + i], joins[i]);
        settle(m);
    }
    check_users(m, 0);
}

/* ---- Beginning and end ---- */

static void start(machine *m, uint8_t limits)
{
    *m = (machine){.account.allowance.is_limited = (limits & 8) != 0};
    SLIST_INIT(&m->to_wake);
    m->shared = (session_shared){
        .net = {.handshake = {.path = "/signal", .max_head_bytes = 1024},
                .max_message_bytes = 2048,
                .max_output_bytes = 8 * 1024,
                .frame_rate = {.per_second = (limits & 1) != 0 ? 20 : 0, .burst = 20},
                .client_frame_rate = {.per_second = 20, .burst = 40},
                .client_byte_rate = {.per_second = 2000, .burst = 8000},
                .handshake_timeout_ms = SHAKE_MS,
                .ping_interval_ms = PING_MS,
                .pong_timeout_ms = PONG_MS,
                .close_timeout_ms = CLOSE_MS},
        .limits = {.rooms = {.capacity = 2 + (limits >> 1 & 1),
                             .pending_max_messages = 4,
                             .pending_max_bytes = 512,
                             .pending_ttl_ms = 4000,
                             .probe_timeout_ms = 300},
                   .dialects = {.max_name_bytes = 64,
                                .ping_interval_ms = PING_MS,
                                .resume_for_ms = RESUME_MS,
                                .outbox_max_messages = 4,
                                .outbox_max_bytes = 1024,
                                .faults = {.per_second = (limits & 4) != 0 ? 1 : 0, .burst = 5}},
                   .guesses = {.per_minute = 30, .burst = 1}},
        .hash = {{7, 7, 7}},
        .shards = SHARDS,
        .context = m,
        .hand_over = hand_over,
        .admit = admit,
        .on_gone = on_gone,
        .on_place_free = on_place_free,
        .budget = {.limit = 1024},
    };
    for (int i = 0; i < CLIENTS; i++)
        m->clients[i].fd = -1;
    for (int i = 0; i < GROUPS; i++) {
        REQUIRE(net_loop_init(&m->loops[i]) == 0 && mailbox_init(&m->mailboxes[i]) == 0);
        int shard = i == LOBBY ? SESSION_NO_SHARD : i;
        REQUIRE(session_group_init(&m->groups[i], &m->shared, &m->loops[i], &session_events, &session_host,
                                   shard) == 0);
    }
}

/* The clients go, and the server forgets them in its time. */
static void stop(machine *m)
{
    for (int i = 0; i < CLIENTS; i++)
        hang_up(&m->clients[i]);
    for (unsigned ms = 0; ms < 5000 + PONG_MS + CLOSE_MS; ms += PONG_MS) {
        now_us += PONG_MS * 1000;
        settle(m);
    }
    /* Whoever has sent much behind a held join is only seen to have gone when that goes on. */
    for (unsigned ms = 0; m->opened != m->gone && ms < GUESS_MAX_HOLD_MS; ms += PONG_MS) {
        now_us += PONG_MS * 1000;
        settle(m);
    }
    for (unsigned ms = 0; ms < 2 * RESUME_MS; ms += STEP_MS) {
        now_us += STEP_MS * 1000;
        settle(m);
    }
    REQUIRE(m->opened == m->gone && m->shared.budget.taken == 0);
    for (int i = 0; i < GROUPS; i++) {
        REQUIRE(m->groups[i].connections.count == 0 && m->groups[i].connections.output_bytes == 0);
        if (i != LOBBY) {
            const room_counts counts = room_manager_counts(m->groups[i].rooms.manager);
            REQUIRE(m->groups[i].held.count == 0);
            REQUIRE(counts.rooms == 0 && counts.members == 0 && counts.waiters == 0);
        }
        session_group_deinit(&m->groups[i]);
        net_loop_deinit(&m->loops[i]);
        mailbox_deinit(&m->mailboxes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static machine m;
    fuzz_input in = {data, size};
    now_us = 1000000000;
    start(&m, fuzz_take_byte(&in));
    start_users(&m);
    for (int i = 0; in.left > 0 && i < MAX_STEPS; i++)
        play(&m, &in);
    check_users(&m, 1);
    stop(&m);
    return 0;
}
