/* Admission: limits, who counts as one address, and several threads that come and go at once. */
#include "server/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

enum { REFUSALS_IN_PEACE = 256 }; /* how many are answered with a 503 at once */

static const keyed_hash hash = {{1, 2, 3}};

static address address_of(const char *text)
{
    address from;
    assert_true(address_parse(slice_of_text(text), &from));
    from.port = (uint16_t)strlen(text); /* ports must not count */
    return from;
}

static admission *make(uint32_t max_connections, uint32_t max_per_address)
{
    admission *a = NULL;
    assert_int_equal(admission_new(max_connections, max_per_address, &hash, &a), 0);
    assert_non_null(a);
    return a;
}

/* Come from this address; the place must be given. */
static admission_place *enter(admission *a, const char *text)
{
    address from = address_of(text);
    admission_place *place = NULL;
    admission_refusal refusal = admission_enter(a, &from, false, &place);
    if (refusal != ADMISSION_GRANTED)
        print_error("%s was refused: %s\n", text, admission_refusal_text(refusal));
    assert_int_equal(refusal, ADMISSION_GRANTED);
    assert_non_null(place);
    return place;
}

/* Come from this address and be refused for this reason; what is held for the 503 is given back at once. */
static void enter_in_vain(admission *a, const char *text, const char *why)
{
    address from = address_of(text);
    admission_place *place = NULL;
    admission_refusal refusal = admission_enter(a, &from, false, &place);
    assert_int_not_equal(refusal, ADMISSION_GRANTED);
    assert_string_equal(admission_refusal_text(refusal), why);
    assert_non_null(place);
    admission_leave(a, place);
}

static const char total[] = "too many connections";
static const char each[] = "too many connections from one address";

static void without_limits_everybody_is_admitted(void **state)
{
    (void)state;
    admission *a = make(0, 0);
    admission_place *places[1000];
    for (int i = 0; i < 1000; i++)
        places[i] = enter(a, "10.0.0.1");
    for (int i = 0; i < 1000; i++)
        admission_leave(a, places[i]);
    admission_free(a);
    admission_free(NULL);
}

static void the_connection_after_the_last_is_refused_until_one_leaves(void **state)
{
    (void)state;
    admission *a = make(2, 0);
    admission_place *first = enter(a, "10.0.0.1");
    admission_place *second = enter(a, "10.0.0.2");
    enter_in_vain(a, "10.0.0.3", total);
    enter_in_vain(a, "10.0.0.3", total);
    admission_leave(a, first);
    admission_place *third = enter(a, "10.0.0.3");
    enter_in_vain(a, "10.0.0.1", total);
    admission_leave(a, second);
    admission_leave(a, third);
    admission_free(a);
}

static void a_limit_of_one_admits_one(void **state)
{
    (void)state;
    admission *a = make(1, 1);
    for (int i = 0; i < 3; i++) {
        admission_place *place = enter(a, "10.0.0.1");
        enter_in_vain(a, "10.0.0.2", total);
        admission_leave(a, place);
    }
    admission_free(a);
}

static void an_address_has_its_own_limit(void **state)
{
    (void)state;
    admission *a = make(0, 2);
    admission_place *first = enter(a, "10.0.0.1");
    admission_place *second = enter(a, "10.0.0.1");
    enter_in_vain(a, "10.0.0.1", each);
    admission_place *other = enter(a, "10.0.0.2");
    admission_leave(a, first);
    first = enter(a, "10.0.0.1");
    enter_in_vain(a, "10.0.0.1", each);
    admission_leave(a, second);
    admission_leave(a, first);
    admission_leave(a, other);
    admission_free(a);
}

static void who_is_refused_for_its_address_does_not_use_up_the_total(void **state)
{
    (void)state;
    admission *a = make(2, 1);
    admission_place *first = enter(a, "10.0.0.1");
    for (int i = 0; i < 10; i++)
        enter_in_vain(a, "10.0.0.1", each);
    admission_place *second = enter(a, "10.0.0.2");
    enter_in_vain(a, "10.0.0.3", total);
    admission_leave(a, first);
    admission_leave(a, second);
    admission_free(a);
}

/* Do connections from these two count as from one address? */
static bool are_one(const char *left, const char *right)
{
    admission *a = make(0, 1);
    admission_place *place = enter(a, left);
    address from = address_of(right);
    admission_place *second = NULL;
    bool is_refused = admission_enter(a, &from, false, &second) != ADMISSION_GRANTED;
    admission_leave(a, second);
    admission_leave(a, place);
    admission_free(a);
    return is_refused;
}

static void an_ipv6_client_is_counted_by_its_64(void **state)
{
    (void)state;
    assert_true(are_one("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_false(are_one("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(are_one("2001:db8:1:2::1", "2001:db9:1:2::1"));
}

static void an_ipv4_client_is_the_same_behind_either_kind_of_listener(void **state)
{
    (void)state;
    assert_true(are_one("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(are_one("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    assert_false(are_one("192.0.2.1", "192.0.2.2"));
    assert_false(are_one("::1", "::ffff:0.0.0.1"));
}

static void an_address_of_neither_kind_is_counted_as_one(void **state)
{
    (void)state;
    admission *a = make(0, 1);
    const address from = {.family = ADDRESS_UNIX};
    admission_place *place;
    assert_int_equal(admission_enter(a, &from, false, &place), ADMISSION_GRANTED);
    admission_place *second;
    assert_int_not_equal(admission_enter(a, &from, false, &second), ADMISSION_GRANTED);
    admission_leave(a, second);
    admission_leave(a, place);
    admission_free(a);
}

/* A proxy speaks for many: what it holds counts only once it has told for whom. */
static void what_comes_from_a_proxy_is_counted_when_it_has_told_for_whom(void **state)
{
    (void)state;
    admission *a = make(3, 1);
    const address proxy = address_of("10.0.0.1");
    const address anna = address_of("192.0.2.1");
    const address bert = address_of("192.0.2.2");
    admission_place *places[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(admission_enter(a, &proxy, true, &places[i]), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[0], &anna), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[1], &bert), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[2], &anna), ADMISSION_OVER_ADDRESS);
    admission_place *more;
    assert_int_equal(admission_enter(a, &proxy, true, &more),
                     ADMISSION_OVER_LIMIT); /* all three still count */
    admission_leave(a, more);
    admission_leave(a, places[0]);
    assert_int_equal(admission_claim(a, &places[2], &anna), ADMISSION_GRANTED);
    admission_leave(a, places[1]);

    admission_place *direct = enter(a, "192.0.2.2");
    assert_int_equal(admission_claim(a, &direct, &anna), ADMISSION_GRANTED); /* it has its place already */
    admission_leave(a, direct);
    admission_leave(a, places[2]);
    for (int i = 0; i < 3; i++) /* all is given back: there are three places again */
        assert_int_equal(admission_enter(a, &proxy, true, &places[i]), ADMISSION_GRANTED);
    for (int i = 0; i < 3; i++)
        admission_leave(a, places[i]);
    admission_free(a);
}

static void a_flood_is_closed_without_an_answer_when_enough_others_get_one(void **state)
{
    (void)state;
    admission *a = make(1, 0);
    admission_place *inside = enter(a, "10.0.0.1");
    address from = address_of("10.0.0.2");
    admission_place *answered[REFUSALS_IN_PEACE];
    for (int i = 0; i < REFUSALS_IN_PEACE; i++) {
        assert_int_not_equal(admission_enter(a, &from, false, &answered[i]), ADMISSION_GRANTED);
        assert_non_null(answered[i]);
    }
    admission_place *place = inside;
    assert_int_not_equal(admission_enter(a, &from, false, &place), ADMISSION_GRANTED);
    assert_null(place);

    admission_leave(a, answered[0]);
    assert_int_not_equal(admission_enter(a, &from, false, &answered[0]), ADMISSION_GRANTED);
    assert_non_null(answered[0]);

    /* Those that are being answered are not in: the place inside is the only one. */
    admission_leave(a, inside);
    inside = enter(a, "10.0.0.3");
    admission_leave(a, inside);
    for (int i = 0; i < REFUSALS_IN_PEACE; i++)
        admission_leave(a, answered[i]);
    admission_free(a);
}

static void a_thousand_addresses_have_a_place_each(void **state)
{
    (void)state;
    enum { ADDRESSES = 1000 };
    admission *a = make(0, 1);
    admission_place *places[ADDRESSES];
    char text[32];
    for (int i = 0; i < ADDRESSES; i++) {
        snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
        places[i] = enter(a, text);
    }
    enter_in_vain(a, "10.1.3.231", each);
    for (int i = 0; i < ADDRESSES; i++)
        admission_leave(a, places[(i * 7) % ADDRESSES]);
    for (int i = 0; i < 2; i++) {
        places[0] = enter(a, "10.1.3.231");
        admission_leave(a, places[0]);
    }
    admission_free(a);
}

/* ---- Threads ---- */

enum { THREADS = 4, TURNS = 3000, PER_ADDRESS = 3 };

typedef struct crowd {
    admission *admission;
    _Atomic int inside;  /* admitted now */
    _Atomic int at_most; /* the most that ever were */
    _Atomic int admitted;
} crowd;

static void *come_and_go(void *arg)
{
    crowd *c = arg;
    const address from = address_of("1.2.3.4");
    for (int i = 0; i < TURNS; i++) {
        admission_place *held[2] = {NULL, NULL};
        bool is_in[2];
        for (int j = 0; j < 2; j++) {
            is_in[j] = admission_enter(c->admission, &from, false, &held[j]) == ADMISSION_GRANTED;
            if (!is_in[j])
                continue;
            c->admitted++;
            int now = ++c->inside;
            if (now > c->at_most)
                c->at_most = now; /* a lost update only makes the check below milder */
        }
        for (int j = 0; j < 2; j++) {
            if (is_in[j])
                c->inside--;
            if (held[j] != NULL)
                admission_leave(c->admission, held[j]);
        }
    }
    return NULL;
}

static void threads_never_admit_more_than_the_limit_and_forget_nobody(void **state)
{
    (void)state;
    for (int is_by_address = 0; is_by_address < 2; is_by_address++) {
        crowd c = {.admission = is_by_address ? make(0, PER_ADDRESS) : make(PER_ADDRESS, 0)};
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &c), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);

        assert_true(c.at_most <= PER_ADDRESS);
        assert_true(c.admitted > 0);
        admission_place *places[PER_ADDRESS];
        for (int i = 0; i < PER_ADDRESS; i++)
            places[i] = enter(c.admission, "10.0.0.1");
        enter_in_vain(c.admission, "10.0.0.1", is_by_address ? each : total);
        for (int i = 0; i < PER_ADDRESS; i++)
            admission_leave(c.admission, places[i]);
        admission_free(c.admission);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_everybody_is_admitted),
        cmocka_unit_test(the_connection_after_the_last_is_refused_until_one_leaves),
        cmocka_unit_test(a_limit_of_one_admits_one),
        cmocka_unit_test(an_address_has_its_own_limit),
        cmocka_unit_test(who_is_refused_for_its_address_does_not_use_up_the_total),
        cmocka_unit_test(an_ipv6_client_is_counted_by_its_64),
        cmocka_unit_test(an_ipv4_client_is_the_same_behind_either_kind_of_listener),
        cmocka_unit_test(an_address_of_neither_kind_is_counted_as_one),
        cmocka_unit_test(what_comes_from_a_proxy_is_counted_when_it_has_told_for_whom),
        cmocka_unit_test(a_flood_is_closed_without_an_answer_when_enough_others_get_one),
        cmocka_unit_test(a_thousand_addresses_have_a_place_each),
        cmocka_unit_test(threads_never_admit_more_than_the_limit_and_forget_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
