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

static uint64_t now_us; /* the time of all calls */

static address_list exempt; /* the addresses that no limit of an address is for; none unless a test says so */

static admission *make_with(admission_limits limits)
{
    admission *a = NULL;
    assert_int_equal(admission_new(&limits, &exempt, &hash, &a), 0);
    assert_non_null(a);
    return a;
}

static admission *make(uint32_t max_connections, uint32_t max_per_address)
{
    return make_with(
        (admission_limits){.max_connections = max_connections, .max_per_address = max_per_address});
}

/* Come from this address; the place must be given. */
static admission_place *enter(admission *a, const char *text)
{
    address from = address_of(text);
    admission_place *place = NULL;
    admission_refusal refusal = admission_enter(a, &from, false, now_us, &place);
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
    admission_refusal refusal = admission_enter(a, &from, false, now_us, &place);
    assert_int_not_equal(refusal, ADMISSION_GRANTED);
    assert_string_equal(admission_refusal_text(refusal), why);
    assert_non_null(place);
    admission_leave(a, place, now_us);
}

static const char total[] = "too many connections";
static const char each[] = "too many connections from one address";
static const char rate[] = "too many new connections from one address";

static void without_limits_everybody_is_admitted(void **state)
{
    (void)state;
    admission *a = make(0, 0);
    admission_place *places[1000];
    for (int i = 0; i < 1000; i++)
        places[i] = enter(a, "10.0.0.1");
    for (int i = 0; i < 1000; i++)
        admission_leave(a, places[i], now_us);
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
    admission_leave(a, first, now_us);
    admission_place *third = enter(a, "10.0.0.3");
    enter_in_vain(a, "10.0.0.1", total);
    admission_leave(a, second, now_us);
    admission_leave(a, third, now_us);
    admission_free(a);
}

static void a_limit_of_one_admits_one(void **state)
{
    (void)state;
    admission *a = make(1, 1);
    for (int i = 0; i < 3; i++) {
        admission_place *place = enter(a, "10.0.0.1");
        enter_in_vain(a, "10.0.0.2", total);
        admission_leave(a, place, now_us);
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
    admission_leave(a, first, now_us);
    first = enter(a, "10.0.0.1");
    enter_in_vain(a, "10.0.0.1", each);
    admission_leave(a, second, now_us);
    admission_leave(a, first, now_us);
    admission_leave(a, other, now_us);
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
    admission_leave(a, first, now_us);
    admission_leave(a, second, now_us);
    admission_free(a);
}

/* Do connections from these two count as from one address? */
static bool are_one(const char *left, const char *right)
{
    admission *a = make(0, 1);
    admission_place *place = enter(a, left);
    address from = address_of(right);
    admission_place *second = NULL;
    bool is_refused = admission_enter(a, &from, false, now_us, &second) != ADMISSION_GRANTED;
    admission_leave(a, second, now_us);
    admission_leave(a, place, now_us);
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

static void no_limit_of_an_address_is_for_those_who_are_exempt(void **state)
{
    (void)state;
    address_list_fault fault;
    assert_int_equal(address_list_parse(&exempt, SLICE_LITERAL("127.0.0.0/8,::1,unix"), &fault), 0);
    admission *a = make_with((admission_limits){.max_per_address = 2, .connects = {1, 1}});
    const address locals[] = {{.family = ADDRESS_UNIX}, address_of("127.0.0.1"), address_of("::1")};
    enum { LOCALS = sizeof(locals) / sizeof(locals[0]), EACH = 4 };
    admission_place *places[LOCALS][EACH];
    for (int i = 0; i < LOCALS; i++)
        for (int j = 0; j < EACH; j++) {
            assert_int_equal(admission_enter(a, &locals[i], false, now_us, &places[i][j]), ADMISSION_GRANTED);
            assert_null(client_account_of(&places[i][j]->account.allowance));
            assert_int_equal(admission_claim(a, &places[i][j], &locals[i], now_us), ADMISSION_GRANTED);
        }
    for (int i = 0; i < LOCALS; i++)
        for (int j = 0; j < EACH; j++)
            admission_leave(a, places[i][j], now_us);
    admission_free(a);
}

/* More connections from the loopback than an address may have are a proxy's, if that is not trusted. */
static void an_untold_proxy_is_noticed(void **state)
{
    (void)state;
    address_list_fault fault;
    assert_int_equal(address_list_parse(&exempt, SLICE_LITERAL("127.0.0.1"), &fault), 0);
    admission *a = make(0, 2);
    const address proxy = address_of("127.0.0.1");
    admission_place *places[3];
    admission_place *told;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(admission_enter(a, &proxy, true, now_us, &told), ADMISSION_GRANTED);
        admission_leave(a, told, now_us);
        assert_false(admission_has_untold_proxy(a));
        assert_int_equal(admission_enter(a, &proxy, false, now_us, &places[i]), ADMISSION_GRANTED);
    }
    assert_true(admission_has_untold_proxy(a));
    admission_leave(a, places[0], now_us);
    assert_false(admission_has_untold_proxy(a));
    admission_leave(a, places[1], now_us);
    admission_leave(a, places[2], now_us);
    admission_free(a);
}

static void exempt_addresses_have_no_limit_of_an_address(void **state)
{
    (void)state;
    address_list_fault fault;
    assert_int_equal(address_list_parse(&exempt, SLICE_LITERAL("192.0.2.0/24"), &fault), 0);
    admission *a = make(0, 1);
    const address proxy = address_of("10.0.0.9");
    const address school = address_of("192.0.2.7");
    admission_place *first = enter(a, "192.0.2.7");
    admission_place *second = enter(a, "192.0.2.7");
    admission_place *third;
    assert_int_equal(admission_enter(a, &proxy, true, now_us, &third), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &third, &school, now_us), ADMISSION_GRANTED);
    admission_place *other = enter(a, "192.0.3.7");
    enter_in_vain(a, "192.0.3.7", each);
    admission_leave(a, first, now_us);
    admission_leave(a, second, now_us);
    admission_leave(a, third, now_us);
    admission_leave(a, other, now_us);
    admission_free(a);
}

static void come_and_leave(admission *a, const char *text)
{
    admission_leave(a, enter(a, text), now_us);
}

/* Ten a second, and fifty at once, with a name for each number. */
static void new_connections_of_an_address_have_a_rate(void **state)
{
    (void)state;
    enum { RATE = 10, BURST = 50 };
    admission *a = make_with((admission_limits){.connects = {RATE, BURST}});
    for (int i = 0; i < BURST; i++)
        come_and_leave(a, "192.0.2.1");
    enter_in_vain(a, "192.0.2.1", rate);
    come_and_leave(a, "192.0.2.2");

    now_us += 99 * 1000;
    enter_in_vain(a, "192.0.2.1", rate);
    now_us += 1000;
    come_and_leave(a, "192.0.2.1");
    enter_in_vain(a, "192.0.2.1", rate);

    /* The same by a proxy. */
    const address proxy = address_of("10.0.0.1");
    const address client = address_of("192.0.2.1");
    admission_place *place;
    assert_int_equal(admission_enter(a, &proxy, true, now_us, &place), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &place, &client, now_us), ADMISSION_OVER_RATE);
    admission_leave(a, place, now_us);
    admission_free(a);
}

enum { MINUTE_US = 60 * 1000 * 1000 };

/* Who goes and comes again within a minute has the same account. */
static void an_account_is_kept_for_a_minute(void **state)
{
    (void)state;
    const token_bucket_rate lines = {.per_second = 1, .burst = 1000};
    admission *a = make(0, 0);
    admission_place *place = enter(a, "192.0.2.1");
    assert_true(shared_bucket_take(&place->account.log_lines, lines, 1000, now_us));
    admission_leave(a, place, now_us);

    now_us += MINUTE_US - 1;
    come_and_leave(a, "192.0.2.9"); /* those who are due are forgotten when somebody comes or goes */
    place = enter(a, "192.0.2.1");
    assert_false(shared_bucket_take(&place->account.log_lines, lines, 100, now_us));
    now_us += MINUTE_US; /* as long as it is here, it is kept anyway */
    come_and_leave(a, "192.0.2.9");
    assert_false(shared_bucket_take(&place->account.log_lines, lines, 200, now_us));
    admission_leave(a, place, now_us);

    now_us += MINUTE_US;
    come_and_leave(a, "192.0.2.9");
    place = enter(a, "192.0.2.1");
    assert_true(shared_bucket_take(&place->account.log_lines, lines, 1000, now_us));
    admission_leave(a, place, now_us);
    admission_free(a);
}

/* Who left first is forgotten first when more than 65,536 are kept, and who is here is never forgotten. */
static void so_many_accounts_are_kept_and_no_more(void **state)
{
    (void)state;
    enum { KEPT = 65536 };
    const token_bucket_rate lines = {.per_second = 1, .burst = 1000};
    admission *a = make(0, 0);
    admission_place *stays = enter(a, "192.0.2.1");
    for (int i = 2; i <= 3; i++) {
        admission_place *place = enter(a, i == 2 ? "192.0.2.2" : "192.0.2.3");
        assert_true(shared_bucket_take(&place->account.log_lines, lines, 1000, now_us));
        admission_leave(a, place, now_us);
    }
    char text[32];
    for (int i = 0; i < KEPT - 1; i++) {
        snprintf(text, sizeof(text), "10.%d.%d.%d", i / 65536, i / 256 % 256, i % 256);
        come_and_leave(a, text);
    }
    admission_place *second = enter(a, "192.0.2.3");
    assert_false(shared_bucket_take(&second->account.log_lines, lines, 1, now_us));
    admission_place *first = enter(a, "192.0.2.2");
    assert_true(shared_bucket_take(&first->account.log_lines, lines, 1000, now_us));
    assert_ptr_equal(enter(a, "192.0.2.1"), stays);
    admission_leave(a, stays, now_us);
    admission_leave(a, stays, now_us);
    admission_leave(a, first, now_us);
    admission_leave(a, second, now_us);
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
        assert_int_equal(admission_enter(a, &proxy, true, now_us, &places[i]), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[0], &anna, now_us), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[1], &bert, now_us), ADMISSION_GRANTED);
    assert_int_equal(admission_claim(a, &places[2], &anna, now_us), ADMISSION_OVER_ADDRESS);
    assert_ptr_not_equal(places[2], places[0]);

    /* Who is being refused has left a place to others, and has an account: one with all who are refused. */
    assert_non_null(client_account_of(&places[2]->account.allowance));
    admission_place *more;
    assert_int_equal(admission_enter(a, &proxy, true, now_us, &more), ADMISSION_GRANTED);
    admission_place *vain;
    assert_int_equal(admission_enter(a, &proxy, true, now_us, &vain), ADMISSION_OVER_LIMIT);
    assert_ptr_equal(vain, places[2]);
    admission_leave(a, vain, now_us);
    admission_leave(a, places[2], now_us);
    admission_leave(a, places[0], now_us);
    assert_int_equal(admission_claim(a, &more, &anna, now_us), ADMISSION_GRANTED);
    places[2] = more;
    admission_leave(a, places[1], now_us);

    admission_place *direct = enter(a, "192.0.2.2");
    assert_int_equal(admission_claim(a, &direct, &anna, now_us),
                     ADMISSION_GRANTED); /* it has its place already */
    admission_leave(a, direct, now_us);
    admission_leave(a, places[2], now_us);
    for (int i = 0; i < 3; i++) /* all is given back: there are three places again */
        assert_int_equal(admission_enter(a, &proxy, true, now_us, &places[i]), ADMISSION_GRANTED);
    for (int i = 0; i < 3; i++)
        admission_leave(a, places[i], now_us);
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
        assert_int_not_equal(admission_enter(a, &from, false, now_us, &answered[i]), ADMISSION_GRANTED);
        assert_non_null(answered[i]);
    }
    admission_place *place = inside;
    assert_int_not_equal(admission_enter(a, &from, false, now_us, &place), ADMISSION_GRANTED);
    assert_null(place);

    admission_leave(a, answered[0], now_us);
    assert_int_not_equal(admission_enter(a, &from, false, now_us, &answered[0]), ADMISSION_GRANTED);
    assert_non_null(answered[0]);

    /* Those that are being answered are not in: the place inside is the only one. */
    admission_leave(a, inside, now_us);
    inside = enter(a, "10.0.0.3");
    admission_leave(a, inside, now_us);
    for (int i = 0; i < REFUSALS_IN_PEACE; i++)
        admission_leave(a, answered[i], now_us);
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
        admission_leave(a, places[(i * 7) % ADDRESSES], now_us);
    for (int i = 0; i < 2; i++) {
        places[0] = enter(a, "10.1.3.231");
        admission_leave(a, places[0], now_us);
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
            is_in[j] = admission_enter(c->admission, &from, false, now_us, &held[j]) == ADMISSION_GRANTED;
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
                admission_leave(c->admission, held[j], now_us);
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
            admission_leave(c.admission, places[i], now_us);
        admission_free(c.admission);
    }
}

static int set_up(void **state)
{
    (void)state;
    exempt = (address_list){0};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_limits_everybody_is_admitted, set_up),
        cmocka_unit_test_setup(the_connection_after_the_last_is_refused_until_one_leaves, set_up),
        cmocka_unit_test_setup(a_limit_of_one_admits_one, set_up),
        cmocka_unit_test_setup(an_address_has_its_own_limit, set_up),
        cmocka_unit_test_setup(who_is_refused_for_its_address_does_not_use_up_the_total, set_up),
        cmocka_unit_test_setup(an_ipv6_client_is_counted_by_its_64, set_up),
        cmocka_unit_test_setup(an_ipv4_client_is_the_same_behind_either_kind_of_listener, set_up),
        cmocka_unit_test_setup(no_limit_of_an_address_is_for_those_who_are_exempt, set_up),
        cmocka_unit_test_setup(an_untold_proxy_is_noticed, set_up),
        cmocka_unit_test_setup(exempt_addresses_have_no_limit_of_an_address, set_up),
        cmocka_unit_test_setup(new_connections_of_an_address_have_a_rate, set_up),
        cmocka_unit_test_setup(an_account_is_kept_for_a_minute, set_up),
        cmocka_unit_test_setup(so_many_accounts_are_kept_and_no_more, set_up),
        cmocka_unit_test_setup(what_comes_from_a_proxy_is_counted_when_it_has_told_for_whom, set_up),
        cmocka_unit_test_setup(a_flood_is_closed_without_an_answer_when_enough_others_get_one, set_up),
        cmocka_unit_test_setup(a_thousand_addresses_have_a_place_each, set_up),
        cmocka_unit_test_setup(threads_never_admit_more_than_the_limit_and_forget_nobody, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
