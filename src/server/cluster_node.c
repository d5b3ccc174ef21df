#include "server/cluster_node.h"

#include "base/clock.h"
#include "base/log.h"
#include "cluster/courier.h"
#include "server/server_options.h"
#include "server/start_fault.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char log_namespace[] = "HomeCall_Signal_Cluster";

struct cluster_node {
    cluster_settings settings; /* its texts are those of the options */
    cluster_secrets secrets;
    bool opens_rooms;
    node_core *core;  /* owned */
    courier *courier; /* owned */
    void (*wake)(void *context, unsigned worker);
    void *context; /* borrowed */
};

static void wake_worker(void *context, unsigned worker)
{
    const cluster_node *n = context;
    n->wake(n->context, worker);
}

static void wake_courier(void *context)
{
    const cluster_node *n = context;
    if (n->courier != NULL)
        courier_wake(n->courier);
}

/* ---- Making it ---- */

__attribute__((format(printf, 2, 3))) static int refuse(signal_server_fault *fault, const char *format, ...)
{
    char text[sizeof(fault->entry)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    start_fault_set(fault, SIGNAL_SERVER_FAULT_CLUSTER, text, 0);
    return -EINVAL;
}

static int read_files(cluster_node *n, signal_server_fault *fault)
{
    cluster_fault wrong;
    if (cluster_settings_read(&n->settings, &n->secrets, &wrong) == 0)
        return 0;
    return refuse(fault, "%.*s: %s", wrong.value.len < 300 ? (int)wrong.value.len : 300, wrong.value.data,
                  wrong.reason);
}

static int try_engine(const cluster_node *n, const signal_server_options *options, signal_server_fault *fault)
{
    char why[COURIER_FAULT_CAP];
    switch (
        courier_try(&n->settings, &n->secrets, (size_t)options->max_message_bytes + COURIER_HEADROOM, why)) {
    case COURIER_OK:
        return 0;
    case COURIER_AWAY:
        LOG(LOG_WARN, log_namespace, "the engine does not answer", LOG_BYTES("why", slice_of_text(why)));
        return 0;
    case COURIER_REFUSED:
        break;
    }
    return refuse(fault, "%s", why);
}

static int make_core(cluster_node *n, const signal_server_options *options)
{
    static_assert((int)CLUSTER_NAME_MAX <= (int)WIRE_MAX_NODE_NAME, "a name can be said");
    char name[CLUSTER_NAME_MAX + 1];
    cluster_settings_name_node(&n->settings, name);
    node_core_options of_core = {
        .name = slice_of_text(name),
        .version = SLICE_LITERAL(HOMECALL_VERSION),
        .workers = options->workers,
        .serves_alone = n->opens_rooms,
        .hold_ms = options->cluster_hold_ms,
        .limits = {.bytes = NODE_LINK_BYTES, .lane_bytes = NODE_LANE_BYTES},
        .wake_worker = wake_worker,
        .wake_courier = wake_courier,
        .context = n,
    };
    do
        randombytes_buf(&of_core.self, sizeof(of_core.self));
    while (node_id_is_nobody(&of_core.self));
    int error = node_core_new(&of_core, clock_monotonic_ms(), &n->core);
    if (error == 0)
        error = courier_new(n->core, &n->settings, &n->secrets, &n->courier);
    char id[NODE_ID_TEXT_CAP];
    node_id_print(&of_core.self, id);
    if (error == 0)
        LOG(LOG_INFO, log_namespace, "a node of a cluster", LOG_BYTES("name", of_core.name),
            LOG_BYTES("cluster", slice_of_text(n->settings.texts[CLUSTER_NAME])),
            LOG_BYTES("incarnation", slice_of_text(id)));
    return error;
}

int cluster_node_make(const signal_server_options *options, void (*wake)(void *context, unsigned worker),
                      void *context, cluster_node **out, signal_server_fault *fault)
{
    *out = NULL;
    if (options->cluster_url[0] == '\0')
        return 0;
    cluster_node *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return -ENOMEM;
    n->settings = server_options_cluster(options);
    n->opens_rooms = options->cluster_without_engine == SIGNAL_SERVER_ALONE_SERVE;
    n->wake = wake;
    n->context = context;
    int error = sodium_init() < 0 ? -EIO : read_files(n, fault);
    if (error == 0)
        error = try_engine(n, options, fault);
    if (error == 0)
        error = make_core(n, options);
    if (error == 0)
        *out = n;
    else
        cluster_node_free(n);
    return error;
}

worker_cluster_plan cluster_node_plan(const cluster_node *n)
{
    worker_cluster_plan plan = {0};
    if (n == NULL)
        return plan;
    plan.core = n->core;
    plan.opens_rooms = n->opens_rooms;
    memcpy(plan.secret, n->secrets.secret, sizeof(plan.secret));
    return plan;
}

/* JSON has whole numbers up to 2^53: 21 bits for the node, which is drawn at random, and 32 for what it
 * counts. */
uint64_t cluster_node_first_connection(const cluster_node *n)
{
    if (n == NULL)
        return 0;
    const uint8_t *drawn = node_core_self(n->core)->bytes;
    return ((uint64_t)(drawn[0] & 0x1F) << 16 | (uint64_t)drawn[1] << 8 | drawn[2]) << 32;
}

/* ---- Life ---- */

int cluster_node_start(cluster_node *n)
{
    return n == NULL ? 0 : courier_start(n->courier);
}

void cluster_node_read(const cluster_node *n, snapshot_cluster *out)
{
    uint64_t now_ms = clock_monotonic_ms();
    node_core_get_counts(n->core, now_ms, &out->counts);
    courier_get_round_trips(n->courier, &out->engine_rtt_us);
    node_core_view_self(n->core, &out->self);
    out->node_count = node_core_list_nodes(n->core, now_ms, out->nodes);
}

void cluster_node_drain(cluster_node *n)
{
    if (n != NULL)
        node_core_drain(n->core, clock_monotonic_ms());
}

void cluster_node_stop(cluster_node *n)
{
    if (n == NULL || n->courier == NULL)
        return;
    courier_stop(n->courier);
    courier_free(n->courier); /* the library calls nothing any more, and so nobody wakes a worker */
    n->courier = NULL;
}

void cluster_node_free(cluster_node *n)
{
    if (n == NULL)
        return;
    cluster_node_stop(n);
    node_core_free(n->core);
    sodium_memzero(&n->secrets, sizeof(n->secrets));
    free(n);
}
