#include "net/tls_pacer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CROWD = 30, MANY = TLS_PACER_UNDER_WAY + CROWD };

typedef struct handshake {
    tls_waiter waiter; /* first */
    char name;
} handshake;

static tls_pacer pacer;
static handshake crowd[MANY];
static uint64_t now_ms;
static char steps[MANY]; /* the names of those who had a step on their turn, in order */
static size_t step_count;

static void on_turn(tls_waiter *w)
{
    assert_false(w->waits);
    assert_true(w->has_begun);
    steps[step_count++] = ((handshake *)(void *)w)->name;
    steps[step_count] = '\0';
}

static uint64_t read_clock(void)
{
    return now_ms;
}

static int make(void **state)
{
    (void)state;
    tls_pacer_init(&pacer);
    pacer.now_ms = read_clock;
    now_ms = UINT32_MAX; /* the low half begins anew in between */
    for (int i = 0; i < MANY; i++)
        crowd[i] = (handshake){.waiter = {.on_turn = on_turn}, .name = (char)('A' + i % CROWD)};
    step_count = 0;
    steps[0] = '\0';
    return 0;
}

/* The next turn; then `expected` have had their steps, and nobody else. */
static void turn(const char *expected)
{
    tls_pacer_end_turn(&pacer);
    step_count = 0;
    steps[0] = '\0';
    tls_pacer_run(&pacer);
    assert_string_equal(steps, expected);
}

/* So many come, of whom the first ones need not wait. */
static void crowd_comes(int count, int served)
{
    for (int i = 0; i < count; i++)
        assert_true(tls_pacer_ask(&pacer, &crowd[i].waiter) == (i < served));
}

static void a_turn_has_its_steps_and_no_more(void **state)
{
    (void)state;
    crowd_comes(TLS_PACER_STEPS + 1, TLS_PACER_STEPS);
    assert_true(tls_pacer_is_busy(&pacer));
    tls_pacer_run(&pacer);
    assert_string_equal(steps, "");
    turn("I");
    assert_false(tls_pacer_is_busy(&pacer));
    turn("");
}

static void who_comes_first_is_first(void **state)
{
    (void)state;
    crowd_comes(26, TLS_PACER_STEPS);
    turn("IJKLMNOP");
    turn("QRSTUVWX");
    tls_pacer_end_turn(&pacer);
    assert_false(
        tls_pacer_ask(&pacer, &crowd[26].waiter)); /* there are steps, but others have come before it */
    turn("YZ[");
}

static void who_has_begun_goes_before_others(void **state)
{
    (void)state;
    crowd_comes(10, TLS_PACER_STEPS);
    assert_false(tls_pacer_ask(&pacer, &crowd[0].waiter)); /* "A" has begun, "I" and "J" have not */
    turn("AIJ");
    tls_pacer_end_turn(&pacer);
    for (int i = 10; i < 24; i++)
        (void)tls_pacer_ask(&pacer, &crowd[i].waiter);
    tls_pacer_end_turn(&pacer);
    assert_true(
        tls_pacer_ask(&pacer, &crowd[0].waiter)); /* at once, while others wait for their first step */
}

static void who_has_begun_leaves_half_of_the_steps_to_others(void **state)
{
    (void)state;
    crowd_comes(20, TLS_PACER_STEPS); /* "A" to "H" */
    for (int i = 0; i < TLS_PACER_STEPS; i++)
        assert_false(tls_pacer_ask(&pacer, &crowd[i].waiter));
    turn("AIBJCKDL");
    tls_pacer_end_turn(&pacer);
    for (int i = 8; i < 12; i++) /* "I" to "L" find others of their kind waiting */
        assert_false(tls_pacer_ask(&pacer, &crowd[i].waiter));
    turn("EMFNGOHP");
    turn("IQJRKSLT");

    tls_pacer_end_turn(&pacer);
    for (int i = 20; i < 30; i++)
        assert_true(tls_pacer_ask(&pacer, &crowd[i].waiter) == (i < 20 + TLS_PACER_STEPS));
    tls_pacer_end_turn(&pacer);
    for (int i = 0; i < TLS_PACER_STEPS; i++) /* as they come, without any line of their own */
        assert_true(tls_pacer_ask(&pacer, &crowd[i].waiter) == (i < TLS_PACER_STEPS / 2));
}

static void who_leaves_gets_no_turn(void **state)
{
    (void)state;
    crowd_comes(12, TLS_PACER_STEPS);
    assert_false(tls_pacer_ask(&pacer, &crowd[0].waiter));
    tls_pacer_leave(&pacer, &crowd[0].waiter);
    tls_pacer_leave(&pacer, &crowd[9].waiter);
    tls_pacer_leave(&pacer, &crowd[9].waiter);
    tls_pacer_leave(&pacer, &crowd[1].waiter); /* which does not wait */
    turn("IKL");
}

/* ---- How many are under way ---- */

/* As many as may be under way begin, in as many turns as that takes. Another one then waits. Returns for how
 * many ms at most. */
static uint64_t fill_way(void)
{
    for (int i = 0; i < TLS_PACER_UNDER_WAY; i++) {
        tls_pacer_end_turn(&pacer);
        assert_true(tls_pacer_ask(&pacer, &crowd[i].waiter));
    }
    tls_pacer_end_turn(&pacer);
    assert_true(tls_pacer_due_ms(&pacer, now_ms) == UINT64_MAX);
    crowd[TLS_PACER_UNDER_WAY].name = '!';
    assert_false(tls_pacer_ask(&pacer, &crowd[TLS_PACER_UNDER_WAY].waiter));
    return tls_pacer_due_ms(&pacer, now_ms) - now_ms;
}

static void one_that_ends_makes_way_for_another(void **state)
{
    (void)state;
    (void)fill_way();
    turn("");
    assert_true(tls_pacer_ask(&pacer, &crowd[7].waiter)); /* who is under way goes on */
    tls_pacer_note_done(&pacer, &crowd[7].waiter);
    tls_pacer_note_done(&pacer, &crowd[8].waiter);
    turn("!");
    tls_pacer_end_turn(&pacer);
    assert_true(tls_pacer_ask(&pacer, &crowd[MANY - 1].waiter));
    assert_false(tls_pacer_ask(&pacer, &crowd[MANY - 2].waiter));
    tls_pacer_leave(&pacer, &crowd[9].waiter); /* as one that is closed before its end */
    turn((char[]){crowd[MANY - 2].name, '\0'});
}

/* As where the connections that hold the most are ended: the pacer has run in this turn already. */
static void one_that_ends_at_the_end_of_a_turn_leaves_work_that_is_due(void **state)
{
    (void)state;
    (void)fill_way();
    turn("");
    tls_pacer_leave(&pacer, &crowd[7].waiter);
    assert_true(tls_pacer_due_ms(&pacer, now_ms) == now_ms);
    turn("!");
    assert_true(tls_pacer_due_ms(&pacer, now_ms) == UINT64_MAX);
}

static void one_that_never_ends_is_not_waited_for(void **state)
{
    (void)state;
    (void)fill_way();
    assert_false(tls_pacer_ask(&pacer, &crowd[MANY - 1].waiter));
    now_ms += TLS_PACER_MIN_PATIENCE_MS - 1;
    turn("");
    now_ms++;
    assert_true(tls_pacer_due_ms(&pacer, now_ms) == now_ms);
    tls_pacer_end_turn(&pacer);
    step_count = 0;
    assert_false(tls_pacer_run(&pacer));
    assert_int_equal(step_count, 2);
    tls_pacer_note_done(&pacer, &crowd[0].waiter); /* it ends after all */
    assert_int_equal(pacer.under_way_count, TLS_PACER_UNDER_WAY);
}

/* Handshakes that take so long, one after the other. */
static void some_take(uint32_t took_ms)
{
    for (int i = 0; i < CROWD; i++) {
        tls_waiter w = {.on_turn = on_turn};
        tls_pacer_end_turn(&pacer);
        assert_true(tls_pacer_ask(&pacer, &w));
        now_ms += took_ms;
        tls_pacer_note_done(&pacer, &w);
    }
}

static void patience_is_twice_what_is_usual_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(fill_way(), TLS_PACER_MIN_PATIENCE_MS);
    make(NULL);
    some_take(10);
    assert_int_equal(fill_way(), TLS_PACER_MIN_PATIENCE_MS);
    make(NULL);
    some_take(1000);
    assert_in_range(fill_way(), 1900, 2000);
    make(NULL);
    some_take(UINT32_MAX / 2);
    assert_int_equal(fill_way(), TLS_PACER_MAX_PATIENCE_MS);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, make)
    const struct CMUnitTest tests[] = {
        CASE(a_turn_has_its_steps_and_no_more),
        CASE(who_comes_first_is_first),
        CASE(who_has_begun_goes_before_others),
        CASE(who_has_begun_leaves_half_of_the_steps_to_others),
        CASE(who_leaves_gets_no_turn),
        CASE(one_that_ends_makes_way_for_another),
        CASE(one_that_ends_at_the_end_of_a_turn_leaves_work_that_is_due),
        CASE(one_that_never_ends_is_not_waited_for),
        CASE(patience_is_twice_what_is_usual_within_bounds),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
