#include "model2/site.h"

#include "base/clock.h"
#include "session/session_host.h"
#include "support/run_fail.h"

#include <sys/timerfd.h>

enum { NEVER_MS = 3600 * 1000 };

/* ---- The clock ---- */

uint64_t site_now_ms;

uint64_t clock_read_us(clockid_t id)
{
    (void)id;
    return site_now_ms * 1000;
}

uint64_t clock_monotonic_us(void)
{
    return site_now_ms * 1000;
}

uint64_t clock_monotonic_ms(void)
{
    return site_now_ms;
}

uint64_t clock_utc_ms(void)
{
    return site_now_ms;
}

/* The timers of the loops fire when site_turn() says so. */
int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
    (void)fd;
    (void)flags;
    (void)to;
    (void)before;
    return 0;
}

/* ---- What the sessions need ---- */

static void hand_over(session_group *group, session *s, int shard)
{
    (void)shard;
    site *of = group->shared->context;
    STAILQ_INSERT_TAIL(&of->detached, &s->connection.entry, queued);
    of->moved++;
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
    (void)s;
    ((site *)group->shared->context)->gone++;
}

static void on_place_free(session_group *group, net_allowance *place)
{
    (void)place;
    ((site *)group->shared->context)->gone++;
}

/* ---- Life ---- */

void site_open(site *s, const site_limits *limits, unsigned life)
{
    *s = (site){.is_open = true, .accounts[1].allowance.is_limited = true};
    STAILQ_INIT(&s->detached);
    s->shared = (session_shared){
        .net = {.handshake = {.path = "/signal", .max_head_bytes = 1024},
                .max_message_bytes = 16 * 1024,
                .max_output_bytes = 1024 * 1024,
                .handshake_timeout_ms = SITE_PING_MS,
                .ping_interval_ms = SITE_PING_MS,
                .pong_timeout_ms = SITE_PONG_MS,
                .close_timeout_ms = 500},
        .limits = {.rooms = {.capacity = limits->capacity,
                             .pending_max_messages = limits->pending_messages,
                             .pending_max_bytes = 64 * 1024,
                             .pending_ttl_ms = SITE_PENDING_TTL_MS,
                             .probe_timeout_ms = SITE_PROBE_MS},
                   .dialects = {.max_name_bytes = 64,
                                .faults = {.per_second = 1, .burst = 5},
                                .ping_interval_ms = SITE_PING_MS,
                                .resume_for_ms = SITE_RESUME_FOR_MS,
                                .outbox_max_messages = limits->outbox_messages,
                                .outbox_max_bytes = 64 * 1024}},
        .hash = {{7, (uint8_t)life}}, /* so that each life of it has other peer ids */
        .shards = SITE_SHARDS,
        .context = s,
        .hand_over = hand_over,
        .admit = admit,
        .on_gone = on_gone,
        .on_place_free = on_place_free,
        .budget = {.limit = 16 * 1024 * 1024},
    };
    for (int i = 0; i < SITE_GROUPS; i++) {
        int shard = i == SITE_LOBBY ? SESSION_NO_SHARD : i;
        REQUIRE(net_loop_init(&s->loops[i]) == 0);
        REQUIRE(session_group_init(&s->groups[i], &s->shared, &s->loops[i], &session_events, &session_host,
                                   shard) == 0);
    }
}

static void attach_detached(site *s)
{
    for (connection_entry *entry; (entry = STAILQ_FIRST(&s->detached)) != NULL;) {
        STAILQ_REMOVE_HEAD(&s->detached, queued);
        session *moved = session_of(connection_of(entry));
        session_attach(moved, &s->groups[moved->participant.join.next_shard]);
    }
}

void site_close(site *s)
{
    if (!s->is_open)
        return;
    s->is_open = false;
    attach_detached(s);
    for (int i = 0; i < SITE_GROUPS; i++) {
        session_group_drop_all(&s->groups[i]);
        net_loop_end_turn(&s->loops[i]);
    }
    attach_detached(s);
    for (int i = 0; i < SITE_GROUPS; i++) {
        session_group_drop_all(&s->groups[i]);
        net_loop_end_turn(&s->loops[i]);
        session_group_deinit(&s->groups[i]);
        net_loop_deinit(&s->loops[i]);
    }
}

void site_say_goodbye(site *s)
{
    for (int i = 0; i < SITE_GROUPS; i++)
        session_close_all(&s->groups[i]);
}

void site_accept(site *s, int fd)
{
    s->opened++;
    const session_start start = {.fd = fd, .id = s->opened, .client = &s->accounts[s->opened % 2]};
    REQUIRE(session_open(&s->groups[SITE_LOBBY], &start) == 0);
}

bool site_turn(site *s)
{
    s->moved = 0;
    for (int i = 0; i < SITE_GROUPS; i++) {
        net_loop *loop = &s->loops[i];
        if (loop->timer_due_ms <= site_now_ms)
            loop->timer_due_ms = UINT64_MAX; /* as the loop does when its timer has fired */
        REQUIRE(net_loop_pass(loop, false) == 0);
        net_loop_end_turn(loop);
    }
    attach_detached(s);
    return s->moved > 0;
}

uint64_t site_next_due_ms(const site *s)
{
    uint64_t due_ms = UINT64_MAX;
    for (int i = 0; i < SITE_GROUPS; i++) {
        if (s->loops[i].timer_due_ms < due_ms)
            due_ms = s->loops[i].timer_due_ms;
    }
    return due_ms;
}

void site_require_empty(const site *s)
{
    REQUIRE(s->opened == s->gone);
    REQUIRE(s->shared.budget.taken == 0);
    for (int i = 0; i < SITE_GROUPS; i++) {
        const session_group *group = &s->groups[i];
        REQUIRE(group->connections.count == 0);
        REQUIRE(group->connections.output_bytes == 0);
        REQUIRE(counter_get(&group->counters.away) == 0);
        if (i == SITE_LOBBY)
            continue;
        const room_counts counts = room_manager_counts(group->rooms.manager);
        REQUIRE(counts.rooms == 0);
        REQUIRE(counts.members == 0);
        REQUIRE(counts.waiters == 0);
        REQUIRE(counts.pending_messages == 0);
        REQUIRE(counts.pending_bytes == 0);
    }
}
