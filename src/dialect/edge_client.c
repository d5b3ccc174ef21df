#include "dialect/edge_client.h"

#include "base/wipe.h"
#include "dialect/remote_client.h"
#include "rooms/room_shadow.h"

#include <assert.h>
#include <errno.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

edge_client *edge_client_of(const participant *p)
{
    assert(p->peer.member != NULL && participant_hall(p)->edge != NULL);
    return (edge_client *)(void *)room_member_peer(p->peer.member);
}

/* ---- Coming and going ---- */

/* Its participant has no place any more. The place itself is freed by the caller. */
static void forget(edge_client *c)
{
    c->p->peer.member = NULL;
    c->binding = NULL;
}

static void free_client(edge_client *c)
{
    room_shadow_free(c->place);
    free(c);
}

static binding *join(edge_client *c, const room_join *names, slice extra)
{
    const dialect_hall *hall = participant_hall(c->p);
    const dialect *d = dialect_of(c->p);
    extra_writer w = {.len = 0};
    remote_client_introduce(&w, c->p);
    extra_put_raw(&w, extra.data, extra.len);
    assert(!w.is_bad);
    const edge_join as = {.client = c,
                          .kind = (uint8_t)d->slot,
                          .comes_back = d->comes_back,
                          .space = names->space,
                          .room = names->room,
                          .user = names->user,
                          .extra = extra_written(&w)};
    binding *made = edge_join_room(hall->edge, &as, names->now_ms);
    explicit_bzero(w.data, w.len); /* a token may be among it */
    return made;
}

int edge_client_join(participant *p, const room_join *names, slice extra)
{
    assert(p->peer.member == NULL);
    edge_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->peer.face = p->peer.face;
    c->p = p;
    c->place = room_shadow_new(&c->peer, names);
    c->binding = c->place == NULL ? NULL : join(c, names, extra);
    if (c->binding == NULL) {
        if (c->place != NULL)
            room_shadow_free(c->place);
        free(c);
        return -ENOMEM;
    }
    p->peer.member = c->place;
    return ROOM_WAITING;
}

static uint64_t now_of(const participant *p)
{
    const dialect_hall *hall = participant_hall(p);
    return hall->now_ms(hall);
}

void edge_client_leave(participant *p)
{
    edge_client *c = edge_client_of(p);
    edge_leave(c->binding, now_of(p));
    forget(c);
    free_client(c);
}

void edge_client_lose(participant *p, bool is_fault)
{
    edge_client *c = edge_client_of(p);
    edge_lose(c->binding, is_fault, now_of(p));
    forget(c);
    free_client(c);
}

/* ---- What it says ---- */

/* The body in one piece. */
static int say(const edge_client *c, const room_signal *signal, slice extra, slice body)
{
    int error =
        edge_signal(c->binding, (uint8_t)signal->kind, signal->is_fleeting, extra, body, now_of(c->p));
    return error == 0 ? 0 : -ENOSPC;
}

static int say_in_parts(const edge_client *c, const room_signal *signal, slice extra)
{
    bytes *body = NULL;
    int result = bytes_append_parts(&body, signal->parts, signal->count);
    slice whole = {NULL, 0};
    if (body != NULL)
        whole = (slice){(const char *)bytes_head(body), bytes_len(body)};
    if (result == 0)
        result = say(c, signal, extra, whole);
    bytes_clear(&body);
    return result;
}

/* It has said something behind the last probe. Bytes of the same millisecond may have come before that. */
static void answer_probe(edge_client *c)
{
    if (c->probe != 0 && participant_host_of(c->p)->has_spoken_since(c->p, c->probed_ms))
        edge_client_alive(c->p);
}

int edge_client_signal(participant *p, const room_signal *signal, slice extra)
{
    edge_client *c = edge_client_of(p);
    const slice said = extra.len > 0 ? extra : remote_client_mark(participant_hall(p));
    int result;
    if (signal->count == 1)
        result = say(c, signal, said, (slice){signal->parts[0].iov_base, signal->parts[0].iov_len});
    else
        result = say_in_parts(c, signal, said);
    answer_probe(c);
    return result;
}

void edge_client_alive(participant *p)
{
    edge_client *c = edge_client_of(p);
    if (c->probe != 0)
        edge_alive(c->binding, c->probe, now_of(p));
    c->probe = 0;
}

/* ---- What owners say ---- */

/* The first time it is told as one who has waited; later its client need not notice. */
static void on_joined(void *context, void *client, slice extra)
{
    (void)context;
    edge_client *c = client;
    if (dialect_of(c->p)->on_joined_there != NULL)
        dialect_of(c->p)->on_joined_there(c->p, c, extra);
    if (c->is_joined) {
        participant_log(LOG_INFO, log_namespace, "joined again, at another node", c->p, NULL, 0);
        return;
    }
    c->is_joined = true;
    room_shadow_enter(c->place);
    c->p->peer.face->on_admitted(&c->p->peer);
}

static void on_waiting(void *context, void *client)
{
    (void)context;
    const edge_client *c = client;
    participant_log(LOG_INFO, log_namespace, "waiting before a full room", c->p, NULL, 0);
}

static void on_deliver(void *context, void *client, slice payload)
{
    (void)context;
    edge_client *c = client;
    const dialect *d = dialect_of(c->p);
    const struct iovec part = slice_to_iovec(payload);
    if (c->completes_told)
        d->complete_told(c->p, c, payload);
    else
        (void)d->host->send_signal(c->p, &part, 1); /* or its connection ends, and the owner hears of that */
}

static void on_queue_full(void *context, void *client, slice extra, slice payload)
{
    (void)context;
    (void)extra;
    (void)payload;
    const edge_client *c = client;
    dialect_of(c->p)->on_queue_full_there(c->p);
}

static void on_probe(void *context, void *client, uint64_t number)
{
    (void)context;
    edge_client *c = client;
    c->probe = number;
    c->probed_ms = now_of(c->p);
    participant_host_of(c->p)->ping(c->p);
}

static void on_full(void *context, void *client)
{
    (void)context;
    edge_client *c = client;
    forget(c);
    c->p->peer.face->on_refused(&c->p->peer, c->place);
    free_client(c);
}

/* Why an owner ends a binding, in the words of participants. */
static void close_for(participant *p, wire_end why)
{
    const participant_host *host = participant_host_of(p);
    switch (why) {
    case WIRE_END_REPLACED:
        host->close(p, PARTICIPANT_REPLACED, "the session goes on with another connection");
        break;
    case WIRE_END_SLOW:
        host->drop(p, PARTICIPANT_SLOW, "too much waits for it at the owner of its room");
        break;
    case WIRE_END_FAULT:
        host->close(p, PARTICIPANT_INVALID_MESSAGES, "the owner of its room can't go on with it");
        break;
    case WIRE_END_MERGED:
        participant_end_it(p, PARTICIPANT_STOPS, "two rooms became one");
        break;
    case WIRE_END_NO_MEMORY:
        host->close(p, PARTICIPANT_NO_MEMORY, "out of memory");
        break;
    default: /* nothing that it has done: it may find its room later, or by another node */
        participant_end_it(p, PARTICIPANT_OVERLOADED, "its room can't be reached");
    }
}

static void on_close(void *context, void *client, wire_end why)
{
    (void)context;
    edge_client *c = client;
    participant *p = c->p;
    forget(c);
    if (why == WIRE_END_SILENT)
        p->peer.face->on_dropped(&p->peer);
    else if (why == WIRE_END_TAKEN_OVER && p->peer.face->on_replaced != NULL)
        p->peer.face->on_replaced(&p->peer, c->place);
    else
        close_for(p, why);
    free_client(c);
}

static void on_lost(void *context, void *client)
{
    (void)context;
    edge_client *c = client;
    participant *p = c->p;
    forget(c);
    free_client(c);
    if (dialect_of(p)->comes_back)
        participant_end_it(p, PARTICIPANT_STOPS, "the owner of its room is lost");
    else
        close_for(p, WIRE_END_NO_MEMORY);
}

void edge_client_fill_events(edge_events *events)
{
    events->on_joined = on_joined;
    events->on_waiting = on_waiting;
    events->on_deliver = on_deliver;
    events->on_queue_full = on_queue_full;
    events->on_probe = on_probe;
    events->on_full = on_full;
    events->on_close = on_close;
    events->on_lost = on_lost;
}
