/* Two owners with real rooms, and a post between them: what a room that moves says and does, step by step. */
#include "cluster/owner.h"
#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

enum { NODES = 2, EDGE = 9, OFFER = 0 }; /* nodes 1 and 2 own, the clients are at node 9 */

struct fixture;

typedef struct place {
    struct fixture *f;
    node_id id;
    room_manager *manager;
    owner owner;
    held_messages post; /* what it has said to the other one */
    claims_standing standing;
    bool is_draining, is_unlinked, is_promised;
} place;

typedef struct fixture {
    place places[NODES];
    journal journal;
    uint64_t now_ms;
    bool is_post_full;
} fixture;

static const uint8_t secret[CLUSTER_SECRET_BYTES] = {1};

static bool write_signal(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)r;
    (void)from;
    return bytes_append(out, signal->parts[0].iov_base, signal->parts[0].iov_len) == 0;
}

static const remote_kind version_1 = {
    .face = {.kinds = 1U << OFFER,
             .version = 1,
             .has_users = true,
             .keeps_queue = true,
             .send = remote_face_send,
             .probe = remote_face_probe,
             .is_alive_since = remote_face_is_alive_since,
             .is_in_doubt = remote_face_is_in_doubt,
             .on_admitted = remote_face_on_admitted,
             .on_entered = remote_face_on_entered,
             .on_refused = remote_face_on_refused,
             .on_replaced = remote_face_on_replaced,
             .on_dropped = remote_face_on_dropped,
             .account = remote_face_account,
             .id = remote_face_id},
    .space = ROOM_SPACE_ROOMS,
    .write = write_signal,
};
static const remote_kind *const kinds[] = {&version_1};

/* ---- What owners ask for ---- */

static int on_say(void *context, const node_id *to, const wire_message *m, bool is_control)
{
    static const char *const names[WIRE_TYPES] = {
        [WIRE_JOINED] = "joined",     [WIRE_WAITING] = "waiting",     [WIRE_FULL] = "full",
        [WIRE_UNBOUND] = "unbound",   [WIRE_NOT_OWNER] = "not owner", [WIRE_MOVED] = "moved",
        [WIRE_SWITCHED] = "switched", [WIRE_DELIVER] = "deliver",     [WIRE_PROBE] = "probe",
        [WIRE_CLOSE] = "close"};
    place *p = context;
    (void)is_control;
    if (to->bytes[0] != EDGE) {
        if (p->f->is_post_full)
            return -EAGAIN;
        assert_true(held_messages_add(&p->post, &p->id, m));
        return 0;
    }
    journal_note(&p->f->journal, "%d: %s %u", p->id.bytes[0], names[m->type], (unsigned)m->binding);
    if (m->type == WIRE_DELIVER)
        journal_note(&p->f->journal, " %.*s", (int)m->payload.len, m->payload.data);
    journal_note(&p->f->journal, "\n");
    return 0;
}

static bool on_is_linked(void *context, const node_id *node)
{
    return node->bytes[0] != EDGE || !((place *)context)->is_unlinked;
}

static bool on_is_in_doubt(void *context, const node_id *node)
{
    (void)context;
    (void)node;
    return false;
}

static void on_loss(void *context, cluster_loss why, slice payload)
{
    place *p = context;
    journal_note(&p->f->journal, "%d: loss %d of %.*s\n", p->id.bytes[0], (int)why, (int)payload.len,
                 payload.data);
}

static claims_standing on_standing(void *context, const room_key *key)
{
    (void)key;
    return ((place *)context)->standing;
}

static int on_promise(void *context, const room_key *key, const node_id *giver)
{
    (void)key;
    (void)giver;
    ((place *)context)->is_promised = true;
    return 0;
}

static void on_break_promise(void *context, const room_key *key)
{
    (void)key;
    ((place *)context)->is_promised = false;
}

static int on_take(void *context, const room_key *key)
{
    (void)key;
    ((place *)context)->standing = CLAIMS_MINE;
    return 0;
}

static void on_give(void *context, const room_key *key, const room_home *to)
{
    (void)key;
    (void)to;
    ((place *)context)->standing = CLAIMS_NOT_MINE;
}

static void on_check(void *context, const room_key *key)
{
    (void)key;
    place *p = context;
    journal_note(&p->f->journal, "%d: check\n", p->id.bytes[0]);
}

static void on_release(void *context, const room_key *key)
{
    (void)key;
    ((place *)context)->standing = CLAIMS_NOT_MINE;
}

static bool on_is_draining(void *context, const node_id *node)
{
    const place *p = context;
    for (int i = 0; i < NODES; i++) {
        if (node_id_equals(node, &p->f->places[i].id))
            return p->f->places[i].is_draining;
    }
    return false;
}

static bool on_find_heir(void *context, node_id *heir)
{
    const place *p = context;
    *heir = p->f->places[p->id.bytes[0] == 1 ? 1 : 0].id;
    return true;
}

static bool on_reserve(void *context, uint32_t account, size_t len)
{
    (void)context;
    (void)account;
    (void)len;
    return true;
}

static void on_unreserve(void *context, uint32_t account, size_t len)
{
    (void)context;
    (void)account;
    (void)len;
}

static void on_signal(void *context, const room_signal_report *report)
{
    (void)context;
    (void)report;
}

/* ---- */

static void open_place(fixture *f, int i)
{
    place *p = &f->places[i];
    const room_limits limits = {.capacity = 2,
                                .pending_max_messages = 4,
                                .pending_max_bytes = 1000,
                                .pending_ttl_ms = 120000,
                                .probe_timeout_ms = 3000};
    const room_effects effects = {.reserve = on_reserve, .release = on_unreserve, .on_signal = on_signal};
    const keyed_hash hash = {{(uint8_t)i}};
    const remotes_events to_edges = {.say = on_say,
                                     .is_linked = on_is_linked,
                                     .is_in_doubt = on_is_in_doubt,
                                     .on_loss = on_loss,
                                     .context = p};
    const owner_events events = {.standing = on_standing,
                                 .admit = on_standing,
                                 .promise = on_promise,
                                 .break_promise = on_break_promise,
                                 .take = on_take,
                                 .give = on_give,
                                 .check = on_check,
                                 .release = on_release,
                                 .is_draining = on_is_draining,
                                 .find_heir = on_find_heir,
                                 .context = p};
    p->f = f;
    p->id = (node_id){{(uint8_t)(i + 1)}};
    p->standing = CLAIMS_MINE;
    STAILQ_INIT(&p->post);
    assert_int_equal(room_manager_new(&limits, &effects, &hash, &p->manager), 0);
    owner_options options = {.self = p->id, .kinds = kinds, .kind_count = 1, .manager = p->manager};
    memcpy(options.secret, secret, sizeof(secret));
    owner_init(&p->owner, &options, &to_edges, &events);
}

static void open_both(fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->now_ms = 100000;
    open_place(f, 0);
    open_place(f, 1);
}

static void close_both(fixture *f)
{
    for (int i = 0; i < NODES; i++) {
        owner_deinit(&f->places[i].owner);
        room_manager_free(f->places[i].manager);
        held_messages_clear(&f->places[i].post);
    }
    journal_clear(&f->journal);
}

static void expect(fixture *f, const char *text)
{
    journal_expect(&f->journal, text);
}

static room_key key(void)
{
    return room_key_of(secret, ROOM_SPACE_ROOMS, SLICE_LITERAL("red"));
}

/* Node 1 or 2 hears this of the edge. */
static void hear(fixture *f, int node, const wire_message *m)
{
    owner_on_message(&f->places[node - 1].owner, &(node_id){{EDGE}}, m, f->now_ms);
}

static void join(fixture *f, int node, uint64_t binding, const char *user, uint64_t age_ms)
{
    const wire_message m = {.type = WIRE_JOIN,
                            .binding = binding,
                            .age_ms = age_ms,
                            .room = SLICE_LITERAL("red"),
                            .user = slice_of_text(user)};
    hear(f, node, &m);
}

static void say(fixture *f, int node, uint64_t binding, const char *text)
{
    const wire_message m = {.type = WIRE_SIGNAL, .binding = binding, .payload = slice_of_text(text)};
    hear(f, node, &m);
}

static void hear_of(fixture *f, int node, wire_type type, uint64_t binding)
{
    const wire_message m = {.type = type, .binding = binding};
    hear(f, node, &m);
}

/* What that node has said to the other one, up to so many messages: the type of the last. */
static wire_type carry(fixture *f, int from, int most)
{
    place *p = &f->places[from - 1];
    wire_type last = 0;
    for (; most > 0 && !STAILQ_EMPTY(&p->post); most--) {
        const wire_message m = held_message_read(STAILQ_FIRST(&p->post));
        last = m.type;
        owner_on_message(&f->places[2 - from].owner, &p->id, &m, f->now_ms);
        held_messages_drop_first(&p->post);
    }
    return last;
}

/* Node 2 hears that node 1 owns the room, too. */
static void meet(fixture *f)
{
    const room_key red = key();
    owner_on_conflict(&f->places[1].owner, &red, &f->places[0].id, f->now_ms);
}

static void tick(fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    for (int i = 0; i < NODES; i++)
        owner_tick(&f->places[i].owner, f->now_ms);
}

static unsigned count_members(const fixture *f, int node)
{
    return (unsigned)room_manager_counts(f->places[node - 1].manager).members;
}

/* Anna is in the room of node 1, Boris in that of node 2, which has to give it. */
static void open_two_rooms(fixture *f)
{
    open_both(f);
    join(f, 1, 11, "anna", 100);
    join(f, 2, 22, "boris", 50);
    expect(f, "1: joined 11\n2: joined 22\n");
    meet(f);
}

/* ---- */

static void a_room_goes_to_the_lower_one_and_nothing_overtakes(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    say(&f, 2, 22, "held");
    assert_int_equal(carry(&f, 2, 100), WIRE_MERGE_END);
    assert_true(f.places[0].is_promised);
    assert_int_equal(count_members(&f, 1), 1); /* not yet */
    assert_int_equal(carry(&f, 1, 100), WIRE_MERGE_READY);
    assert_int_equal(f.places[1].standing, CLAIMS_NOT_MINE);
    expect(&f, "2: moved 22\n");
    assert_int_equal(carry(&f, 2, 1), WIRE_MERGE_COMMIT);
    assert_int_equal(count_members(&f, 1), 2);
    expect(&f, ""); /* Boris is corked */
    say(&f, 2, 22, "late");
    say(&f, 1, 11, "hello");
    assert_int_equal(carry(&f, 2, 100), WIRE_FORWARD);
    expect(&f, "1: deliver 11 held\n1: deliver 11 late\n");
    hear_of(&f, 2, WIRE_SWITCH, 22);
    assert_int_equal(carry(&f, 2, 100), WIRE_FORWARD);
    expect(&f, "1: switched 22\n1: joined 22\n1: deliver 22 hello\n");
    say(&f, 1, 22, "new");
    expect(&f, "1: deliver 11 new\n");
    tick(&f, 1);
    assert_null(f.places[1].owner.all.table);
    close_both(&f);
}

static void the_higher_one_is_asked_and_does_not_take(void **state)
{
    (void)state;
    fixture f;
    open_both(&f);
    join(&f, 1, 11, "anna", 100);
    const room_key red = key();
    owner_on_conflict(&f.places[0].owner, &red, &f.places[1].id, f.now_ms);
    const wire_message said = held_message_read(STAILQ_FIRST(&f.places[0].post));
    assert_int_equal(said.type, WIRE_OWNS);
    assert_int_equal(count_members(&f, 1), 1);
    close_both(&f);
}

static void who_drains_gives_also_as_the_lower_one(void **state)
{
    (void)state;
    fixture f;
    open_both(&f);
    join(&f, 1, 11, "anna", 100);
    f.places[1].standing = CLAIMS_NOT_MINE;
    f.places[0].is_draining = true;
    tick(&f, 1);
    carry(&f, 1, 100);
    assert_true(f.places[1].is_promised);
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    assert_int_equal(f.places[1].standing, CLAIMS_MINE);
    assert_int_equal(count_members(&f, 2), 1);
    hear_of(&f, 1, WIRE_SWITCH, 11);
    carry(&f, 1, 100);
    expect(&f, "1: joined 11\n1: moved 11\n2: switched 11\n"); /* it is the same room, so nobody joins */
    close_both(&f);
}

static void who_owns_no_such_room_refuses(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    f.places[0].standing = CLAIMS_NOT_MINE;
    carry(&f, 2, 100);
    assert_int_equal(carry(&f, 1, 100), WIRE_MERGE_REFUSED);
    say(&f, 2, 22, "goes on");
    join(&f, 2, 23, "carl", 0);
    expect(&f, "2: check\n2: joined 23\n2: deliver 23 goes on\n");
    close_both(&f);
}

static void a_merge_that_lasts_too_long_ends_and_cannot_be_completed(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    carry(&f, 2, 100);
    say(&f, 2, 22, "a");
    tick(&f, MERGE_LASTS_MS - 1);
    expect(&f, "");
    f.is_post_full = true; /* nor does it hear of that now */
    tick(&f, 1);
    f.is_post_full = false;
    assert_int_equal(carry(&f, 1, 100), WIRE_MERGE_READY); /* too late */
    assert_true(STAILQ_EMPTY(&f.places[1].post));
    assert_int_equal(f.places[1].standing, CLAIMS_MINE);
    join(&f, 2, 23, "carl", 0);
    expect(&f, "2: joined 23\n2: deliver 23 a\n");
    close_both(&f);
}

static void a_lost_link_ends_it_on_both_sides(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    carry(&f, 2, 100);
    owner_on_node_lost(&f.places[0].owner, &f.places[1].id, f.now_ms);
    assert_false(f.places[0].is_promised);
    owner_on_node_lost(&f.places[1].owner, &f.places[0].id, f.now_ms);
    join(&f, 2, 23, "carl", 0);
    expect(&f, "2: joined 23\n");
    assert_int_equal(count_members(&f, 1), 1);
    close_both(&f);
}

static void who_has_given_and_loses_the_link_tells_its_edges(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    owner_on_node_lost(&f.places[1].owner, &f.places[0].id, f.now_ms);
    say(&f, 2, 22, "lost");
    expect(&f, "2: moved 22\n2: unbound 22\n2: loss 1 of lost\n2: unbound 22\n");
    close_both(&f);
}

static void an_edge_that_does_not_switch_is_given_up(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    carry(&f, 2, 100);
    expect(&f, "2: moved 22\n");
    tick(&f, REMOTE_CORKED_MS - 1);
    expect(&f, "");
    tick(&f, 1);
    expect(&f, "1: unbound 22\n");
    assert_int_equal(count_members(&f, 1), 1);
    close_both(&f);
}

static void a_member_whose_edge_cannot_be_reached_is_lost(void **state)
{
    (void)state;
    fixture f;
    open_two_rooms(&f);
    f.places[0].is_unlinked = true;
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    carry(&f, 2, 100);
    assert_int_equal(count_members(&f, 1), 1);
    assert_int_equal(f.places[0].owner.counts.unlinked, 1);
    close_both(&f);
}

static void a_queue_goes_along_and_a_join_is_sent_to_the_new_owner(void **state)
{
    (void)state;
    fixture f;
    open_both(&f);
    join(&f, 2, 22, "boris", 50);
    say(&f, 2, 22, "first");
    say(&f, 2, 22, "second");
    join(&f, 1, 11, "anna", 100);
    meet(&f);
    join(&f, 2, 23, "carl", 0); /* while it is frozen */
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    carry(&f, 2, 100);
    expect(&f, "2: joined 22\n1: joined 11\n2: moved 22\n2: not owner 23\n1: deliver 11 first\n1: deliver 11 "
               "second\n");
    close_both(&f);
}

static void of_three_those_who_joined_first_have_the_places_and_the_other_is_told(void **state)
{
    (void)state;
    for (uint64_t age_ms = 10; age_ms <= 90; age_ms += 80) {
        fixture f;
        open_both(&f);
        join(&f, 1, 11, "anna", 50);
        join(&f, 1, 12, "carl", 50);
        join(&f, 2, 22, "boris", age_ms);
        meet(&f);
        carry(&f, 2, 100);
        carry(&f, 1, 100);
        journal_clear(&f.journal);
        carry(&f, 2, 100);
        const owner *o = &f.places[0].owner;
        bool is_older = age_ms > 50;
        assert_int_equal(room_peer_is_joined(&remotes_find(&o->all, &(node_id){{EDGE}}, 22)->peer), is_older);
        assert_int_equal(o->counts.pushed_out, 1);
        journal_clear(&f.journal);
        hear_of(&f, 2, WIRE_SWITCH, 22);
        carry(&f, 2, 100);
        expect(&f,
               is_older ? "1: switched 22\n1: joined 22\n1: probe 22\n" : "1: switched 22\n1: waiting 22\n");
        assert_int_equal(count_members(&f, 1), 2);
        close_both(&f);
    }
}

/* Boris has to wait, and says "a" before he knows. What he says later is held, since the room is given away.
 */
static void what_was_said_in_the_line_comes_before_what_is_said_later(void **state)
{
    (void)state;
    fixture f;
    open_both(&f);
    join(&f, 1, 11, "anna", 50);
    join(&f, 1, 12, "carl", 50);
    join(&f, 2, 22, "boris", 10);
    meet(&f);
    carry(&f, 2, 100);
    carry(&f, 1, 100);
    say(&f, 2, 22, "a");
    hear_of(&f, 2, WIRE_SWITCH, 22);
    carry(&f, 2, 100);
    f.places[0].is_draining = true;
    tick(&f, 50);
    assert_true(f.places[0].owner.rooms->is_given);
    hear_of(&f, 1, WIRE_LEAVE, 12);
    say(&f, 1, 22, "b");
    journal_clear(&f.journal);
    f.places[0].is_draining = false;
    owner_on_node_lost(&f.places[0].owner, &f.places[1].id, f.now_ms);
    expect(&f, "1: joined 22\n1: deliver 11 a\n1: deliver 11 b\n");
    close_both(&f);
}

static void what_does_not_belong_together_is_not_taken(void **state)
{
    (void)state;
    fixture f;
    open_both(&f);
    const node_id giver = {{2}};
    const room_key red = key();
    wire_message m = {.type = WIRE_MERGE_BEGIN, .key = red, .number = 5, .room = SLICE_LITERAL("blue")};
    owner *o = &f.places[0].owner;
    owner_on_message(o, &giver, &m, f.now_ms); /* the key is not that of the room */
    m.type = WIRE_MERGE_END;
    owner_on_message(o, &giver, &m, f.now_ms);
    assert_int_equal(held_message_read(STAILQ_FIRST(&f.places[0].post)).type, WIRE_MERGE_REFUSED);
    m.type = WIRE_MERGE_COMMIT; /* of nothing */
    owner_on_message(o, &giver, &m, f.now_ms);
    m.type = WIRE_MERGE_MEMBER;
    owner_on_message(o, &giver, &m, f.now_ms);
    m.type = WIRE_MERGE_BEGIN;
    m.room = SLICE_LITERAL("red");
    owner_on_message(o, &giver, &m, f.now_ms);
    m.type = WIRE_MERGE_COMMIT; /* before END */
    owner_on_message(o, &giver, &m, f.now_ms);
    assert_true(TAILQ_EMPTY(&o->takings));
    assert_null(o->rooms);
    close_both(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_goes_to_the_lower_one_and_nothing_overtakes),
        cmocka_unit_test(the_higher_one_is_asked_and_does_not_take),
        cmocka_unit_test(who_drains_gives_also_as_the_lower_one),
        cmocka_unit_test(who_owns_no_such_room_refuses),
        cmocka_unit_test(a_merge_that_lasts_too_long_ends_and_cannot_be_completed),
        cmocka_unit_test(a_lost_link_ends_it_on_both_sides),
        cmocka_unit_test(who_has_given_and_loses_the_link_tells_its_edges),
        cmocka_unit_test(an_edge_that_does_not_switch_is_given_up),
        cmocka_unit_test(a_member_whose_edge_cannot_be_reached_is_lost),
        cmocka_unit_test(a_queue_goes_along_and_a_join_is_sent_to_the_new_owner),
        cmocka_unit_test(of_three_those_who_joined_first_have_the_places_and_the_other_is_told),
        cmocka_unit_test(what_was_said_in_the_line_comes_before_what_is_said_later),
        cmocka_unit_test(what_does_not_belong_together_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
