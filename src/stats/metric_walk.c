#include "stats/metric_walk.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(counter) == sizeof(uint64_t), "a counter at rest is read as a plain number");

/* The number at `offset` of `object`. It may be a counter, too: nobody else uses the snapshot. */
static uint64_t number_at(const void *object, size_t offset)
{
    uint64_t number;
    memcpy(&number, (const char *)object + offset, sizeof(number));
    return number;
}

void metric_walk_one(const metric_family *family, const metric_source *source, metric_visit *visit,
                     void *context)
{
    metric_sample sample = {0};
    if (family->kind == METRIC_HISTOGRAM)
        sample.histogram =
            (const counter_histogram *)(const void *)((const char *)source->snapshot + family->at);
    else
        sample.number = number_at(source->snapshot, family->at);
    visit(context, family, &sample);
}

void metric_walk_process(const metric_family *family, const metric_source *source, metric_visit *visit,
                         void *context)
{
    metric_sample sample = {.number = number_at(source->process, family->at)};
    visit(context, family, &sample);
}

void metric_walk_computed(const metric_family *family, const metric_source *source, metric_visit *visit,
                          void *context)
{
    metric_sample sample = {.number = family->compute(source->snapshot, NULL)};
    visit(context, family, &sample);
}

void metric_walk_threads(const metric_family *family, const metric_source *source, metric_visit *visit,
                         void *context)
{
    const snapshot *s = source->snapshot;
    for (size_t i = 0; i < s->thread_count; i++) {
        const snapshot_thread *thread = &s->threads[i];
        metric_sample sample = {.labels = {thread->name}};
        sample.number = family->compute != NULL ? family->compute(s, thread) : number_at(thread, family->at);
        visit(context, family, &sample);
    }
}

static uint64_t number_of_word(const snapshot *s, size_t at, const metric_word *word)
{
    uint64_t number = 0;
    for (unsigned i = 0; i <= word->others; i++)
        number += number_at(s, at + word->offset + i * sizeof(counter));
    return number;
}

void metric_walk_words(const metric_family *family, const metric_source *source, metric_visit *visit,
                       void *context)
{
    for (const metric_word *word = family->words[0]; word->text != NULL; word++) {
        metric_sample sample = {.labels = {word->text},
                                .number = number_of_word(source->snapshot, family->at, word)};
        visit(context, family, &sample);
    }
}

void metric_walk_pairs(const metric_family *family, const metric_source *source, metric_visit *visit,
                       void *context)
{
    for (const metric_word *first = family->words[0]; first->text != NULL; first++)
        for (const metric_word *second = family->words[1]; second->text != NULL; second++) {
            metric_sample sample = {.labels = {first->text, second->text},
                                    .number =
                                        number_of_word(source->snapshot, family->at + first->offset, second)};
            visit(context, family, &sample);
        }
}

void metric_walk_cluster(const metric_family *family, const metric_source *source, metric_visit *visit,
                         void *context)
{
    const snapshot_cluster *cluster = source->snapshot->cluster;
    metric_sample sample = {0};
    if (family->kind == METRIC_HISTOGRAM)
        sample.histogram = (const counter_histogram *)(const void *)((const char *)cluster + family->at);
    else if (family->compute != NULL)
        sample.number = family->compute(source->snapshot, NULL);
    else
        sample.number = number_at(cluster, family->at);
    visit(context, family, &sample);
}

void metric_walk_cluster_words(const metric_family *family, const metric_source *source, metric_visit *visit,
                               void *context)
{
    for (const metric_word *word = family->words[0]; word->text != NULL; word++) {
        metric_sample sample = {.labels = {word->text},
                                .number = number_at(source->snapshot->cluster, family->at + word->offset)};
        visit(context, family, &sample);
    }
}
