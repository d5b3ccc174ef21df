#include "stats/metric_cluster.h"

#include "stats/metric_walk.h"

#include <string.h>

/* ---- Numbers that are computed from others ---- */

static uint64_t has_engine(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return s->cluster->counts.has_engine;
}

static uint64_t is_hold_over(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    return s->cluster->counts.is_hold_over;
}

/* The first time is no reconnect. */
static uint64_t reconnects(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    uint64_t joined = s->cluster->counts.engine_joined;
    return joined > 0 ? joined - 1 : 0;
}

static uint64_t has_other_version(const snapshot_cluster *c, const node_view *node)
{
    return strcmp(c->self.version, node->version) != 0;
}

static uint64_t other_versions(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    uint64_t count = 0;
    for (size_t i = 0; i < s->cluster->node_count; i++)
        count += has_other_version(s->cluster, &s->cluster->nodes[i]);
    return count;
}

static uint64_t held_bytes(const snapshot *s, const snapshot_thread *thread)
{
    (void)thread;
    uint64_t sum = 0;
    for (size_t i = 0; i < s->cluster->node_count; i++)
        sum += s->cluster->nodes[i].held_bytes;
    return sum;
}

/* The core counts the losses of links, and workers all others. */
static void walk_losses(const metric_family *family, const metric_source *source, metric_visit *visit,
                        void *context)
{
    const snapshot *s = source->snapshot;
    for (int cause = 0; cause < CLUSTER_LOSSES; cause++) {
        metric_sample sample = {.labels = {cluster_loss_name((cluster_loss)cause)},
                                .number = counter_get(&s->total.cluster.losses[cause])};
        if (cause == CLUSTER_LOSS_LINK)
            sample.number += s->cluster->counts.signals_lost;
        visit(context, family, &sample);
    }
}

/* ---- The words of labels ---- */

#define COUNTS(member)    offsetof(snapshot_cluster, counts.member)
#define IN_COUNTS(member) .offset = COUNTS(member)

/* clang-format off */
static const metric_word node_states[] = {
    {"live", IN_COUNTS(members[MEMBER_LIVE])},
    {"doubtful", IN_COUNTS(members[MEMBER_DOUBTFUL])},
    {0}};

static const metric_word link_states[] = {
    {"up", IN_COUNTS(links_up)},
    {"in_doubt", IN_COUNTS(links_in_doubt)},
    {0}};

static const metric_word packet_results[] = {
    {"received", IN_COUNTS(packets_in)},
    {"sent", IN_COUNTS(packets_out)},
    {"bad", IN_COUNTS(packets_bad)},
    {"left_out", IN_COUNTS(packets_left_out)},
    {0}};

static const metric_word merge_results[] = {
    {"given", .offset = METRIC_TOTAL(cluster.owner.given)},
    {"taken", .offset = METRIC_TOTAL(cluster.owner.taken)},
    {"refused", .offset = METRIC_TOTAL(cluster.owner.refused)},
    {0}};

static const metric_word setback_causes[] = {
    {"pushed_out", .offset = METRIC_TOTAL(cluster.owner.pushed_out)},
    {"unreachable", .offset = METRIC_TOTAL(cluster.owner.unlinked)},
    {0}};

/* ---- The table ---- */

/* NOLINTBEGIN(bugprone-macro-parentheses): designators are no expressions */
#define ONE(member)      .walk = metric_walk_cluster, .at = offsetof(snapshot_cluster, member)
#define COMPUTED(how)    .walk = metric_walk_cluster, .compute = (how)
#define SUM(member)      .walk = metric_walk_one, .at = METRIC_TOTAL(cluster.member)
#define BY(label, list)  .labels = {label}, .words = {list}, .walk = metric_walk_cluster_words
#define SUM_BY(label, list) .labels = {label}, .words = {list}, .walk = metric_walk_words
/* NOLINTEND(bugprone-macro-parentheses) */

#define COUNTER   METRIC_COUNTER
#define GAUGE     METRIC_GAUGE
#define HISTOGRAM METRIC_HISTOGRAM
#define PLAIN     METRIC_PLAIN
#define BYTES     METRIC_BYTES
#define US        METRIC_MICROSECONDS
#define MS        METRIC_MILLISECONDS

const metric_family metric_cluster_table[] = {
    {"cluster_engine_connected", GAUGE, PLAIN, "1 while the connection to the engine works.", COMPUTED(has_engine)},
    {"cluster_engine_away_seconds", GAUGE, MS, "How long the engine has been away now; 0 while it is there.",
        ONE(counts.engine_away_ms)},
    {"cluster_engine_reconnects", COUNTER, PLAIN, "How often the engine came back.", COMPUTED(reconnects)},
    {"cluster_engine_rtt_seconds", HISTOGRAM, US, "How long the engine took to answer; it is asked once a second.",
        ONE(engine_rtt_us)},
    {"cluster_hold_over", GAUGE, PLAIN, "1 while the engine has been away for CLUSTER_HOLD.", COMPUTED(is_hold_over)},
    {"cluster_gaps", COUNTER, PLAIN, "How often the engine has left out something, since it was not taken fast enough.",
        ONE(counts.gaps)},
    {"cluster_packets", COUNTER, PLAIN, "Packets of the engine; bad ones could not be read, and some found no place.",
        BY("result", packet_results)},

    {"cluster_nodes", GAUGE, PLAIN, "Other nodes that are there now.", BY("state", node_states)},
    {"cluster_nodes_draining", GAUGE, PLAIN, "Those of them that are about to end.", ONE(counts.draining)},
    {"cluster_nodes_same_name", GAUGE, PLAIN, "Those of them whose name (CLUSTER_NODE) another node has as well.",
        ONE(counts.same_names)},
    {"cluster_nodes_other_version", GAUGE, PLAIN, "Those of them that run another version.", COMPUTED(other_versions)},
    {"cluster_nodes_lost", COUNTER, PLAIN, "Nodes that were silent for too long.", ONE(counts.nodes_lost)},

    {"cluster_links", GAUGE, PLAIN, "Links to other nodes now; those in doubt are up as well.",
        BY("state", link_states)},
    {"cluster_links_lost", COUNTER, PLAIN, "Links that were up, and were lost.", ONE(counts.links_lost)},
    {"cluster_link_resends", COUNTER, PLAIN, "Messages that were said to another node once more.",
        ONE(counts.resends)},
    {"cluster_link_windows_full", COUNTER, PLAIN, "Messages that found no place in their link.",
        ONE(counts.windows_full)},
    {"cluster_link_held_bytes", GAUGE, BYTES, "What was said to other nodes and is not acknowledged now.",
        COMPUTED(held_bytes)},

    {"cluster_rooms_owned", GAUGE, PLAIN, "Rooms that this node owns now.", ONE(counts.owned)},
    {"cluster_bindings_elsewhere", GAUGE, PLAIN, "Clients here whose room is on another node now.",
        SUM(bindings_elsewhere)},
    {"cluster_members_from_elsewhere", GAUGE, PLAIN, "Clients of other nodes in rooms here, or in a line before one.",
        SUM(members_from_elsewhere)},
    {"cluster_claims_said", COUNTER, PLAIN, "Questions whose a room is; some are asked more than once.",
        ONE(counts.claims_said)},
    {"cluster_claims_answered", COUNTER, PLAIN, "Such questions of other nodes that were answered.",
        ONE(counts.claims_answered)},
    {"cluster_claim_seconds", HISTOGRAM, MS, "From the wish for a room to the answer whose it is.",
        ONE(counts.claim_ms)},
    {"cluster_conflicts", COUNTER, PLAIN, "Rooms that turned out to have another owner as well.",
        ONE(counts.conflicts)},
    {"cluster_merges", COUNTER, PLAIN, "Rooms that went from one owner to another one.",
        SUM_BY("result", merge_results)},
    {"cluster_merge_setbacks", COUNTER, PLAIN, "Members who lost their place as rooms became one, by cause.",
        SUM_BY("cause", setback_causes)},
    {"cluster_signals_lost", COUNTER, PLAIN, "Signals that did not come where they should, by cause.",
        .labels = {"cause"}, .walk = walk_losses},
    {"cluster_misdirected", COUNTER, PLAIN, "Messages about rooms of another worker than they came to.",
        SUM(misdirected)},
};
/* clang-format on */

const size_t metric_cluster_table_size = sizeof(metric_cluster_table) / sizeof(metric_cluster_table[0]);
