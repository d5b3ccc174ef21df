#include "cluster/claim_table.h"

#include <stdlib.h>

void claim_table_init(claim_table *t)
{
    *t = (claim_table){0};
    for (int state = 0; state < CLAIM_STATES; state++)
        TAILQ_INIT(&t->lists[state]);
}

claim *claim_table_find(const claim_table *t, const room_key *key)
{
    claim *found;
    unsigned hash = room_key_hash(key);
    HASH_FIND_BYHASHVALUE(table, t->first, key->bytes, sizeof(key->bytes), hash, found);
    return found;
}

/* Whoever was to be announced next is not there any more: the one behind it is next. */
static void advance_cursors(claim_table *t, const claim *gone)
{
    for (int i = 0; i < CLAIM_AUDIENCES; i++) {
        if (t->cursors[i] == gone)
            t->cursors[i] = TAILQ_NEXT(gone, list);
    }
}

static void take_from_list(claim_table *t, claim *it)
{
    if (it->state == CLAIM_OWNED) {
        advance_cursors(t, it);
        t->owned--;
    }
    TAILQ_REMOVE(&t->lists[it->state], it, list);
}

void claim_table_enter_state(claim_table *t, claim *it, claim_state state)
{
    take_from_list(t, it);
    it->state = state;
    TAILQ_INSERT_TAIL(&t->lists[state], it, list);
    t->owned += state == CLAIM_OWNED;
}

void claim_table_remove(claim_table *t, claim *it)
{
    take_from_list(t, it);
    HASH_DELETE(table, t->first, it);
    free(it);
}

claim *claim_table_add(claim_table *t, const room_key *key, claim_state state)
{
    claim *it = calloc(1, sizeof(*it));
    if (it == NULL)
        return NULL;
    it->key = *key;
    it->state = state;
    unsigned hash = room_key_hash(key);
    HASH_ADD_BYHASHVALUE(table, t->first, key, sizeof(it->key), hash, it);
    if (it->table.tbl == NULL) { /* that is how uthash says that there is no memory */
        free(it);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&t->lists[state], it, list);
    t->owned += state == CLAIM_OWNED;
    return it;
}

void claim_table_deinit(claim_table *t)
{
    HASH_CLEAR(table, t->first);
    for (int state = 0; state < CLAIM_STATES; state++) {
        claim *it;
        while ((it = TAILQ_FIRST(&t->lists[state])) != NULL) {
            TAILQ_REMOVE(&t->lists[state], it, list);
            free(it);
        }
    }
}
