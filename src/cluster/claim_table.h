/* The rooms that claims know, by their keys, each in one state and in the list of that state. Internal to
 * claims.c, which has the rules. */
#ifndef HOMECALL_CLUSTER_CLAIM_TABLE_H
#define HOMECALL_CLUSTER_CLAIM_TABLE_H

#include "cluster/members.h"
#include "rooms/room_table_link.h"

#include <sys/queue.h>

/* Who is announced to: the member of a slot, or all. */
enum { CLAIM_TO_ALL = MEMBERS_MAX, CLAIM_AUDIENCES };

typedef enum claim_state {
    CLAIM_CLAIMED, /* wanted here, and not decided */
    CLAIM_OWNED,
    CLAIM_LEAVING,  /* ours and empty, kept until `until_ms` for those who were told OWNED */
    CLAIM_PROMISED, /* another node's, which gives it to us */
    CLAIM_LIKELY,   /* another node's, until `until_ms` */
    CLAIM_STATES
} claim_state;

typedef struct claim {
    room_table_link table;
    TAILQ_ENTRY(claim) list; /* of its state */
    room_key key;
    claim_state state;
    bool is_wanted;      /* CLAIMED: on_owner is owed */
    uint16_t worker;     /* CLAIMED, OWNED: ours */
    uint64_t number;     /* CLAIMED: of the claim; 0 = not said yet */
    uint64_t awaited;    /* CLAIMED: a bit for each slot that has not answered */
    uint64_t repeats_ms; /* CLAIMED: when it is said again */
    uint64_t begun_ms;   /* CLAIMED: since when it is wanted */
    uint64_t until_ms;   /* of others; OWNED: until when somebody who was told so may come */
    room_home owner;     /* LIKELY, PROMISED */
} claim;

typedef TAILQ_HEAD(, claim) claim_list;

/* Zeroed and initialised it is empty. */
typedef struct claim_table {
    claim *first;                    /* uthash's head; owned */
    claim_list lists[CLAIM_STATES];  /* LEAVING and LIKELY: the first to end first */
    uint64_t owned;                  /* in that state */
    claim *cursors[CLAIM_AUDIENCES]; /* the next to be announced, of the owned; NULL = none */
} claim_table;

void claim_table_init(claim_table *t);
void claim_table_deinit(claim_table *t);

/* The room of this key, or NULL. */
claim *claim_table_find(const claim_table *t, const room_key *key);

/* One that is not there yet, in this state. NULL without memory. */
claim *claim_table_add(claim_table *t, const room_key *key, claim_state state);

/* The only function that changes a state: behind the others of that state. */
void claim_table_enter_state(claim_table *t, claim *it, claim_state state);

/* Take it out, and free it. */
void claim_table_remove(claim_table *t, claim *it);

#endif
