/* The host: what the sessions of one thread share, and what its RoomManager reports and asks for. */
#include "protocol/message.h"
#include "session/session_log.h"

static const char log_namespace[] = "HomeCall_Signal_Rooms";

/* ---- What the rooms make happen ---- */

static bool reserve(void *context, size_t len)
{
    session_budget *budget = ((session_host *)context)->budget;
    uint64_t before = atomic_fetch_add_explicit(&budget->used, len, memory_order_relaxed);
    if (before + len <= budget->limit)
        return true;
    atomic_fetch_sub_explicit(&budget->used, len, memory_order_relaxed);
    return false;
}

static void release(void *context, size_t len)
{
    session_budget *budget = ((session_host *)context)->budget;
    atomic_fetch_sub_explicit(&budget->used, len, memory_order_relaxed);
}

static void count_signal(session_counters *counters, const room_signal_report *report)
{
    counter_add(&counters->signals[report->kind - MESSAGE_OFFER][report->outcome], 1);
    if (report->failure != ROOM_FAILURE_NONE)
        counter_add(&counters->failures[report->failure], 1);
    if (report->outcome == ROOM_SIGNAL_DELIVERED)
        counter_histogram_add(&counters->queue_wait_ms, report->waited_ms, 1);
    if (report->is_first && report->kind == MESSAGE_ANSWER)
        counter_histogram_add(&counters->call_setup_ms, report->room_age_ms, 1);
}

/* PROTOCOL.md, rule 3: every attempt is logged. */
static void on_signal(void *context, const room_signal_report *report)
{
    static const char *const outcomes[] = {
        [ROOM_SIGNAL_RELAYED] = "relayed",     [ROOM_SIGNAL_QUEUED] = "queued",
        [ROOM_SIGNAL_DELIVERED] = "delivered", [ROOM_SIGNAL_REFUSED] = "refused",
        [ROOM_SIGNAL_DROPPED] = "dropped",
    };
    session_host *host = context;
    count_signal(&host->counters, report);
    if (!log_is_on(LOG_INFO))
        return;

    log_field fields[9];
    size_t count = 0;
    if (report->from_peer != NULL)
        fields[count++] = LOG_NUMBER("conn", report->from_peer->face->id(report->from_peer));
    fields[count++] = LOG_PRIVATE("room", report->room);
    fields[count++] = LOG_PRIVATE("user", report->from);
    fields[count++] = LOG_LITERAL("kind", message_type_name((message_type)report->kind));
    fields[count++] = LOG_NUMBER("bytes", report->bytes);
    if (report->to_peer != NULL) {
        fields[count++] = LOG_NUMBER("to_conn", report->to_peer->face->id(report->to_peer));
        fields[count++] = LOG_PRIVATE("to", report->to);
    }
    if (report->outcome == ROOM_SIGNAL_DELIVERED)
        fields[count++] = LOG_NUMBER("waited_ms", report->waited_ms);
    if (report->why != NULL)
        fields[count++] = LOG_LITERAL("why", report->why);
    log_event(LOG_INFO, log_namespace, outcomes[report->outcome], fields, count);
}

/* ---- The loop's ticker ---- */

static uint64_t next_due_ms(void *context)
{
    const session_host *host = context;
    return host->rooms == NULL ? UINT64_MAX : room_manager_next_due_ms(host->rooms);
}

static void on_due(void *context, uint64_t now_ms)
{
    session_host *host = context;
    room_manager_tick(host->rooms, now_ms);
}

/* Publish what is here now, for whoever reads the counters. */
static void on_turn_end(void *context)
{
    session_host *host = context;
    if (host->rooms == NULL)
        return;
    room_counts counts = room_manager_counts(host->rooms);
    counter_set(&host->counters.rooms, counts.rooms);
    counter_set(&host->counters.members, counts.members);
    counter_set(&host->counters.waiters, counts.waiters);
    counter_set(&host->counters.pending_messages, counts.pending_messages);
    counter_set(&host->counters.pending_bytes, counts.pending_bytes);
}

/* ---- The host itself ---- */

int session_host_init(session_host *host)
{
    host->loop->events = &session_events;
    host->loop->owner = host;
    host->loop->ticker = (net_ticker){
        .next_due_ms = next_due_ms, .on_due = on_due, .on_turn_end = on_turn_end, .context = host};
    host->rooms = NULL;
    if (host->shard == SESSION_NO_SHARD)
        return 0;

    const room_effects effects = {
        .reserve = reserve,
        .release = release,
        .on_signal = on_signal,
        .context = host,
    };
    return room_manager_new(&host->limits->rooms, &effects, host->hash, &host->rooms);
}

void session_host_deinit(session_host *host)
{
    room_manager_free(host->rooms);
    host->rooms = NULL;
}

static void close_one(connection *c)
{
    connection_close(c, CLOSE_REASON_SERVER_STOPS, "the server stops");
}

void session_host_close_all(session_host *host)
{
    net_loop_each(host->loop, close_one);
}

static void drop_one(connection *c)
{
    connection_drop(c, CLOSE_REASON_SERVER_STOPS, "the server ends");
}

void session_host_drop_all(session_host *host)
{
    net_loop_each(host->loop, drop_one);
}
