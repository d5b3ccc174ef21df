#include "cluster/owner_join.h"

#include "cluster/name_json.h"

#include <assert.h>
#include <errno.h>

void owner_tell_end(owner *o, const node_id *edge, uint64_t binding, wire_end why)
{
    const wire_message m = {.type = WIRE_CLOSE, .code = (uint8_t)why, .binding = binding};
    (void)o->all.events.say(o->all.events.context, edge, &m, true); /* or its link is lost */
}

/* A client that comes again may find that its user has come from elsewhere since. */
static bool is_outdated(const owner *o, const owned_room *room, const remote_kind *kind,
                        const wire_message *m, uint64_t joined_ms)
{
    if (!kind->face.has_users || (m->flags & WIRE_IS_REJOIN) == 0)
        return false;
    const room_member *first =
        room_manager_find_room_members(o->all.manager, room->space, owned_room_name(room));
    for (const room_member *member = first; member != NULL; member = room_member_next(first, member)) {
        const remote *r = remote_of_peer(room_member_peer(member));
        if (remote_kind_of(r)->face.has_users && slice_equals(room_member_user(member), m->user) &&
            r->joined_ms > joined_ms)
            return true;
    }
    return false;
}

static remote *find_former(const owner *o, const owned_room *room, const remote_kind *kind,
                           const wire_message *m)
{
    const room_member *first =
        room_manager_find_room_members(o->all.manager, room->space, owned_room_name(room));
    return kind->find_former == NULL || first == NULL ? NULL : kind->find_former(first, m);
}

/* A client goes on with what it had. */
static void resume(owner *o, remote *r, const remote_id *id, const wire_message *m)
{
    bool was_away = r->away_ms != 0;
    if (!was_away)
        owner_tell_end(o, &r->id.edge, r->id.binding, WIRE_END_REPLACED);
    if (!remote_rebind(r, id)) {
        owner_tell_end(o, &id->edge, id->binding, WIRE_END_NO_MEMORY);
        room_manager_lose(o->all.manager, &r->peer, o->all.now_ms);
        remote_end(r);
        return;
    }
    remote_face_on_entered(&r->peer);
    bool goes_on = remote_kind_of(r)->resume(r, m);
    if (r->peer.member == NULL)
        return; /* it has ended, for want of memory */
    if (goes_on && was_away)
        room_manager_back(o->all.manager, &r->peer, o->all.now_ms);
    else /* it may have been asked by its former edge, and has come instead */
        room_manager_on_alive(o->all.manager, &r->peer, o->all.now_ms);
}

/* A room_join_result, or -ENOMEM. */
static int enter(owner *o, const owned_room *room, remote *r, const wire_message *m)
{
    room_join request = {
        .space = room->space, .room = owned_room_name(room), .user = m->user, .now_ms = o->all.now_ms};
    int result = -ENOMEM;
    if (name_json_make(request.room, &request.room_json) && name_json_make(m->user, &request.user_json))
        result = room_manager_join(o->all.manager, &r->peer, &request);
    name_json_free(&request.room_json);
    name_json_free(&request.user_json);
    return result;
}

static void join(owner *o, const owned_room *room, remote *r, const wire_message *m)
{
    wire_message answer = {.type = WIRE_WAITING};
    switch (enter(o, room, r, m)) {
    case ROOM_JOINED:
        return; /* it was told as it entered */
    case ROOM_WAITING:
        break;
    case ROOM_FULL:
        answer.type = WIRE_FULL;
        break;
    default:
        answer.type = WIRE_CLOSE;
        answer.code = WIRE_END_NO_MEMORY;
    }
    remote_tell(r, &answer);
    if (answer.type != WIRE_WAITING)
        remote_close(r);
}

/* Into a room that is ours. */
static void join_here(owner *o, const node_id *edge, const room_key *key, const wire_message *m)
{
    const remote_kind *kind = o->all.kinds[m->code];
    const remote_id id = {.edge = *edge, .binding = m->binding};
    uint64_t age_ms = m->age_ms < o->all.now_ms ? m->age_ms : o->all.now_ms;
    owned_room *room = owned_rooms_find(o, key);
    if (room == NULL)
        room = owned_rooms_add(o, key, kind->space, m->room);
    if (room == NULL) {
        owner_tell_end(o, edge, m->binding, WIRE_END_NO_MEMORY);
        return;
    }
    if (room->is_given) {
        if (!held_messages_add(&room->held, edge, m))
            owner_tell_end(o, edge, m->binding, WIRE_END_NO_MEMORY);
        return;
    }
    if (is_outdated(o, room, kind, m, o->all.now_ms - age_ms)) {
        owner_tell_end(o, edge, m->binding, WIRE_END_TAKEN_OVER);
        return;
    }
    remote *r = find_former(o, room, kind, m);
    if (r != NULL) {
        resume(o, r, &id, m);
        return;
    }
    r = remotes_open(&o->all, room, &room->remotes, m->code, &id, o->all.now_ms - age_ms);
    if (r == NULL || (kind->open != NULL && !kind->open(r, m->extra, false))) {
        owner_tell_end(o, edge, m->binding, WIRE_END_NO_MEMORY);
        if (r != NULL)
            remote_end(r);
        return;
    }
    join(o, room, r, m);
}

void owner_join(owner *o, const node_id *edge, const wire_message *m)
{
    bool is_sound = m->code < o->all.kind_count && o->all.kinds[m->code]->space == m->space &&
                    (m->user.len > 0 || !o->all.kinds[m->code]->face.has_users) &&
                    remotes_find(&o->all, edge, m->binding) == NULL;
    if (!is_sound) {
        remotes_tell_of(&o->all, WIRE_UNBOUND, edge, m->binding);
        return;
    }
    if (!node_id_equals(edge, &o->self) && !o->all.events.is_linked(o->all.events.context, edge))
        return; /* it was held, and its edge is gone: nobody would ever say that the client is */
    const room_key key = room_key_of(o->secret, (room_space)m->space, m->room);
    switch (o->events.admit(o->events.context, &key)) {
    case CLAIMS_NOT_MINE:
        remotes_tell_of(&o->all, WIRE_NOT_OWNER, edge, m->binding);
        break;
    case CLAIMS_UNDECIDED:
        if (!held_messages_add(&o->undecided, edge, m))
            owner_tell_end(o, edge, m->binding, WIRE_END_NO_MEMORY);
        break;
    case CLAIMS_MINE:
        join_here(o, edge, &key, m);
        break;
    }
}
