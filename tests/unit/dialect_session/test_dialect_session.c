#include "dialect_session/dialect_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/journal.h"

#include <stdlib.h>
#include <string.h>

/* The dialect talks to a host that writes down what it is told, and to real rooms. The test says where the
 * way to a session leads, and what time it is. */

enum { PROBE_MS = 3000, START_MS = 1000000, PEOPLE = 4 };

typedef struct person {
    participant p; /* first: what the dialect knows of it */
    struct fixture *f;
    unsigned number;
    uint64_t read_ms; /* when something was last read from it */
    bool is_closed;
} person;

typedef struct fixture {
    dialect dialect;
    dialect_hall hall;
    dialect_limits limits;
    session_counters counters;
    journal journal;
    participant_way way;
    bool is_overloaded;
    const char *refusal; /* what a join is told that is not allowed; NULL = all are allowed */
    uint64_t now_ms;
    size_t reserved;
    person people[PEOPLE];
} fixture;

#define note(f, ...)        journal_note(&(f)->journal, __VA_ARGS__)
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

static const person *person_of(const participant *p)
{
    return (const person *)(const void *)p;
}

/* ---- The host ---- */

static dialect_hall *hall(const participant *p)
{
    return &person_of(p)->f->hall;
}

static uint64_t now_ms(const dialect_hall *of)
{
    return ((const fixture *)of->context)->now_ms;
}

static bool send_text(participant *p, const struct iovec *parts, int count)
{
    const person *to = person_of(p);
    if (to->is_closed)
        return false;
    note(to->f, "%u ", to->number);
    for (int i = 0; i < count; i++)
        note(to->f, "%.*s", (int)parts[i].iov_len, (const char *)parts[i].iov_base);
    note(to->f, "\n");
    return true;
}

static void end_it(participant *p, participant_end end, const char *text)
{
    person *of = (person *)(void *)p;
    note(of->f, "%u end %d: %s\n", of->number, (int)end, text);
    of->is_closed = true;
}

static void ping(participant *p)
{
    note(person_of(p)->f, "%u ping\n", person_of(p)->number);
}

static void resume(participant *p)
{
    note(person_of(p)->f, "%u resume\n", person_of(p)->number);
}

static bool has_spoken_since(const participant *p, uint64_t since_ms)
{
    return person_of(p)->read_ms > since_ms;
}

static uint64_t id(const participant *p)
{
    return person_of(p)->number;
}

static participant_way find_way(participant *p, room_space space, slice room)
{
    assert_int_equal(space, ROOM_SPACE_SESSIONS);
    assert_true(room.len > 0);
    return person_of(p)->f->way;
}

static bool is_overloaded(const participant *p)
{
    return person_of(p)->f->is_overloaded;
}

static bool may_join(const participant *p, room_space space, slice room, slice user,
                     char refusal[PARTICIPANT_REFUSAL_MAX])
{
    const char *text = person_of(p)->f->refusal;
    assert_int_equal(space, ROOM_SPACE_SESSIONS);
    assert_true(room.len > 0 && user.len == 0);
    if (text == NULL)
        return true;
    assert_true(strlen(text) < PARTICIPANT_REFUSAL_MAX);
    memcpy(refusal, text, strlen(text) + 1);
    return false;
}

static bool may_log(const participant *p, log_level level)
{
    (void)p;
    return log_is_on(level);
}

static const participant_host host = {
    .hall = hall,
    .send = send_text,
    .send_signal = send_text,
    .close = end_it,
    .drop = end_it,
    .ping = ping,
    .has_spoken_since = has_spoken_since,
    .resume = resume,
    .id = id,
    .find_way = find_way,
    .may_join = may_join,
    .is_overloaded = is_overloaded,
    .may_log = may_log,
};

/* ---- The rooms ---- */

static bool reserve(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    ((fixture *)context)->reserved += bytes;
    return true;
}

static void release(void *context, uint32_t account, size_t bytes)
{
    (void)account;
    ((fixture *)context)->reserved -= bytes;
}

static void on_signal(void *context, const room_signal_report *report)
{
    (void)context;
    (void)report;
}

static int start(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->dialect = dialect_session;
    f->dialect.host = &host;
    f->now_ms = START_MS;
    f->limits = (dialect_limits){.max_name_bytes = 512, .faults = {.burst = 2, .per_second = 1}};
    f->hall = (dialect_hall){.counters = &f->counters, .limits = &f->limits, .now_ms = now_ms, .context = f};
    const room_limits limits = {.capacity = 2,
                                .pending_max_messages = 2,
                                .pending_max_bytes = 4096,
                                .pending_ttl_ms = 120000,
                                .probe_timeout_ms = PROBE_MS};
    const room_effects effects = {
        .reserve = reserve, .release = release, .on_signal = on_signal, .context = f};
    assert_int_equal(room_manager_new(&limits, &effects, &(keyed_hash){{7}}, &f->hall.manager), 0);
    for (unsigned i = 0; i < PEOPLE; i++) {
        f->people[i] = (person){.f = f, .number = i};
        f->people[i].p.peer.face = &f->dialect.face;
    }
    *state = f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    room_manager_free(f->hall.manager);
    assert_int_equal(f->reserved, 0);
    expect(f, "");
    free(f);
    return 0;
}

/* ---- What a connection does ---- */

static dialect_verdict read_from(person *of, bool is_text, const char *data)
{
    of->read_ms = of->f->now_ms;
    return of->f->dialect.on_message(&of->p, &of->f->hall, is_text, slice_of_text(data));
}

static dialect_verdict come(fixture *f, unsigned number, const char *session)
{
    return read_from(&f->people[number], false, session);
}

static void come_in(fixture *f, unsigned number, const char *session)
{
    assert_int_equal(come(f, number, session), DIALECT_GO_ON);
    assert_true(participant_is_joined(&f->people[number].p));
}

static dialect_verdict say(fixture *f, unsigned number, const char *text)
{
    return read_from(&f->people[number], true, text);
}

static void pong(fixture *f, unsigned number)
{
    f->people[number].read_ms = f->now_ms;
    f->dialect.on_pong(&f->people[number].p);
}

static void lose(fixture *f, unsigned number)
{
    f->dialect.on_end(&f->people[number].p, false);
}

static room_counts counts(const fixture *f)
{
    return room_manager_counts(f->hall.manager);
}

#define OFFER        "{\"type\":\"offer\",\"sdp\":\"v=0\"}"
#define OFFER_TO(id) "{\"type\":\"offer\",\"sessionId\":\"" id "\",\"sdp\":\"v=0\"}"

/* ---- The way to a session ---- */

static void an_invitation_goes_the_way_that_the_host_finds(void **state)
{
    fixture *f = *state;
    f->way = PARTICIPANT_ELSEWHERE;
    assert_int_equal(come(f, 0, "call"), DIALECT_HAND_OVER);
    f->way = PARTICIPANT_LATER;
    assert_int_equal(come(f, 0, "call"), DIALECT_HOLD_MESSAGE);
    assert_int_equal(counts(f).rooms, 0);
    expect(f, "");
    f->way = PARTICIPANT_HERE;
    come_in(f, 0, "call");
    assert_int_equal(counts(f).members, 1);
    f->way = PARTICIPANT_NO_WAY;
    assert_int_equal(come(f, 1, "call"), DIALECT_GO_ON);
    assert_int_equal(counts(f).members, 1);
    expect(f, "1 end 8: out of memory\n");
}

static void an_overloaded_server_lets_nobody_in_and_says_so_by_the_close_alone(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    come_in(f, 1, "call");
    f->is_overloaded = true;
    assert_int_equal(come(f, 2, "call"), DIALECT_GO_ON);
    assert_false(participant_is_joined(&f->people[2].p));
    expect(f, "2 end 5: overloaded\n");
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    expect(f, "1 " OFFER_TO("call") "\n");
    assert_int_equal(say(f, 0, OFFER_TO("other")), DIALECT_GO_ON);
    expect(f, "0 end 5: overloaded\n");
    assert_int_equal(counts(f).members, 1);
}

static void a_join_that_is_not_allowed_ends_with_the_words_of_who_forbids_it(void **state)
{
    fixture *f = *state;
    f->refusal = "Not \"you\"";
    assert_int_equal(come(f, 0, "ca\"ll"), DIALECT_GO_ON);
    expect(f, "0 {\"type\":\"error\",\"sessionId\":\"ca\\\"ll\",\"message\":\"Not \\\"you\\\"\"}\n"
              "0 end 9: not allowed\n");
    assert_int_equal(counts(f).rooms, 0);
    assert_int_equal(counter_get(&f->counters.joins[SESSION_JOIN_NOT_ALLOWED]), 1);

    f->refusal = NULL;
    come_in(f, 1, "call");
    f->refusal = "No";
    assert_int_equal(say(f, 1, OFFER), DIALECT_GO_ON); /* who is in is not asked again */
    expect(f, "");
    assert_int_equal(say(f, 1, OFFER_TO("other")), DIALECT_GO_ON);
    expect(f, "1 {\"type\":\"error\",\"sessionId\":\"other\",\"message\":\"No\"}\n1 end 9: not allowed\n");
    assert_int_equal(counts(f).members, 0);
}

static void a_move_leaves_first_and_the_message_comes_again(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    assert_int_equal(counts(f).pending_messages, 1);
    f->way = PARTICIPANT_ELSEWHERE;
    assert_int_equal(say(f, 0, OFFER_TO("other")), DIALECT_HAND_OVER);
    assert_int_equal(counts(f).rooms, 0); /* and the queue went with it */
    f->way = PARTICIPANT_LATER;
    assert_int_equal(say(f, 0, OFFER_TO("other")), DIALECT_HOLD_MESSAGE);
    f->way = PARTICIPANT_HERE;
    assert_int_equal(say(f, 0, OFFER_TO("other")), DIALECT_GO_ON);
    assert_int_equal(counter_get(&f->counters.leaves[SESSION_LEAVE_MOVED]), 1);
    come_in(f, 1, "other");
    expect(f, "1 " OFFER_TO("other") "\n");
}

/* ---- Doubts ---- */

static void the_pong_of_a_member_ends_the_doubts_about_it(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    f->now_ms += 999;
    come_in(f, 1, "call");
    lose(f, 1);
    f->now_ms += 1;
    assert_int_equal(come(f, 2, "call"), DIALECT_HOLD);
    expect(f, "0 ping\n");
    pong(f, 0); /* in the same millisecond */
    expect(f, "2 resume\n");
    assert_true(participant_is_joined(&f->people[2].p));
    assert_int_equal(say(f, 2, OFFER), DIALECT_GO_ON);
    expect(f, "0 " OFFER_TO("call") "\n");
}

static void one_who_moves_is_held_before_its_message(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    f->now_ms += 1000;
    come_in(f, 1, "other");
    assert_int_equal(say(f, 1, OFFER_TO("call")), DIALECT_HOLD_MESSAGE);
    expect(f, "0 ping\n");
    pong(f, 0);
    expect(f, "1 resume\n");
    assert_int_equal(say(f, 1, OFFER_TO("call")), DIALECT_GO_ON);
    expect(f, "0 " OFFER_TO("call") "\n");
}

static void a_silent_member_goes_in_time_with_its_queue(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    f->now_ms += 1000;
    assert_int_equal(come(f, 1, "call"), DIALECT_HOLD);
    expect(f, "0 ping\n");
    f->now_ms += PROBE_MS - 1;
    room_manager_tick(f->hall.manager, f->now_ms);
    expect(f, "");
    f->now_ms += 1;
    room_manager_tick(f->hall.manager, f->now_ms);
    expect(f, "0 end 4: silent while a newcomer waited\n1 resume\n");
    lose(f, 0);
    assert_int_equal(counts(f).pending_messages, 0);
    assert_int_equal(counts(f).members, 1);
    assert_int_equal(counter_get(&f->counters.leaves[SESSION_LEAVE_SILENT]), 1);
}

static void a_lost_member_lets_the_one_in_who_doubted_it(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    f->now_ms += 1000;
    assert_int_equal(come(f, 1, "call"), DIALECT_HOLD);
    lose(f, 0);
    expect(f, "0 ping\n1 resume\n");
    assert_int_equal(counts(f).pending_messages, 0);
}

/* ---- A third ---- */

static void a_third_is_told_when_both_have_answered(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "\"call\"");
    come_in(f, 1, "\"call\"");
    assert_int_equal(come(f, 2, "\"call\""), DIALECT_HOLD);
    expect(f, "0 ping\n1 ping\n");
    pong(f, 0);
    expect(f, "");
    pong(f, 1);
    expect(f, "2 {\"type\":\"error\",\"sessionId\":\"\\\"call\\\"\",\"message\":\"The session is full\"}\n"
              "2 end 3: the session is full\n");
    assert_null(f->people[2].p.peer.member);
    /* The next one within a second is not worth another question. */
    assert_int_equal(come(f, 3, "\"call\""), DIALECT_GO_ON);
    expect(f, "3 {\"type\":\"error\",\"sessionId\":\"\\\"call\\\"\",\"message\":\"The session is full\"}\n"
              "3 end 3: the session is full\n");
    lose(f, 2);
    lose(f, 3);
    assert_int_equal(counts(f).members, 2);
}

/* ---- Faults ---- */

static void a_full_queue_and_faults_are_told_with_the_session(void **state)
{
    fixture *f = *state;
    come_in(f, 0, "call");
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    assert_int_equal(say(f, 0, OFFER), DIALECT_GO_ON);
    expect(f, "0 {\"type\":\"error\",\"sessionId\":\"call\",\"message\":\"Pending queue is full\"}\n");
    assert_int_equal(say(f, 0, "null"), DIALECT_GO_ON);
    assert_int_equal(read_from(&f->people[0], false, OFFER), DIALECT_GO_ON);
    expect(f, "0 {\"type\":\"error\",\"sessionId\":\"call\",\"message\":\"Invalid message\"}\n"
              "0 {\"type\":\"error\",\"sessionId\":\"call\",\"message\":\"Invalid message\"}\n");
    assert_int_equal(say(f, 0, "{}"), DIALECT_GO_ON);
    expect(f, "0 {\"type\":\"error\",\"sessionId\":\"call\",\"message\":\"Invalid message\"}\n"
              "0 end 0: too many invalid messages\n");
    assert_int_equal(counter_get(&f->counters.invalid_messages), 3);
}

/* ---- The invitation ---- */

static void an_invitation_is_trimmed_and_bounded_before_that(void **state)
{
    fixture *f = *state;
    f->limits.max_name_bytes = 6;
    static const struct {
        const char *query, *id;
    } queries[] = {{"sessionId=%20call+", "call"},
                   {"sessionId=abcdef", "abcdef"},
                   {"sessionId=abcdefg", ""},
                   {"sessionId=++", ""},
                   {"sessionId=", ""},
                   {"", ""}};
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        char out[DIALECT_MAX_INVITATION];
        size_t len = f->dialect.find_invitation(slice_of_text(queries[i].query), &f->limits, out);
        assert_int_equal(len, strlen(queries[i].id));
        assert_memory_equal(out, queries[i].id, len);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_goes_the_way_that_the_host_finds),
        TEST(an_overloaded_server_lets_nobody_in_and_says_so_by_the_close_alone),
        TEST(a_join_that_is_not_allowed_ends_with_the_words_of_who_forbids_it),
        TEST(a_move_leaves_first_and_the_message_comes_again),
        TEST(the_pong_of_a_member_ends_the_doubts_about_it),
        TEST(one_who_moves_is_held_before_its_message),
        TEST(a_silent_member_goes_in_time_with_its_queue),
        TEST(a_lost_member_lets_the_one_in_who_doubted_it),
        TEST(a_third_is_told_when_both_have_answered),
        TEST(a_full_queue_and_faults_are_told_with_the_session),
        TEST(an_invitation_is_trimmed_and_bounded_before_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
