/* What nodes and rooms are called between nodes: incarnations and room keys. Both are opaque to whoever reads
 * along, and spread evenly, so tables use their first bytes as hash. */
#ifndef HOMECALL_CLUSTER_CLUSTER_IDS_H
#define HOMECALL_CLUSTER_CLUSTER_IDS_H

#include "base/slice.h"
#include "rooms/room_hash.h"

enum { CLUSTER_ID_BYTES = 16, CLUSTER_SECRET_BYTES = 32, CLUSTER_TAG_KEY_BYTES = 16 };

/* An incarnation: one process of the cluster, from its start to its end. Random. All zero is nobody. */
typedef struct node_id {
    uint8_t bytes[CLUSTER_ID_BYTES];
} node_id;

/* Its 32 hexadecimal digits. */
enum { NODE_ID_TEXT_CAP = 2 * CLUSTER_ID_BYTES + 1 };
void node_id_print(const node_id *id, char out[NODE_ID_TEXT_CAP]);

/* A room in all nodes: the keyed hash of its space and its codeword. */
typedef struct room_key {
    uint8_t bytes[CLUSTER_ID_BYTES];
} room_key;

/* Where a room is, or would be: a node, and which of its workers. */
typedef struct room_home {
    node_id node;
    uint16_t worker;
} room_home;

/* The key of a room. `secret` is that of the cluster: without it no codeword can be found by its key. Any
 * thread. */
room_key room_key_of(const uint8_t secret[CLUSTER_SECRET_BYTES], room_space space, slice codeword);

/* The key of the tags of names in logs: the same on all nodes, and of no use for anything else. Any thread.
 */
void cluster_tag_key(const uint8_t secret[CLUSTER_SECRET_BYTES], uint8_t out[CLUSTER_TAG_KEY_BYTES]);

/* Below 0, 0 or above 0, as memcmp(). */
static inline int node_id_compare(const node_id *a, const node_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static inline bool node_id_equals(const node_id *a, const node_id *b)
{
    return node_id_compare(a, b) == 0;
}

static inline bool node_id_is_nobody(const node_id *id)
{
    static const node_id nobody;
    return node_id_equals(id, &nobody);
}

static inline bool room_key_equals(const room_key *a, const room_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Which share of the rooms a room belongs to: every node sees the same in its key, and each node divides the
 * shares among its workers, however many it has. */
static inline uint16_t room_key_share(const room_key *key)
{
    return (uint16_t)(key->bytes[4] << 8 | key->bytes[5]);
}

/* Which of a node's workers has the rooms of a share. */
static inline unsigned room_share_worker(uint16_t share, unsigned workers)
{
    return share * workers >> 16;
}

/* The numbers of bindings and of merges, by which messages find their worker at both ends: that of the worker
 * that has drawn it, the share of the room, and a number that this worker counts up. */
static inline uint64_t cluster_number(uint16_t worker, const room_key *key, uint32_t serial)
{
    return (uint64_t)worker << 48 | (uint64_t)room_key_share(key) << 32 | serial;
}

static inline unsigned cluster_number_worker(uint64_t number)
{
    return (unsigned)(number >> 48);
}

static inline uint16_t cluster_number_share(uint64_t number)
{
    return (uint16_t)(number >> 32);
}

/* For tables. */
static inline unsigned room_key_hash(const room_key *key)
{
    uint32_t first;
    memcpy(&first, key->bytes, sizeof(first));
    return first;
}

#endif
