/* What another node says of clients of each dialect. The first byte says how the rest is taken:
 *
 * 0   as what version 2 adds to a JOIN; 1: to a SIGNAL. What is accepted can be written again, and is then
 * the same bytes, and all that it says is within its bounds. 2   as a session that moves. What is accepted
 * can be packed again, and then stays as it is. 3   as a script of what that node says to a node with rooms
 * and clients of its own: it may say anything, in any order. Nothing may happen that a sanitizer or an
 * assertion sees, and at the end nothing is left. */
#include "fuzz.h"

/* The simulations have a REQUIRE of their own, which ends a run: here that one counts. */
#undef REQUIRE
#include "dialect/edge_client.h"
#include "dialect_2/extra_2.h"
#include "dialect_2/remote_2.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/seat_pack.h"
#include "halls/script.h"
#include "support/run_fail.h"

/* ---- What is read of it ---- */

static void judge_join(slice extra)
{
    static const char other[] = "shown-but-given-by-none";
    extra_reader from = {.rest = extra};
    extra_2_join join;
    char shown[TOKEN_CHARS];
    if (!extra_2_take_join(&from, &join))
        return;
    REQUIRE(join.formerly.len <= MESSAGE_2_MAX_PEER_BYTES && join.data.len <= MESSAGE_2_MAX_DATA_BYTES);
    message_2 m = {
        .has_seen = join.has_seen, .seen = join.seen, .formerly = join.formerly, .data = join.data};
    token_write(&join.token, shown);
    if (join.has_token)
        m.token = (slice){shown, sizeof(shown)};
    else if (join.has_shown)
        m.token = slice_of_text(other);
    extra_writer w = {.len = 0};
    extra_2_put_join(&w, &m, join.may_have_ice);
    REQUIRE(!w.is_bad && slice_equals(extra_written(&w), extra));
}

/* The payload stands behind the extra, whose length is its first byte. */
static void judge_said(fuzz_input *in)
{
    static extra_2_said said;
    slice extra = fuzz_take_bytes(in);
    const slice payload = {(const char *)in->data, in->left};
    if (!extra_2_read_said(extra, payload, &said))
        return;
    REQUIRE(said.m.to.len <= MESSAGE_2_MAX_PEER_BYTES && said.m.n <= FIELDS_MAX_INTEGER);
    REQUIRE(said.fault != 0 || slice_equals(extra_2_payload_of(&said.m), payload));
    extra_writer w = {.len = 0};
    extra_2_put_said(&w, &said.m, said.fault, said.is_quiet);
    REQUIRE(!w.is_bad && slice_equals(extra_written(&w), extra));
}

/* ---- Sites ---- */

static site s;

static seat *unpack(slice text, room_peer *peer)
{
    seat_house *house = s.places[0].hall.kept[CAST_2];
    extra_reader from = {.rest = text};
    return seat_unpack(house, peer, s.now_ms, &from);
}

static void judge_moved(slice text)
{
    room_peer peer = {.face = &remote_2.face};
    REQUIRE(site_open(&s, true, 2));
    seat *first = unpack(text, &peer);
    if (first != NULL) {
        extra_writer once = {.len = 0}, twice = {.len = 0};
        seat_pack(first, s.now_ms, &once);
        REQUIRE(!once.is_bad);
        seat_free(first);
        seat *second = unpack(extra_written(&once), &peer);
        REQUIRE(second != NULL);
        seat_pack(second, s.now_ms, &twice);
        REQUIRE(slice_equals(extra_written(&once), extra_written(&twice)));
        seat_free(second);
    }
    site_close(&s);
}

/* ---- A node that says anything ---- */

static room_space space_of(unsigned room)
{
    return room == HALL_ROOMS - 1 ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS;
}

/* What it says of a client or a room, by the number of its type. */
static wire_message draw_message(fuzz_input *in, unsigned room)
{
    static const uint8_t secret[CLUSTER_SECRET_BYTES] = {7}; /* of halls/site.c */
    static const wire_type types[] = {
        WIRE_JOIN,         WIRE_SIGNAL,      WIRE_LEAVE,        WIRE_LOST,          WIRE_ALIVE,
        WIRE_SWITCH,       WIRE_MERGE_BEGIN, WIRE_MERGE_MEMBER, WIRE_MERGE_SIGNAL,  WIRE_MERGE_END,
        WIRE_MERGE_COMMIT, WIRE_MERGE_ABORT, WIRE_MERGE_READY,  WIRE_MERGE_REFUSED, WIRE_JOIN};
    static const char *const users[] = {"", "ann", "bob", "\xC3\xA9"};
    wire_message m = {.type = types[fuzz_take_byte(in) % (sizeof(types) / sizeof(types[0]))]};
    m.code = fuzz_take_byte(in) % (m.type == WIRE_MERGE_REFUSED ? WIRE_REFUSALS : WIRE_KINDS);
    if (m.type == WIRE_JOIN || m.type == WIRE_MERGE_MEMBER)
        m.code %= WIRE_DIALECTS;
    uint8_t more = fuzz_take_byte(in);
    static const struct {
        wire_type type;
        uint8_t flags;
    } flags[] = {{WIRE_JOIN, WIRE_IS_REJOIN},
                 {WIRE_SIGNAL, WIRE_IS_FLEETING},
                 {WIRE_LOST, WIRE_IS_FAULT},
                 {WIRE_MERGE_BEGIN, WIRE_IS_DRAINING},
                 {WIRE_MERGE_MEMBER, WIRE_IS_WAITING | WIRE_IS_LOST}};
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        m.flags |= flags[i].type == m.type ? flags[i].flags & (more << 2 | more >> 4) : 0;
    m.space = (uint8_t)space_of(room);
    m.room = slice_of_text(hall_rooms[room]);
    m.key = room_key_of(secret, space_of(room), m.room);
    m.user = slice_of_text(users[more & 3]);
    m.order = more >> 4;
    m.life = 1;
    m.age_ms = more * 10U;
    m.number = 1 + (more >> 6);
    m.binding = 1 + (more >> 2 & 3);
    m.other = (more & 1) != 0 ? s.places[1].id : (node_id){{0}};
    m.extra = fuzz_take_bytes(in);
    m.payload = fuzz_take_bytes(in);
    return m;
}

/* What is not about a client passes through the wire, so its own bounds hold. */
static void say(const wire_message *m)
{
    uint8_t *written = malloc(wire_size(m));
    REQUIRE(written != NULL);
    wire_write(m, written);
    wire_message read;
    if (wire_read_link((slice){(const char *)written, wire_size(m)}, &read) == 0)
        owner_on_message(&s.places[0].owner, &s.places[1].id, &read, s.now_ms);
    free(written);
}

/* What it says as the owner of rooms that clients of the other node are in. */
static void say_as_owner(fuzz_input *in, unsigned who)
{
    static const wire_type types[] = {WIRE_JOINED,   WIRE_WAITING,    WIRE_FULL,  WIRE_NOT_OWNER,
                                      WIRE_UNBOUND,  WIRE_MOVED,      WIRE_CLOSE, WIRE_DELIVER,
                                      WIRE_SWITCHED, WIRE_QUEUE_FULL, WIRE_PROBE};
    const caller *c = &s.callers[who];
    if (c->p.peer.member == NULL)
        return;
    uint8_t what = fuzz_take_byte(in);
    const wire_message m = {.type = types[what % (sizeof(types) / sizeof(types[0]))],
                            .code = (what >> 4) % WIRE_ENDS,
                            .binding = edge_client_of(&c->p)->binding->number,
                            .number = 1,
                            .other = s.places[what >> 7].id,
                            .extra = fuzz_take_bytes(in),
                            .payload = fuzz_take_bytes(in)};
    edge_on_message(&s.places[0].edge, &s.places[1].id, &m, s.now_ms);
}

static void open_clients(void)
{
    for (unsigned i = 0; i < HALL_ROOMS; i++)
        s.owners[i] = 0;
    site_connect(&s, 0, CAST_2, 0, NULL);
    site_say(&s, 0, "{\"type\":\"join\",\"room\":\"anna\"}");
    site_connect(&s, 1, CAST_1, 0, NULL);
    site_say(&s, 1, "{\"type\":\"join\",\"room\":\"quay\",\"user\":\"ann\"}");
    site_connect(&s, 2, CAST_SESSION, 0, "a session");
    s.owners[2] = 1; /* that of the next two */
    site_connect(&s, 3, CAST_2, 0, NULL);
    site_say(&s, 3, "{\"type\":\"join\",\"room\":\"\\\"odd\\\" room\"}");
    site_connect(&s, 4, CAST_1, 0, NULL);
    site_say(&s, 4, "{\"type\":\"join\",\"room\":\"\\\"odd\\\" room\",\"user\":\"bob\"}");
}

static void play(fuzz_input *in)
{
    REQUIRE(site_open(&s, true, 2));
    open_clients();
    for (unsigned steps = 0; in->left > 0 && steps < 64; steps++) {
        uint8_t what = fuzz_take_byte(in);
        if ((what & 0xC0) == 0xC0) {
            say_as_owner(in, 3 + (what & 1));
        } else {
            const wire_message m = draw_message(in, what & 3);
            say(&m);
        }
        if ((what & 4) != 0)
            site_settle(&s);
        if ((what & 8) != 0)
            site_say(&s, 1, "{\"type\":\"offer\",\"sdp\":\"v\"}");
        if ((what & 16) != 0)
            site_say(&s, 0, "{\"type\":\"update\",\"n\":1,\"data\":2}");
        if ((what & 0x60) != 0)
            site_pass(&s, (what >> 5 & 3) * 1000U);
    }
    site_settle(&s);
    site_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *copy = fuzz_copy(data + 1, size - 1);
    fuzz_input in = {(const uint8_t *)copy, size - 1};
    if (sigsetjmp(fail_jump, 0) != 0) {
        fprintf(stderr, "%s\n", fail_text);
        abort();
    }
    switch (data[0] & 3) {
    case 0:
        judge_join((slice){copy, size - 1});
        break;
    case 1:
        judge_said(&in);
        break;
    case 2:
        judge_moved((slice){copy, size - 1});
        break;
    default:
        play(&in);
    }
    free(copy);
    return 0;
}
