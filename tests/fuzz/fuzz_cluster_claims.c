/* Arbitrary things that two others say about a few rooms, and that this node wants, in arbitrary order.
 *
 * What must hold: a room is owned only when all who are there have said NO to the claim that stands, or a
 * merge has brought it; a want is answered once; whoever claims is answered; counts are right, and time does
 * not stand still. */
#include "fuzz.h"

#include "cluster/claims.h"

enum { ROOMS = 3, OTHERS = 2, SELF = 2 };

typedef struct model {
    members members;
    claims *claims;
    uint64_t now_ms;
    uint64_t number[ROOMS];  /* of the claim that stands, as it was said last */
    unsigned said_no[ROOMS]; /* a bit for each of the others, to that claim */
    bool is_wanted[ROOMS];
    bool is_taken[ROOMS]; /* by a merge, or found to be owned */
    unsigned answers;     /* to the claim that was heard just now */
} model;

static model the;

static room_key key_of(unsigned room)
{
    return (room_key){{(uint8_t)(room + 1)}};
}

static unsigned room_of(const room_key *key)
{
    REQUIRE(key->bytes[0] >= 1 && key->bytes[0] <= ROOMS);
    return key->bytes[0] - 1;
}

/* One is lower than we are, and one is higher. */
static node_id other_of(unsigned other)
{
    return (node_id){{other == 0 ? 1 : 3}};
}

static void ignore_beat(void *context)
{
    (void)context;
}

static void on_change(void *context, unsigned slot, member_state before)
{
    (void)context;
    bool is_lost = the.members.slots[slot].state == MEMBER_LOST;
    if (before == MEMBER_LOST || is_lost)
        claims_on_member(the.claims, slot, is_lost, the.now_ms);
}

static void on_claim(void *context, const room_key *key, uint64_t number, uint16_t worker)
{
    (void)context;
    (void)worker;
    unsigned room = room_of(key);
    if (number != the.number[room])
        the.said_no[room] = 0;
    the.number[room] = number;
    REQUIRE(members_may_claim(&the.members, the.now_ms));
}

static void on_answer(void *context, const node_id *to, const room_key *key, uint64_t number,
                      wire_verdict verdict, const room_home *owner)
{
    (void)context;
    (void)to;
    (void)number;
    const node_id self = {{SELF}};
    the.answers++;
    bool is_mine = claims_standing_of(the.claims, key) == CLAIMS_MINE;
    REQUIRE(verdict == WIRE_OWNED || !is_mine);
    REQUIRE(node_id_equals(&owner->node, &self) == (is_mine || verdict == WIRE_MINE_FIRST));
}

static bool on_announce(void *context, int slot, const room_key *keys, unsigned count)
{
    (void)context;
    REQUIRE(slot >= -1 && slot < MEMBERS_MAX && count > 0 && count <= WIRE_MAX_KEYS);
    for (unsigned i = 0; i < count; i++)
        REQUIRE(claims_standing_of(the.claims, &keys[i]) == CLAIMS_MINE);
    return true;
}

static void on_owner(void *context, const room_key *key, const room_home *owner)
{
    (void)context;
    (void)owner;
    unsigned room = room_of(key);
    REQUIRE(the.is_wanted[room]);
    the.is_wanted[room] = false;
}

static void on_conflict(void *context, const room_key *key, uint16_t worker, const node_id *other)
{
    (void)context;
    (void)worker;
    (void)other;
    REQUIRE(claims_standing_of(the.claims, key) == CLAIMS_MINE);
}

static wire_message message_of(wire_type type, unsigned other, unsigned room)
{
    return (wire_message){.type = type,
                          .from = other_of(other),
                          .other = other_of(other),
                          .key = key_of(room),
                          .name = SLICE_LITERAL("n"),
                          .version = SLICE_LITERAL("1")};
}

static void answer(unsigned other, unsigned room, unsigned how)
{
    wire_message m = message_of(WIRE_ANSWER, other, room);
    m.code = (uint8_t)(how % WIRE_VERDICTS);
    m.number = the.number[room] - (how & 8 ? 1 : 0);
    const node_id id = m.from;
    if (m.code == WIRE_NO && m.number == the.number[room] && members_find(&the.members, &id) >= 0)
        the.said_no[room] |= 1U << other;
    claims_on_answer(the.claims, &m, the.now_ms);
}

static void hear_claim(unsigned other, unsigned room)
{
    const wire_message m = message_of(WIRE_CLAIM, other, room);
    the.answers = 0;
    claims_on_claim(the.claims, &m, the.now_ms);
    REQUIRE(the.answers == 1);
}

static void want(unsigned room)
{
    const room_key key = key_of(room);
    the.is_wanted[room] = true;
    REQUIRE(claims_want(the.claims, &key, 0, the.now_ms) == 0);
    REQUIRE(!the.is_wanted[room] || claims_standing_of(the.claims, &key) == CLAIMS_UNDECIDED);
}

/* Give it away, take it, break off, or only promise it. */
static void merge(unsigned other, unsigned room, unsigned how)
{
    const room_key key = key_of(room);
    const room_home owner = {.node = other_of(other)};
    if (how == 0) {
        claims_give(the.claims, &key, &owner, the.now_ms);
        return;
    }
    bool was_mine = claims_standing_of(the.claims, &key) == CLAIMS_MINE;
    int error = claims_promise(the.claims, &key, &owner.node, the.now_ms);
    REQUIRE(error == 0 || !was_mine);
    if (error == 0 && how == 1) {
        REQUIRE(claims_take(the.claims, &key, 0, the.now_ms) == 0);
        the.is_taken[room] = true;
    } else if (how == 2) {
        claims_break_promise(the.claims, &key);
    }
}

static void change_member(unsigned other, bool is_there)
{
    const wire_message m = message_of(WIRE_BEAT, other, 0);
    if (is_there)
        (void)members_on_beat(&the.members, &m, the.now_ms);
    int slot = members_find(&the.members, &m.from);
    if (!is_there && slot >= 0) { /* as after a silence: a node that says BYE does not come back */
        the.members.slots[slot].state = MEMBER_LOST;
        claims_on_member(the.claims, (unsigned)slot, true, the.now_ms);
    }
}

static void pass(uint64_t ms)
{
    the.now_ms += ms;
    claims_tick(the.claims, the.now_ms);
    REQUIRE(claims_next_due_ms(the.claims, the.now_ms) >= the.now_ms);
}

static void play(unsigned what, unsigned how)
{
    unsigned room = how % ROOMS;
    unsigned other = how / ROOMS % OTHERS;
    unsigned more = how / (ROOMS * OTHERS);
    const room_key key = key_of(room);
    const node_id id = other_of(other);
    int slot = members_find(&the.members, &id);
    switch (what % 12) {
    case 0:
        want(room);
        break;
    case 1:
    case 2:
        answer(other, room, more);
        break;
    case 3:
        hear_claim(other, room);
        break;
    case 4:
        claims_release(the.claims, &key, the.now_ms);
        break;
    case 5:
        claims_mistaken(the.claims, &key, &id);
        break;
    case 6:
        claims_on_announced(the.claims, &id, &key, the.now_ms);
        break;
    case 7:
        merge(other, room, more & 3);
        break;
    case 8:
        change_member(other, (more & 1) != 0);
        break;
    case 9:
        if (slot >= 0)
            claims_on_link(the.claims, (unsigned)slot, the.now_ms);
        break;
    case 10:
        claims_admit(the.claims, &key);
        break;
    default:
        pass(more * 50);
    }
}

/* What is owned has been given to us by all who are there. */
static void judge(const claims_standing before[ROOMS])
{
    uint64_t owned = 0;
    for (unsigned room = 0; room < ROOMS; room++) {
        const room_key key = key_of(room);
        claims_standing now = claims_standing_of(the.claims, &key);
        owned += now == CLAIMS_MINE;
        if (now != CLAIMS_MINE || before[room] == CLAIMS_MINE)
            continue;
        for (unsigned other = 0; other < OTHERS && !the.is_taken[room]; other++) {
            const node_id id = other_of(other);
            REQUIRE(members_find(&the.members, &id) < 0 || (the.said_no[room] & 1U << other) != 0);
        }
        the.is_taken[room] = false;
    }
    REQUIRE(claims_owned(the.claims) <= owned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    const node_id self = {{SELF}};
    const members_events member_events = {.beat = ignore_beat, .on_change = on_change};
    const claims_events events = {.claim = on_claim,
                                  .answer = on_answer,
                                  .announce = on_announce,
                                  .on_owner = on_owner,
                                  .on_conflict = on_conflict};
    the = (model){.now_ms = 100000};
    members_init(&the.members, &self, &member_events, the.now_ms);
    REQUIRE(claims_new(&the.members, &events, false, &the.claims) == 0);
    members_on_engine(&the.members, true, the.now_ms);
    claims_on_engine(the.claims, true, the.now_ms);
    the.now_ms += MEMBERS_LISTEN_MS;
    change_member(0, true);
    change_member(1, true);
    while (in.left > 0) {
        claims_standing before[ROOMS];
        for (unsigned room = 0; room < ROOMS; room++) {
            const room_key key = key_of(room);
            before[room] = claims_standing_of(the.claims, &key);
        }
        unsigned what = fuzz_take_byte(&in);
        play(what, fuzz_take_byte(&in));
        judge(before);
    }
    claims_free(the.claims);
    return 0;
}
