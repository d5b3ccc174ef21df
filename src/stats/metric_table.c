#include "stats/metric_table.h"

#include "stats/health.h"
#include "stats/metric_cluster.h"
#include "stats/metric_walk.h"

#include <event2/event.h>

/* ---- Rows with numbers of their own kind ---- */

/* The ends of connections, for each possible pair of a reason and a code. */
static void walk_closes(const metric_family *family, const metric_source *source, metric_visit *visit,
                        void *context)
{
    for (int reason = 0; reason < CLOSE_REASONS; reason++)
        for (int slot = 0; slot < CLOSE_CODE_SLOTS; slot++) {
            if (!close_reason_has_slot(reason, slot))
                continue;
            metric_sample sample = {.labels = {close_reason_name(reason), close_code_slot_name(slot)},
                                    .number = counter_get(&source->snapshot->total.net.closes[reason][slot])};
            visit(context, family, &sample);
        }
}

static void walk_build(const metric_family *family, const metric_source *source, metric_visit *visit,
                       void *context)
{
    metric_sample sample = {.labels = {source->snapshot->version, event_get_version()}, .number = 1};
    visit(context, family, &sample);
}

/* ---- Numbers that are computed from others ---- */

static uint64_t is_accepting_paused(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return counter_get(&s->total.acceptor.is_short) != 0;
}

static uint64_t is_overloaded(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return health_is_overloaded(s);
}

static uint64_t is_draining(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return s->is_draining;
}

static uint64_t is_ready(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return health_is_ready(s, NULL, NULL);
}

static uint64_t buffered_bytes(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return counter_get(&s->total.net.held_bytes) + s->budget_used;
}

/* Sessions that wait in the thread's mailbox. The two counters were not read at the same moment, so `taken`
 * may be the larger one. */
static uint64_t mailbox_depth(const snapshot *s, const snapshot_thread *thread)
{
    (void)s;
    uint64_t pushed = counter_get(&thread->counters.mailbox.pushed);
    uint64_t taken = counter_get(&thread->counters.mailbox.taken);
    return pushed > taken ? pushed - taken : 0;
}

/* ---- The words of labels ---- */

#define NTH(index)            METRIC_NTH(index)
#define NTH_ROW(index, width) METRIC_NTH_ROW(index, width)
#define IN_TOTAL(member)      .offset = METRIC_TOTAL(member)
#define TOTAL(member)         METRIC_TOTAL(member)

/* All ends for one reason, with any code. */
#define CLOSES(reason) .offset = TOTAL(net.closes[reason]), .others = CLOSE_CODE_SLOTS - 1

/* clang-format off */
static const metric_word states[] = {
    {"handshake", NTH(NET_PHASE_HANDSHAKE)},
    {"open", NTH(NET_PHASE_OPEN)},
    {"closing", NTH(NET_PHASE_CLOSING)},
    {0}};

static const metric_word transports[] = {
    {"plain", NTH_ROW(NET_TRANSPORT_PLAIN, NET_PHASES)},
    {"tls", NTH_ROW(NET_TRANSPORT_TLS, NET_PHASES)},
    {0}};

static const metric_word handshake_codes[] = {
    {"101", NTH(NET_HANDSHAKE_101)},
    {"200", NTH(NET_HANDSHAKE_200)},
    {"400", NTH(NET_HANDSHAKE_400)},
    {"403", NTH(NET_HANDSHAKE_403)},
    {"404", NTH(NET_HANDSHAKE_404)},
    {"405", NTH(NET_HANDSHAKE_405)},
    {"426", NTH(NET_HANDSHAKE_426)},
    {"429", NTH(NET_HANDSHAKE_429)},
    {"431", NTH(NET_HANDSHAKE_431)},
    {"503", NTH(NET_HANDSHAKE_503)},
    {0}};

static const metric_word join_results[] = {
    {"joined", NTH(SESSION_JOIN_JOINED)},
    {"full", NTH(SESSION_JOIN_FULL)},
    {"not_allowed", NTH(SESSION_JOIN_NOT_ALLOWED)},
    {0}};

static const metric_word leave_reasons[] = {
    {"left", NTH(SESSION_LEAVE_LEFT)},
    {"moved", NTH(SESSION_LEAVE_MOVED)},
    {"lost", NTH(SESSION_LEAVE_LOST)},
    {"silent", NTH(SESSION_LEAVE_SILENT)},
    {0}};

static const metric_word resume_results[] = {
    {"resumed", NTH(SESSION_RESUME_RESUMED)},
    {"failed", NTH(SESSION_RESUME_FAILED)},
    {"replaced", NTH(SESSION_RESUME_REPLACED)},
    {0}};

static const metric_word signal_types[] = {
    {"offer", NTH_ROW(SIGNAL_OFFER, ROOM_OUTCOMES)},
    {"answer", NTH_ROW(SIGNAL_ANSWER, ROOM_OUTCOMES)},
    {"candidate", NTH_ROW(SIGNAL_CANDIDATE, ROOM_OUTCOMES)},
    {"signal", NTH_ROW(SIGNAL_DATA, ROOM_OUTCOMES)},
    {"hangup", NTH_ROW(SIGNAL_HANGUP, ROOM_OUTCOMES)},
    {"error", NTH_ROW(SIGNAL_ERROR, ROOM_OUTCOMES)},
    {0}};

static const metric_word outcomes[] = {
    {"relayed", NTH(ROOM_SIGNAL_RELAYED)},
    {"queued", NTH(ROOM_SIGNAL_QUEUED)},
    {"delivered", NTH(ROOM_SIGNAL_DELIVERED)},
    {"refused", NTH(ROOM_SIGNAL_REFUSED)},
    {"dropped", NTH(ROOM_SIGNAL_DROPPED)},
    {0}};

static const metric_word failure_causes[] = {
    {"not_in_room", IN_TOTAL(session.not_in_room)},
    {"queue_full", IN_TOTAL(session.failures[ROOM_FAILURE_QUEUE_FULL])},
    {"budget_used_up", IN_TOTAL(session.failures[ROOM_FAILURE_BUDGET_USED_UP])},
    {"no_memory", IN_TOTAL(session.failures[ROOM_FAILURE_NO_MEMORY])},
    {"receiver_ending", IN_TOTAL(session.failures[ROOM_FAILURE_RECEIVER_ENDING])},
    {"sender_left", IN_TOTAL(session.failures[ROOM_FAILURE_SENDER_LEFT])},
    {"expired", IN_TOTAL(session.failures[ROOM_FAILURE_EXPIRED])},
    {"server_stops", IN_TOTAL(session.failures[ROOM_FAILURE_SERVER_STOPS])},
    {"sender_lost", IN_TOTAL(session.failures[ROOM_FAILURE_SENDER_LOST])},
    {"not_understood", IN_TOTAL(session.failures[ROOM_FAILURE_NOT_UNDERSTOOD])},
    {"nobody_there", IN_TOTAL(session.failures[ROOM_FAILURE_NOBODY_THERE])},
    {"merged", IN_TOTAL(session.failures[ROOM_FAILURE_MERGED])},
    {0}};

static const metric_word limits[] = {
    {"max_connections", IN_TOTAL(acceptor.over_limit)},
    {"max_connections_per_address", IN_TOTAL(acceptor.over_address)},
    {"connect_rate", IN_TOTAL(acceptor.over_rate)},
    {"guess_rate", IN_TOTAL(session.guesses_held)},
    {"unanswered", IN_TOTAL(acceptor.unanswered)},
    {"message_rate", CLOSES(CLOSE_REASON_FLOOD)},
    {"rate_per_address", CLOSES(CLOSE_REASON_ADDRESS_FLOOD)},
    {"fault_burst", CLOSES(CLOSE_REASON_INVALID_MESSAGES)},
    {"max_message_bytes", CLOSES(CLOSE_REASON_TOO_BIG)},
    {"ice_rate", IN_TOTAL(net.handshakes[NET_HANDSHAKE_429])},
    {"max_request_head_bytes", IN_TOTAL(net.handshakes[NET_HANDSHAKE_431])},
    {"max_output_bytes", CLOSES(CLOSE_REASON_NOT_READ)},
    {"max_buffered_bytes", CLOSES(CLOSE_REASON_HELD_MOST)},
    {"message_timeout", CLOSES(CLOSE_REASON_SLOW_MESSAGE)},
    {"room_capacity", IN_TOTAL(session.joins[SESSION_JOIN_FULL])},
    {"pending_queue", IN_TOTAL(session.failures[ROOM_FAILURE_QUEUE_FULL])},
    {"pending_total", IN_TOTAL(session.failures[ROOM_FAILURE_BUDGET_USED_UP])},
    {"pending_address", IN_TOTAL(session.over_address_budget)},
    {"handshake_timeout", CLOSES(CLOSE_REASON_HANDSHAKE_TIMEOUT)},
    {"pong_timeout", CLOSES(CLOSE_REASON_SILENT)},
    {"descriptors", IN_TOTAL(acceptor.pauses)},
    {"log_rate_per_address", .offset = offsetof(snapshot, log_lines_left_out)},
    {"overload_join", CLOSES(CLOSE_REASON_OVERLOADED)},
    {"overload_accept", IN_TOTAL(acceptor.overload_pauses)},
    {0}};

/* ---- The table ---- */

/* Where a family's numbers are. */
#define ONE(member)           .walk = metric_walk_one, .at = offsetof(snapshot, member)
#define PROCESS(member)       .walk = metric_walk_process, .at = offsetof(process_stats, member)
#define THREADS(member) \
    .labels = {"thread"}, .walk = metric_walk_threads, .at = offsetof(snapshot_thread, member)
#define COMPUTED(function)    .walk = metric_walk_computed, .compute = (function)
#define BY(label, list, from) .labels = {label}, .words = {list}, .walk = metric_walk_words, .at = (from)
#define BY_BOTH(label, list, label2, list2, from) \
    .labels = {label, label2}, .words = {list, list2}, .walk = metric_walk_pairs, .at = (from)

#define COUNTER   METRIC_COUNTER
#define GAUGE     METRIC_GAUGE
#define HISTOGRAM METRIC_HISTOGRAM
#define PLAIN     METRIC_PLAIN
#define BYTES     METRIC_BYTES
#define US        METRIC_MICROSECONDS
#define MS        METRIC_MILLISECONDS

static const metric_family metric_table[] = {
    {"connections", GAUGE, PLAIN, "Connections that are open now.",
        BY_BOTH("state", states, "transport", transports, TOTAL(net.connections))},
    {"accepted_connections", COUNTER, PLAIN, "Connections accepted.", ONE(total.session.accepted)},
    {"handshakes", COUNTER, PLAIN, "Requests answered, by status code: 101 is an upgrade, 200 is GET /ice.",
        BY("code", handshake_codes, TOTAL(net.handshakes))},
    {"closes", COUNTER, PLAIN, "Connections ended, by reason and close code (1006: without a close frame).",
        .labels = {"reason", "code"}, .walk = walk_closes},

    {"tls_handshakes", COUNTER, PLAIN, "TLS handshakes that were completed.", ONE(total.net.tls_handshakes)},
    {"tls_handshake_failures", COUNTER, PLAIN, "TLS handshakes that failed.",
        ONE(total.net.tls_failures)},
    {"certificate_expiry_timestamp_seconds", GAUGE, METRIC_SECONDS,
        "When the certificate expires, as Unix time; 0 without a certificate.",
        ONE(certificate_ends_s)},
    {"joins", COUNTER, PLAIN, "Joins by result; a join that repeats the one before does not count.",
        BY("result", join_results, TOTAL(session.joins))},
    {"takeovers", COUNTER, PLAIN, "Members replaced by the same user from a new connection.",
        ONE(total.session.leaves[SESSION_LEAVE_TAKEN_OVER])},
    {"leaves", COUNTER, PLAIN, "Members that left their room, by reason; takeovers do not count.",
        BY("reason", leave_reasons, TOTAL(session.leaves))},
    {"rooms", GAUGE, PLAIN, "Rooms that exist now.", ONE(total.session.rooms)},
    {"members", GAUGE, PLAIN, "Users that are in a room now.", ONE(total.session.members)},
    {"members_away", GAUGE, PLAIN, "Users in a room now whose session is kept without a connection.",
        ONE(total.session.away)},
    {"resumes", COUNTER, PLAIN, "Clients of version 2 that came back with a token, by result.",
        BY("result", resume_results, TOTAL(session.resumes))},
    {"waiters", GAUGE, PLAIN, "Newcomers that wait before a full room now.", ONE(total.session.waiters)},

    {"signals", COUNTER, PLAIN, "Signals by outcome; a queued one is delivered or dropped later.",
        BY_BOTH("type", signal_types, "outcome", outcomes, TOTAL(session.signals))},
    {"signal_setbacks", COUNTER, PLAIN, "Signals refused or dropped, by cause.",
        BY("cause", failure_causes, 0)},
    {"invalid_messages", COUNTER, PLAIN, "Messages that were answered with Invalid message.",
        ONE(total.session.invalid_messages)},
    {"client_errors", COUNTER, PLAIN, "Faults that clients reported.", ONE(total.session.client_errors)},
    {"queue_messages", GAUGE, PLAIN, "Signals that wait now for somebody to join.",
        ONE(total.session.pending_messages)},
    {"queue_bytes", GAUGE, BYTES, "Size of the signals that wait now.", ONE(total.session.pending_bytes)},
    {"queue_budget_bytes", GAUGE, BYTES, "Limit of queue_bytes: PENDING_MAX_TOTAL_BYTES.",
        ONE(budget_limit)},

    {"relay_latency_seconds", HISTOGRAM, US, "Time from reading a signal to writing it to its receiver.",
        ONE(total.net.relay_us)},
    {"queue_wait_seconds", HISTOGRAM, MS, "Time from queueing a signal to its delivery.",
        ONE(total.session.queue_wait_ms)},
    {"call_setup_seconds", HISTOGRAM, MS, "Time from the first join of a room to its first answer.",
        ONE(total.session.call_setup_ms)},
    {"ping_rtt_seconds", HISTOGRAM, US, "Time from a ping to its pong.", ONE(total.net.ping_rtt_us)},

    {"received_bytes", COUNTER, BYTES, "Bytes read from clients.", ONE(total.net.bytes_in)},
    {"sent_bytes", COUNTER, BYTES, "Bytes written to clients.", ONE(total.net.bytes_out)},
    {"received_messages", COUNTER, PLAIN, "Messages from clients.", ONE(total.net.messages_in)},
    {"sent_messages", COUNTER, PLAIN, "Messages to clients.", ONE(total.net.messages_out)},
    {"pings_sent", COUNTER, PLAIN, "Pings to clients.", ONE(total.net.pings)},
    {"buffered_bytes", GAUGE, BYTES, "Memory of all buffers and queues of clients now.",
        COMPUTED(buffered_bytes)},
    {"buffered_limit_bytes", GAUGE, BYTES, "Limit of buffered_bytes: MAX_BUFFERED_BYTES.",
        ONE(buffered_limit)},
    {"output_backlog_bytes", GAUGE, BYTES, "Bytes that wait now for clients that do not read fast enough.",
        ONE(total.net.backlog_bytes)},
    {"output_backlog_connections", GAUGE, PLAIN, "Clients that do not read fast enough now.",
        ONE(total.net.backlog_connections)},

    {"loop_lag_seconds", HISTOGRAM, US,
        "How long the turns of all loops took, and so how long other clients had to wait.",
        ONE(total.loop.lag_us)},
    {"thread_lag_max_seconds", GAUGE, US, "The longest turn of the last ten to twenty seconds.",
        THREADS(counters.loop.lag_max_us)},
    {"thread_turns", COUNTER, PLAIN, "Turns of the thread's loop.", THREADS(counters.loop.turns)},
    {"thread_busy_seconds", COUNTER, US, "How long all turns took together.",
        THREADS(counters.loop.lag_us.sum)},
    {"thread_cpu_seconds", COUNTER, US, "Processor time of the thread.", THREADS(cpu_us)},
    {"mailbox_depth", GAUGE, PLAIN, "Connections in the mailbox of the thread now.",
        THREADS(counters.mailbox), .compute = mailbox_depth},
    {"handovers", COUNTER, PLAIN, "Connections handed from one thread to another.",
        ONE(total.session.handed_over)},

    {"limits_hit", COUNTER, PLAIN, "How often a limit took effect.", BY("limit", limits, 0)},
    {"accepting_paused", GAUGE, PLAIN, "1 while descriptors or memory are used up.",
        COMPUTED(is_accepting_paused)},
    {"deaf_sockets", GAUGE, PLAIN, "Listening sockets that can't be watched now.",
        ONE(total.acceptor.deaf_sockets)},
    {"overloaded", GAUGE, PLAIN, "1 while joins are refused and nobody is accepted: OVERLOAD_LAG_MS.",
        COMPUTED(is_overloaded)},
    {"overloads", COUNTER, PLAIN, "How often a thread was overloaded.", ONE(total.loop.overloads)},
    {"draining", GAUGE, PLAIN, "1 while the server stops.", COMPUTED(is_draining)},
    {"ready", GAUGE, PLAIN, "1 while new connections should come here, as in /readyz.", COMPUTED(is_ready)},
    {"log_lines_dropped", COUNTER, PLAIN, "Log lines that could not be written.", ONE(log_lines_dropped)},
    {"build", METRIC_INFO, PLAIN, "Name and version of the program.", .labels = {"version", "libevent"},
        .walk = walk_build},

    {"process_cpu_seconds", COUNTER, US, "Processor time of the process.", PROCESS(cpu_us)},
    {"process_resident_memory_bytes", GAUGE, BYTES, "Memory in use.", PROCESS(resident_bytes)},
    {"process_virtual_memory_bytes", GAUGE, BYTES, "Address space.", PROCESS(virtual_bytes)},
    {"process_open_fds", GAUGE, PLAIN, "Open descriptors.", PROCESS(open_descriptors)},
    {"process_max_fds", GAUGE, PLAIN, "Limit of open descriptors.", PROCESS(max_descriptors)},
    {"process_threads", GAUGE, PLAIN, "Threads of the process.", PROCESS(threads)},
    {"process_start_time_seconds", GAUGE, MS, "When the process was started, since 1970-01-01T00:00:00Z.",
        PROCESS(started_utc_ms)},
};
/* clang-format on */

static const size_t metric_table_size = sizeof(metric_table) / sizeof(metric_table[0]);

/* ---- Reading the table ---- */

size_t metric_family_count(const snapshot *s)
{
    return metric_table_size + (s->cluster != NULL ? metric_cluster_table_size : 0);
}

const metric_family *metric_family_at(size_t i)
{
    return i < metric_table_size ? &metric_table[i] : &metric_cluster_table[i - metric_table_size];
}

void metric_family_walk(const metric_family *family, const metric_source *source, metric_visit *visit,
                        void *context)
{
    family->walk(family, source, visit, context);
}

const char *metric_family_prefix(const metric_family *family)
{
    return family->walk == metric_walk_process ? "" : "homecall_signal_";
}

const char *metric_family_suffix(const metric_family *family)
{
    if (family->kind == METRIC_COUNTER)
        return "_total";
    return family->kind == METRIC_INFO ? "_info" : "";
}

const char *metric_unit_name(metric_unit unit)
{
    static const char *const names[] = {[METRIC_BYTES] = "bytes",
                                        [METRIC_SECONDS] = "seconds",
                                        [METRIC_MICROSECONDS] = "seconds",
                                        [METRIC_MILLISECONDS] = "seconds"};
    return names[unit];
}

int metric_unit_decimals(metric_unit unit)
{
    static const int decimals[] = {[METRIC_MICROSECONDS] = 6, [METRIC_MILLISECONDS] = 3};
    return decimals[unit];
}
