/* Members: which nodes live, as one node sees it (CLUSTER.md, who lives).
 *
 * Each node says BEAT every second. Who is silent for 3 s is doubtful, for 5 s lost; who says BYE is lost at
 * once. Silence counts only while our own connection to the engine has worked, and while this process has
 * run: after a stop of either, everybody has its whole time again. A node that has said BYE does not come
 * back, whatever arrives late.
 *
 * Pure, and owned by one thread: time comes as an argument. Members have slots, which stay theirs until they
 * are lost, so that others can keep a bit for each. */
#ifndef HOMECALL_CLUSTER_MEMBERS_H
#define HOMECALL_CLUSTER_MEMBERS_H

#include "cluster/wire.h"

enum {
    MEMBERS_MAX = 64, /* other nodes; a bit of 64 for each */
    MEMBERS_BEAT_MS = 1000,
    MEMBERS_DOUBT_MS = 3000,
    MEMBERS_LOST_MS = 5000,
    MEMBERS_LISTEN_MS = 1500, /* a node listens for so long before it claims */
    MEMBERS_STALL_MS = 1000,  /* a process that was not ticked for so long has stood still */
    MEMBERS_GONE_MAX = 16,    /* so many who said BYE are remembered */
};

typedef enum member_state { MEMBER_LOST, MEMBER_LIVE, MEMBER_DOUBTFUL } member_state;

typedef struct cluster_member {
    node_id id;
    member_state state; /* MEMBER_LOST: the slot is free */
    bool is_draining;
    uint8_t name_len, version_len;
    uint64_t heard_ms; /* the last BEAT */
    char name[WIRE_MAX_NODE_NAME];
    char version[WIRE_MAX_NODE_NAME];
} cluster_member;

typedef struct members_events {
    /* BEAT is due: say it to all. */
    void (*beat)(void *context);
    /* A member has another state than `before`: a new one was MEMBER_LOST. Where it is lost now, its slot is
     * free when this returns. Also called with its state unchanged when it begins to drain. */
    void (*on_change)(void *context, unsigned slot, member_state before);
    void *context; /* borrowed, for both */
} members_events;

typedef struct members {
    node_id self;
    members_events events;
    cluster_member slots[MEMBERS_MAX];
    node_id gone[MEMBERS_GONE_MAX]; /* a ring */
    unsigned gone_at;
    uint64_t engine_since_ms; /* since when silence counts; UINT64_MAX = the engine is away */
    uint64_t listening_ms;    /* since when we listen; UINT64_MAX as above */
    uint64_t ticked_ms;
    uint64_t beat_ms; /* the next one */
} members;

/* Nobody else is there, and the engine is away. `events` are copied. */
void members_init(members *m, const node_id *self, const members_events *events, uint64_t now_ms);

/* The connection to the engine works, or does not any more. */
void members_on_engine(members *m, bool is_there, uint64_t now_ms);

/* A BEAT or BYE has come, from whomever. 0; -EALREADY where it means nothing (our own, or of one who is
 * gone); -ENOSPC where there are too many nodes. */
int members_on_beat(members *m, const wire_message *beat, uint64_t now_ms);
int members_on_bye(members *m, const node_id *from);

/* Do what is due, and when that is next. */
void members_tick(members *m, uint64_t now_ms);
uint64_t members_next_due_ms(const members *m);

/* Have we listened for long enough to claim rooms? */
bool members_may_claim(const members *m, uint64_t now_ms);

/* Is the engine there? */
static inline bool members_has_engine(const members *m)
{
    return m->engine_since_ms != UINT64_MAX;
}

/* The slot of a node, or -1. */
int members_find(const members *m, const node_id *id);

/* A bit for each slot that is not lost: whose answers count. */
uint64_t members_present(const members *m);

/* Has that node said BYE, as far as that is remembered? */
bool members_is_gone(const members *m, const node_id *id);

/* Does another one have the name of this member? That is for the operator: the incarnation decides. */
bool members_shares_name(const members *m, unsigned slot);

#endif
