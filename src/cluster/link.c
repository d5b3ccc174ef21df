#include "cluster/link.h"

#include "base/wipe.h"
#include "rooms/room_table_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

/* A message that is not acknowledged yet. */
typedef struct sent {
    STAILQ_ENTRY(sent) link;
    uint64_t number;
    uint64_t lane;
    uint16_t worker;
    bool is_control;
    size_t len;
    char body[];
} sent;

/* A lane with messages in it. */
typedef struct lane {
    room_table_link table;
    uint64_t number;
    size_t bytes;
} lane;

struct node_link {
    node_id self, peer;
    link_limits limits;
    link_events events;
    bool is_up;
    bool has_engine;
    uint64_t epoch;      /* ours */
    uint64_t peer_epoch; /* 0 = not known */
    /* Out. */
    STAILQ_HEAD(, sent) unacknowledged; /* owned, the lowest number first */
    lane *lanes;                        /* uthash's head; owned */
    size_t bytes, data_bytes;           /* of these messages; of those that are no control messages */
    uint64_t last_number;
    uint64_t resend_ms; /* when they are said again; UINT64_MAX = there are none */
    uint64_t resent;    /* up to this one they were; the rest follows as these are acknowledged. 0 = all */
    uint64_t resends;
    uint64_t doubt_ends_ms; /* UINT64_MAX = not before something is acknowledged */
    /* In. */
    uint64_t received, taken, acknowledged; /* up to this number */
    uint64_t ack_ms;                        /* when the acknowledgement is due; UINT64_MAX = none is */
    uint64_t hello_ms;                      /* when HELLO is due; UINT64_MAX = the link is up */
};

int link_new(const node_id *self, const node_id *peer, const link_limits *limits, const link_events *events,
             uint64_t now_ms, node_link **out)
{
    node_link *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return -ENOMEM;
    l->self = *self;
    l->peer = *peer;
    l->limits = *limits;
    l->events = *events;
    l->epoch = now_ms + 1;
    l->has_engine = true;
    l->resend_ms = l->ack_ms = UINT64_MAX;
    STAILQ_INIT(&l->unacknowledged);
    *out = l;
    return 0;
}

/* ---- What is held ---- */

static lane *find_lane(const node_link *l, uint64_t number)
{
    lane *found;
    HASH_FIND(table, l->lanes, &number, sizeof(number), found);
    return found;
}

/* Count a message in its lane. False without memory. */
static bool enter_lane(node_link *l, uint64_t number, size_t bytes)
{
    lane *in = find_lane(l, number);
    if (in == NULL) {
        in = calloc(1, sizeof(*in));
        if (in == NULL)
            return false;
        in->number = number;
        HASH_ADD(table, l->lanes, number, sizeof(in->number), in);
        if (in->table.tbl == NULL) {
            free(in);
            return false;
        }
    }
    in->bytes += bytes;
    return true;
}

static void leave_lane(node_link *l, uint64_t number, size_t bytes)
{
    lane *in = find_lane(l, number);
    assert(in != NULL && in->bytes >= bytes);
    in->bytes -= bytes;
    if (in->bytes > 0)
        return;
    HASH_DELETE(table, l->lanes, in);
    free(in);
}

static size_t weight(size_t len)
{
    return len + LINK_OVERHEAD;
}

static void release_first(node_link *l)
{
    sent *first = STAILQ_FIRST(&l->unacknowledged);
    STAILQ_REMOVE_HEAD(&l->unacknowledged, link);
    l->bytes -= weight(first->len);
    if (!first->is_control) {
        l->data_bytes -= weight(first->len);
        leave_lane(l, first->lane, weight(first->len));
    }
    wipe_and_free(first, sizeof(*first) + first->len);
}

void link_free(node_link *l)
{
    if (l == NULL)
        return;
    while (!STAILQ_EMPTY(&l->unacknowledged))
        release_first(l);
    free(l);
}

/* ---- Packets out ---- */

static wire_message packet_of(const node_link *l, wire_type type)
{
    return (wire_message){
        .type = type, .from = l->self, .other = l->peer, .epoch = l->epoch, .peer_epoch = l->peer_epoch};
}

static void send_hello(node_link *l, uint64_t now_ms)
{
    wire_message hello = packet_of(l, WIRE_HELLO);
    hello.flags = l->is_up ? WIRE_IS_UP : 0;
    l->hello_ms = l->is_up ? UINT64_MAX : now_ms + LINK_HELLO_MS;
    l->events.send(l->events.context, l, &hello);
}

static void send_data(node_link *l, const sent *s)
{
    wire_message data = packet_of(l, WIRE_DATA);
    data.number = s->number;
    data.worker = s->worker;
    data.payload = (slice){s->body, s->len};
    l->events.send(l->events.context, l, &data);
}

static void send_ack(node_link *l)
{
    wire_message ack = packet_of(l, WIRE_ACK);
    ack.number = l->acknowledged = l->taken;
    l->ack_ms = UINT64_MAX;
    l->events.send(l->events.context, l, &ack);
}

/* ---- Sending ---- */

/* Is there room for a message of this weight? */
static int find_room(const node_link *l, const link_lane *in, size_t bytes)
{
    if (in->is_control)
        return l->bytes + bytes <= l->limits.bytes ? 0 : -ENOBUFS;
    const lane *found = find_lane(l, in->number);
    size_t held = found == NULL ? 0 : found->bytes;
    bool fits = l->data_bytes + bytes <= l->limits.bytes - l->limits.bytes / 4 &&
                l->bytes + bytes <= l->limits.bytes && (held == 0 || held + bytes <= l->limits.lane_bytes);
    return fits ? 0 : -EAGAIN;
}

int link_send(node_link *l, uint16_t worker, const link_lane *in, slice body, uint64_t now_ms)
{
    if (!l->is_up)
        return -ENOTCONN;
    size_t bytes = weight(body.len);
    int error = find_room(l, in, bytes);
    if (error != 0)
        return error;
    sent *s = malloc(sizeof(*s) + body.len);
    if (s == NULL)
        return -ENOMEM;
    if (!in->is_control && !enter_lane(l, in->number, bytes)) {
        free(s);
        return -ENOMEM;
    }
    *s = (sent){.number = ++l->last_number,
                .lane = in->number,
                .worker = worker,
                .is_control = in->is_control,
                .len = body.len};
    if (body.len > 0)
        memcpy(s->body, body.data, body.len);
    l->bytes += bytes;
    l->data_bytes += in->is_control ? 0 : bytes;
    STAILQ_INSERT_TAIL(&l->unacknowledged, s, link);
    if (l->resend_ms == UINT64_MAX)
        l->resend_ms = now_ms + LINK_RESEND_MS;
    if (l->resent == 0)
        send_data(l, s);
    return 0;
}

/* Say messages again from the first on that were not yet, so that at most LINK_RESEND_COUNT are under way:
 * the other end takes nothing that is not next. */
static void go_on(node_link *l)
{
    int count = 0;
    const sent *s;
    STAILQ_FOREACH(s, &l->unacknowledged, link)
    {
        if (count++ == LINK_RESEND_COUNT)
            return;
        if (s->number <= l->resent)
            continue;
        send_data(l, s);
        l->resent = s->number;
        l->resends++;
    }
    l->resent = 0;
}

/* ---- Beginning and ending ---- */

static void come_up(node_link *l)
{
    l->is_up = true;
    l->hello_ms = UINT64_MAX;
    l->events.on_up(l->events.context, l);
}

/* Whatever was said and not acknowledged is lost. Only a link that was up has said anything in its epoch; if
 * one that is not counted up, too, two ends could chase each other for ever. */
static void begin_anew(node_link *l, uint64_t now_ms)
{
    assert(l->is_up);
    l->is_up = false;
    l->epoch++;
    l->peer_epoch = 0;
    l->last_number = l->received = l->taken = l->acknowledged = l->resent = 0;
    l->resend_ms = l->ack_ms = UINT64_MAX;
    l->doubt_ends_ms = 0;
    l->hello_ms = now_ms;
    while (!STAILQ_EMPTY(&l->unacknowledged)) {
        const sent *first = STAILQ_FIRST(&l->unacknowledged);
        l->events.on_lost_message(l->events.context, l, (slice){first->body, first->len});
        release_first(l);
    }
    assert(l->bytes == 0 && l->data_bytes == 0 && l->lanes == NULL);
    l->events.on_lost(l->events.context, l);
}

void link_lose(node_link *l, uint64_t now_ms)
{
    if (l->is_up)
        begin_anew(l, now_ms);
}

/* ---- Packets in ---- */

static void on_hello(node_link *l, const wire_message *hello, uint64_t now_ms)
{
    if (hello->epoch < l->peer_epoch)
        return; /* late */
    if (l->is_up && hello->epoch > l->peer_epoch)
        begin_anew(l, now_ms); /* the other end has lost it */
    l->peer_epoch = hello->epoch;
    bool knows_us = hello->peer_epoch == l->epoch;
    if (knows_us && !l->is_up)
        come_up(l);
    if (!knows_us || (hello->flags & WIRE_IS_UP) == 0)
        send_hello(l, now_ms);
}

static void on_data(node_link *l, const wire_message *data, uint64_t now_ms)
{
    if (data->number != l->received + 1) { /* again, or one before it is missing */
        if (data->number <= l->taken && l->ack_ms == UINT64_MAX)
            l->ack_ms = now_ms + LINK_ACK_MS; /* our acknowledgement was lost */
        return;
    }
    l->received++;
    l->events.deliver(l->events.context, l, data->worker, data->payload);
}

static void on_ack(node_link *l, const wire_message *ack, uint64_t now_ms)
{
    const sent *first;
    if (ack->number > l->last_number)
        return;
    bool has_moved = false;
    while ((first = STAILQ_FIRST(&l->unacknowledged)) != NULL && first->number <= ack->number) {
        release_first(l);
        has_moved = true;
    }
    if (has_moved && l->doubt_ends_ms == UINT64_MAX)
        l->doubt_ends_ms = now_ms + LINK_DOUBT_MS;
    if (first == NULL)
        l->resend_ms = UINT64_MAX;
    else if (has_moved)
        l->resend_ms = now_ms + LINK_RESEND_MS;
    if (has_moved && l->resent != 0)
        go_on(l);
}

void link_on_packet(node_link *l, const wire_message *packet, uint64_t now_ms)
{
    assert(node_id_equals(&packet->from, &l->peer));
    if (!node_id_equals(&packet->other, &l->self))
        return;
    if (packet->type == WIRE_HELLO) {
        on_hello(l, packet, now_ms);
        return;
    }
    if (packet->epoch != l->peer_epoch || packet->peer_epoch != l->epoch)
        return;
    if (!l->is_up)
        come_up(l); /* it knows our epoch, or it could not name it */
    if (packet->type == WIRE_DATA)
        on_data(l, packet, now_ms);
    else if (packet->type == WIRE_ACK)
        on_ack(l, packet, now_ms);
}

void link_took(node_link *l, unsigned count, uint64_t now_ms)
{
    if (count > l->received - l->taken)
        count = (unsigned)(l->received - l->taken); /* the others belong to an epoch that is over */
    if (count == 0)
        return;
    l->taken += count;
    if (l->taken - l->acknowledged >= LINK_ACK_COUNT)
        send_ack(l);
    else if (l->ack_ms == UINT64_MAX)
        l->ack_ms = now_ms + LINK_ACK_MS;
}

/* ---- Time ---- */

void link_on_engine(node_link *l, bool is_there, uint64_t now_ms)
{
    l->has_engine = is_there;
    if (is_there && l->resend_ms != UINT64_MAX)
        l->resend_ms = now_ms;
}

static void resend(node_link *l, uint64_t now_ms)
{
    l->resent = 0;
    go_on(l);
    l->resend_ms = now_ms + LINK_RESEND_MS;
    l->doubt_ends_ms = UINT64_MAX;
}

void link_tick(node_link *l, uint64_t now_ms)
{
    if (!l->has_engine)
        return;
    if (now_ms >= l->hello_ms)
        send_hello(l, now_ms);
    if (now_ms >= l->ack_ms)
        send_ack(l);
    if (now_ms >= l->resend_ms)
        resend(l, now_ms);
}

uint64_t link_next_due_ms(const node_link *l)
{
    if (!l->has_engine)
        return UINT64_MAX;
    uint64_t due_ms = l->hello_ms < l->ack_ms ? l->hello_ms : l->ack_ms;
    return l->resend_ms < due_ms ? l->resend_ms : due_ms;
}

/* ---- Questions ---- */

bool link_is_up(const node_link *l)
{
    return l->is_up;
}

bool link_is_in_doubt(const node_link *l, uint64_t now_ms)
{
    return now_ms < l->doubt_ends_ms;
}

const node_id *link_peer(const node_link *l)
{
    return &l->peer;
}

size_t link_held(const node_link *l)
{
    return l->bytes;
}

uint64_t link_resends(const node_link *l)
{
    return l->resends;
}
