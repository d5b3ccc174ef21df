/* Who owns a room, as one node decides it: what it says, what it answers, and what it believes. */
#include "cluster/claims.h"
#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

enum { SELF = 5, LOW = 1, HIGH = 9 }; /* incarnations: of us, and of others below and above */

typedef struct fixture {
    members members;
    claims *claims;
    journal journal;
    uint64_t now_ms;
    uint64_t number; /* of the last claim */
    bool is_link_full;
} fixture;

static const char *name_of(const node_id *id)
{
    switch (id->bytes[0]) {
    case SELF:
        return "self";
    case LOW:
        return "low";
    default:
        return "high";
    }
}

static void ignore_beat(void *context)
{
    (void)context;
}

static void on_change(void *context, unsigned slot, member_state before)
{
    fixture *f = context;
    bool is_lost = f->members.slots[slot].state == MEMBER_LOST;
    if (before == MEMBER_LOST || is_lost)
        claims_on_member(f->claims, slot, is_lost, f->now_ms);
}

static void on_claim(void *context, const room_key *key, uint64_t number, uint16_t worker)
{
    fixture *f = context;
    (void)worker;
    f->number = number;
    journal_note(&f->journal, "claim %d\n", key->bytes[0]);
}

static void on_answer(void *context, const node_id *to, const room_key *key, uint64_t number,
                      wire_verdict verdict, const room_home *owner)
{
    fixture *f = context;
    (void)number;
    (void)owner;
    static const char *const verdicts[] = {"no", "owned", "mine first"};
    journal_note(&f->journal, "answer %s %d: %s\n", name_of(to), key->bytes[0], verdicts[verdict]);
}

static bool on_announce(void *context, int slot, const room_key *keys, unsigned count)
{
    fixture *f = context;
    (void)keys;
    if (f->is_link_full)
        return false;
    journal_note(&f->journal, "announce %u to %d\n", count, slot);
    return true;
}

static void on_owner(void *context, const room_key *key, const room_home *owner)
{
    fixture *f = context;
    journal_note(&f->journal, "owner of %d: %s\n", key->bytes[0], name_of(&owner->node));
}

static void on_conflict(void *context, const room_key *key, uint16_t worker, const node_id *other)
{
    fixture *f = context;
    (void)worker;
    journal_note(&f->journal, "conflict %d with %s\n", key->bytes[0], name_of(other));
}

static void hear(fixture *f, uint8_t id)
{
    const wire_message m = {
        .type = WIRE_BEAT, .from = {{id}}, .name = SLICE_LITERAL("n"), .version = SLICE_LITERAL("1")};
    assert_int_equal(members_on_beat(&f->members, &m, f->now_ms), 0);
}

static void pass(fixture *f, uint64_t ms)
{
    for (uint64_t end_ms = f->now_ms + ms; f->now_ms < end_ms;) {
        uint64_t due_ms = claims_next_due_ms(f->claims, f->now_ms);
        due_ms = due_ms > f->now_ms ? due_ms : f->now_ms + 1;
        f->now_ms = due_ms < end_ms ? due_ms : end_ms;
        claims_tick(f->claims, f->now_ms);
    }
}

/* Two others are there, and we have listened. */
static void open_claims(fixture *f, bool serves_alone)
{
    memset(f, 0, sizeof(*f));
    f->now_ms = 100000;
    const node_id self = {{SELF}};
    const members_events member_events = {.beat = ignore_beat, .on_change = on_change, .context = f};
    const claims_events events = {.claim = on_claim,
                                  .answer = on_answer,
                                  .announce = on_announce,
                                  .on_owner = on_owner,
                                  .on_conflict = on_conflict,
                                  .context = f};
    members_init(&f->members, &self, &member_events, f->now_ms);
    assert_int_equal(claims_new(&f->members, &events, serves_alone, &f->claims), 0);
    members_on_engine(&f->members, true, f->now_ms);
    claims_on_engine(f->claims, true, f->now_ms);
    f->now_ms += MEMBERS_LISTEN_MS;
    hear(f, LOW);
    hear(f, HIGH);
    journal_clear(&f->journal);
}

static void close_claims(fixture *f)
{
    claims_free(f->claims);
    journal_clear(&f->journal);
}

static void expect(fixture *f, const char *text)
{
    journal_expect(&f->journal, text);
}

static void want(fixture *f, uint8_t room)
{
    const room_key key = {{room}};
    assert_int_equal(claims_want(f->claims, &key, 0, f->now_ms), 0);
}

static void answer_numbered(fixture *f, uint8_t from, uint8_t room, wire_verdict verdict, uint64_t number)
{
    const wire_message m = {.type = WIRE_ANSWER,
                            .from = {{from}},
                            .other = {{from}},
                            .key = {{room}},
                            .code = (uint8_t)verdict,
                            .number = number};
    claims_on_answer(f->claims, &m, f->now_ms);
}

static void answer(fixture *f, uint8_t from, uint8_t room, wire_verdict verdict)
{
    answer_numbered(f, from, room, verdict, f->number);
}

static void hear_claim(fixture *f, uint8_t from, uint8_t room)
{
    const wire_message m = {.type = WIRE_CLAIM, .from = {{from}}, .key = {{room}}, .number = 7};
    claims_on_claim(f->claims, &m, f->now_ms);
}

static claims_standing standing(const fixture *f, uint8_t room)
{
    const room_key key = {{room}};
    return claims_standing_of(f->claims, &key);
}

/* All have said NO. */
static void own(fixture *f, uint8_t room)
{
    want(f, room);
    answer(f, LOW, room, WIRE_NO);
    answer(f, HIGH, room, WIRE_NO);
    assert_int_equal(standing(f, room), CLAIMS_MINE);
    journal_clear(&f->journal);
}

/* ---- Claiming ---- */

static void with_no_from_all_it_owns(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    assert_int_equal(standing(&f, 1), CLAIMS_UNDECIDED);
    answer(&f, LOW, 1, WIRE_NO);
    answer(&f, LOW, 1, WIRE_NO); /* doubled */
    expect(&f, "claim 1\n");
    answer(&f, HIGH, 1, WIRE_NO);
    expect(&f, "owner of 1: self\n");
    want(&f, 1);
    expect(&f, "owner of 1: self\n");
    assert_int_equal(claims_owned(f.claims), 1);
    close_claims(&f);
}

static void who_owns_says_so(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    answer(&f, HIGH, 1, WIRE_OWNED);
    expect(&f, "claim 1\nowner of 1: high\n");
    answer(&f, LOW, 1, WIRE_NO);
    expect(&f, "");
    want(&f, 1); /* it is believed */
    expect(&f, "owner of 1: high\n");
    pass(&f, CLAIMS_TRUST_MS);
    want(&f, 1); /* for a while */
    expect(&f, "claim 1\n");
    close_claims(&f);
}

static void answers_to_other_numbers_mean_nothing(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    answer_numbered(&f, LOW, 1, WIRE_NO, f.number + 1);
    answer_numbered(&f, HIGH, 1, WIRE_OWNED, 0);
    answer(&f, 77, 1, WIRE_NO); /* of one who is no member */
    answer(&f, HIGH, 1, WIRE_NO);
    assert_int_equal(standing(&f, 1), CLAIMS_UNDECIDED);
    close_claims(&f);
}

static void an_unanswered_claim_is_said_again(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    uint64_t number = f.number;
    pass(&f, CLAIMS_REPEAT_MS - 1);
    expect(&f, "claim 1\n");
    pass(&f, 1);
    expect(&f, "claim 1\n");
    assert_int_equal(f.number, number);
    close_claims(&f);
}

static void who_is_lost_is_not_waited_for_and_who_comes_is(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    want(&f, 2);
    answer_numbered(&f, HIGH, 1, WIRE_NO, f.number - 1);
    hear(&f, 3);
    journal_clear(&f.journal);
    const node_id low = {{LOW}}, third = {{3}};
    members_on_bye(&f.members, &low);
    expect(&f, "");
    members_on_bye(&f.members, &third);
    expect(&f, "owner of 1: self\n");
    assert_int_equal(standing(&f, 2), CLAIMS_UNDECIDED);
    close_claims(&f);
}

static void it_listens_before_it_claims(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    members_on_engine(&f.members, true, f.now_ms);
    want(&f, 1);
    pass(&f, MEMBERS_LISTEN_MS - 1);
    expect(&f, "");
    pass(&f, 100);
    expect(&f, "claim 1\n");
    close_claims(&f);
}

static void alone_it_owns_at_once(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    members_on_bye(&f.members, &(node_id){{LOW}});
    members_on_bye(&f.members, &(node_id){{HIGH}});
    want(&f, 1);
    expect(&f, "owner of 1: self\n");
    close_claims(&f);
}

/* ---- Two at the same time ---- */

static void the_lower_one_goes_first(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    hear_claim(&f, HIGH, 1);
    expect(&f, "claim 1\nanswer high 1: mine first\n");
    assert_int_equal(standing(&f, 1), CLAIMS_UNDECIDED);
    hear_claim(&f, LOW, 1);
    expect(&f, "answer low 1: no\nowner of 1: low\n");
    assert_int_equal(standing(&f, 1), CLAIMS_NOT_MINE);
    close_claims(&f);
}

static void mine_first_is_believed(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    answer(&f, HIGH, 1, WIRE_NO);
    answer(&f, LOW, 1, WIRE_MINE_FIRST);
    expect(&f, "claim 1\nowner of 1: low\n");
    close_claims(&f);
}

static void who_has_said_no_joins_there(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    hear_claim(&f, HIGH, 1);
    want(&f, 1);
    expect(&f, "answer high 1: no\nowner of 1: high\n");
    claims_mistaken(f.claims, &(room_key){{1}}, &(node_id){{LOW}}); /* of another one */
    want(&f, 1);
    claims_mistaken(f.claims, &(room_key){{1}}, &(node_id){{HIGH}});
    want(&f, 1);
    expect(&f, "owner of 1: high\nclaim 1\n");
    close_claims(&f);
}

static void a_likely_owner_that_is_lost_is_not_believed(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    hear_claim(&f, HIGH, 1);
    members_on_bye(&f.members, &(node_id){{HIGH}});
    journal_clear(&f.journal);
    want(&f, 1);
    expect(&f, "claim 1\n");
    close_claims(&f);
}

/* What they had answered they have answered to one whom they may have lost since. */
static void after_a_loss_all_answers_begin_anew(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    uint64_t number = f.number;
    answer(&f, LOW, 1, WIRE_NO);
    claims_on_link(f.claims, 0, f.now_ms);
    pass(&f, 1);
    assert_int_not_equal(f.number, number);
    answer(&f, HIGH, 1, WIRE_NO);
    assert_int_equal(standing(&f, 1), CLAIMS_UNDECIDED);
    answer(&f, LOW, 1, WIRE_NO);
    assert_int_equal(standing(&f, 1), CLAIMS_MINE);
    close_claims(&f);
}

/* ---- Owning ---- */

static void a_room_that_is_empty_is_forgotten(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    own(&f, 1);
    claims_release(f.claims, &(room_key){{1}}, f.now_ms);
    assert_int_equal(standing(&f, 1), CLAIMS_NOT_MINE);
    hear_claim(&f, HIGH, 1);
    expect(&f, "answer high 1: no\n");
    close_claims(&f);
}

static void who_has_said_owned_keeps_it_for_a_while(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    own(&f, 1);
    own(&f, 2);
    hear_claim(&f, HIGH, 1);
    hear_claim(&f, HIGH, 2);
    expect(&f, "answer high 1: owned\nanswer high 2: owned\n");
    claims_release(f.claims, &(room_key){{1}}, f.now_ms);
    claims_release(f.claims, &(room_key){{2}}, f.now_ms);
    assert_int_equal(standing(&f, 1), CLAIMS_MINE);
    assert_int_equal(claims_admit(f.claims, &(room_key){{2}}), CLAIMS_MINE); /* somebody has come */
    pass(&f, CLAIMS_TRUST_MS);
    assert_int_equal(standing(&f, 1), CLAIMS_NOT_MINE);
    assert_int_equal(standing(&f, 2), CLAIMS_MINE);
    close_claims(&f);
}

static void two_owners_are_noticed(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    own(&f, 1);
    claims_on_announced(f.claims, &(node_id){{HIGH}}, &(room_key){{1}}, f.now_ms);
    claims_on_announced(f.claims, &(node_id){{HIGH}}, &(room_key){{2}}, f.now_ms);
    claims_on_announced(f.claims, &(node_id){{SELF}}, &(room_key){{1}}, f.now_ms);
    expect(&f, "conflict 1 with high\n");
    answer_numbered(&f, LOW, 1, WIRE_OWNED, 1); /* too late for the claim, and true */
    expect(&f, "conflict 1 with low\n");
    want(&f, 3);
    claims_on_announced(f.claims, &(node_id){{HIGH}}, &(room_key){{3}}, f.now_ms);
    expect(&f, "claim 3\nowner of 3: high\n");
    close_claims(&f);
}

static void what_is_owned_is_announced_to_who_comes(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    for (uint8_t room = 1; room <= WIRE_MAX_KEYS + 2; room++)
        own(&f, room);
    claims_on_link(f.claims, 1, f.now_ms);
    pass(&f, CLAIMS_PACE_MS);
    expect(&f, "announce 64 to 1\n");
    f.is_link_full = true;
    claims_release(f.claims, &(room_key){{65}}, f.now_ms); /* the one that would be next */
    pass(&f, 10 * CLAIMS_PACE_MS);
    expect(&f, "");
    f.is_link_full = false;
    pass(&f, CLAIMS_PACE_MS);
    expect(&f, "announce 1 to 1\n");
    pass(&f, 10 * CLAIMS_PACE_MS);
    expect(&f, "");
    close_claims(&f);
}

static void all_is_announced_each_minute(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    own(&f, 1);
    pass(&f, CLAIMS_CYCLE_MS);
    expect(&f, "announce 1 to -1\n");
    pass(&f, CLAIMS_CYCLE_MS);
    expect(&f, "announce 1 to -1\n");
    close_claims(&f);
}

static void a_merge_takes_and_gives(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    assert_int_equal(claims_take(f.claims, &(room_key){{1}}, 0, f.now_ms), 0);
    assert_int_equal(standing(&f, 1), CLAIMS_MINE);
    expect(&f, "announce 1 to 0\nannounce 1 to 1\n");
    const room_home low = {.node = {{LOW}}};
    claims_give(f.claims, &(room_key){{1}}, &low, f.now_ms);
    assert_int_equal(standing(&f, 1), CLAIMS_NOT_MINE);
    want(&f, 1);
    expect(&f, "owner of 1: low\n");

    const room_home high = {.node = {{HIGH}}}; /* a worker hears late of a conflict: it is not ours to give */
    claims_give(f.claims, &(room_key){{1}}, &high, f.now_ms);
    want(&f, 1);
    expect(&f, "owner of 1: low\n");
    want(&f, 2);
    claims_give(f.claims, &(room_key){{2}}, &high, f.now_ms);
    expect(&f, "claim 2\n");
    assert_int_equal(standing(&f, 2), CLAIMS_UNDECIDED);
    close_claims(&f);
}

static int promise(fixture *f, uint8_t room, uint8_t giver)
{
    return claims_promise(f->claims, &(room_key){{room}}, &(node_id){{giver}}, f->now_ms);
}

static void what_is_promised_is_the_givers_until_it_is_taken(void **state)
{
    (void)state;
    fixture f;
    open_claims(&f, false);
    want(&f, 1);
    assert_int_equal(promise(&f, 1, HIGH), 0);
    expect(&f, "claim 1\nowner of 1: high\n");
    hear_claim(&f, LOW, 1);
    want(&f, 1);
    expect(&f, "answer low 1: owned\nowner of 1: high\n");
    pass(&f, 2 * CLAIMS_TRUST_MS);
    assert_int_equal(standing(&f, 1), CLAIMS_NOT_MINE);
    assert_int_equal(claims_take(f.claims, &(room_key){{1}}, 0, f.now_ms), 0);
    assert_int_equal(standing(&f, 1), CLAIMS_MINE);
    assert_int_equal(promise(&f, 1, HIGH), 0); /* of a second owner */
    claims_break_promise(f.claims, &(room_key){{1}});
    assert_int_equal(standing(&f, 1), CLAIMS_MINE);
    journal_clear(&f.journal);
    assert_int_equal(promise(&f, 2, HIGH), 0);
    claims_break_promise(f.claims, &(room_key){{2}});
    hear_claim(&f, LOW, 2);
    expect(&f, "answer low 2: no\n");
    /* Low may own it as soon as who gives it to us is gone. */
    assert_int_equal(promise(&f, 2, HIGH), -EBUSY);
    assert_int_equal(promise(&f, 2, LOW), 0);
    close_claims(&f);
}

/* ---- Without the engine ---- */

static void without_the_engine_joiners_are_held_or_served(void **state)
{
    (void)state;
    for (int serves = 0; serves < 2; serves++) {
        fixture f;
        open_claims(&f, serves == 1);
        members_on_engine(&f.members, false, f.now_ms);
        claims_on_engine(f.claims, false, f.now_ms);
        want(&f, 1);
        pass(&f, CLAIMS_ALONE_AFTER_MS - 1);
        expect(&f, "");
        assert_int_equal(claims_engine_away_ms(f.claims, f.now_ms), CLAIMS_ALONE_AFTER_MS - 1);
        pass(&f, 200);
        expect(&f, serves == 1 ? "owner of 1: self\n" : "");
        members_on_engine(&f.members, true, f.now_ms);
        claims_on_engine(f.claims, true, f.now_ms);
        pass(&f, CLAIMS_PACE_MS + 100);
        assert_int_equal(claims_engine_away_ms(f.claims, f.now_ms), 0);
        expect(&f, serves == 1 ? "announce 1 to 0\nannounce 1 to 1\n" : "");
        close_claims(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_no_from_all_it_owns),
        cmocka_unit_test(who_owns_says_so),
        cmocka_unit_test(answers_to_other_numbers_mean_nothing),
        cmocka_unit_test(an_unanswered_claim_is_said_again),
        cmocka_unit_test(who_is_lost_is_not_waited_for_and_who_comes_is),
        cmocka_unit_test(it_listens_before_it_claims),
        cmocka_unit_test(alone_it_owns_at_once),
        cmocka_unit_test(the_lower_one_goes_first),
        cmocka_unit_test(mine_first_is_believed),
        cmocka_unit_test(who_has_said_no_joins_there),
        cmocka_unit_test(a_likely_owner_that_is_lost_is_not_believed),
        cmocka_unit_test(after_a_loss_all_answers_begin_anew),
        cmocka_unit_test(a_room_that_is_empty_is_forgotten),
        cmocka_unit_test(who_has_said_owned_keeps_it_for_a_while),
        cmocka_unit_test(two_owners_are_noticed),
        cmocka_unit_test(what_is_owned_is_announced_to_who_comes),
        cmocka_unit_test(all_is_announced_each_minute),
        cmocka_unit_test(a_merge_takes_and_gives),
        cmocka_unit_test(what_is_promised_is_the_givers_until_it_is_taken),
        cmocka_unit_test(without_the_engine_joiners_are_held_or_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
