#include "stats/stats_json.h"

#include "stats/health.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <time.h>

/* A document that is being made. If something can't be added, it is given up. */
typedef struct document {
    cJSON *metrics; /* borrowed: the object that gets them */
    bool has_failed;
} document;

static double in_base_unit(uint64_t number, metric_unit unit)
{
    static const double ones[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    return (double)number / ones[metric_unit_decimals(unit)];
}

/* The member of this name, which is an object itself. It is made if it is not there. NULL when there is no
 * memory. */
static cJSON *enter(cJSON *object, const char *name)
{
    cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return member != NULL ? member : cJSON_AddObjectToObject(object, name);
}

static bool add_bucket(cJSON *buckets, double bound, uint64_t count)
{
    const double pair[] = {bound, (double)count};
    return cJSON_AddItemToArray(buckets, cJSON_CreateDoubleArray(pair, 2));
}

static bool add_histogram(cJSON *object, const char *name, metric_unit unit, const counter_histogram *h)
{
    cJSON *made = cJSON_AddObjectToObject(object, name);
    cJSON *buckets = cJSON_CreateArray();
    uint64_t count = 0;
    bool is_good = made != NULL && buckets != NULL;
    for (int i = 0; i < HISTOGRAM_BOUNDS && is_good; i++) {
        count += counter_get(&h->buckets[i]);
        is_good = add_bucket(buckets, in_base_unit(counter_histogram_bound(i), unit), count);
    }
    count += counter_get(&h->buckets[HISTOGRAM_BOUNDS]);
    is_good = is_good && cJSON_AddNumberToObject(made, "count", (double)count) != NULL &&
              cJSON_AddNumberToObject(made, "sum", in_base_unit(counter_get(&h->sum), unit)) != NULL;
    if (!cJSON_AddItemToObject(made, "buckets", buckets)) {
        cJSON_Delete(buckets);
        return false;
    }
    return is_good;
}

static void on_sample(void *context, const metric_family *family, const metric_sample *sample)
{
    document *d = context;
    char name[64];
    snprintf(name, sizeof(name), "%s%s", family->name, metric_family_suffix(family));

    cJSON *object = d->metrics;
    const char *last = name;
    for (int i = 0; i < METRIC_MAX_LABELS && family->labels[i] != NULL; i++) {
        object = enter(object, last);
        last = sample->labels[i];
    }
    bool is_good =
        sample->histogram != NULL
            ? add_histogram(object, last, family->unit, sample->histogram)
            : cJSON_AddNumberToObject(object, last, in_base_unit(sample->number, family->unit)) != NULL;
    d->has_failed = d->has_failed || !is_good;
}

static bool add_metrics(cJSON *root, const metric_source *source)
{
    document d = {.metrics = cJSON_AddObjectToObject(root, "metrics")};
    size_t count = metric_family_count(source->snapshot);
    for (size_t i = 0; i < count && d.metrics != NULL && !d.has_failed; i++)
        metric_family_walk(metric_family_at(i), source, on_sample, &d);
    return d.metrics != NULL && !d.has_failed;
}

static bool add_time(cJSON *root, uint64_t utc_ms)
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    char date[32];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    char text[sizeof(date) + 8];
    snprintf(text, sizeof(text), "%s.%03uZ", date, (unsigned)(utc_ms % 1000));
    return cJSON_AddStringToObject(root, "time", text) != NULL;
}

static void on_objection(void *context, const char *reason)
{
    if (context != NULL)
        (void)cJSON_AddItemToArray(context, cJSON_CreateString(reason));
}

static bool add_health(cJSON *root, const snapshot *s)
{
    cJSON *why = cJSON_CreateArray();
    bool is_live = health_is_live(s, on_objection, why);
    bool is_ready = health_is_ready(s, on_objection, why);
    if (cJSON_AddBoolToObject(root, "live", is_live) != NULL &&
        cJSON_AddBoolToObject(root, "ready", is_ready) != NULL && cJSON_AddItemToObject(root, "why", why))
        return true;
    cJSON_Delete(why);
    return false;
}

/* ---- The nodes of a cluster ---- */

static bool add_node(cJSON *list, const node_view *node, bool is_other)
{
    static const char *const states[] = {
        [MEMBER_LOST] = "lost", [MEMBER_LIVE] = "live", [MEMBER_DOUBTFUL] = "doubtful"};
    static const char *const links[] = {
        [NODE_LINK_DOWN] = "down", [NODE_LINK_UP] = "up", [NODE_LINK_IN_DOUBT] = "in doubt"};
    char id[NODE_ID_TEXT_CAP];
    node_id_print(&node->id, id);
    cJSON *made = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(list, made)) {
        cJSON_Delete(made);
        return false;
    }
    bool is_good = cJSON_AddStringToObject(made, "name", node->name) != NULL &&
                   cJSON_AddStringToObject(made, "incarnation", id) != NULL &&
                   cJSON_AddStringToObject(made, "version", node->version) != NULL &&
                   cJSON_AddStringToObject(made, "state", states[node->state]) != NULL &&
                   cJSON_AddBoolToObject(made, "draining", node->is_draining) != NULL;
    if (!is_other || !is_good)
        return is_good;
    return cJSON_AddStringToObject(made, "link", links[node->link]) != NULL &&
           cJSON_AddNumberToObject(made, "held_bytes", (double)node->held_bytes) != NULL;
}

/* Nothing without a cluster. */
static bool add_cluster(cJSON *root, const snapshot_cluster *c)
{
    if (c == NULL)
        return true;
    cJSON *nodes = cJSON_AddArrayToObject(root, "nodes");
    bool is_good = nodes != NULL && add_node(nodes, &c->self, false);
    for (size_t i = 0; i < c->node_count && is_good; i++)
        is_good = add_node(nodes, &c->nodes[i], true);
    return is_good;
}

static bool add_all(cJSON *root, const metric_source *source, uint64_t utc_ms)
{
    const snapshot *s = source->snapshot;
    return cJSON_AddStringToObject(root, "version", s->version) != NULL &&
           cJSON_AddNumberToObject(root, "uptime_seconds", (double)s->uptime_ms / 1000) != NULL &&
           add_time(root, utc_ms) && add_health(root, s) && add_cluster(root, s->cluster) &&
           add_metrics(root, source);
}

char *stats_json_print(const metric_source *source, uint64_t utc_ms)
{
    cJSON *root = cJSON_CreateObject();
    char *text = add_all(root, source, utc_ms) ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}
