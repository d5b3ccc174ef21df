/* The session of a client is here, where its room is; the connection is at its edge. So what its client says
 * comes as it was read there (extra_2.h), and what it is told goes there as it is.
 *
 * Where two rooms become one, a session that comes into a room that is there gets a new order and a new id.
 * To tell that by a "joined" on the connection that it has would not do: messages with the old numbers are on
 * their way. So its connection is closed as at a restart, and its client comes back and gets a new session in
 * the place of this one. */
#include "dialect_2/remote_2.h"

#include "cluster/name_json.h"
#include "dialect/rules.h"
#include "dialect_2/answers.h"
#include "dialect_2/extra_2.h"
#include "dialect_2/joining.h"
#include "dialect_2/presence.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/seat_pack.h"
#include "dialect_2/seat_peer.h"
#include "dialect_2/taking.h"

#include <errno.h>

static dialect_hall *hall_of(const remote *r)
{
    return dialect_remote_of(r)->hall;
}

static uint64_t now_of(const remote *r)
{
    return hall_of(r)->now_ms(hall_of(r));
}

/* ---- What the rooms do with it ---- */

static bool hear(room_peer *peer, const room_signal *signal, const room_member *from)
{
    return seat_hear(remote_seat_of(peer)->seat, signal, from);
}

static void on_news(room_peer *peer, const room_news *news)
{
    presence_tell(remote_seat_of(peer)->seat, news);
}

static void on_gone(room_peer *peer)
{
    seat_house_give_back(remote_seat_of(peer)->seat);
}

static void on_dropped(room_peer *peer)
{
    counter_add(&hall_of(remote_of_peer(peer))->counters->leaves[SESSION_LEAVE_SILENT], 1);
    remote_face_on_dropped(peer);
}

/* It has been in another room, and can't go on in this one: see above. */
static void send_back(remote_seat *rs)
{
    remote *r = rs->remote;
    seat *s = rs->seat;
    wire_message m = {.type = WIRE_CLOSE, .code = WIRE_END_MERGED};
    remote_tell(r, &m);
    outbox_skip(&s->outbox, &s->house->bounds); /* so it can't resume */
    if (s->wire == NULL)
        return;
    seat_lose_wire(s, now_of(r));
    r->away_ms = now_of(r);
}

static void begin(remote_seat *rs)
{
    rs->has_joined = true;
    counter_add(&hall_of(rs->remote)->counters->joins[SESSION_JOIN_JOINED], 1);
    answers_joined(rs->seat, false);
}

static void on_entered(room_peer *peer)
{
    remote_seat *rs = remote_seat_of(peer);
    if (rs->next != NULL) {
        seat *former = rs->seat;
        rs->seat = rs->next;
        rs->next = NULL;
        former->peer = &former->own; /* the place is not its any more */
        seat_free(former);
        remote_seat_connect(rs);
        begin(rs);
    } else if (rs->has_joined) {
        send_back(rs);
    } else {
        remote_face_on_entered(peer);
        begin(rs);
    }
}

/* ---- Joining ---- */

static bool read_join(const wire_message *join, remote_client *client, extra_2_join *asked)
{
    extra_reader from = {.rest = join->extra};
    remote_client_read(&from, client);
    return extra_2_take_join(&from, asked);
}

static bool open_anew(remote_seat *rs, slice extra)
{
    extra_2_join asked;
    const wire_message join = {.extra = extra};
    if (!read_join(&join, &rs->client, &asked))
        return false;
    rs->may_have_ice = asked.may_have_ice;
    if (asked.has_shown && asked.has_seen)
        counter_add(&hall_of(rs->remote)->counters->resumes[SESSION_RESUME_FAILED], 1);
    rs->seat = seat_new(remote_seat_house(rs->remote), &rs->remote->peer, NULL, asked.formerly, asked.data);
    if (rs->seat == NULL)
        return false;
    if (asked.has_token)
        seat_inherit_token(rs->seat, &asked.token);
    remote_seat_connect(rs);
    return true;
}

static bool open_moved(remote_seat *rs, slice extra)
{
    remote *r = rs->remote;
    extra_reader from = {.rest = extra};
    remote_client_read(&from, &rs->client);
    rs->has_joined = extra_take(&from, 1) != 0;
    rs->may_have_ice = extra_take(&from, 1) != 0;
    rs->seat = seat_unpack(remote_seat_house(r), &r->peer, now_of(r), &from);
    if (rs->seat == NULL)
        return false;
    if (r->away_ms == 0 && rs->seat->lost_ms != 0)
        return false; /* it can't be both */
    if (r->away_ms == 0)
        remote_seat_connect(rs);
    else if (rs->seat->lost_ms == 0)
        seat_begin_away(rs->seat, r->away_ms);
    else
        r->away_ms = rs->seat->lost_ms;
    return true;
}

static bool open(remote *r, slice extra, bool is_moved)
{
    remote_seat *rs = remote_seat_new(r);
    r->kept = rs;
    return rs != NULL && (is_moved ? open_moved(rs, extra) : open_anew(rs, extra));
}

static void close(remote *r)
{
    if (r->kept != NULL)
        remote_seat_free(r->kept);
    r->kept = NULL;
}

static void pack(const remote *r, bytes **extra)
{
    const remote_seat *rs = r->kept;
    extra_writer w = {.len = 0};
    remote_client_put(&w, &rs->client);
    extra_put(&w, rs->has_joined, 1);
    extra_put(&w, rs->may_have_ice, 1);
    seat_pack(rs->seat, now_of(r), &w);
    (void)bytes_append(extra, w.data, w.len); /* or it does not open where it goes, and its edge is told */
    explicit_bzero(w.data, w.len);
}

/* ---- Coming back ---- */

/* All members are looked at, so that the time tells nothing. */
static remote *find_former(const room_member *first, const wire_message *join)
{
    remote_client client;
    extra_2_join asked;
    remote_seat *found = NULL;
    if (!read_join(join, &client, &asked) || !asked.has_token)
        return NULL;
    for (const room_member *member = first; member != NULL; member = room_member_next(first, member)) {
        const room_peer *peer = room_member_peer(member);
        if (peer->face->send != hear)
            continue;
        remote_seat *rs = remote_seat_of(peer);
        bool is_current = false;
        seat_former former = seat_match_token(rs->seat, &asked.token, &is_current);
        if (!is_current && former == SEAT_FORMER_NONE)
            continue;
        found = rs;
        rs->is_current = is_current;
        rs->resumes = asked.has_seen && joining_can_go_on(rs->seat, former, is_current, asked.seen);
        rs->may_have_ice = asked.may_have_ice;
    }
    return found == NULL ? NULL : found->remote;
}

/* The first thing that a new edge hears, and a new client. */
static void tell_joined(const remote *r, bytes **extra)
{
    const remote_seat *rs = r->kept;
    bool wants_ice = rs->may_have_ice && (!rs->resumes || answers_needs_ice(rs->seat, true, now_of(r)));
    const uint8_t told = wants_ice ? REMOTE_2_WANTS_ICE : 0;
    if (wants_ice)
        rs->seat->ice_told_ms = now_of(r);
    (void)bytes_append(extra, &told, sizeof(told)); /* or it does without */
}

/* The session ends, since there is no memory for the one that should replace it. */
static void fail_to_replace(remote_seat *rs)
{
    wire_message m = {.type = WIRE_CLOSE, .code = WIRE_END_NO_MEMORY};
    remote_tell(rs->remote, &m);
    seat_house_end(rs->seat, SESSION_LEAVE_LOST, ROOM_NEWS_LOST, (slice){NULL, 0});
}

static int succeed(remote *r, slice user, room_news_kind why)
{
    room_join request = {.space = ROOM_SPACE_ROOMS, .user = user, .now_ms = now_of(r)};
    int error = -ENOMEM;
    if (name_json_make(user, &request.user_json))
        error = room_manager_succeed(hall_of(r)->manager, &r->peer, &r->peer, &request, why);
    name_json_free(&request.user_json);
    return error;
}

static void replace(remote_seat *rs, const extra_2_join *asked, slice user)
{
    remote *r = rs->remote;
    session_counters *counters = hall_of(r)->counters;
    bool is_reload = !asked->has_seen;
    rs->next = seat_new(remote_seat_house(r), &r->peer, NULL, asked->formerly, asked->data);
    if (rs->next == NULL) {
        fail_to_replace(rs);
        return;
    }
    seat_inherit_token(rs->next, &asked->token);
    rs->next->ice_told_ms = rs->may_have_ice ? now_of(r) : 0;
    if (succeed(r, user, is_reload ? ROOM_NEWS_REPLACED : ROOM_NEWS_LOST) != 0) {
        fail_to_replace(rs);
        return;
    }
    counter_add(&counters->leaves[is_reload ? SESSION_LEAVE_TAKEN_OVER : SESSION_LEAVE_LOST], 1);
    counter_add(&counters->resumes[is_reload ? SESSION_RESUME_REPLACED : SESSION_RESUME_FAILED], 1);
}

static bool resume(remote *r, const wire_message *join)
{
    remote_seat *rs = r->kept;
    extra_2_join asked;
    bool was_away = rs->seat->wire == NULL;
    if (!read_join(join, &rs->client, &asked))
        return false; /* it could be read when it was looked for */
    if (!rs->resumes) {
        replace(rs, &asked, join->user);
        return false;
    }
    rs->resumes = false;
    remote_seat_connect(rs);
    joining_go_on(rs->seat, was_away, rs->is_current, asked.seen);
    return true;
}

/* Its connection is lost, or its edge. */
static bool stay(remote *r, bool is_fault)
{
    const remote_seat *rs = r->kept;
    dialect_hall *hall = hall_of(r);
    if (is_fault || hall->limits->resume_for_ms == 0) {
        counter_add(&hall->counters->leaves[SESSION_LEAVE_LOST], 1);
        return false;
    }
    seat_lose_wire(rs->seat, now_of(r));
    return true;
}

/* ---- What its client says ---- */

static void handle(remote_seat *rs, extra_2_said *said)
{
    message_2 *m = &said->m;
    bool is_leave = m->type == MESSAGE_2_LEAVE;
    if (said->fault != 0) {
        (void)taking_refusal(&rs->wire, rs->seat, m->n, said->fault);
        return;
    }
    if (is_leave || m->type == MESSAGE_2_PING) /* its edge has answered; only what rides on it is for us */
        m->type = MESSAGE_2_ACK;
    (void)taking_message(&rs->wire, rs->seat, m);
    if (is_leave && !rs->must_end)
        seat_house_end(rs->seat, SESSION_LEAVE_LEFT, ROOM_NEWS_LEFT, m->text);
}

static bool on_signal(remote *r, const wire_message *signal)
{
    remote_seat *rs = r->kept;
    extra_2_said said;
    if (rs->seat->wire == NULL || !extra_2_read_said(signal->extra, signal->payload, &said))
        return false;
    rs->is_quiet = said.is_quiet;
    handle(rs, &said);
    if (rs->must_end && r->state == REMOTE_OPEN) {
        wire_message m = {.type = WIRE_CLOSE, .code = WIRE_END_FAULT};
        remote_tell(r, &m);
        seat_house_end(rs->seat, SESSION_LEAVE_LOST, ROOM_NEWS_LOST, (slice){NULL, 0});
    }
    return false; /* it was passed on from here */
}

const remote_kind remote_2 = {
    .face =
        {
            REMOTE_CLIENT_FACE,
            .send = hear,
            .away_since_ms = remote_face_away_since_ms,
            .on_entered = on_entered,
            .on_dropped = on_dropped,
            .on_news = on_news,
            .on_gone = on_gone,
            .kinds = SEAT_PEER_KINDS,
            .version = 2,
        },
    .space = ROOM_SPACE_ROOMS,
    .stay = stay,
    .tell_joined = tell_joined,
    .on_signal = on_signal,
    .find_former = find_former,
    .resume = resume,
    .open = open,
    .close = close,
    .pack = pack,
};
