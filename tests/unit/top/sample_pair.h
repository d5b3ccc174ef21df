/* Two samples of a busy server, two seconds apart, made by hand: what is shown of them is easy to reckon. */
#ifndef HOMECALL_TESTS_UNIT_TOP_SAMPLE_PAIR_H
#define HOMECALL_TESTS_UNIT_TOP_SAMPLE_PAIR_H

#include "top/sample.h"

#include <stdio.h>
#include <string.h>

typedef struct sample_pair {
    sample before, now;
} sample_pair;

static inline void sample_pair_add_word(sample_words *words, const char *name, double count)
{
    struct sample_word *word = &words->words[words->size++];
    snprintf(word->name, sizeof(word->name), "%s", name);
    word->count = count;
}

static inline void sample_pair_add_thread(sample *s, const char *name, double cpu_seconds)
{
    sample_thread *thread = &s->threads[s->thread_count++];
    *thread = (sample_thread){.cpu_seconds = cpu_seconds};
    snprintf(thread->name, sizeof(thread->name), "%.15s", name);
}

/* Bounds of 1, 2, 4 … 128 ms, and the same number of values between each two of them. */
static inline void sample_pair_fill(sample_histogram *h, double in_each)
{
    h->size = 8;
    for (size_t b = 0; b < h->size; b++) {
        h->bounds[b] = (double)(1 << b) / 1e3;
        h->within[b] = in_each * (double)(b + 1);
    }
    h->count = in_each * (double)h->size;
}

static inline void sample_pair_init_before(sample *s)
{
    memset(s, 0, sizeof(*s));
    strcpy(s->version, "0.1.0");
    s->is_live = s->is_ready = true;
    s->uptime_seconds = 93784.5;
    s->started_seconds = 1795602030;
    s->accepted = 5000;
    s->joined = 4000;
    s->handed_over = 3000;
    s->bytes_in = 1 << 30;
    s->bytes_out = 1 << 30;
    s->messages_in = s->messages_out = 1e6;
    s->cpu_seconds = 100;
    s->max_descriptors = 65536;
    s->queue_budget_bytes = 256 << 20;
    sample_pair_add_word(&s->closes, "by_peer", 3000);
    sample_pair_add_word(&s->closes, "lost", 500);
    sample_pair_add_word(&s->closes, "silent", 0);
    sample_pair_add_word(&s->limits, "max_connections", 0);
    sample_pair_add_word(&s->limits, "message_rate", 12);
    sample_pair_add_word(&s->limits, "room_capacity", 3);
    sample_pair_add_thread(s, "worker-0", 40);
    sample_pair_add_thread(s, "worker-1", 30);
    sample_pair_add_thread(s, "worker-2", 20);
    sample_pair_add_thread(s, "acceptor-0", 10);
    s->signals[SAMPLE_OFFER][SAMPLE_RELAYED] = 1000;
    for (int i = 0; i < SAMPLE_LATENCIES; i++)
        sample_pair_fill(&s->latencies[i], 0);
}

/* A node of a cluster, in both samples. */
static inline sample_node *sample_pair_add_node(sample_pair *pair, const char *name, const char *link)
{
    sample_node *node = &pair->now.nodes[pair->now.node_count++];
    *node = (sample_node){.state = "live"};
    snprintf(node->name, sizeof(node->name), "%s", name);
    snprintf(node->link, sizeof(node->link), "%s", link);
    pair->now.has_engine = 1;
    return node;
}

static inline void sample_pair_init(sample_pair *pair)
{
    sample_pair_init_before(&pair->before);
    pair->now = pair->before;
    sample *s = &pair->now;
    s->uptime_seconds += 2;
    s->open = 1234;
    s->handshake = 3;
    s->closing = 1;
    s->accepted += 25;
    s->closes.words[0].count += 16;
    s->closes.words[1].count += 5;
    s->rooms = 617;
    s->members = 1100;
    s->waiters = 2;
    s->joined += 20;
    s->handed_over += 15;
    s->signals[SAMPLE_OFFER][SAMPLE_RELAYED] += 20;
    s->signals[SAMPLE_ANSWER][SAMPLE_RELAYED] = 18;
    s->signals[SAMPLE_CANDIDATE][SAMPLE_RELAYED] = 2468;
    s->signals[SAMPLE_CANDIDATE][SAMPLE_QUEUED] = 7;
    s->signals[SAMPLE_CANDIDATE][SAMPLE_DELIVERED] = 6;
    s->signals[SAMPLE_OFFER][SAMPLE_REFUSED] = 1;
    s->queue_messages = 7;
    s->queue_bytes = 34567;
    s->backlog_bytes = 2048;
    s->backlog_connections = 1;
    s->messages_in += 2600;
    s->messages_out += 2550;
    s->bytes_in += 2 << 20;
    s->bytes_out += 3 << 20;
    sample_pair_fill(&s->latencies[SAMPLE_RELAY], 100);
    sample_pair_fill(&s->latencies[SAMPLE_LOOP_LAG], 1);
    s->limits.words[1].count += 1;
    s->cpu_seconds += 2.4;
    s->memory_bytes = 123 << 20;
    s->descriptors = 1250;
    s->log_lines_dropped = 42;
    s->threads[0].cpu_seconds += 1.9;
    s->threads[1].cpu_seconds += 0.4;
    s->threads[3].cpu_seconds += 0.1;
    s->threads[0].lag_max_seconds = 0.0123;
    s->threads[0].mailbox_depth = 4;
    s->threads[1].lag_max_seconds = 0.00018;
}

#endif
