#include "session/session_rooms.h"

#include "base/log.h"
#include "dialect/signal_kind.h"

#include <assert.h>

static const char log_namespace[] = "HomeCall_Signal_Rooms";

static session_rooms *rooms_of(net_ticker *ticker)
{
    return (session_rooms *)(void *)((char *)ticker - offsetof(session_rooms, ticker));
}

/* ---- The budget ---- */

static void warn_of_budget(const session_rooms *rooms)
{
    session_budget *budget = rooms->credit.budget;
    if (session_budget_must_warn(budget, net_loop_now_ms(rooms->loop)))
        LOG(LOG_WARN, log_namespace, "more than three quarters of PENDING_MAX_TOTAL_BYTES are used",
            LOG_NUMBER("used", atomic_load_explicit(&budget->taken, memory_order_relaxed)),
            LOG_NUMBER("limit", budget->limit));
}

bool session_rooms_reserve(void *context, uint32_t account, size_t len)
{
    session_rooms *rooms = context;
    session_budget_answer answer = session_credit_take(&rooms->credit, account, len);
    if (answer == SESSION_BUDGET_ADDRESS_FULL)
        counter_add(&rooms->hall->counters->over_address_budget, 1);
    warn_of_budget(rooms);
    return answer == SESSION_BUDGET_GRANTED;
}

void session_rooms_release(void *context, uint32_t account, size_t len)
{
    session_credit_give(&((session_rooms *)context)->credit, account, len);
}

/* ---- Reports of signals ---- */

static void count_signal(session_counters *counters, const room_signal_report *report)
{
    assert(report->kind >= 0 && report->kind < SIGNAL_KINDS);
    counter_add(&counters->signals[report->kind][report->outcome], 1);
    if (report->failure != ROOM_FAILURE_NONE)
        counter_add(&counters->failures[report->failure], 1);
    if (report->outcome == ROOM_SIGNAL_DELIVERED)
        counter_histogram_add(&counters->queue_wait_ms, report->waited_ms, 1);
    if (report->is_first && report->kind == SIGNAL_ANSWER)
        counter_histogram_add(&counters->call_setup_ms, report->room_age_ms, 1);
}

static void log_signal(const room_signal_report *report)
{
    static const char *const outcomes[] = {
        [ROOM_SIGNAL_RELAYED] = "relayed",     [ROOM_SIGNAL_QUEUED] = "queued",
        [ROOM_SIGNAL_DELIVERED] = "delivered", [ROOM_SIGNAL_REFUSED] = "refused",
        [ROOM_SIGNAL_DROPPED] = "dropped",
    };
    const room_peer *from = room_member_peer(report->from);
    const room_member *to = report->to;
    const char *why = room_failure_text(report->failure);
    log_field fields[9];
    size_t count = 0;
    if (from != NULL)
        fields[count++] = LOG_NUMBER("conn", from->face->id(from));
    fields[count++] = LOG_PRIVATE("room", room_member_room(report->from));
    fields[count++] = LOG_PRIVATE("user", room_member_user(report->from));
    fields[count++] = LOG_LITERAL("kind", signal_kind_name((signal_kind)report->kind));
    fields[count++] = LOG_NUMBER("bytes", report->bytes);
    if (to != NULL) {
        const room_peer *to_peer = room_member_peer(to);
        fields[count++] = LOG_NUMBER("to_conn", to_peer->face->id(to_peer));
        fields[count++] = LOG_PRIVATE("to", room_member_user(to));
    }
    if (report->outcome == ROOM_SIGNAL_DELIVERED)
        fields[count++] = LOG_NUMBER("waited_ms", report->waited_ms);
    if (why != NULL)
        fields[count++] = LOG_LITERAL("why", why);
    log_frequent_event(LOG_INFO, log_namespace, outcomes[report->outcome], fields, count);
}

/* protocol/README.md, 1.3: every attempt is logged. */
static void on_signal(void *context, const room_signal_report *report)
{
    const session_rooms *rooms = context;
    count_signal(rooms->hall->counters, report);
    if (!rooms->hall->is_quiet && log_is_on(LOG_INFO))
        log_signal(report);
}

/* ---- Events ---- */

static void on_event(void *context, const room_event *event)
{
    const session_hooks *hooks = &((const session_rooms *)context)->hooks;
    hooks->on_room(hooks->context, event);
}

/* ---- The loop's ticker ---- */

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    (void)now_ms;
    const session_rooms *rooms =
        (const session_rooms *)(const void *)((const char *)ticker - offsetof(session_rooms, ticker));
    return room_manager_next_due_ms(rooms->manager);
}

static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    room_manager_tick(rooms_of(ticker)->manager, now_ms);
}

/* Set the counters that say what there is now. */
static void on_turn_end(net_ticker *ticker, uint64_t took_us)
{
    (void)took_us;
    const session_rooms *rooms = rooms_of(ticker);
    session_counters *counters = rooms->hall->counters;
    const room_counts counts = room_manager_counts(rooms->manager);
    counter_set(&counters->rooms, counts.rooms);
    counter_set(&counters->members, counts.members);
    counter_set(&counters->waiters, counts.waiters);
    counter_set(&counters->pending_messages, counts.pending_messages);
    counter_set(&counters->pending_bytes, counts.pending_bytes);
}

/* ---- Life ---- */

int session_rooms_init(session_rooms *rooms, net_loop *loop, const room_limits *limits,
                       const keyed_hash *hash, session_budget *budget, const dialect_hall *hall,
                       const session_hooks *hooks)
{
    *rooms = (session_rooms){
        .ticker = {.next_due_ms = next_due_ms, .on_due = on_due, .on_turn_end = on_turn_end},
        .loop = loop,
        .hall = hall,
        .hooks = *hooks,
    };
    session_credit_init(&rooms->credit, budget);
    const room_effects effects = {.reserve = session_rooms_reserve,
                                  .release = session_rooms_release,
                                  .on_signal = on_signal,
                                  .on_event = hooks->on_room == NULL ? NULL : on_event,
                                  .context = rooms};
    int error = room_manager_new(limits, &effects, hash, &rooms->manager);
    if (error == 0)
        net_loop_add_ticker(loop, &rooms->ticker);
    return error;
}

void session_rooms_deinit(session_rooms *rooms)
{
    room_manager_free(rooms->manager);
    rooms->manager = NULL;
    session_credit_deinit(&rooms->credit);
}
