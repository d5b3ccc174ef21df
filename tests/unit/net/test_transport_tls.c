/* The transport through TLS: what is different then. */
#include "net/transport_tls.h"

#include "base/bytes.h"
#include "support/tls_files.h"
#include "unit/net/transport_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

static tls_context *shared_context; /* a key for each test would take longer than the test */

/* Turn until something is told, or nothing more will be. How much of a handshake OpenSSL takes in one turn is
 * its own business: from 3.2 on it reads a record's head and its body by two calls until the keys are there.
 */
static void turn_until_told(fixture *f)
{
    int told = f->secured + f->readable + f->writable;
    for (int i = 0; i < 10 && f->secured + f->readable + f->writable == told; i++)
        turn(&f->loop);
}

/* Around each test: the transport speaks TLS and is watched; nothing has been said yet. */
static int make_tls(void **state)
{
    if (make(state) != 0)
        return -1;
    fixture *f = *state;
    f->client = tls_peer_new(NULL, f->peer);
    assert_int_equal(transport_start_tls(&f->transport, shared_context), 0);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    return 0;
}

/* The handshake up to the client's last word, which has not been read yet. */
static void shake_hands_but_for_the_end(fixture *f)
{
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    turn_until_told(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), 1);
    assert_false(transport_is_secured(&f->transport));
}

static void shake_hands(fixture *f)
{
    shake_hands_but_for_the_end(f);
    turn_until_told(f);
    assert_true(transport_is_secured(&f->transport));
    assert_int_equal(f->secured, 1);
    assert_int_equal(f->readable, 0);
}

static void expect_read(fixture *f, const char *text)
{
    char data[64];
    assert_int_equal(transport_read(&f->transport, (uint8_t *)data, sizeof(data)), strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

static void expect_read_result(fixture *f, ssize_t expected)
{
    uint8_t data[1];
    assert_int_equal(transport_read(&f->transport, data, 1), expected);
}

static void expect_heard(fixture *f, const char *text)
{
    char data[64];
    assert_int_equal(tls_peer_read(f->client, data, sizeof(data)), strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

static void the_handshake_is_told_and_then_both_can_speak(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"hello", 5, false), 5);
    expect_heard(f, "hello");
    tls_peer_send(f->client, "hello too", 9);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    expect_read(f, "hello too");
    assert_false(transport_holds_input(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
}

static void what_comes_right_behind_the_handshake_is_told(void **state)
{
    fixture *f = *state;
    shake_hands_but_for_the_end(f);
    tls_peer_send(f->client, "a request", 9);
    turn_until_told(f);
    turn(&f->loop);
    assert_int_equal(f->secured, 1);
    assert_int_equal(f->readable, 1);
    expect_read(f, "a request");
}

static void nothing_is_taken_and_nothing_is_told_before_the_handshake(void **state)
{
    fixture *f = *state;
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"x", 1, false), -EAGAIN);
    assert_int_equal(transport_want_writable(&f->transport, true, 7), 0);
    turn(&f->loop);
    assert_true(transport_wants_writable(&f->transport));
    assert_int_equal(f->transport.extra->since_us, 7);
    shake_hands_but_for_the_end(f);
    assert_int_equal(f->writable, 0);
    turn_until_told(f);
    turn(&f->loop);
    assert_true(f->writable > 0);
    assert_int_equal(transport_want_writable(&f->transport, false, 0), 0);
    assert_false(transport_wants_writable(&f->transport));
    f->writable = 0;
    turn(&f->loop);
    assert_int_equal(f->writable, 0);
}

static void held_input_is_recalled_in_the_next_turn_while_it_is_watched(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    tls_peer_send(f->client, "abc", 3);
    turn(&f->loop);
    uint8_t byte;
    assert_int_equal(transport_read(&f->transport, &byte, 1), 1);
    assert_true(transport_holds_input(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->readable, 1);

    transport_recall_input(&f->transport);
    turn(&f->loop);
    assert_int_equal(f->readable, 2);
    transport_recall_input(&f->transport);
    assert_int_equal(transport_watch_input(&f->transport, false), 0);
    transport_recall_input(&f->transport);
    turn(&f->loop);
    assert_int_equal(f->readable, 2);

    assert_int_equal(transport_watch_input(&f->transport, true), 0); /* recalls by itself */
    turn(&f->loop);
    assert_int_equal(f->readable, 3);
    expect_read(f, "bc");
}

static void it_moves_from_loop_to_loop_and_is_told_of_what_it_holds(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    tls_peer_send(f->client, "abc", 3);
    turn(&f->loop);
    fill(&f->transport);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    transport_detach(&f->transport);
    assert_false(transport_wants_writable(&f->transport));
    turn(&f->loop);
    assert_int_equal(f->readable, 1);

    transport_attach(&f->transport, &f->other_loop);
    turn(&f->other_loop);
    assert_int_equal(f->readable, 1);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    turn(&f->other_loop);
    assert_int_equal(f->readable, 2);
    expect_read(f, "abc");
}

static void a_fault_has_a_name(void **state)
{
    fixture *f = *state;
    say(f, "GET / HTTP/1.1\r\n\r\n");
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    uint8_t data[1];
    assert_int_equal(transport_read(&f->transport, data, 1), -EPROTO);
    assert_string_equal(transport_fault(&f->transport), "http request");
}

static void after_the_end_of_output_it_is_a_plain_one(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"bye", 3, true), 3);
    assert_int_equal(transport_end_output(&f->transport), 0);
    assert_true(transport_watches_input(&f->transport));
    expect_heard(f, "bye");
    char data[64];
    assert_int_equal(tls_peer_read(f->client, data, sizeof(data)), 0);
    assert_int_equal(read(f->peer, data, sizeof(data)), 0);

    /* What still comes is not understood, but read to the end. */
    tls_peer_send(f->client, "wait", 4);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    assert_true(transport_read(&f->transport, (uint8_t *)data, sizeof(data)) > 4);
    assert_int_equal(transport_read(&f->transport, (uint8_t *)data, sizeof(data)), -EAGAIN);
    shutdown(f->peer, SHUT_WR);
    turn(&f->loop);
    assert_int_equal(transport_read(&f->transport, (uint8_t *)data, sizeof(data)), 0);
}

static void the_end_of_output_waits_until_the_socket_takes_it(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    int fd = transport_fd(&f->transport);
    static const uint8_t zeros[4096];
    for (size_t len = sizeof(zeros); len > 0; len /= 2)
        while (send(fd, zeros, len, MSG_NOSIGNAL) > 0)
            continue;
    assert_int_equal(transport_end_output(&f->transport), -EAGAIN);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    turn(&f->loop);
    assert_int_equal(f->writable, 0);
    char data[4096];
    while (read(f->peer, data, sizeof(data)) > 0)
        continue;
    turn(&f->loop);
    assert_int_equal(f->writable, 1);
    assert_int_equal(transport_end_output(&f->transport), 0);
    assert_true(read(f->peer, data, sizeof(data)) > 0);
    assert_int_equal(read(f->peer, data, sizeof(data)), 0);
}

static void its_own_callback_may_close_it(void **state)
{
    fixture *f = *state;
    int fd = dup(transport_fd(&f->transport));
    transport_close(&f->transport);
    transport_close(&f->transport);
    transport_open(&f->transport, fd, stop_all);
    assert_int_equal(transport_start_tls(&f->transport, shared_context), 0);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    assert_int_equal(transport_want_writable(&f->transport, true, 1), 0);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    turn_until_told(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), 1);
    tls_peer_send(f->client, "x", 1);
    turn_until_told(f);
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    assert_int_equal(transport_fd(&f->transport), -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* A callback that closes it and, as an accept does, gets the same number for another descriptor. */
static void reopen(net_watch *watch, uint32_t events)
{
    fixture *f = fixture_of(watch);
    if (events != 0) {
        on_ready(watch, events);
        return;
    }
    int fd = watch->fd;
    int fds[2];
    transport_close(&f->transport);
    close(f->peer);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(dup3(fds[1], fd, O_CLOEXEC), fd);
    close(fds[1]);
    f->peer = fds[0];
    transport_open(&f->transport, fd, reopen);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
}

static void its_descriptor_can_be_used_again_at_once(void **state)
{
    fixture *f = *state;
    int fd = dup(transport_fd(&f->transport));
    transport_close(&f->transport);
    transport_open(&f->transport, fd, reopen);
    assert_int_equal(transport_start_tls(&f->transport, shared_context), 0);
    transport_attach(&f->transport, &f->loop);
    assert_int_equal(transport_watch_input(&f->transport, true), 0);
    shake_hands_but_for_the_end(f);
    turn_until_told(f);
    say(f, "in the clear");
    turn(&f->loop);
    assert_int_equal(f->readable, 1);
    expect_read(f, "in the clear");
}

/* ---- Closing ---- */

/* The client has no more to say, in one of three ways. */
static void notify(fixture *f)
{
    assert_int_equal(SSL_shutdown(f->client), 0);
}

static void end_tcp(fixture *f)
{
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
}

static void notify_and_end_tcp(fixture *f)
{
    notify(f);
    end_tcp(f);
}

/* What the client reads in the end: 0 for our close_notify, -ECONNRESET where there is none. */
static void expect_end_heard(fixture *f, ssize_t expected)
{
    char data[1];
    assert_int_equal(tls_peer_read(f->client, data, 1), expected);
}

static void closing_answers_the_end_of_the_peer_by_a_close_notify(void **state)
{
    (void)state;
    static void (*const ways[])(fixture *) = {notify, end_tcp, notify_and_end_tcp};
    for (size_t i = 0; i < 3; i++) {
        void *own;
        assert_int_equal(make_tls(&own), 0);
        fixture *f = own;
        shake_hands(f);
        ways[i](f);
        turn_until_told(f);
        expect_read_result(f, 0);
        transport_close(&f->transport);
        assert_int_equal(ERR_peek_error(), 0);
        expect_end_heard(f, 0);
        unmake(&own);
    }
}

static void closing_for_our_own_reasons_says_nothing(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    transport_close(&f->transport);
    expect_end_heard(f, -ECONNRESET);
}

static void closing_before_the_handshake_is_done_says_nothing(void **state)
{
    fixture *f = *state;
    shake_hands_but_for_the_end(f);
    end_tcp(f);
    transport_close(&f->transport);
    expect_end_heard(f, -ECONNRESET);
}

static void closing_does_not_wait_where_the_socket_takes_no_more(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    fill(&f->transport);
    notify(f);
    turn_until_told(f);
    expect_read_result(f, 0);
    transport_close(&f->transport);
    assert_int_equal(ERR_peek_error(), 0);
}

static void closing_after_a_fault_leaves_no_error_behind(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say(f, "\x17nonsense");
    turn_until_told(f);
    expect_read_result(f, -EPROTO);
    transport_close(&f->transport);
    assert_int_equal(ERR_peek_error(), 0);
}

static void closing_after_a_reset_leaves_no_error_behind(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_int_equal(transport_write(&f->transport, (const uint8_t *)"x", 1, false), 1);
    close(f->peer); /* with unread bytes: the reset of a local socket */
    f->peer = -1;
    turn_until_told(f);
    expect_read_result(f, -ECONNRESET);
    transport_close(&f->transport);
    assert_int_equal(ERR_peek_error(), 0);
}

/* ---- From thread to thread ---- */

enum { MOVES = 300, TOTAL = 1000 * 1000 };

/* Two threads echo what comes, and hand the transport over to each other with whatever is under way. */
typedef struct relay {
    transport transport;
    net_loop *loops[2];
    struct arrival {
        net_watch watch; /* first: of `pipe` */
        struct relay *relay;
        int pipe[2]; /* a byte says that it has come, or that all is over */
        bool is_over;
    } arrivals[2];
    int at; /* whose it is */
    int moves;
    bool is_over;
    bytes *owed; /* not written yet */
} relay;

static void wake(relay *r, int who)
{
    assert_int_equal(write(r->arrivals[who].pipe[1], "", 1), 1);
}

static void echo(relay *r)
{
    while (r->owed != NULL) {
        ssize_t taken = transport_write(&r->transport, bytes_head(r->owed), bytes_len(r->owed), false);
        if (taken < 0)
            break;
        bytes_consume(&r->owed, (size_t)taken);
    }
    assert_int_equal(transport_want_writable(&r->transport, r->owed != NULL, 1), 0);
}

static void move_on(relay *r)
{
    transport_detach(&r->transport);
    r->moves++;
    r->at = 1 - r->at;
    wake(r, r->at);
}

static void on_relay(net_watch *watch, uint32_t events)
{
    relay *r = (relay *)(void *)transport_of(watch); /* its first member */
    uint8_t data[1000]; /* less than a record, so that much is under way when it moves */
    ssize_t got = (events & EPOLLIN) != 0 ? transport_read(&r->transport, data, sizeof(data)) : -EAGAIN;
    if (got > 0)
        assert_int_equal(bytes_append(&r->owed, data, (size_t)got), 0);
    if (got == 0) {
        transport_close(&r->transport);
        r->is_over = true;
        wake(r, 0);
        wake(r, 1);
        return;
    }
    echo(r);
    if (got > 0 && r->moves < MOVES)
        move_on(r);
    else
        transport_recall_input(&r->transport);
}

static void on_arrival(net_watch *watch, uint32_t events)
{
    (void)events;
    struct arrival *arrival = (struct arrival *)(void *)watch;
    relay *r = arrival->relay;
    char byte;
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    if (r->is_over) {
        arrival->is_over = true;
        return;
    }
    transport_attach(&r->transport, r->loops[r->at]);
    assert_int_equal(transport_watch_input(&r->transport, true), 0);
    echo(r);
}

static void *run(void *context)
{
    const struct arrival *arrival = context;
    net_loop *loop = arrival->relay->loops[arrival == &arrival->relay->arrivals[0] ? 0 : 1];
    while (!arrival->is_over)
        assert_int_equal(net_loop_turn(loop), 0);
    return NULL;
}

/* Say all, and hear all again. */
static void converse(SSL *client, int fd, const uint8_t *said, uint8_t *heard)
{
    size_t sent = 0;
    size_t got = 0;
    while (got < TOTAL) {
        size_t len = TOTAL - sent < 3000 ? TOTAL - sent : 3000;
        ssize_t taken = len == 0 ? -EAGAIN : tls_peer_write(client, said + sent, len);
        if (taken > 0)
            sent += (size_t)taken;
        ssize_t more = tls_peer_read(client, heard + got, TOTAL - got);
        if (more > 0)
            got += (size_t)more;
        assert_true((taken > 0 || taken == -EAGAIN) && (more > 0 || more == -EAGAIN));
        if (taken < 0 && more < 0) {
            struct pollfd wait = {fd, POLLIN, 0};
            assert_int_equal(poll(&wait, 1, 60 * 1000), 1);
        }
    }
}

/* Begin on the first loop; returns the peer's descriptor. */
static int start_relay(relay *r)
{
    int fds[2];
    int small = 4096; /* so that output has to wait */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    transport_open(&r->transport, fds[1], on_relay);
    assert_int_equal(transport_start_tls(&r->transport, shared_context), 0);
    transport_attach(&r->transport, r->loops[0]);
    assert_int_equal(transport_watch_input(&r->transport, true), 0);
    return fds[0];
}

static void it_moves_from_thread_to_thread_while_both_ends_speak(void **state)
{
    fixture *f = *state;
    relay r = {.loops = {&f->loop, &f->other_loop}};
    pthread_t threads[2];
    int fd = start_relay(&r);
    for (int i = 0; i < 2; i++) {
        struct arrival *arrival = &r.arrivals[i];
        assert_int_equal(pipe2(arrival->pipe, O_CLOEXEC), 0);
        arrival->relay = &r;
        arrival->watch = (net_watch){.on_ready = on_arrival, .fd = arrival->pipe[0]};
        assert_int_equal(net_watch_change(&r.loops[i]->epoll, &arrival->watch, EPOLLIN), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &r.arrivals[i]), 0);

    uint8_t *said = malloc(TOTAL);
    uint8_t *heard = malloc(TOTAL);
    assert_true(said != NULL && heard != NULL);
    for (size_t i = 0; i < TOTAL; i++)
        said[i] = (uint8_t)(i * 2654435761u >> 24);
    SSL *client = tls_peer_new(NULL, fd);
    converse(client, fd, said, heard);
    assert_memory_equal(heard, said, TOTAL);
    SSL_shutdown(client);

    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(r.moves, MOVES);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net_watch_change(&r.loops[i]->epoll, &r.arrivals[i].watch, 0), 0);
        close(r.arrivals[i].pipe[0]);
        close(r.arrivals[i].pipe[1]);
    }
    SSL_free(client);
    close(fd);
    free(said);
    free(heard);
}

static int make_context(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* for the client, which has a socket of OpenSSL's */
    shared_context = tls_files_new_context();
    return 0;
}

static int free_context(void **state)
{
    (void)state;
    tls_context_free(shared_context);
    return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_tls, unmake)
    const struct CMUnitTest tests[] = {
        CASE(the_handshake_is_told_and_then_both_can_speak),
        CASE(what_comes_right_behind_the_handshake_is_told),
        CASE(nothing_is_taken_and_nothing_is_told_before_the_handshake),
        CASE(held_input_is_recalled_in_the_next_turn_while_it_is_watched),
        CASE(it_moves_from_loop_to_loop_and_is_told_of_what_it_holds),
        CASE(a_fault_has_a_name),
        CASE(after_the_end_of_output_it_is_a_plain_one),
        CASE(the_end_of_output_waits_until_the_socket_takes_it),
        CASE(its_own_callback_may_close_it),
        CASE(its_descriptor_can_be_used_again_at_once),
        cmocka_unit_test(closing_answers_the_end_of_the_peer_by_a_close_notify),
        CASE(closing_for_our_own_reasons_says_nothing),
        CASE(closing_before_the_handshake_is_done_says_nothing),
        CASE(closing_does_not_wait_where_the_socket_takes_no_more),
        CASE(closing_after_a_fault_leaves_no_error_behind),
        CASE(closing_after_a_reset_leaves_no_error_behind),
        cmocka_unit_test_setup_teardown(it_moves_from_thread_to_thread_while_both_ends_speak, make, unmake),
    };
#undef CASE
    return cmocka_run_group_tests(tests, make_context, free_context);
}
