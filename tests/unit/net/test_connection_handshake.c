/* A connection before it is a WebSocket: TLS, what a proxy says, the upgrade request and its answers. */
#include "net/connection_handshake.h"

#include "base/clock.h"
#include "unit/net/connection_fixture.h"

#include <stdio.h>

static uint64_t answers(const fixture *f, net_handshake answer)
{
    return counter_get(&f->here.set.counters.handshakes[answer]);
}

/* ---- The request ---- */

static void a_request_is_answered_and_the_connection_opens(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    fixture_turn(f);
    expect(f, "");
    wire_expect_nothing(&f->peer);
    assert_false(connection_is_open(f->c));
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_HANDSHAKE), 1);

    fixture_upgrade(f);
    wire_expect_nothing(&f->peer);
    assert_true(connection_is_open(f->c));
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_HANDSHAKE), 0);
    assert_int_equal(fixture_in_phase(&f->here, NET_PHASE_OPEN), 1);
    assert_int_equal(answers(f, NET_HANDSHAKE_101), 1);
    fixture_unmake(f);
}

static void the_subprotocol_that_the_owner_chose_is_named(void **state)
{
    (void)state;
    static const char line[] = "\r\nSec-WebSocket-Protocol: homecall.2\r\n";
    fixture *f = fixture_make();
    f->protocol = "homecall.2";
    fixture_begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "handshake 101\n");
    size_t len = wire_expect_answer(&f->peer, "101");
    assert_non_null(memmem(bytes_head(f->peer.in), len, line, strlen(line)));
    bytes_consume(&f->peer.in, len);
    wire_expect_nothing(&f->peer);
    assert_true(connection_is_open(f->c));
    fixture_unmake(f);
}

static void a_request_may_come_in_two_parts_cut_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= strlen(wire_request); cut += fixture_step()) {
        fixture *f = fixture_make();
        fixture_begin(f, SOCK_STREAM);
        if (cut > 0)
            wire_send(&f->peer, wire_request, cut);
        fixture_turn(f);
        if (cut < strlen(wire_request)) {
            wire_expect_nothing(&f->peer);
            wire_send(&f->peer, wire_request + cut, strlen(wire_request) - cut);
        }
        fixture_turn(f);
        expect(f, "handshake 101\n");
        wire_expect_upgraded(&f->peer);
        fixture_expect_idle(f);
        fixture_unmake(f);
    }
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    for (size_t i = 0; i < strlen(wire_request); i++) {
        expect(f, "");
        wire_send(&f->peer, wire_request + i, 1);
        fixture_turn(f);
    }
    expect(f, "handshake 101\n");
    wire_expect_upgraded(&f->peer);
    fixture_unmake(f);
}

static void frames_right_behind_the_request_are_handled_and_answered_by_one_write(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_SEQPACKET);
    bytes *out = NULL;
    assert_int_equal(bytes_append(&out, wire_request, strlen(wire_request)), 0);
    wire_add_text(&out, "echo 1");
    wire_add_text(&out, "echo 2");
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "handshake 101\ntext echo 1\ntext echo 2\n");
    assert_true(wire_read_once(&f->peer) > 0);
    assert_int_equal(wire_read_once(&f->peer), -EAGAIN);
    wire_expect_upgraded(&f->peer);
    wire_expect_text(&f->peer, "echo 1");
    wire_expect_text(&f->peer, "echo 2");
    fixture_unmake(f);
}

/* ---- Other answers ---- */

static void a_bad_request_gets_its_fault_and_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *request, *status;
        net_handshake counted;
    } cases[] = {
        {"GET /other HTTP/1.1\r\nHost: test\r\n\r\n", "404", NET_HANDSHAKE_404},
        {"POST /signal HTTP/1.1\r\nHost: test\r\n\r\n", "405", NET_HANDSHAKE_405},
        {"GET /signal HTTP/1.1\r\nHost: test\r\n\r\n", "426", NET_HANDSHAKE_426},
        {"nonsense\r\n\r\n", "400", NET_HANDSHAKE_400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = fixture_make();
        fixture_begin(f, SOCK_STREAM);
        wire_send(&f->peer, cases[i].request, strlen(cases[i].request));
        fixture_turn(f);
        char log[128];
        snprintf(log, sizeof(log), "handshake %s\nend handshake_fault 1006 the upgrade was refused\n",
                 cases[i].status);
        expect(f, log);
        wire_expect_fault(&f->peer, cases[i].status);
        assert_int_equal(answers(f, cases[i].counted), 1);
        wire_close(&f->peer);
        fixture_turn(f);
        fixture_expect_freed(f);
        fixture_unmake(f);
    }
}

static void a_request_head_over_its_limit_is_refused(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    char head[1024];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET /signal?", 12);
    wire_send(&f->peer, head, sizeof(head));
    fixture_turn(f);
    expect(f, "");
    wire_send(&f->peer, "a", 1);
    fixture_turn(f);
    expect(f, "handshake 431\nend handshake_fault 1006 the upgrade was refused\n");
    wire_expect_fault(&f->peer, "431");
    assert_int_equal(answers(f, NET_HANDSHAKE_431), 1);
    fixture_unmake(f);
}

static void the_owner_may_refuse_a_good_request(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *line, *end;
        net_handshake counted;
    } cases[] = {
        {403, "403", "handshake 101\nend handshake_fault 1006 the upgrade was refused\n", NET_HANDSHAKE_403},
        {429, "429", "handshake 101\nend handshake_fault 1006 the upgrade was refused\n", NET_HANDSHAKE_429},
        {503, "503", "handshake 101\nend no_place 1006 no place or no memory for it\n", NET_HANDSHAKE_503},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = fixture_make();
        f->answer = cases[i].status;
        fixture_begin(f, SOCK_STREAM);
        wire_send(&f->peer, wire_request, strlen(wire_request));
        fixture_turn(f);
        expect(f, cases[i].end);
        wire_expect_fault(&f->peer, cases[i].line);
        assert_int_equal(answers(f, cases[i].counted), 1);
        assert_int_equal(answers(f, NET_HANDSHAKE_101), 0);
        fixture_unmake(f);
    }
}

static void a_request_of_the_page_gets_the_owners_answer_and_the_end(void **state)
{
    (void)state;
    static const char request[] = "GET /page HTTP/1.1\r\nHost: test\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    wire_send(&f->peer, request, strlen(request));
    fixture_turn(f);
    expect(f, "handshake 200\nend page 1006 the page was sent\n");
    assert_int_equal(answers(f, NET_HANDSHAKE_200), 1);
    wire_read(&f->peer);
    assert_int_equal(bytes_len(f->peer.in), strlen(answer));
    assert_memory_equal(bytes_head(f->peer.in), answer, strlen(answer));
    bytes_clear(&f->peer.in);
    wire_expect_end(&f->peer);
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

static void a_connection_can_be_refused_before_it_has_said_anything(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    expect(f, "end no_place 1006 too many\n");
    fixture_turn(f);
    wire_expect_fault(&f->peer, "503");

    /* What it says now is thrown away, and its end is waited for. */
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "");
    wire_close(&f->peer);
    fixture_turn(f);
    fixture_expect_freed(f);
    fixture_unmake(f);
}

static void closing_before_the_upgrade_is_a_503(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    fixture_begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, 10);
    fixture_turn(f);
    connection_close(f->c, CLOSE_REASON_SERVER_STOPS, "the server stops");
    expect(f, "end server_stops 1006 the server stops\n");
    fixture_turn(f);
    wire_expect_fault(&f->peer, "503");
    fixture_unmake(f);
}

static void a_request_that_does_not_come_in_time_is_dropped(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.handshake_timeout_ms = SHORT_MS;
    uint64_t since_ms = clock_monotonic_ms();
    fixture_begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, 10); /* its begin is not enough */
    while (f->c != NULL)
        fixture_turn_when_due(f);
    expect(f, "end handshake_timeout 1006 no upgrade request in time\nfree\n");
    assert_true(clock_monotonic_ms() - since_ms >= SHORT_MS);
    fixture_hear(f);
    wire_expect_end(&f->peer);
    fixture_unmake(f);
}

/* ---- What a proxy says ---- */

#define PROXY_LINE    "PROXY TCP4 192.0.2.1 127.0.0.1 4660 443\r\n"
#define PROXY_UNKNOWN "PROXY UNKNOWN\r\n"

/* A connection whose proxy speaks first; the address that it tells is noted with the request. */
static fixture *begin_behind_proxy(void)
{
    fixture *f = fixture_make();
    f->tells_peer = true;
    fixture_begin(f, SOCK_STREAM);
    connection_await_proxy(f->c);
    return f;
}

static bytes *make_request_with(const char *header)
{
    bytes *out = NULL;
    assert_int_equal(bytes_append(&out, header, strlen(header)), 0);
    assert_int_equal(bytes_append(&out, wire_request, strlen(wire_request)), 0);
    return out;
}

static void a_proxy_says_who_the_client_is_however_its_header_is_cut(void **state)
{
    (void)state;
    bytes *out = make_request_with(PROXY_LINE);
    for (size_t cut = 0; cut <= strlen(PROXY_LINE) + 2; cut += fixture_step()) {
        fixture *f = begin_behind_proxy();
        if (cut > 0)
            wire_send(&f->peer, bytes_head(out), cut);
        fixture_turn(f);
        expect(f, "");
        wire_send(&f->peer, bytes_head(out) + cut, bytes_len(out) - cut);
        fixture_turn(f);
        expect(f, "handshake 101\nfrom 192.0.2.1:4660\n");
        wire_expect_upgraded(&f->peer);
        wire_send_text(&f->peer, "echo"); /* the address has left its place to messages */
        fixture_turn(f);
        expect(f, "text echo\n");
        fixture_expect_idle(f);
        fixture_unmake(f);
    }
    bytes_clear(&out);
}

static void a_proxy_that_knows_nobody_leaves_the_address_as_it_was_set(void **state)
{
    (void)state;
    fixture *f = begin_behind_proxy();
    const address peer = address_from_ipv4((const uint8_t[]){192, 0, 2, 9}, 4661);
    connection_set_peer(f->c, &peer);
    bytes *out = make_request_with(PROXY_UNKNOWN);
    wire_send_gathered(&f->peer, &out);
    fixture_turn(f);
    expect(f, "handshake 101\nfrom 192.0.2.9:4661\n");
    fixture_unmake(f);
}

/* Its place is needed for what is read of frames afterwards. */
static void an_address_leaves_nothing_behind_in_the_open_connection(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->tells_peer = true;
    fixture_begin(f, SOCK_STREAM);
    uint8_t all_ones[16];
    memset(all_ones, 0xFF, sizeof(all_ones));
    const address peer = address_from_ipv6(all_ones, UINT16_MAX);
    connection_set_peer(f->c, &peer);
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "handshake 101\nfrom [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535\n");
    wire_expect_upgraded(&f->peer);
    wire_send_text(&f->peer, "echo");
    fixture_turn(f);
    expect(f, "text echo\n");
    fixture_expect_idle(f);
    fixture_unmake(f);
}

static void an_address_that_was_never_told_is_unknown(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->tells_peer = true;
    fixture_begin(f, SOCK_STREAM);
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    expect(f, "handshake 101\nfrom unknown\n");
    fixture_unmake(f);
}

static void a_request_without_the_header_that_is_awaited_is_dropped(void **state)
{
    (void)state;
    fixture *f = begin_behind_proxy();
    wire_send(&f->peer, wire_request, strlen(wire_request));
    fixture_turn(f);
    static const char begin[] = "end handshake_fault 1006 ";
    assert_memory_equal(f->journal.text, begin, strlen(begin));
    assert_non_null(strstr(f->journal.text, "\nfree\n"));
    assert_int_equal(fixture_ends_for(&f->here, CLOSE_REASON_HANDSHAKE_FAULT), 1);
    fixture_hear(f);
    wire_expect_end(&f->peer); /* without an answer: nobody knows what would understand one */
    fixture_unmake(f);
}

static void a_told_address_is_forgotten_with_its_connection(void **state)
{
    (void)state;
    for (int is_refused = 0; is_refused < 2; is_refused++) {
        fixture *f = begin_behind_proxy();
        wire_send(&f->peer, PROXY_LINE, strlen(PROXY_LINE));
        fixture_turn(f);
        expect(f, "");
        if (is_refused)
            connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
        wire_close(&f->peer);
        fixture_turn(f);
        fixture_turn(f);
        expect(f, is_refused ? "end no_place 1006 too many\nfree\n"
                             : "end no_request 1006 the peer is gone\nfree\n");
        fixture_unmake(f);
    }
}

/* ---- TLS ---- */

static void expect_tls_counts(const fixture *f, uint64_t handshakes, uint64_t failures)
{
    assert_int_equal(counter_get(&f->here.set.counters.tls_handshakes), handshakes);
    assert_int_equal(counter_get(&f->here.set.counters.tls_failures), failures);
}

static fixture *begin_without_handshake(fixture *f)
{
    fixture_begin_without_handshake(f);
    return f;
}

static void a_handshake_of_tls_is_counted_and_the_upgrade_follows(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    wire_turn(&f->here.loop);
    expect_tls_counts(f, 0, 0);
    fixture_upgrade(f);
    expect_tls_counts(f, 1, 0);
    wire_close(&f->peer);
    fixture_turn(f);
    expect(f, "end lost 1006 the peer is gone\nfree\n");
    expect_tls_counts(f, 1, 0);
    fixture_unmake(f);
}

static void a_handshake_of_tls_that_does_not_begin_has_the_deadline_of_the_upgrade(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.handshake_timeout_ms = SHORT_MS;
    begin_without_handshake(f);
    wire_turn(&f->here.loop);
    while (f->c != NULL)
        assert_int_equal(net_loop_turn(&f->here.loop), 0);
    expect(f, "end handshake_timeout 1006 no upgrade request in time\nfree\n");
    expect_tls_counts(f, 0, 1);
    fixture_unmake(f);
}

static void a_peer_that_speaks_no_tls_is_told_by_its_fault(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    wire_send(&(wire_peer){.fd = f->tunnel.far}, wire_request, strlen(wire_request));
    wire_turn(&f->here.loop);
    expect(f, "end tls_fault 1006 http request\nfree\n");
    expect_tls_counts(f, 0, 1);
    fixture_unmake(f);
}

static void a_handshake_of_tls_waits_for_the_next_turn_when_this_one_did_enough_of_them(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    uint32_t steps = f->here.set.tls_pacer.steps_left;
    assert_in_range(steps, 1, 20);
    wire_send(&(wire_peer){.fd = f->tunnel.far}, wire_request, strlen(wire_request));
    f->here.set.tls_pacer.steps_left = 0;
    wire_turn(&f->here.loop);
    expect(f, "");
    assert_int_equal(f->here.set.tls_pacer.steps_left, steps);
    wire_turn(&f->here.loop);
    expect(f, "end tls_fault 1006 http request\nfree\n");
    fixture_unmake(f);
}

/* The thread has no step for it for longer than its deadline: that is not its fault. */
static void a_handshake_of_tls_that_waits_for_us_has_its_deadline_from_its_begin(void **state)
{
    (void)state;
    fixture *f = fixture_make();
    f->limits.handshake_timeout_ms = SHORT_MS;
    begin_without_handshake(f);
    assert_int_equal(tls_peer_shake_hands(f->tunnel.client, NULL), -EAGAIN);
    uint64_t since_ms = clock_monotonic_ms();
    uint64_t now_ms = since_ms;
    while (now_ms - since_ms < 3 * SHORT_MS || f->c->entry.due_ms > (uint32_t)now_ms + SHORT_MS / 2) {
        f->here.set.tls_pacer.steps_left = 0;
        wire_turn(&f->here.loop);
        now_ms = clock_monotonic_ms();
    }
    expect(f, "");
    assert_int_equal(tls_peer_shake_hands(f->tunnel.client, NULL), -EAGAIN);

    wire_turn(&f->here.loop); /* it begins */
    assert_true(f->c->entry.due_ms >= (uint32_t)now_ms + SHORT_MS);
    while (f->c != NULL)
        assert_int_equal(net_loop_turn(&f->here.loop), 0);
    expect(f, "end handshake_timeout 1006 no upgrade request in time\nfree\n");
    fixture_unmake(f);
}

static void a_peer_that_goes_before_its_handshake_made_no_request(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    tls_tunnel_close(&f->tunnel);
    wire_turn(&f->here.loop);
    expect(f, "end no_request 1006 the connection broke\nfree\n");
    expect_tls_counts(f, 0, 1);
    fixture_unmake(f);
}

static void a_refusal_waits_for_the_handshake(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    expect(f, "end no_place 1006 too many\n");
    wire_turn(&f->here.loop);
    wire_turn(&f->here.loop);
    assert_int_equal(counter_get(&f->here.set.counters.backlog_connections), 1);
    fixture_turn(f);
    fixture_hear(f);
    wire_expect_fault(&f->peer, "503");
    assert_true(f->tunnel.was_orderly);
    fixture_unmake(f);
}

static void a_refused_peer_that_goes_before_its_handshake_is_gone(void **state)
{
    (void)state;
    fixture *f = begin_without_handshake(fixture_make());
    connection_refuse(f->c, 503, CLOSE_REASON_NO_PLACE, "too many");
    tls_tunnel_close(&f->tunnel);
    wire_turn(&f->here.loop);
    wire_turn(&f->here.loop);
    expect(f, "end no_place 1006 too many\nfree\n");
    expect_tls_counts(f, 0, 1);
    fixture_unmake(f);
}

/* What holds for plain connections, and for those through TLS no less. */
static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_request_is_answered_and_the_connection_opens),
    cmocka_unit_test(the_subprotocol_that_the_owner_chose_is_named),
    cmocka_unit_test(a_request_may_come_in_two_parts_cut_anywhere),
    cmocka_unit_test(a_request_may_come_byte_by_byte),
    cmocka_unit_test(frames_right_behind_the_request_are_handled_and_answered_by_one_write),
    cmocka_unit_test(a_bad_request_gets_its_fault_and_the_end),
    cmocka_unit_test(a_request_head_over_its_limit_is_refused),
    cmocka_unit_test(the_owner_may_refuse_a_good_request),
    cmocka_unit_test(a_request_of_the_page_gets_the_owners_answer_and_the_end),
    cmocka_unit_test(a_connection_can_be_refused_before_it_has_said_anything),
    cmocka_unit_test(closing_before_the_upgrade_is_a_503),
    cmocka_unit_test(a_request_that_does_not_come_in_time_is_dropped),
    cmocka_unit_test(a_proxy_says_who_the_client_is_however_its_header_is_cut),
    cmocka_unit_test(a_request_without_the_header_that_is_awaited_is_dropped),
    cmocka_unit_test(a_told_address_is_forgotten_with_its_connection),
};

static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(a_proxy_that_knows_nobody_leaves_the_address_as_it_was_set),
    cmocka_unit_test(an_address_leaves_nothing_behind_in_the_open_connection),
    cmocka_unit_test(an_address_that_was_never_told_is_unknown),
};

static const struct CMUnitTest tls_tests[] = {
    cmocka_unit_test(a_handshake_of_tls_is_counted_and_the_upgrade_follows),
    cmocka_unit_test(a_handshake_of_tls_that_does_not_begin_has_the_deadline_of_the_upgrade),
    cmocka_unit_test(a_peer_that_speaks_no_tls_is_told_by_its_fault),
    cmocka_unit_test(a_handshake_of_tls_waits_for_the_next_turn_when_this_one_did_enough_of_them),
    cmocka_unit_test(a_handshake_of_tls_that_waits_for_us_has_its_deadline_from_its_begin),
    cmocka_unit_test(a_peer_that_goes_before_its_handshake_made_no_request),
    cmocka_unit_test(a_refusal_waits_for_the_handshake),
    cmocka_unit_test(a_refused_peer_that_goes_before_its_handshake_is_gone),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("plain, with sockets of their own", plain_tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("through TLS", tests, fixture_start_tls, fixture_stop_tls);
    failed += cmocka_run_group_tests_name("TLS by itself", tls_tests, fixture_start_tls, fixture_stop_tls);
    return failed;
}
