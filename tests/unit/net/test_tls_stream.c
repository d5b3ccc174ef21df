/* The stream with a client whose bytes the test carries itself, so that it can cut, gather, hold back and
 * damage them. */
#include "net/tls_stream.h"

#include "base/bytes.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/tcp.h> /* that of the C library may lack tcpi_data_segs_in */
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { RECORD = 16 * 1024 };

typedef struct fixture {
    tls_context *context;
    int base; /* which thread watches, instead of a base of it: the one or the other */
    int other_base;
    int watcher;        /* the one of them that does; 0 = none */
    uint32_t interest;  /* what it watches for */
    int fd;             /* the stream's */
    int peer;           /* the client's end of it; -1 when closed */
    tls_stream *stream; /* NULL when freed */
    SSL *client;        /* over two memory BIOs */
    int begun;          /* how often it was told */
    int secured;
    int readable;
    tls_pacer pacer;
    bool reads;       /* it is read as soon as it is told, into `in` */
    int frees_at;     /* free it when this many events have been told; 0 = never */
    bytes *in;        /* what was read */
    ssize_t last_got; /* the last outcome of a read */
} fixture;

static void on_event(void *context, tls_stream_event event)
{
    fixture *f = context;
    if (event == TLS_STREAM_BEGINS) {
        f->begun++;
        return;
    }
    if (event == TLS_STREAM_SECURED)
        f->secured++;
    else
        f->readable++;
    if (f->frees_at == f->secured + f->readable) {
        tls_stream_free(f->stream);
        f->stream = NULL;
        return;
    }
    if (!f->reads)
        return;
    uint8_t data[4 * RECORD];
    f->last_got = tls_stream_read(f->stream, data, sizeof(data));
    if (f->last_got > 0)
        assert_int_equal(bytes_append(&f->in, data, (size_t)f->last_got), 0);
}

static int watch_for(void *context, uint32_t events)
{
    fixture *f = context;
    assert_true(f->watcher != 0 && (events == 0 || events == EPOLLIN || events == EPOLLOUT));
    f->interest = events;
    return 0;
}

static const tls_stream_owner owner = {.on_event = on_event, .watch = watch_for};

static void start_stream_over(fixture *f, int fd, int peer)
{
    f->fd = fd;
    f->peer = peer;
    f->watcher = 0;
    f->interest = 0;
    f->stream = tls_stream_new(f->context, f->fd, &owner, f);
    assert_non_null(f->stream);
    f->client = tls_peer_new(NULL, -1);
    SSL_set_bio(f->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

static void start_stream(fixture *f)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    start_stream_over(f, fds[0], fds[1]);
}

static fixture *current;            /* of the test that runs */
static tls_context *shared_context; /* a key for each test would take longer than the test */

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->context = shared_context;
    f->base = 1;
    f->other_base = 2;
    current = f;
    f->reads = true;
    tls_pacer_init(&f->pacer);
    start_stream(f);
    *state = f;
    return 0;
}

static void end_stream(fixture *f)
{
    tls_stream_free(f->stream);
    SSL_free(f->client);
    close(f->fd);
    if (f->peer >= 0)
        close(f->peer);
}

static int unmake(void **state)
{
    fixture *f = *state;
    end_stream(f);
    bytes_clear(&f->in);
    free(f);
    return 0;
}

/* One pass of this thread's epoll. */
static void turn(int base)
{
    fixture *f = current;
    if (f->watcher != base || f->interest == 0)
        return;
    struct pollfd ready = {.fd = f->fd, .events = (short)f->interest};
    static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT, "events of epoll are handed to poll");
    assert_true(poll(&ready, 1, 0) >= 0);
    if (ready.revents != 0)
        tls_stream_go_on(f->stream);
}

static void watch_by(fixture *f, int base)
{
    f->watcher = base;
    assert_int_equal(tls_stream_watch_input(f->stream), 0);
}

static void detach(fixture *f)
{
    tls_stream_detach(f->stream);
    assert_int_equal(f->interest, 0);
    f->watcher = 0;
}

/* Turn until something is told, or nothing more will be. How much of a handshake OpenSSL takes in one turn is
 * its own business: from 3.2 on it reads a record's head and its body by two calls until the keys are there.
 */
static void turn_until_told(fixture *f)
{
    int told = f->secured + f->readable;
    for (int i = 0; i < 10 && f->secured + f->readable == told; i++)
        turn(f->base);
}

/* ---- The client ---- */

/* Let the next `len` bytes that the client has to send go on their way; returns how many there were. */
static size_t carry(fixture *f, size_t len)
{
    uint8_t data[4 * RECORD];
    assert_true(len <= sizeof(data));
    int got = BIO_read(SSL_get_wbio(f->client), data, (int)len);
    if (got <= 0)
        return 0;
    assert_int_equal(send(f->peer, data, (size_t)got, MSG_NOSIGNAL), got);
    return (size_t)got;
}

static void carry_all(fixture *f)
{
    while (carry(f, 4 * RECORD) > 0)
        continue;
}

/* Bring the client what the stream has sent. */
static void bring(fixture *f)
{
    uint8_t data[4 * RECORD];
    ssize_t got;
    while ((got = recv(f->peer, data, sizeof(data), 0)) > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(f->client), data, (int)got), got);
}

static void say(fixture *f, const void *data, size_t len)
{
    tls_peer_send(f->client, data, len);
}

static void say_text(fixture *f, const char *text)
{
    say(f, text, strlen(text));
}

static void expect_heard(fixture *f, const char *text)
{
    char data[256];
    bring(f);
    ssize_t got = tls_peer_read(f->client, data, sizeof(data));
    assert_int_equal(got, strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

static void watch(fixture *f)
{
    watch_by(f, f->base);
}

/* The handshake up to the client's last word, which is not on its way yet. */
static void shake_hands_but_for_the_end(fixture *f)
{
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry_all(f);
    turn_until_told(f);
    bring(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), 1);
    assert_false(tls_stream_is_secured(f->stream));
}

static void shake_hands(fixture *f)
{
    shake_hands_but_for_the_end(f);
    carry_all(f);
    turn_until_told(f);
    assert_true(tls_stream_is_secured(f->stream));
    assert_int_equal(f->secured, 1);
    assert_int_equal(f->readable, 0);
    bring(f);
    char data[1];
    assert_int_equal(tls_peer_read(f->client, data, 1), -EAGAIN); /* takes the ticket */
}

/* Exactly this was read since the last time. */
static void expect_read(fixture *f, const void *data, size_t len)
{
    assert_int_equal(bytes_len(f->in), len);
    if (len > 0)
        assert_memory_equal(bytes_head(f->in), data, len);
    bytes_clear(&f->in);
}

static void expect_read_text(fixture *f, const char *text)
{
    expect_read(f, text, strlen(text));
}

static void write_text(fixture *f, const char *text)
{
    assert_int_equal(tls_stream_write(f->stream, (const uint8_t *)text, strlen(text), false), strlen(text));
}

/* ---- The handshake ---- */

static void a_new_stream_does_nothing(void **state)
{
    fixture *f = *state;
    uint8_t data[1] = {0};
    assert_false(tls_stream_watches_input(f->stream));
    assert_false(tls_stream_is_secured(f->stream));
    assert_false(tls_stream_holds_input(f->stream));
    assert_false(tls_stream_has_ended(f->stream));
    assert_int_equal(tls_stream_read(f->stream, data, 1), -EAGAIN);
    assert_int_equal(tls_stream_write(f->stream, data, 1, false), -EAGAIN);
    assert_int_equal(tls_stream_end_output(f->stream), 0);
    tls_stream_ignore_input(f->stream);
    tls_stream_detach(f->stream);
    turn(f->base);
    assert_int_equal(f->secured + f->readable, 0);
    tls_stream_free(NULL);
}

static void the_handshake_is_told_when_it_is_done(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_false(tls_stream_holds_input(f->stream));
    turn(f->base);
    assert_int_equal(f->secured, 1);
    assert_int_equal(f->readable, 0);
}

static void the_handshake_may_come_byte_by_byte(void **state)
{
    fixture *f = *state;
    watch(f);
    for (int i = 0; i < 4 && f->secured == 0; i++) {
        (void)tls_peer_shake_hands(f->client, NULL);
        while (carry(f, 1) > 0)
            turn(f->base);
        bring(f);
    }
    assert_int_equal(f->secured, 1);
    write_text(f, "welcome");
    expect_heard(f, "welcome");
}

/* One pass of the base and one turn of the pacer, which has so many steps to give. */
static void turn_with_steps(fixture *f, uint32_t steps)
{
    f->pacer.steps_left = steps;
    turn(f->base);
    (void)tls_pacer_run(&f->pacer);
}

static void the_handshake_takes_no_more_steps_than_it_is_given(void **state)
{
    fixture *f = *state;
    tls_stream_pace_handshake(f->stream, &f->pacer);
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    assert_false(tls_stream_waits(f->stream));
    carry_all(f);
    for (int i = 0; i < 3; i++)
        turn_with_steps(f, 0);
    assert_true(tls_stream_waits(f->stream));
    assert_int_equal(f->begun, 0);
    bring(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN); /* nothing has come */

    int result =
        -EAGAIN; /* newer clients offer keys that we do not take first, and then come a second time */
    for (int i = 0; i < 2 && result == -EAGAIN; i++) {
        turn_with_steps(f, 1);
        assert_int_equal(f->pacer.steps_left, 0);
        assert_false(tls_stream_waits(f->stream));
        assert_int_equal(f->begun, 1); /* it is told once that its wait is over */
        bring(f);
        result = tls_peer_shake_hands(f->client, NULL);
        carry_all(f);
    }
    assert_int_equal(result, 1);
    turn_with_steps(f, 0);
    assert_int_equal(f->secured, 0);
    turn_with_steps(f, 1);
    assert_int_equal(f->pacer.steps_left, 0);
    assert_int_equal(f->begun, 1);
    assert_int_equal(f->secured, 1);
    say_text(f, "not a step");
    carry_all(f);
    turn_with_steps(f, 0);
    expect_read_text(f, "not a step");
}

/* The client has begun its handshake, and the stream waits for a step. */
static void let_it_wait(fixture *f)
{
    tls_stream_pace_handshake(f->stream, &f->pacer);
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry_all(f);
    turn_with_steps(f, 0);
    assert_true(tls_stream_waits(f->stream));
}

static void who_goes_while_it_waits_costs_no_step_of_openssl(void **state)
{
    fixture *f = *state;
    let_it_wait(f);
    shutdown(f->peer, SHUT_WR);
    turn_with_steps(f, 1);
    assert_int_equal(f->begun + f->secured, 0);
    assert_int_equal(f->last_got, -ECONNRESET);
    uint8_t data[1];
    assert_int_equal(recv(f->peer, data, 1, 0), -1); /* and nothing was answered */
}

static void one_that_is_freed_waits_no_more(void **state)
{
    fixture *f = *state;
    let_it_wait(f);
    assert_true(tls_pacer_is_busy(&f->pacer));
    tls_stream_free(f->stream);
    f->stream = NULL;
    assert_false(tls_pacer_is_busy(&f->pacer));
}

static void a_stream_that_waits_costs_little(void **state)
{
    fixture *f = *state;
    size_t before = mallinfo2().uordblks;
    tls_stream *s = tls_stream_new(f->context, f->fd, &owner, f);
    assert_non_null(s);
    tls_stream_pace_handshake(s, &f->pacer);
    f->watcher = f->other_base;
    assert_int_equal(tls_stream_watch_input(s), 0);
    f->pacer.steps_left = 0;
    tls_stream_go_on(s);
    assert_true(tls_stream_waits(s));
    size_t after = mallinfo2().uordblks;
    tls_stream_free(s);
    assert_true(after - before < 1024); /* 0 where a sanitizer or Valgrind allocates */
}

/* Its part of the handshake does not fit into the socket at first. */
static void the_handshake_waits_for_a_peer_that_does_not_read(void **state)
{
    fixture *f = *state;
    static const uint8_t zeros[RECORD];
    size_t filled = 0;
    watch(f);
    for (size_t len = RECORD; len > 0; len /= 2)
        for (ssize_t taken; (taken = send(f->fd, zeros, len, MSG_NOSIGNAL)) > 0;)
            filled += (size_t)taken;
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry_all(f);
    for (int i = 0; i < 5; i++)
        turn(f->base);
    assert_true(tls_stream_watches_input(f->stream));
    assert_int_equal(f->readable, 0);

    uint8_t data[RECORD];
    while (filled > 0) {
        ssize_t got = recv(f->peer, data, filled < sizeof(data) ? filled : sizeof(data), 0);
        assert_true(got > 0);
        filled -= (size_t)got;
    }
    for (int i = 0; i < 5; i++)
        turn(f->base);
    bring(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), 1);
    carry_all(f);
    turn_until_told(f);
    assert_int_equal(f->secured, 1);
    say_text(f, "heard");
    carry_all(f);
    turn(f->base);
    expect_read_text(f, "heard");
}

static void nothing_is_written_before_the_handshake_is_done(void **state)
{
    fixture *f = *state;
    shake_hands_but_for_the_end(f);
    uint8_t data[1] = {0};
    assert_int_equal(tls_stream_write(f->stream, data, 1, false), -EAGAIN);
    assert_int_equal(tls_stream_read(f->stream, data, 1), -EAGAIN);
    carry_all(f);
    turn_until_told(f);
    assert_int_equal(tls_stream_write(f->stream, data, 1, false), 1);
}

static void what_comes_right_behind_the_handshake_is_held_or_told(void **state)
{
    fixture *f = *state;
    f->reads = false;
    shake_hands_but_for_the_end(f);
    say_text(f, "a request");
    carry_all(f); /* in one piece with the end of the handshake */
    turn_until_told(f);
    assert_int_equal(f->secured, 1);
    assert_true(tls_stream_holds_input(f->stream));
    turn(f->base);
    assert_int_equal(f->readable, 0); /* the descriptor does not tell of it */
    char data[16];
    assert_int_equal(tls_stream_read(f->stream, (uint8_t *)data, sizeof(data)), 9);
    assert_memory_equal(data, "a request", 9);
    assert_false(tls_stream_holds_input(f->stream));
}

/* ---- Reading ---- */

static void records_may_be_cut_anywhere(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    for (size_t cut = 0; cut <= 60; cut++) {
        say_text(f, "first");
        say_text(f, "second");
        carry(f, cut); /* the two make 54 bytes */
        turn(f->base);
        turn(f->base);
        carry_all(f);
        turn(f->base);
        turn(f->base);
        expect_read_text(f, "firstsecond");
        assert_false(tls_stream_holds_input(f->stream));
    }
}

static void all_records_of_a_segment_are_read_in_one_go(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    for (int i = 0; i < 20; i++)
        say_text(f, "a candidate, ");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->readable, 1);
    assert_int_equal(f->last_got, 20 * 13);
    assert_false(tls_stream_holds_input(f->stream));
}

static void the_largest_record_is_read_whole(void **state)
{
    fixture *f = *state;
    uint8_t *data = malloc(RECORD);
    assert_non_null(data);
    for (size_t i = 0; i < RECORD; i++)
        data[i] = (uint8_t)(i / 7);
    shake_hands(f);
    say(f, data, RECORD);
    carry_all(f);
    while (bytes_len(f->in) < RECORD)
        turn(f->base);
    expect_read(f, data, RECORD);
    free(data);
}

static void what_there_was_no_room_for_is_held(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    f->reads = false;
    say_text(f, "abcdefgh");
    say_text(f, "ijkl");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->readable, 1);
    char all[13] = "";
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(tls_stream_read(f->stream, (uint8_t *)all + i, 1), 1);
        assert_true(tls_stream_holds_input(f->stream));
    }
    assert_string_equal(all, "abcdefghijkl");
    uint8_t data[1];
    assert_int_equal(tls_stream_read(f->stream, data, 1), -EAGAIN);
    assert_false(tls_stream_holds_input(f->stream));
}

static void input_that_is_ignored_stays_in_the_kernel(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    tls_stream_ignore_input(f->stream);
    tls_stream_ignore_input(f->stream);
    assert_false(tls_stream_watches_input(f->stream));
    say_text(f, "later");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->readable, 0);
    watch(f);
    watch(f);
    assert_true(tls_stream_watches_input(f->stream));
    turn(f->base);
    expect_read_text(f, "later");
}

static void a_change_of_keys_is_answered(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_int_equal(SSL_key_update(f->client, SSL_KEY_UPDATE_REQUESTED), 1);
    say_text(f, "with new keys");
    carry_all(f);
    turn(f->base);
    turn(f->base);
    expect_read_text(f, "with new keys");
    write_text(f, "so do we");
    expect_heard(f, "so do we");
}

/* Each is as short as a record can be, and dear to us. */
static void change_keys(fixture *f, int times)
{
    for (int i = 0; i < times; i++) {
        assert_int_equal(SSL_key_update(f->client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(f->client), 1);
    }
}

static void a_peer_may_change_keys_so_often_and_no_more(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    for (int i = 0; i < 4; i++) {
        change_keys(f, 16);
        say_text(f, "still here");
        carry_all(f);
        turn(f->base);
        expect_read_text(f, "still here");
    }
    change_keys(f, 1);
    say_text(f, "once too often");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->last_got, -EPROTO);
    assert_string_equal(tls_stream_fault(f->stream), "too many changes of keys");
    assert_int_equal(bytes_len(f->in), 0);
}

static void a_peer_that_changes_keys_again_and_again_does_not_hold_up_the_loop(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    change_keys(f, 2000);
    say_text(f, "at last");
    carry_all(f);
    turn(f->base); /* which reads a part of them */
    assert_int_equal(f->last_got, -EPROTO);
    int left = 0;
    assert_int_equal(ioctl(f->fd, FIONREAD, &left), 0);
    assert_true(left > 0);
}

/* ---- Writing ---- */

static void a_write_is_one_record(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    uint8_t *data = calloc(2, RECORD);
    assert_non_null(data);
    assert_int_equal(tls_stream_write(f->stream, data, 10, false), 10);
    assert_int_equal(tls_stream_write(f->stream, data, 2 * RECORD, false), RECORD);
    bring(f);
    assert_int_equal(tls_peer_read(f->client, data, 2 * RECORD), 10);
    assert_int_equal(tls_peer_read(f->client, data, 2 * RECORD), RECORD);
    free(data);
}

/* What waits, as a connection keeps it: a run of bytes whose begin moves on, and which is moved about. */
static void what_was_not_taken_is_offered_again_from_elsewhere_and_with_more_behind(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    enum { LEN = 3 * 1000 * 1000 };
    uint8_t *all = malloc(LEN);
    uint8_t *heard = malloc(LEN);
    assert_true(all != NULL && heard != NULL);
    for (size_t i = 0; i < LEN; i++)
        all[i] = (uint8_t)(i * 2654435761u >> 24);

    size_t sent = 0;
    size_t offered = 5000;
    size_t got = 0;
    size_t refused = 0;
    while (got < LEN) {
        size_t len = LEN - sent < offered ? LEN - sent : offered;
        uint8_t *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, all + sent, len);
        ssize_t taken = len == 0 ? -EAGAIN : tls_stream_write(f->stream, copy, len, false);
        free(copy);
        if (taken > 0) {
            sent += (size_t)taken;
            offered = 5000;
            continue;
        }
        assert_int_equal(taken, -EAGAIN);
        refused++;
        offered += 3000;
        bring(f);
        ssize_t more;
        while ((more = tls_peer_read(f->client, heard + got, LEN - got)) > 0)
            got += (size_t)more;
    }
    assert_true(refused > 10);
    assert_memory_equal(heard, all, LEN);
    free(all);
    free(heard);
}

static void a_write_to_a_peer_that_is_gone_fails_without_a_signal(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    close(f->peer);
    f->peer = -1;
    assert_int_equal(tls_stream_write(f->stream, (const uint8_t *)"x", 1, false), -ECONNRESET);
    assert_int_equal(ERR_peek_error(), 0);
}

/* ---- Segments ---- */

/* A stream over TCP instead, whose segments can be counted. */
static void change_to_tcp(fixture *f)
{
    end_stream(f);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(here);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0 && peer >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&here, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&here, &len), 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&here, len), 0);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    int is_on = 1; /* or a small segment would wait for the acknowledgement of the one before it */
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof(is_on)), 0);
    close(listener);
    start_stream_over(f, fd, peer);
}

static void await_segment(const fixture *f, int wait_ms)
{
    struct pollfd peer = {.fd = f->peer, .events = POLLIN};
    assert_int_equal(poll(&peer, 1, wait_ms), 1);
}

/* What the client's TCP has counted when there is something to read. */
static struct tcp_info count_segments(const fixture *f)
{
    await_segment(f, 10 * 1000);
    struct tcp_info info;
    socklen_t len = sizeof(info);
    assert_int_equal(getsockopt(f->peer, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    if (len < offsetof(struct tcp_info, tcpi_data_segs_in) + sizeof(info.tcpi_data_segs_in))
        skip(); /* an emulator does not know the counts */
    return info;
}

static void our_part_of_the_handshake_does_not_wait(void **state)
{
    fixture *f = *state;
    change_to_tcp(f);
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry_all(f);
    turn_until_told(f);
    await_segment(f, 100); /* the kernel would keep it for 200 ms */
}

static void a_ticket_comes_in_one_segment_with_the_answer(void **state)
{
    fixture *f = *state;
    change_to_tcp(f);
    shake_hands_but_for_the_end(f);
    say_text(f, "a request");
    carry_all(f);
    while (bytes_len(f->in) == 0)
        turn(f->base);
    write_text(f, "an answer");
    assert_int_equal(count_segments(f).tcpi_data_segs_in, 2); /* the first was our part of the handshake */
    expect_heard(f, "an answer");
    assert_true(SSL_SESSION_is_resumable(SSL_get_session(f->client)));
}

static void the_last_record_and_the_end_come_in_one_segment(void **state)
{
    fixture *f = *state;
    change_to_tcp(f);
    shake_hands_but_for_the_end(f);
    carry_all(f);
    while (f->secured == 0)
        turn(f->base);
    write_text(f, "hello");
    unsigned before = count_segments(f).tcpi_segs_in;
    expect_heard(f, "hello");
    assert_int_equal(tls_stream_write(f->stream, (const uint8_t *)"bye", 3, true), 3);
    assert_int_equal(tls_stream_end_output(f->stream), 0);
    assert_int_equal(shutdown(f->fd, SHUT_WR), 0);
    assert_int_equal(count_segments(f).tcpi_segs_in, before + 1);
    expect_heard(f, "bye");
    char data[1];
    assert_int_equal(tls_peer_read(f->client, data, 1), 0);
}

/* ---- Ends ---- */

static void expect_end(fixture *f, ssize_t expected)
{
    turn_until_told(f);
    assert_int_equal(f->last_got, expected);
    uint8_t data[1];
    assert_true(tls_stream_holds_input(f->stream));
    assert_int_equal(tls_stream_read(f->stream, data, 1), expected);
    assert_true(tls_stream_has_ended(f->stream) == (expected == 0)); /* a break is no end */
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_close_notify_is_the_end_and_writing_goes_on(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    assert_int_equal(SSL_shutdown(f->client), 0);
    carry_all(f);
    expect_end(f, 0);
    write_text(f, "the last word");
    expect_heard(f, "the last word");
    assert_int_equal(tls_stream_end_output(f->stream), 0);
    bring(f);
    char data[1];
    assert_int_equal(tls_peer_read(f->client, data, 1), 0);
}

static void an_end_behind_data_comes_after_it(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say_text(f, "good-bye");
    assert_int_equal(SSL_shutdown(f->client), 0);
    carry_all(f); /* in one segment, and the socket stays open */
    turn(f->base);
    expect_read_text(f, "good-bye");
    assert_true(tls_stream_holds_input(f->stream)); /* nothing else would tell of it */
    uint8_t data[1];
    assert_int_equal(tls_stream_read(f->stream, data, 1), 0);
    assert_true(tls_stream_has_ended(f->stream));
}

static void an_end_without_close_notify_is_an_end(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    shutdown(f->peer, SHUT_WR);
    expect_end(f, 0);
}

static void an_end_in_the_middle_of_a_record_is_an_end(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say_text(f, "never heard");
    carry(f, 10);
    shutdown(f->peer, SHUT_WR);
    turn(f->base);
    expect_end(f, 0);
    expect_read_text(f, "");
}

static void a_reset_is_told_as_one(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    write_text(f, "not read");
    close(f->peer); /* with unread bytes: the reset of a local socket */
    f->peer = -1;
    expect_end(f, -ECONNRESET);
}

static void an_end_before_the_handshake_is_done_is_a_broken_connection(void **state)
{
    fixture *f = *state;
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry(f, 20);
    turn(f->base);
    shutdown(f->peer, SHUT_WR);
    expect_end(f, -ECONNRESET);
    assert_int_equal(f->secured, 0);
}

static void expect_fault(fixture *f, const char *reason)
{
    expect_end(f, -EPROTO);
    assert_string_equal(tls_stream_fault(f->stream), reason);
}

static void what_is_no_tls_is_a_fault_with_a_name(void **state)
{
    fixture *f = *state;
    watch(f);
    assert_int_equal(send(f->peer, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    expect_fault(f, "http request");
}

static void a_damaged_record_is_a_fault(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say_text(f, "genuine");
    uint8_t data[64];
    int len = BIO_read(SSL_get_wbio(f->client), data, sizeof(data));
    data[len - 1] ^= 1;
    assert_int_equal(send(f->peer, data, (size_t)len, 0), len);
    expect_fault(f, "decryption failed or bad record mac");
    expect_read_text(f, "");
}

static void a_fault_behind_data_comes_after_it(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say_text(f, "genuine");
    carry_all(f);
    assert_int_equal(send(f->peer, "\x17nonsense", 9, 0), 9); /* a record of data, by its first byte */
    turn(f->base);
    expect_read_text(f, "genuine");
    uint8_t data[1];
    assert_int_equal(tls_stream_read(f->stream, data, 1), -EPROTO);
    assert_string_equal(tls_stream_fault(f->stream), "wrong version number");
}

static void a_client_that_does_not_trust_us_says_so(void **state)
{
    fixture *f = *state;
    SSL_set_verify(f->client, SSL_VERIFY_PEER, NULL);
    watch(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EAGAIN);
    carry_all(f);
    turn_until_told(f);
    bring(f);
    assert_int_equal(tls_peer_shake_hands(f->client, NULL), -EPROTO);
    carry_all(f);
    expect_fault(f, "tlsv1 alert unknown ca");
    assert_int_equal(f->secured, 0);
}

static void an_error_that_somebody_left_behind_is_not_ours(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    f->reads = false;
    say_text(f, "one");
    say_text(f, "two");
    carry(f, 30); /* the second in part: reading it is tried in vain */
    turn(f->base);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    uint8_t data[16];
    assert_int_equal(tls_stream_read(f->stream, data, sizeof(data)), 3);
    assert_int_equal(tls_stream_read(f->stream, data, sizeof(data)), -EAGAIN);

    static const uint8_t zeros[RECORD];
    while (tls_stream_write(f->stream, zeros, RECORD, false) > 0)
        continue;
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_int_equal(tls_stream_write(f->stream, zeros, RECORD, false), -EAGAIN);
}

static void the_end_of_output_is_a_close_notify(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    write_text(f, "bye");
    assert_int_equal(tls_stream_end_output(f->stream), 0);
    expect_heard(f, "bye");
    char data[1];
    assert_int_equal(tls_peer_read(f->client, data, 1), 0);
}

static void the_end_of_output_waits_for_room(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    static const uint8_t zeros[RECORD];
    while (tls_stream_write(f->stream, zeros, 1, false) == 1) /* to the last byte */
        continue;
    /* The byte that was refused stands in OpenSSL's buffer: the end has to wait behind it. */
    bring(f);
    assert_int_equal(tls_stream_write(f->stream, zeros, 1, false), 1);
    while (send(f->fd, zeros, 1, 0) == 1) /* what the client will not understand, but it fills the socket */
        continue;
    assert_int_equal(tls_stream_end_output(f->stream), -EAGAIN);
    bring(f);
    assert_int_equal(tls_stream_end_output(f->stream), 0);
}

/* ---- Freed by its own callback ---- */

static void it_may_be_freed_by_any_of_its_callbacks(void **state)
{
    fixture *f = *state;
    for (int at = 1; at <= 3; at++) {
        f->frees_at = at;
        shake_hands_but_for_the_end(f);
        say_text(f, "data");
        carry_all(f);
        turn_until_told(f); /* secured: 1 */
        if (f->stream != NULL) {
            say_text(f, "more");
            carry_all(f);
            turn_until_told(f); /* readable: 2 */
        }
        if (f->stream != NULL) {
            shutdown(f->peer, SHUT_WR);
            turn_until_told(f); /* the end: 3 */
        }
        assert_null(f->stream);
        assert_int_equal(f->secured + f->readable, at);
        SSL_free(f->client);
        close(f->fd);
        close(f->peer);
        bytes_clear(&f->in);
        f->secured = f->readable = 0;
        start_stream(f);
    }
}

/* ---- From loop to loop ---- */

static void it_moves_with_bytes_in_every_buffer(void **state)
{
    fixture *f = *state;
    shake_hands(f);

    /* Output: a record that the socket did not take. */
    static const uint8_t zeros[RECORD];
    size_t written = 0;
    while (tls_stream_write(f->stream, zeros, RECORD, false) > 0)
        written += RECORD;

    /* Input: decrypted and not read; not decrypted; half a record; and what is still in the kernel. */
    f->reads = false;
    uint8_t *large = malloc(RECORD);
    assert_non_null(large);
    memset(large, 'L', RECORD);
    say(f, large, RECORD);
    say_text(f, "whole");
    say_text(f, "half");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->readable, 1);
    uint8_t data[100];
    assert_int_equal(tls_stream_read(f->stream, data, sizeof(data)), sizeof(data));
    assert_true(tls_stream_holds_input(f->stream));

    detach(f);
    assert_false(tls_stream_watches_input(f->stream));
    assert_int_equal(tls_stream_read(f->stream, data, 50), 50); /* it can be read meanwhile */
    say_text(f, ", kernel");
    carry_all(f);
    turn(f->base);
    assert_int_equal(f->readable, 1);

    watch_by(f, f->other_base);
    assert_true(tls_stream_holds_input(f->stream));
    turn(f->other_base); /* more is decrypted before the rest of the old is read */
    bytes *in = NULL;
    uint8_t buffer[1000];
    for (int i = 0; i < 40; i++) {
        ssize_t got = tls_stream_read(f->stream, buffer, sizeof(buffer));
        if (got == -EAGAIN)
            turn(f->other_base);
        else
            assert_int_equal(bytes_append(&in, buffer, (size_t)got), 0);
    }
    assert_int_equal(bytes_len(in), RECORD - 150 + strlen("wholehalf, kernel"));
    assert_memory_equal(bytes_head(in), large, RECORD - 150);
    assert_memory_equal(bytes_head(in) + RECORD - 150, "wholehalf, kernel", 17);
    bytes_clear(&in);
    free(large);

    while (written > 0) {
        char heard[RECORD];
        bring(f);
        ssize_t got = tls_peer_read(f->client, heard, sizeof(heard));
        assert_int_equal(got, RECORD);
        written -= (size_t)got;
    }
    assert_int_equal(tls_stream_write(f->stream, zeros, RECORD, false), RECORD);
    turn(f->base); /* there is nothing left of it */
}

static void it_moves_with_a_part_of_a_record_and_with_an_end_that_was_not_told(void **state)
{
    fixture *f = *state;
    shake_hands(f);
    say_text(f, "in two parts");
    carry(f, 20);
    turn(f->base);
    detach(f);
    watch_by(f, f->other_base);
    carry_all(f);
    turn(f->base);
    expect_read_text(f, "");
    turn(f->other_base);
    expect_read_text(f, "in two parts");

    say_text(f, "and the end");
    assert_int_equal(SSL_shutdown(f->client), 0);
    carry_all(f);
    turn(f->other_base);
    detach(f);
    watch_by(f, f->base);
    assert_true(tls_stream_holds_input(f->stream));
    uint8_t data[1];
    assert_int_equal(tls_stream_read(f->stream, data, 1), 0);
}

/* ---- What it costs ---- */

/* A stream over which something was said both ways; its client is gone, so that the heap holds nothing of it.
 */
static void open_idle_stream(fixture *f)
{
    current = f;
    f->secured = f->readable = 0;
    start_stream(f);
    shake_hands(f);
    say_text(f, "a message");
    carry_all(f);
    turn(f->base);
    expect_read_text(f, "a message");
    write_text(f, "an answer");
    expect_heard(f, "an answer");
    SSL_free(f->client);
    f->client = NULL;
}

/* OpenSSL's state, libevent's and ours make 16 KB, as a heap counts, and 30 KB from OpenSSL 3.2 on, whose
 * record layers have tables of their own; one buffer would be 16 KB more. What a process needs for each in
 * the end is what `homecall-bench idle` tells. */
static void an_idle_stream_has_no_buffers(void **state)
{
    fixture *f = *state;
    enum { STREAMS = 20 };
    fixture idle[STREAMS];
    size_t after_first = 0;
    for (int i = 0; i < STREAMS; i++) {
        idle[i] = *f;
        open_idle_stream(&idle[i]);
        if (i == 0)
            after_first = mallinfo2().uordblks;
    }
    size_t each = (mallinfo2().uordblks - after_first) / (STREAMS - 1);
    for (int i = 0; i < STREAMS; i++) {
        tls_stream_free(idle[i].stream);
        close(idle[i].fd);
        close(idle[i].peer);
    }
    size_t bound = OPENSSL_VERSION_NUMBER >= 0x30200000L ? 36 * 1024 : 20 * 1024;
    assert_true(each < bound); /* 0 where a sanitizer or Valgrind allocates */
}

/* Whatever was read, and in whatever pieces, its buffer is gone afterwards. */
static void no_read_leaves_a_buffer_behind(void **state)
{
    fixture *f = *state;
    enum { KINDS = 4, SLACK = 4 * 1024 };
    size_t before = 0;
    shake_hands(f);
    for (int i = 0; i <= 2 * KINDS; i++) {
        int kind = i % KINDS;
        say_text(f, "first");
        if (kind == 1)
            assert_int_equal(SSL_key_update(f->client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        else if (kind == 2)
            carry(f, 10); /* the rest of it comes later */
        turn(f->base);
        say_text(f, "second");
        carry_all(f);
        turn(f->base);
        turn(f->base); /* a read of the rest of a record stops there */
        expect_read_text(f, "firstsecond");
        uint8_t data[1];
        if (kind == 3)
            assert_int_equal(tls_stream_read(f->stream, data, sizeof(data)), -EAGAIN);
        if (i == KINDS) /* both ends have made by now what they make once */
            before = mallinfo2().uordblks;
        if (i >= KINDS)
            assert_true(mallinfo2().uordblks < before + SLACK);
    }
}

/* A record that waits for the socket needs its buffer, but not one for what was read. */
static void a_record_that_waits_keeps_one_buffer(void **state)
{
    fixture *f = *state;
    static const uint8_t zeros[RECORD];
    shake_hands(f);
    say_text(f, "before");
    carry_all(f);
    turn(f->base);
    expect_read_text(f, "before");
    while (tls_stream_write(f->stream, zeros, RECORD, false) > 0)
        continue;
    size_t before = mallinfo2().uordblks;
    say_text(f, "meanwhile");
    carry_all(f);
    turn(f->base);
    expect_read_text(f, "meanwhile");
    assert_true(mallinfo2().uordblks < before + RECORD / 2);
}

static int make_context(void **state)
{
    (void)state;
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
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(a_new_stream_does_nothing),
        CASE(the_handshake_is_told_when_it_is_done),
        CASE(the_handshake_may_come_byte_by_byte),
        CASE(the_handshake_takes_no_more_steps_than_it_is_given),
        CASE(who_goes_while_it_waits_costs_no_step_of_openssl),
        CASE(one_that_is_freed_waits_no_more),
        CASE(a_stream_that_waits_costs_little),
        CASE(the_handshake_waits_for_a_peer_that_does_not_read),
        CASE(nothing_is_written_before_the_handshake_is_done),
        CASE(what_comes_right_behind_the_handshake_is_held_or_told),
        CASE(records_may_be_cut_anywhere),
        CASE(all_records_of_a_segment_are_read_in_one_go),
        CASE(the_largest_record_is_read_whole),
        CASE(what_there_was_no_room_for_is_held),
        CASE(input_that_is_ignored_stays_in_the_kernel),
        CASE(a_change_of_keys_is_answered),
        CASE(a_peer_may_change_keys_so_often_and_no_more),
        CASE(a_peer_that_changes_keys_again_and_again_does_not_hold_up_the_loop),
        CASE(a_write_is_one_record),
        CASE(what_was_not_taken_is_offered_again_from_elsewhere_and_with_more_behind),
        CASE(a_write_to_a_peer_that_is_gone_fails_without_a_signal),
        CASE(our_part_of_the_handshake_does_not_wait),
        CASE(a_ticket_comes_in_one_segment_with_the_answer),
        CASE(the_last_record_and_the_end_come_in_one_segment),
        CASE(a_close_notify_is_the_end_and_writing_goes_on),
        CASE(an_end_behind_data_comes_after_it),
        CASE(an_end_without_close_notify_is_an_end),
        CASE(an_end_in_the_middle_of_a_record_is_an_end),
        CASE(a_reset_is_told_as_one),
        CASE(an_end_before_the_handshake_is_done_is_a_broken_connection),
        CASE(what_is_no_tls_is_a_fault_with_a_name),
        CASE(a_damaged_record_is_a_fault),
        CASE(a_fault_behind_data_comes_after_it),
        CASE(a_client_that_does_not_trust_us_says_so),
        CASE(an_error_that_somebody_left_behind_is_not_ours),
        CASE(the_end_of_output_is_a_close_notify),
        CASE(the_end_of_output_waits_for_room),
        CASE(it_may_be_freed_by_any_of_its_callbacks),
        CASE(it_moves_with_bytes_in_every_buffer),
        CASE(it_moves_with_a_part_of_a_record_and_with_an_end_that_was_not_told),
        CASE(an_idle_stream_has_no_buffers),
        CASE(no_read_leaves_a_buffer_behind),
        CASE(a_record_that_waits_keeps_one_buffer),
    };
#undef CASE
    return cmocka_run_group_tests(tests, make_context, free_context);
}
