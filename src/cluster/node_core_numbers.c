/* What the node core shows of itself. */
#include "cluster/node_core_parts.h"

static void copy_text(char out[NODE_NAME_CAP], const char *text, size_t len)
{
    memcpy(out, text, len);
    out[len] = '\0';
}

/* ---- Counts ---- */

static bool has_our_name(const node_core *c, const cluster_member *member)
{
    return slice_equals(slice_of_text(c->name), (slice){member->name, member->name_len});
}

static void count_member(const node_core *c, unsigned slot, node_core_counts *out)
{
    const cluster_member *member = &c->members.slots[slot];
    const node_link *link = c->peers[slot].link;
    out->members[member->state]++;
    out->draining += member->is_draining;
    out->same_names += has_our_name(c, member) || members_shares_name(&c->members, slot);
    out->links_up += link != NULL && link_is_up(link);
    out->links_in_doubt += link != NULL && link_is_in_doubt(link, c->now_ms);
    out->resends += link == NULL ? 0 : link_resends(link);
}

void node_core_get_counts(node_core *c, uint64_t now_ms, node_core_counts *out)
{
    node_core_enter(c, now_ms);
    *out = c->counts;
    out->has_engine = members_has_engine(&c->members);
    out->engine_away_ms = claims_engine_away_ms(c->claims, c->now_ms);
    out->opens_rooms = claims_opens_rooms(c->claims, c->now_ms);
    out->is_hold_over = node_core_is_hold_over(c);
    out->is_draining = c->is_draining;
    out->owned = claims_owned(c->claims);
    out->claim_ms = *claims_decided(c->claims);
    out->resends = c->resends;
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        if (c->members.slots[slot].state != MEMBER_LOST)
            count_member(c, slot, out);
    }
    node_core_leave(c, false);
}

/* ---- Nodes ---- */

static node_link_state state_of(const node_link *link, uint64_t now_ms)
{
    if (link == NULL || !link_is_up(link))
        return NODE_LINK_DOWN;
    return link_is_in_doubt(link, now_ms) ? NODE_LINK_IN_DOUBT : NODE_LINK_UP;
}

size_t node_core_list_nodes(node_core *c, uint64_t now_ms, node_view out[MEMBERS_MAX])
{
    size_t count = 0;
    node_core_enter(c, now_ms);
    for (unsigned slot = 0; slot < MEMBERS_MAX; slot++) {
        const cluster_member *member = &c->members.slots[slot];
        const node_link *link = c->peers[slot].link;
        if (member->state == MEMBER_LOST)
            continue;
        node_view *view = &out[count++];
        *view = (node_view){.id = member->id,
                            .state = member->state,
                            .is_draining = member->is_draining,
                            .link = state_of(link, c->now_ms),
                            .held_bytes = link == NULL ? 0 : link_held(link)};
        copy_text(view->name, member->name, member->name_len);
        copy_text(view->version, member->version, member->version_len);
    }
    node_core_leave(c, false);
    return count;
}

void node_core_view_self(node_core *c, node_view *out)
{
    pthread_mutex_lock(&c->lock);
    *out = (node_view){.id = c->members.self, .state = MEMBER_LIVE, .is_draining = c->is_draining};
    node_core_leave(c, false);
    memcpy(out->name, c->name, sizeof(out->name));
    memcpy(out->version, c->version, sizeof(out->version));
}

const node_id *node_core_self(const node_core *c)
{
    return &c->members.self;
}

unsigned node_core_workers(const node_core *c)
{
    return c->workers;
}
