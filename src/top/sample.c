#include "top/sample.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- What the numbers are called ---- */

/* A number of the sample: the sum of all numbers of a metric, or of those with one word of its label. */
typedef struct number_row {
    const char *metric;
    const char *word; /* NULL = all of them */
    size_t at;        /* of a double in a sample */
} number_row;

#define AT(member) offsetof(sample, member)

static const number_row numbers[] = {
    {"draining", NULL, AT(is_draining)},
    {"accepting_paused", NULL, AT(is_accepting_paused)},
    {"connections", "open", AT(open)},
    {"connections", "handshake", AT(handshake)},
    {"connections", "closing", AT(closing)},
    {"accepted_connections_total", NULL, AT(accepted)},
    {"rooms", NULL, AT(rooms)},
    {"members", NULL, AT(members)},
    {"members_away", NULL, AT(away)},
    {"waiters", NULL, AT(waiters)},
    {"joins_total", "joined", AT(joined)},
    {"handovers_total", NULL, AT(handed_over)},
    {"queue_messages", NULL, AT(queue_messages)},
    {"queue_bytes", NULL, AT(queue_bytes)},
    {"queue_budget_bytes", NULL, AT(queue_budget_bytes)},
    {"output_backlog_bytes", NULL, AT(backlog_bytes)},
    {"output_backlog_connections", NULL, AT(backlog_connections)},
    {"received_messages_total", NULL, AT(messages_in)},
    {"sent_messages_total", NULL, AT(messages_out)},
    {"received_bytes_total", NULL, AT(bytes_in)},
    {"sent_bytes_total", NULL, AT(bytes_out)},
    {"process_cpu_seconds_total", NULL, AT(cpu_seconds)},
    {"process_resident_memory_bytes", NULL, AT(memory_bytes)},
    {"process_open_fds", NULL, AT(descriptors)},
    {"process_max_fds", NULL, AT(max_descriptors)},
    {"process_start_time_seconds", NULL, AT(started_seconds)},
    {"log_lines_dropped_total", NULL, AT(log_lines_dropped)},
    {"cluster_engine_connected", NULL, AT(has_engine)},
    {"cluster_rooms_owned", NULL, AT(rooms_owned)},
    {"cluster_bindings_elsewhere", NULL, AT(bindings_elsewhere)},
    {"cluster_members_from_elsewhere", NULL, AT(members_from_elsewhere)},
    {"cluster_claims_said_total", NULL, AT(claims)},
    {"cluster_link_resends_total", NULL, AT(resends)},
};

static const char *const signals[SAMPLE_SIGNALS] = {
    [SAMPLE_OFFER] = "offer", [SAMPLE_ANSWER] = "answer", [SAMPLE_CANDIDATE] = "candidate"};

static const char *const outcomes[SAMPLE_OUTCOMES] = {
    [SAMPLE_RELAYED] = "relayed", [SAMPLE_QUEUED] = "queued",   [SAMPLE_DELIVERED] = "delivered",
    [SAMPLE_REFUSED] = "refused", [SAMPLE_DROPPED] = "dropped",
};

static const char *const latencies[SAMPLE_LATENCIES] = {
    [SAMPLE_RELAY] = "relay_latency_seconds",   [SAMPLE_QUEUE_WAIT] = "queue_wait_seconds",
    [SAMPLE_CALL_SETUP] = "call_setup_seconds", [SAMPLE_PING_RTT] = "ping_rtt_seconds",
    [SAMPLE_LOOP_LAG] = "loop_lag_seconds",
};

/* ---- Reading ---- */

/* The member of this name; NULL if there is none, or if `object` is no object. */
static const cJSON *find(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

static double read_number(const cJSON *item)
{
    bool is_good = cJSON_IsNumber(item) && isfinite(item->valuedouble) && item->valuedouble > 0;
    return is_good ? item->valuedouble : 0;
}

/* The sum of a metric over its labels, of which it has two at most. */
/* NOLINTNEXTLINE(misc-no-recursion): `labels` bounds it */
static double read_sum(const cJSON *item, int labels)
{
    if (!cJSON_IsObject(item))
        return read_number(item);
    double sum = 0;
    for (const cJSON *child = item->child; child != NULL && labels > 0; child = child->next)
        sum += read_sum(child, labels - 1);
    return sum;
}

static void read_text(char *out, size_t size, const cJSON *item)
{
    snprintf(out, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

static void read_words(sample_words *out, const cJSON *metric)
{
    const cJSON *child = cJSON_IsObject(metric) ? metric->child : NULL;
    for (; child != NULL && out->size < SAMPLE_MAX_WORDS; child = child->next) {
        struct sample_word *word = &out->words[out->size++];
        snprintf(word->name, sizeof(word->name), "%s", child->string);
        word->count = read_sum(child, 1);
    }
}

static void read_histogram(sample_histogram *out, const cJSON *metric)
{
    out->count = read_number(find(metric, "count"));
    const cJSON *buckets = find(metric, "buckets");
    const cJSON *pair = cJSON_IsArray(buckets) ? buckets->child : NULL;
    for (; pair != NULL && out->size < SAMPLE_MAX_BOUNDS; pair = pair->next) {
        if (!cJSON_IsArray(pair))
            return;
        out->bounds[out->size] = read_number(cJSON_GetArrayItem(pair, 0));
        out->within[out->size] = read_number(cJSON_GetArrayItem(pair, 1));
        out->size++;
    }
}

static void read_threads(sample *out, const cJSON *metrics)
{
    const cJSON *cpu = find(metrics, "thread_cpu_seconds_total");
    const cJSON *depths = find(metrics, "mailbox_depth");
    const cJSON *lags = find(metrics, "thread_lag_max_seconds");
    const cJSON *child = cJSON_IsObject(cpu) ? cpu->child : NULL;
    for (; child != NULL && out->thread_count < SAMPLE_MAX_THREADS; child = child->next) {
        sample_thread *thread = &out->threads[out->thread_count++];
        snprintf(thread->name, sizeof(thread->name), "%s", child->string);
        thread->cpu_seconds = read_number(child);
        thread->mailbox_depth = read_number(find(depths, child->string));
        thread->lag_max_seconds = read_number(find(lags, child->string));
    }
}

static void read_why(sample *out, const cJSON *why)
{
    size_t len = 0;
    const cJSON *reason = cJSON_IsArray(why) ? why->child : NULL;
    for (; reason != NULL && len < sizeof(out->why); reason = reason->next)
        if (cJSON_IsString(reason))
            len += (size_t)snprintf(out->why + len, sizeof(out->why) - len, "%s%s", len > 0 ? "; " : "",
                                    reason->valuestring);
}

static void read_nodes(sample *out, const cJSON *nodes)
{
    const cJSON *item = cJSON_IsArray(nodes) ? nodes->child : NULL;
    for (; item != NULL && out->node_count < SAMPLE_MAX_NODES; item = item->next) {
        sample_node *node = &out->nodes[out->node_count++];
        read_text(node->name, sizeof(node->name), find(item, "name"));
        read_text(node->state, sizeof(node->state), find(item, "state"));
        read_text(node->link, sizeof(node->link), find(item, "link"));
        node->is_draining = cJSON_IsTrue(find(item, "draining"));
        node->held_bytes = read_number(find(item, "held_bytes"));
    }
}

static void read_metrics(sample *out, const cJSON *metrics)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const number_row *row = &numbers[i];
        const cJSON *metric = find(metrics, row->metric);
        double number = read_sum(row->word != NULL ? find(metric, row->word) : metric, 2);
        memcpy((char *)out + row->at, &number, sizeof(number));
    }
    const cJSON *all_signals = find(metrics, "signals_total");
    for (int type = 0; type < SAMPLE_SIGNALS; type++)
        for (int outcome = 0; outcome < SAMPLE_OUTCOMES; outcome++)
            out->signals[type][outcome] =
                read_number(find(find(all_signals, signals[type]), outcomes[outcome]));
    for (int i = 0; i < SAMPLE_LATENCIES; i++)
        read_histogram(&out->latencies[i], find(metrics, latencies[i]));
    read_words(&out->closes, find(metrics, "closes_total"));
    read_words(&out->limits, find(metrics, "limits_hit_total"));
    read_words(&out->losses, find(metrics, "cluster_signals_lost_total"));
    read_threads(out, metrics);
}

int sample_parse(sample *out, const char *text, size_t len)
{
    cJSON *root = cJSON_ParseWithLength(text, len);
    const cJSON *metrics = find(root, "metrics");
    if (!cJSON_IsObject(metrics)) {
        cJSON_Delete(root);
        return -EINVAL;
    }
    memset(out, 0, sizeof(*out));
    read_text(out->version, sizeof(out->version), find(root, "version"));
    out->uptime_seconds = read_number(find(root, "uptime_seconds"));
    out->is_live = cJSON_IsTrue(find(root, "live"));
    out->is_ready = cJSON_IsTrue(find(root, "ready"));
    read_why(out, find(root, "why"));
    read_nodes(out, find(root, "nodes"));
    read_metrics(out, metrics);
    cJSON_Delete(root);
    return 0;
}
