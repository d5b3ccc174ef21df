#include "dialect_2/remote_seat.h"

#include "cluster/owned_rooms.h"

#include <stdlib.h>

/* ---- The host of its wire ---- */

static remote_seat *of_wire(const participant *wire)
{
    return (remote_seat *)((uintptr_t)wire - offsetof(remote_seat, wire));
}

static dialect_hall *hall(const participant *wire)
{
    return dialect_remote_of(of_wire(wire)->remote)->hall;
}

/* Without memory its edge ends the connection, and its client comes back. */
static bool send_text(participant *wire, const struct iovec *parts, int count)
{
    remote *r = of_wire(wire)->remote;
    bytes *text = NULL;
    bool is_there = r->state == REMOTE_OPEN && !r->is_slow;
    if (is_there && bytes_append_parts(&text, parts, count) != 0) {
        r->is_slow = true;
        is_there = false;
    }
    if (is_there && text != NULL) {
        wire_message m = {.type = WIRE_DELIVER, .payload = {(const char *)bytes_head(text), bytes_len(text)}};
        remote_tell(r, &m);
    }
    bytes_clear(&text);
    return is_there;
}

/* Sessions close a wire only where the client does not agree with them any more; remote_2.c goes on. */
static void close_it(participant *wire, participant_end end, const char *text)
{
    (void)end;
    (void)text;
    of_wire(wire)->must_end = true;
}

static void give_up(participant *wire)
{
    of_wire(wire)->remote->is_slow = true;
}

static void ping(participant *wire)
{
    remote_face_probe(&of_wire(wire)->remote->peer);
}

static bool has_spoken_since(const participant *wire, uint64_t since_ms)
{
    return remote_face_is_alive_since(&of_wire(wire)->remote->peer, since_ms);
}

static void resume(participant *wire)
{
    (void)wire; /* its edge holds its input */
}

static uint64_t id(const participant *wire)
{
    return of_wire(wire)->client.conn;
}

/* Where its client is connected, its edge adds them. */
static char *ice_servers(participant *wire)
{
    (void)wire;
    return NULL;
}

/* What a connection counts as is the business of its edge. */
static void *keep_place(participant *wire)
{
    (void)wire;
    return NULL;
}

static bool may_log(const participant *wire, log_level level)
{
    return log_is_on(level) && !of_wire(wire)->is_quiet;
}

static const participant_host wire_host = {
    .hall = hall,
    .send = send_text,
    .send_signal = send_text,
    .close = close_it,
    .drop = close_it,
    .give_up = give_up,
    .ping = ping,
    .has_spoken_since = has_spoken_since,
    .resume = resume,
    .id = id,
    .ice_servers = ice_servers,
    .keep_place = keep_place,
    .may_log = may_log,
};

/* What a wire speaks: only its host is asked for. */
static const dialect wire_dialect = {.host = &wire_host, .name = "2"};

/* ---- What holds the seats ---- */

static seat *seat_of_remote(const room_peer *peer)
{
    return remote_seat_of(peer)->seat;
}

/* Not while its room is given away, nor where it has ended and is freed at the end of the turn. */
static bool may_end(const seat *s)
{
    const remote *r = remote_of_peer(s->peer);
    return r->state == REMOTE_OPEN && !r->room->is_given && room_peer_is_joined(&r->peer);
}

static void let_go(seat *s)
{
    seat_retire(s);
    remote_close(remote_of_peer(s->peer)); /* its kind frees the seat with it */
}

const seat_holder remote_seat_holder = {.seat_of = seat_of_remote, .may_end = may_end, .let_go = let_go};

/* ---- Life ---- */

remote_seat *remote_seat_new(remote *r)
{
    remote_seat *rs = calloc(1, sizeof(*rs));
    if (rs == NULL)
        return NULL;
    rs->remote = r;
    rs->wire.peer.face = &wire_dialect.face;
    return rs;
}

static void free_seat(seat *s)
{
    if (s == NULL)
        return;
    s->peer = &s->own; /* its remote may have a place by another seat */
    seat_free(s);
}

void remote_seat_free(remote_seat *rs)
{
    free_seat(rs->seat);
    free_seat(rs->next);
    free(rs);
}

void remote_seat_connect(remote_seat *rs)
{
    rs->wire.account = rs->client.account;
    rs->seat->account = rs->client.account;
    rs->seat->connection_id = rs->client.conn;
    if (rs->seat->wire == NULL)
        seat_give_wire(rs->seat, &rs->wire);
    rs->wire.peer.member = NULL; /* the place is that of the remote */
}

seat_house *remote_seat_house(const remote *r)
{
    const dialect_remote *of = dialect_remote_of(r);
    return of->hall->kept[of->dialect->slot];
}
