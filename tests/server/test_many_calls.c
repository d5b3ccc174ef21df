/* Many calls at once over four workers, while other connections are killed in between: every signal arrives
 * once, in order, in its own room and from the right user.
 *
 * One thread plays everybody: it waits on all clients with epoll, and each that has something to read takes
 * the next step of its call. A caller joins, offers and sends its first candidates; the callee comes after
 * it, so a part is queued; on the offer it answers; on the answer the caller sends the rest. What a client
 * may receive next is therefore always known, and anything else fails.
 *
 * In between bystanders come and are reset in every state that a connection can be in. The random choices
 * come from a fixed seed, so that a failure comes back.
 *
 * SOAK_CALLS says how many calls there are (500 unless set); they come in waves of 500. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"
#include "support/twins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    CALLS = 500,                    /* unless SOAK_CALLS says otherwise */
    WAVE_CALLS = 500,               /* at once; four descriptors each, since both ends are in this process */
    BYSTANDERS = 60,                /* at once */
    CANDIDATES = 10,                /* from each side */
    EARLY_CANDIDATES = 6,           /* of the caller, before it has its answer */
    SIGNALS = 2 * (1 + CANDIDATES), /* of a whole call */
    SDP_BYTES = 3000,
    NAME_BYTES = 48,
};

/* How long a wave may take: far more than it does under a sanitizer. */
enum { WAVE_MS = 100 * 1000 };

typedef struct call call;

/* One side of a call. */
typedef struct side {
    call *call;        /* borrowed */
    client *client;    /* owned */
    unsigned received; /* signals so far: first the description, then the candidates */
    char user[NAME_BYTES];
} side;

struct call {
    side caller;
    side callee;
    char room[NAME_BYTES];
};

typedef struct stage {
    signal_server *server; /* borrowed */
    int epoll_fd;          /* owned */
    call *calls;           /* owned array of the wave */
    unsigned count;
    unsigned open_sides;            /* which have not received everything */
    client *bystanders[BYSTANDERS]; /* owned; or NULL */
    unsigned next_bystander;        /* a number for its names */
    uint64_t killed;
    uint64_t random;
    char filler[SDP_BYTES + 1]; /* what makes descriptions as long as real ones */
} stage;

/* xorshift64: good enough to choose whom to kill. */
static unsigned draw(stage *s, unsigned below)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (unsigned)(s->random >> 32) % below;
}

/* ---- Bystanders ---- */

/* Send only the begin of a message, so that its end never comes. */
static void send_half(stage *s, client *c, const char *text)
{
    size_t len;
    uint8_t *frame =
        client_make_frame(&(client_frame){.opcode = CLIENT_TEXT, .payload = text, .len = strlen(text)}, &len);
    client_send_bytes(c, frame, 1 + draw(s, (unsigned)len - 1));
    free(frame);
}

/* Bring a bystander into one of the states in which it may be killed. Whatever its state, it sends nothing to
 * a call: its room is its own. */
static client *open_bystander(stage *s)
{
    static const char half_request[] = "GET /signal HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr";
    uint16_t port = signal_server_port(s->server);
    unsigned kind = draw(s, 7);
    client *c = client_dial(port);
    if (kind == 0)
        return c;
    if (kind == 1) {
        client_send_bytes(c, half_request, 1 + draw(s, sizeof(half_request) - 2));
        return c;
    }
    client_send_upgrade(c);
    if (kind == 2) /* does not even wait for the answer */
        return c;
    client_expect_upgraded(c);
    if (kind == 3) {
        send_half(s, c, "{\"type\":\"join\",\"room\":\"nowhere\",\"user\":\"nobody\"}");
        return c;
    }

    char room[NAME_BYTES];
    snprintf(room, sizeof(room), "bystander %u", s->next_bystander++);
    client_join(c, room, "cleo");
    if (kind == 4)
        return c;
    unsigned signals = 1 + draw(s, 20);
    for (unsigned i = 0; i < signals; i++)
        client_send_number(c, i); /* is queued for nobody */
    if (kind == 5)
        send_half(s, c, "{\"type\":\"candidate\",\"candidate\":{\"number\":1}}");
    else
        client_send_text(c, "no JSON"); /* has an answer that it will not read */
    return c;
}

static void kill_bystander(stage *s, unsigned place)
{
    if (s->bystanders[place] == NULL)
        return;
    client_abort(s->bystanders[place]);
    s->bystanders[place] = NULL;
    s->killed++;
}

/* Kill one, and let another come in its place. */
static void replace_bystander(stage *s)
{
    unsigned place = draw(s, BYSTANDERS);
    kill_bystander(s, place);
    s->bystanders[place] = open_bystander(s);
}

/* ---- The two sides of a call ---- */

static bool is_caller(const side *who)
{
    return who == &who->call->caller;
}

static const side *peer_of(const side *who)
{
    return is_caller(who) ? &who->call->callee : &who->call->caller;
}

/* The content of a signal names its room, its sender and its number, so that none can pass for another. */
static char *make_description(const stage *s, const side *from)
{
    char *sdp;
    int len = asprintf(&sdp, "\"%s %s %s\"", from->call->room, from->user, s->filler);
    assert_true(len > 0);
    return sdp;
}

static void make_candidate(char *out, size_t size, const side *from, unsigned number)
{
    snprintf(
        out, size,
        "{\"candidate\":\"candidate:%u 1 udp 2122260223 192.0.2.1 54321 typ host generation 0 ufrag %s\","
        "\"sdpMid\":\"%s\",\"sdpMLineIndex\":%u}",
        number, from->user, from->call->room, number);
}

static void send_description(const stage *s, const side *from)
{
    char *sdp = make_description(s, from);
    if (is_caller(from))
        client_send_offer(from->client, sdp);
    else
        client_send_answer(from->client, sdp);
    free(sdp);
}

static void send_candidates(const side *from, unsigned begin, unsigned end)
{
    for (unsigned i = begin; i < end; i++) {
        char candidate[256];
        make_candidate(candidate, sizeof(candidate), from, i);
        client_send_candidate(from->client, candidate);
    }
}

static void open_side(stage *s, side *who)
{
    who->client = client_open(signal_server_port(s->server));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    assert_int_equal(epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, client_fd(who->client), &event), 0);
    s->open_sides++;
}

static void expect_next(const stage *s, const side *who)
{
    const side *from = peer_of(who);
    if (who->received == 0) {
        char *sdp = make_description(s, from);
        client_expect_signal(who->client, is_caller(who) ? "answer" : "offer", who->call->room, from->user,
                             sdp);
        free(sdp);
        return;
    }
    char candidate[256];
    make_candidate(candidate, sizeof(candidate), from, who->received - 1);
    client_expect_signal(who->client, "candidate", who->call->room, from->user, candidate);
}

/* What a side does when its peer's description has come. */
static void go_on(const stage *s, const side *who)
{
    if (is_caller(who)) {
        send_candidates(who, EARLY_CANDIDATES, CANDIDATES);
    } else {
        send_description(s, who);
        send_candidates(who, 0, CANDIDATES);
    }
}

/* Take everything that has come. */
static void take_signals(stage *s, side *who)
{
    while (client_is_readable(who->client, 0)) {
        if (who->received > CANDIDATES)
            fail_msg("more than a whole call came to %s in %s: %s", who->user, who->call->room,
                     client_receive(who->client).data);
        expect_next(s, who);
        if (who->received++ == 0)
            go_on(s, who);
        if (who->received > CANDIDATES)
            s->open_sides--;
    }
}

/* ---- A wave ---- */

static void begin_call(stage *s, call *c, unsigned number)
{
    c->caller.call = c->callee.call = c;
    snprintf(c->room, NAME_BYTES, "call %u", number);
    /* The same names in every tenth room: who is who is told by the room as well. */
    snprintf(c->caller.user, NAME_BYTES, "anna %u", number % 10);
    snprintf(c->callee.user, NAME_BYTES, "bert %u", number % 10);
    open_side(s, &c->caller);
    open_side(s, &c->callee);
}

static void take_what_comes(stage *s, int wait_ms)
{
    struct epoll_event events[64];
    int count = epoll_wait(s->epoll_fd, events, sizeof(events) / sizeof(events[0]), wait_ms);
    assert_true(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++)
        take_signals(s, events[i].data.ptr);
}

/* The callers come in the order of their calls, each callee some calls after its caller. */
static void ring(stage *s)
{
    enum { CALLEE_IS_LATER_BY = 7 };
    for (unsigned i = 0; i < s->count + CALLEE_IS_LATER_BY; i++) {
        if (i < s->count) {
            side *caller = &s->calls[i].caller;
            client_join(caller->client, caller->call->room, caller->user);
            send_description(s, caller);
            send_candidates(caller, 0, EARLY_CANDIDATES);
        }
        if (i >= CALLEE_IS_LATER_BY) {
            side *callee = &s->calls[i - CALLEE_IS_LATER_BY].callee;
            client_join(callee->client, callee->call->room, callee->user);
        }
        replace_bystander(s);
        take_what_comes(s, 0);
    }
}

static void play_wave(stage *s, unsigned first, unsigned count)
{
    uint64_t deadline_ms = client_now_ms() + WAVE_MS;
    s->count = count;
    s->calls = calloc(count, sizeof(*s->calls));
    assert_non_null(s->calls);
    for (unsigned i = 0; i < count; i++)
        begin_call(s, &s->calls[i], first + i);
    ring(s);
    while (s->open_sides > 0) {
        replace_bystander(s);
        take_what_comes(s, 10);
        if (client_now_ms() > deadline_ms)
            fail_msg("%u sides of %u calls wait in vain for the rest", s->open_sides, count);
    }

    for (unsigned i = 0; i < count; i++) {
        call *c = &s->calls[i];
        client_expect_nothing(c->caller.client);
        client_expect_nothing(c->callee.client);
        client_close(c->caller.client);
        client_close(c->callee.client);
    }
    free(s->calls);
    s->calls = NULL;
}

/* ---- The test ---- */

static unsigned calls_wanted(void)
{
    const char *wanted = getenv("SOAK_CALLS");
    unsigned long calls = wanted == NULL ? server_scale(CALLS) : strtoul(wanted, NULL, 10);
    return calls == 0 ? 1 : (unsigned)calls;
}

/* What bystanders have queued was dropped with them; all the rest was passed on, once. */
static void expect_numbers_to_agree(const signal_server *server, uint64_t calls)
{
    SERVER_AWAIT(server, connections, 0);
    SERVER_AWAIT(server, rooms, 0);
    SERVER_AWAIT(server, joined, 0);
    SERVER_AWAIT(server, pending_messages, 0);
    SERVER_AWAIT(server, pending_bytes, 0);
    signal_server_stats stats = server_stats(server);
    assert_int_equal(stats.signals_relayed + stats.signals_delivered, calls * SIGNALS);
    assert_int_equal(stats.signals_queued, stats.signals_delivered + stats.signals_dropped);
    assert_int_equal(stats.signals_refused, 0);
    assert_int_equal(stats.refused, 0);
    assert_true(stats.handed_over >= calls * 2); /* from the lobby, once for each user */
    if (calls >= CALLS && !twins_are_used()) {   /* then chance has brought about both */
        assert_true(stats.signals_delivered > 0);
        assert_true(stats.signals_dropped > 0);
    }
}

static void every_signal_of_every_call_arrives_once_and_in_order(void **state)
{
    (void)state;
    unsigned calls = calls_wanted();
    assert_true(server_raise_descriptor_limit() > WAVE_CALLS * 4 + BYSTANDERS * 2 + 200);
    signal_server_options options = server_options();
    options.workers = 4;
    options.ping_interval_ms = 3600 * 1000; /* so that all that comes is a signal */
    options.pending_ttl_ms = 1;             /* so that what bystanders leave behind goes at once */
    stage s = {.server = server_start(&options), .random = 88172645463325252u};
    memset(s.filler, 'x', SDP_BYTES);
    s.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert_true(s.epoll_fd >= 0);

    for (unsigned done = 0; done < calls; done += WAVE_CALLS)
        play_wave(&s, done, calls - done < WAVE_CALLS ? calls - done : WAVE_CALLS);
    for (unsigned place = 0; place < BYSTANDERS; place++)
        kill_bystander(&s, place);
    assert_true(s.killed > calls); /* one came with each */
    expect_numbers_to_agree(s.server, calls);
    close(s.epoll_fd);
    server_end(s.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_of_every_call_arrives_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
