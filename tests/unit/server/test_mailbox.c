/* The mailbox between real threads. What travels are blank entries of connections: a mailbox looks at
 * nothing but their link. */
#include "server/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAIT_MS = 20 * 1000 };

static int make(void **state)
{
    mailbox *mb = malloc(sizeof(*mb));
    if (mb == NULL || mailbox_init(mb) != 0)
        return -1;
    *state = mb;
    return 0;
}

static int unmake(void **state)
{
    mailbox_deinit(*state);
    free(*state);
    return 0;
}

/* Was the reader woken since this was asked the last time? */
static bool is_woken(const mailbox *mb)
{
    eventfd_t wakes;
    return eventfd_read(mb->wake_fd, &wakes) == 0;
}

/* Wait for the wake-up, then take everything. False when none comes: no assertion, since threads call this.
 */
static bool await(mailbox *mb, connection_queue *travellers, unsigned *commands)
{
    struct pollfd wake = {.fd = mb->wake_fd, .events = POLLIN};
    if (poll(&wake, 1, WAIT_MS) != 1 || !is_woken(mb))
        return false;
    *commands |= mailbox_take(mb, travellers);
    return true;
}

/* What travels: an entry, and what its sender knows it by. */
typedef struct traveller {
    connection_entry entry; /* first */
    uint64_t number;
    int sender;
} traveller;

#define A_TRAVELLER                              \
    {                                            \
        .entry = {.state = CONNECTION_DETACHED } \
    }

static void prepare(traveller *travellers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        travellers[i] = (traveller)A_TRAVELLER;
}

/* A push of its own turn. */
static int push(mailbox *mb, traveller *s)
{
    mailbox_list to_wake = SLIST_HEAD_INITIALIZER(to_wake);
    int error = mailbox_push(mb, &s->entry, &to_wake);
    mailbox_wake_all(&to_wake);
    return error;
}

static traveller *take_first(connection_queue *travellers)
{
    connection_entry *entry = STAILQ_FIRST(travellers);
    if (entry != NULL)
        STAILQ_REMOVE_HEAD(travellers, queued);
    return (traveller *)entry;
}

/* ---- One thread ---- */

static void a_new_mailbox_is_empty_and_does_not_wake(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    assert_false(is_woken(mb));
    assert_int_equal(mailbox_take(mb, &travellers), 0);
    assert_true(STAILQ_EMPTY(&travellers));
}

static void a_connection_wakes_the_reader_until_it_is_taken(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    traveller s = A_TRAVELLER;
    assert_int_equal(push(mb, &s), 0);
    assert_true(is_woken(mb));
    assert_int_equal(mailbox_take(mb, &travellers), 0);
    assert_false(is_woken(mb));
    assert_ptr_equal(take_first(&travellers), &s);
    assert_true(STAILQ_EMPTY(&travellers));
}

static void a_batch_comes_out_in_order_for_one_wake_at_its_end(void **state)
{
    enum { BATCH = 100 };
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    mailbox_list to_wake = SLIST_HEAD_INITIALIZER(to_wake);
    static traveller batch[BATCH];
    prepare(batch, BATCH);
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(mailbox_push(mb, &batch[i].entry, &to_wake), 0);
    mailbox_order(mb, MAILBOX_DRAIN);
    assert_false(is_woken(mb));
    mailbox_wake_all(&to_wake);
    assert_true(SLIST_EMPTY(&to_wake));

    eventfd_t wakes = 0;
    assert_int_equal(eventfd_read(mb->wake_fd, &wakes), 0);
    assert_int_equal(wakes, 1);
    assert_int_equal(mailbox_take(mb, &travellers), MAILBOX_DRAIN);
    for (int i = 0; i < BATCH; i++)
        assert_ptr_equal(take_first(&travellers), &batch[i]);
    assert_null(take_first(&travellers));
}

static void a_turn_wakes_each_of_its_readers_once_and_nobody_elses(void **state)
{
    mailbox *one = *state;
    mailbox other;
    assert_int_equal(mailbox_init(&other), 0);
    mailbox_list mine = SLIST_HEAD_INITIALIZER(mine);
    mailbox_list another_threads = SLIST_HEAD_INITIALIZER(another_threads);
    traveller travellers[4];
    prepare(travellers, 4);
    assert_int_equal(mailbox_push(one, &travellers[0].entry, &mine), 0);
    assert_int_equal(mailbox_push(&other, &travellers[1].entry, &another_threads), 0);
    assert_int_equal(mailbox_push(one, &travellers[2].entry, &another_threads),
                     0); /* not empty: ours to wake */
    assert_int_equal(mailbox_push(&other, &travellers[3].entry, &mine), 0);
    mailbox_wake_all(&mine);
    assert_true(is_woken(one));
    assert_false(is_woken(&other));
    mailbox_wake_all(&another_threads);
    assert_true(is_woken(&other));

    connection_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    mailbox_take(one, &taken);
    mailbox_take(&other, &taken);
    assert_false(is_woken(one));
    static const int order[] = {0, 2, 1, 3};
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(take_first(&taken), &travellers[order[i]]);
    mailbox_deinit(&other);
}

/* A thread whose loop has failed looks into its mailbox from time to time, without a wake-up. */
static void a_reader_that_was_not_woken_takes_no_wake_up_from_others(void **state)
{
    mailbox *polled = *state;
    mailbox other;
    assert_int_equal(mailbox_init(&other), 0);
    mailbox_list mine = SLIST_HEAD_INITIALIZER(mine);
    mailbox_list another_threads = SLIST_HEAD_INITIALIZER(another_threads);
    connection_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    traveller travellers[3];
    prepare(travellers, 3);
    mailbox_push(&other, &travellers[0].entry, &mine);
    mailbox_push(polled, &travellers[1].entry, &mine);
    mailbox_take(polled, &taken);
    mailbox_push(polled, &travellers[2].entry, &another_threads);
    mailbox_wake_all(&another_threads);
    mailbox_wake_all(&mine);
    bool are_both_woken = is_woken(polled) && is_woken(&other);
    mailbox_take(polled, &taken);
    mailbox_take(&other, &taken);
    mailbox_deinit(&other);
    assert_true(are_both_woken);
}

static void a_turn_ends_though_its_pushes_were_taken_in_between(void **state)
{
    mailbox *polled = *state;
    mailbox_list mine = SLIST_HEAD_INITIALIZER(mine);
    connection_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    traveller travellers[2];
    prepare(travellers, 2);
    mailbox_push(polled, &travellers[0].entry, &mine);
    mailbox_take(polled, &taken);
    mailbox_push(polled, &travellers[1].entry, &mine);
    mailbox_take(polled, &taken);
    assert_ptr_equal(SLIST_FIRST(&mine), polled);
    assert_null(SLIST_NEXT(polled, wake_link));
    mailbox_wake_all(&mine);
    assert_true(SLIST_EMPTY(&mine));
    assert_true(is_woken(polled));
}

static void what_is_taken_goes_behind_what_the_reader_still_has(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    traveller first = A_TRAVELLER;
    traveller second = A_TRAVELLER;
    assert_int_equal(push(mb, &first), 0);
    mailbox_take(mb, &travellers);
    assert_int_equal(push(mb, &second), 0);
    assert_true(is_woken(mb));
    mailbox_take(mb, &travellers);
    assert_ptr_equal(take_first(&travellers), &first);
    assert_ptr_equal(take_first(&travellers), &second);
    assert_null(take_first(&travellers));
}

static void the_same_connection_can_come_again_and_again(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    traveller s = A_TRAVELLER;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push(mb, &s), 0);
        mailbox_take(mb, &travellers);
        assert_ptr_equal(take_first(&travellers), &s);
    }
}

static void a_command_given_twice_comes_once_and_others_beside_it(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    mailbox_order(mb, MAILBOX_DRAIN);
    mailbox_order(mb, MAILBOX_DRAIN);
    assert_true(is_woken(mb));
    assert_int_equal(mailbox_take(mb, &travellers), MAILBOX_DRAIN);
    assert_false(is_woken(mb));
    assert_int_equal(mailbox_take(mb, &travellers), 0);

    mailbox_order(mb, MAILBOX_END);
    mailbox_order(mb, MAILBOX_DRAIN);
    assert_int_equal(mailbox_take(mb, &travellers), MAILBOX_DRAIN | MAILBOX_END);
    assert_true(STAILQ_EMPTY(&travellers));
}

static void a_mailbox_with_a_connection_or_a_command_does_not_close(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    traveller s = A_TRAVELLER;
    assert_int_equal(push(mb, &s), 0);
    assert_false(mailbox_close_if_empty(mb));
    assert_int_equal(push(mb, &(traveller)A_TRAVELLER), 0);
    mailbox_take(mb, &travellers);
    assert_ptr_equal(take_first(&travellers), &s);

    mailbox_order(mb, MAILBOX_END);
    assert_false(mailbox_close_if_empty(mb));
    mailbox_take(mb, &travellers);
    assert_true(mailbox_close_if_empty(mb));
}

static void a_closed_mailbox_lets_nothing_in_and_wakes_nobody(void **state)
{
    mailbox *mb = *state;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    traveller s = A_TRAVELLER;
    assert_true(mailbox_close_if_empty(mb));
    assert_true(mailbox_close_if_empty(mb));
    assert_int_equal(push(mb, &s), -ESHUTDOWN);
    mailbox_order(mb, MAILBOX_DRAIN);
    assert_false(is_woken(mb));
    assert_int_equal(mailbox_take(mb, &travellers), 0);
    assert_true(STAILQ_EMPTY(&travellers));
}

/* ---- Two threads and more ---- */

enum { BALLS = 8, ROUNDS = 2000 };

typedef struct player {
    mailbox *own;
    mailbox *other;
    int returned; /* balls played back */
    bool is_well;
} player;

/* Play every ball back until an order to end comes. */
static void *play(void *arg)
{
    player *p = arg;
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    unsigned commands = 0;
    p->is_well = true;
    while (p->is_well && (commands & MAILBOX_END) == 0) {
        p->is_well = await(p->own, &travellers, &commands);
        traveller *s;
        while ((s = take_first(&travellers)) != NULL) {
            s->number++; /* touched by both threads in turn, without a lock of its own */
            p->is_well = p->is_well && push(p->other, s) == 0;
            p->returned++;
        }
    }
    return NULL;
}

static void two_threads_play_ping_pong_and_no_ball_is_lost_or_overtaken(void **state)
{
    mailbox *here = *state;
    mailbox there;
    assert_int_equal(mailbox_init(&there), 0);
    player p = {.own = &there, .other = here};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play, &p), 0);

    traveller balls[BALLS];
    prepare(balls, BALLS);
    for (int i = 0; i < BALLS; i++)
        assert_int_equal(push(&there, &balls[i]), 0);
    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    unsigned commands = 0;
    int next = 0;
    for (int seen = 0; seen < BALLS * ROUNDS;) {
        assert_true(await(here, &travellers, &commands));
        traveller *s;
        while ((s = take_first(&travellers)) != NULL) {
            assert_ptr_equal(s, &balls[next]);
            next = (next + 1) % BALLS;
            s->number++;
            if (++seen <= BALLS * (ROUNDS - 1))
                assert_int_equal(push(&there, s), 0);
        }
    }
    mailbox_order(&there, MAILBOX_END);
    pthread_join(thread, NULL);

    assert_true(p.is_well);
    assert_int_equal(p.returned, BALLS * ROUNDS);
    assert_int_equal(commands, 0);
    for (int i = 0; i < BALLS; i++)
        assert_int_equal(balls[i].number, 2 * ROUNDS);
    mailbox_deinit(&there);
}

enum { SENDERS = 4, EACH = 2000 };

typedef struct sender {
    mailbox *to;
    traveller *travellers; /* EACH of them, numbered from 1 */
    uint64_t refused;      /* the first that the mailbox did not take; 0 = none */
} sender;

static void *send_all(void *arg)
{
    sender *s = arg;
    for (int i = 0; i < EACH && s->refused == 0; i++)
        if (push(s->to, &s->travellers[i]) != 0)
            s->refused = s->travellers[i].number;
    return NULL;
}

static void start_senders(sender senders[SENDERS], pthread_t threads[SENDERS], mailbox *to)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (sender){.to = to, .travellers = calloc(EACH, sizeof(traveller))};
        assert_non_null(senders[i].travellers);
        prepare(senders[i].travellers, EACH);
        for (int j = 0; j < EACH; j++) {
            senders[i].travellers[j].number = (uint64_t)j + 1;
            senders[i].travellers[j].sender = i;
        }
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
}

static void end_senders(sender senders[SENDERS], pthread_t threads[SENDERS])
{
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        free(senders[i].travellers);
    }
}

static void each_of_many_senders_keeps_its_order_and_no_wake_is_lost(void **state)
{
    mailbox *mb = *state;
    sender senders[SENDERS];
    pthread_t threads[SENDERS];
    start_senders(senders, threads, mb);

    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    unsigned commands = 0;
    uint64_t last[SENDERS] = {0};
    for (int seen = 0; seen < SENDERS * EACH;) {
        assert_true(await(mb, &travellers, &commands));
        for (traveller *s; (s = take_first(&travellers)) != NULL; seen++)
            assert_int_equal(s->number, ++last[s->sender]);
    }
    end_senders(senders, threads);
}

static void a_close_divides_what_came_from_what_is_refused(void **state)
{
    mailbox *mb = *state;
    sender senders[SENDERS];
    pthread_t threads[SENDERS];
    start_senders(senders, threads, mb);

    connection_queue travellers = STAILQ_HEAD_INITIALIZER(travellers);
    uint64_t last[SENDERS] = {0};
    bool is_closed = false;
    while (!is_closed) {
        mailbox_take(mb, &travellers);
        for (traveller *s; (s = take_first(&travellers)) != NULL;)
            assert_int_equal(s->number, ++last[s->sender]);
        is_closed = mailbox_close_if_empty(mb);
    }
    end_senders(senders, threads);

    assert_int_equal(mailbox_take(mb, &travellers), 0);
    assert_true(STAILQ_EMPTY(&travellers));
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(senders[i].refused, last[i] == EACH ? 0 : last[i] + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_mailbox_is_empty_and_does_not_wake, make, unmake),
        cmocka_unit_test_setup_teardown(a_connection_wakes_the_reader_until_it_is_taken, make, unmake),
        cmocka_unit_test_setup_teardown(a_batch_comes_out_in_order_for_one_wake_at_its_end, make, unmake),
        cmocka_unit_test_setup_teardown(a_turn_wakes_each_of_its_readers_once_and_nobody_elses, make, unmake),
        cmocka_unit_test_setup_teardown(a_reader_that_was_not_woken_takes_no_wake_up_from_others, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_turn_ends_though_its_pushes_were_taken_in_between, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_taken_goes_behind_what_the_reader_still_has, make, unmake),
        cmocka_unit_test_setup_teardown(the_same_connection_can_come_again_and_again, make, unmake),
        cmocka_unit_test_setup_teardown(a_command_given_twice_comes_once_and_others_beside_it, make, unmake),
        cmocka_unit_test_setup_teardown(a_mailbox_with_a_connection_or_a_command_does_not_close, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_closed_mailbox_lets_nothing_in_and_wakes_nobody, make, unmake),
        cmocka_unit_test_setup_teardown(two_threads_play_ping_pong_and_no_ball_is_lost_or_overtaken, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(each_of_many_senders_keeps_its_order_and_no_wake_is_lost, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_close_divides_what_came_from_what_is_refused, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
