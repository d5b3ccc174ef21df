/* The view: whole screens of two fixed samples, and what becomes of them where something is odd. */
#include "top/view.h"

#include "unit/top/sample_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

typedef struct fixture {
    sample_pair pair;
    view view;
    canvas canvas; /* drawn last */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    sample_pair_init(&f->pair);
    f->view = (view){.address = "127.0.0.1:9888", .before = &f->pair.before, .now = &f->pair.now};
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    canvas_deinit(&f->canvas);
    free(f);
    return 0;
}

static void draw(fixture *f, int columns, int rows)
{
    canvas_deinit(&f->canvas);
    assert_int_equal(canvas_init(&f->canvas, columns, rows), 0);
    view_draw(&f->canvas, &f->view);
}

/* The rows up to the last that is not empty, without blanks at their ends; owned by the caller. */
static char *print(const canvas *c)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    int last = c->rows - 1;
    while (last > 0 && canvas_line_length(c, last) == 0)
        last--;
    for (int row = 0; row <= last; row++)
        fprintf(out, "%.*s\n", canvas_line_length(c, row), canvas_line(c, row));
    assert_int_equal(fclose(out), 0);
    return text;
}

static void expect_screen(fixture *f, int columns, int rows, const char *expected)
{
    draw(f, columns, rows);
    char *text = print(&f->canvas);
    bool is_equal = strcmp(text, expected) == 0;
    if (!is_equal)
        fputs(text, stderr); /* cmocka would cut it */
    free(text);
    assert_true(is_equal);
}

/* The row that begins with this. */
static int find_row(const canvas *c, const char *begin)
{
    for (int row = 0; row < c->rows; row++)
        if (strncmp(canvas_line(c, row), begin, strlen(begin)) == 0)
            return row;
    fail_msg("there is no row %s", begin);
    return 0;
}

static void expect_row(const canvas *c, const char *expected)
{
    int row = find_row(c, expected);
    assert_int_equal(canvas_line_length(c, row), strlen(expected));
}

/* The style of what is written so in the row that begins with `begin`. */
static int style_of(const canvas *c, const char *begin, const char *what)
{
    int row = find_row(c, begin);
    const char *at = strstr(canvas_line(c, row), what);
    assert_non_null(at);
    return canvas_styles(c, row)[at - canvas_line(c, row)];
}

/* ---- Whole screens ---- */

/* clang-format off */
static const char screen_80x24[] =
    "homecall-signal 0.1.0  up 1d 02:03:06  127.0.0.1:9888                      ready\n"
    "connections open 1234  accepted 12.5/s  closed 10.5/s  handshake 3  closing 1\n"
    "closes/s    by_peer 8.0  lost 2.5\n"
    "rooms       617  members 1100  joins 10.0/s  waiters 2  hand-overs 7.5/s\n"
    "traffic/s   in 1300 messages, 1.0M  out 1275 messages, 1.5M\n"
    "\n"
    "signals/s      offer    answer candidate latency           p50      p90      p99\n"
    "relayed         10.0       9.0      1234 relay           8.0ms     77ms    123ms\n"
    "queued             0         0       3.5 queue wait          -        -        -\n"
    "delivered          0         0       3.0 call set-up         -        -        -\n"
    "refused          0.5         0         0 ping RTT            -        -        -\n"
    "dropped            0         0         0 loop lag        8.0ms     77ms    123ms\n"
    "\n"
    "queue       messages 7  34K of 256M  output backlog 2.0K, connections 1\n"
    "limits hit  message_rate 13 (0.5/s)  room_capacity 3\n"
    "process     cpu 120%  memory 123M  descriptors 1250 of 65536  log dropped 42\n"
    "\n"
    "threads     cpu, mailbox, longest lag\n"
    "worker-0   [||||||||||||||||||||||||||||||||||||||||||||||  ]  95%    4   12ms\n"
    "worker-1   [||||||||||                                      ]  20%    0  180us\n"
    "worker-2   [                                                ]   0%    0    0us\n"
    "acceptor-0 [||                                              ]   5%    0    0us\n";

static const char screen_120x40[] =
    "homecall-signal 0.1.0  up 1d 02:03:06  127.0.0.1:9888                                                              ready\n"
    "connections open 1234  accepted 12.5/s  closed 10.5/s  handshake 3  closing 1\n"
    "closes/s    by_peer 8.0  lost 2.5\n"
    "rooms       617  members 1100  joins 10.0/s  waiters 2  hand-overs 7.5/s\n"
    "traffic/s   in 1300 messages, 1.0M  out 1275 messages, 1.5M\n"
    "\n"
    "signals/s      offer    answer candidate                    latency           p50      p90      p99\n"
    "relayed         10.0       9.0      1234                    relay           8.0ms     77ms    123ms\n"
    "queued             0         0       3.5                    queue wait          -        -        -\n"
    "delivered          0         0       3.0                    call set-up         -        -        -\n"
    "refused          0.5         0         0                    ping RTT            -        -        -\n"
    "dropped            0         0         0                    loop lag        8.0ms     77ms    123ms\n"
    "\n"
    "queue       messages 7  34K of 256M  output backlog 2.0K, connections 1\n"
    "limits hit  message_rate 13 (0.5/s)  room_capacity 3\n"
    "process     cpu 120%  memory 123M  descriptors 1250 of 65536  log dropped 42\n"
    "\n"
    "threads     cpu, mailbox, longest lag\n"
    "worker-0   [||||||||||||||||||||||||||||||||||||||||||||||  ]  95%    4   12ms\n"
    "worker-1   [||||||||||                                      ]  20%    0  180us\n"
    "worker-2   [                                                ]   0%    0    0us\n"
    "acceptor-0 [||                                              ]   5%    0    0us\n";

static const char screen_40x10[] =
    "homecall-signal 0.1.0              ready\n"
    "connections open 1234  accepted 12.5/s\n"
    "rooms       617  members 1100\n"
    "signals/s   relayed 1253  refused 0.5\n"
    "p50/90/99   relay 8.0ms/77ms/123ms\n"
    "queue       messages 7  34K of 256M\n"
    "limits hit  message_rate 13 (0.5/s)  +1\n"
    "traffic/s   in 1300 messages, 1.0M\n"
    "worker-0   [|]  95%  worker-2   [ ]   0%\n"
    "worker-1   [ ]  20%  acceptor-0 [ ]   5%\n";

static const char screen_40x30[] =
    "homecall-signal 0.1.0              ready\n"
    "connections open 1234  accepted 12.5/s\n"
    "closes/s    by_peer 8.0  lost 2.5\n"
    "rooms       617  members 1100\n"
    "traffic/s   in 1300 messages, 1.0M\n"
    "\n"
    "signals/s      offer    answer candidate\n"
    "relayed         10.0       9.0      1234\n"
    "queued             0         0       3.5\n"
    "delivered          0         0       3.0\n"
    "refused          0.5         0         0\n"
    "dropped            0         0         0\n"
    "latency           p50      p90      p99\n"
    "relay           8.0ms     77ms    123ms\n"
    "queue wait          -        -        -\n"
    "call set-up         -        -        -\n"
    "ping RTT            -        -        -\n"
    "loop lag        8.0ms     77ms    123ms\n"
    "\n"
    "queue       messages 7  34K of 256M\n"
    "limits hit  message_rate 13 (0.5/s)  +1\n"
    "process     cpu 120%  memory 123M\n"
    "\n"
    "threads     cpu, mailbox, longest lag\n"
    "worker-0   [||||||||| ]  95%    4   12ms\n"
    "worker-1   [||        ]  20%    0  180us\n"
    "worker-2   [          ]   0%    0    0us\n"
    "acceptor-0 [          ]   5%    0    0us\n";

static const char screen_plain[] =
    "homecall-signal 0.1.0  up 1d 02:03:06  127.0.0.1:9888                                                              ready\n"
    "connections open 1234  accepted 12.5/s  closed 10.5/s  handshake 3  closing 1\n"
    "rooms       617  members 1100  joins 10.0/s  waiters 2  hand-overs 7.5/s\n"
    "signals/s   relayed 1253  refused 0.5  queued 3.5  delivered 3.0\n"
    "p50/90/99   relay 8.0ms/77ms/123ms  queue wait -/-/-  call set-up -/-/-  ping RTT -/-/-  loop lag 8.0ms/77ms/123ms\n"
    "queue       messages 7  34K of 256M  output backlog 2.0K, connections 1\n"
    "limits hit  message_rate 13 (0.5/s)  room_capacity 3\n"
    "traffic/s   in 1300 messages, 1.0M  out 1275 messages, 1.5M\n"
    "closes/s    by_peer 8.0  lost 2.5\n"
    "process     cpu 120%  memory 123M  descriptors 1250 of 65536  log dropped 42\n"
    "worker-0   [||||||||||||||||||||||||||||||||||||||||||||||  ]  95%    4   12ms\n"
    "worker-1   [||||||||||                                      ]  20%    0  180us\n"
    "worker-2   [                                                ]   0%    0    0us\n"
    "acceptor-0 [||                                              ]   5%    0    0us\n";

/* clang-format on */

static void the_usual_terminal_shows_all(void **state)
{
    expect_screen(*state, 80, 24, screen_80x24);
}

static void a_large_terminal_shows_it_with_more_room(void **state)
{
    expect_screen(*state, 120, 40, screen_120x40);
}

static void a_small_terminal_shows_what_matters_most(void **state)
{
    expect_screen(*state, 40, 10, screen_40x10);
}

static void a_narrow_and_high_terminal_has_the_tables_below_each_other(void **state)
{
    expect_screen(*state, 40, 30, screen_40x30);
}

static void plain_text_is_the_small_screen_with_more_width(void **state)
{
    fixture *f = *state;
    f->view.is_brief = true;
    expect_screen(f, 120, 24, screen_plain);
}

/* ---- Before there are numbers ---- */

static void before_the_first_answer_there_is_but_a_title(void **state)
{
    fixture *f = *state;
    f->view.now = f->view.before = NULL;
    expect_screen(f, 40, 10, "homecall-signal  127.0.0.1:9888\n");
    f->view.trouble = "no answer since 10:20:30 (5 s): Connection refused";
    expect_screen(f, 60, 10,
                  "homecall-signal  127.0.0.1:9888                    no answer\n"
                  "no answer since 10:20:30 (5 s): Connection refused\n");
    assert_int_equal(canvas_styles(&f->canvas, 1)[0], CANVAS_BAD);
}

static void the_first_sample_has_no_rates_yet(void **state)
{
    fixture *f = *state;
    f->view.before = NULL;
    draw(f, 80, 24);
    expect_row(&f->canvas, "connections open 1234  accepted -/s  closed -/s  handshake 3  closing 1");
    expect_row(&f->canvas, "closes/s    -");
    expect_row(&f->canvas,
               "relayed            -         -         - relay               -        -        -");
    expect_row(&f->canvas, "limits hit  message_rate 13  room_capacity 3");
    expect_row(&f->canvas, "worker-0   [                                                ]    -    4   12ms");
}

/* ---- In a cluster ---- */

static void enter_cluster(fixture *f)
{
    sample *now = &f->pair.now;
    sample_pair_add_node(&f->pair, "a", "");
    sample_pair_add_node(&f->pair, "b", "up");
    sample_pair_add_node(&f->pair, "c", "up");
    now->rooms_owned = 300;
    now->bindings_elsewhere = 120;
    now->members_from_elsewhere = 110;
    now->claims = 6;
    now->resends = 3;
    sample_pair_add_word(&f->pair.before.losses, "link", 5);
    sample_pair_add_word(&now->losses, "link", 5);
    sample_pair_add_word(&now->losses, "gone", 2);
    sample_pair_add_word(&f->pair.before.losses, "gone", 2);
}

static void a_node_of_a_cluster_has_two_lines_more(void **state)
{
    fixture *f = *state;
    enter_cluster(f);
    draw(f, 120, 30);
    expect_row(
        &f->canvas,
        "cluster     a  others 2  rooms owned 300  elsewhere 120  from there 110  lost 7  claims 3.0/s  "
        "resends 1.5/s");
    expect_row(&f->canvas, "nodes       b up  c up");
    assert_int_equal(style_of(&f->canvas, "cluster", "lost"), CANVAS_PLAIN);
    assert_int_equal(style_of(&f->canvas, "nodes", "b up"), CANVAS_PLAIN);
    f->view.is_brief = true;
    draw(f, 60, 24);
    expect_row(&f->canvas, "cluster     a  others 2  rooms owned 300  elsewhere 120");
    for (int row = 0; row < f->canvas.rows; row++)
        assert_int_not_equal(strncmp(canvas_line(&f->canvas, row), "nodes", 5), 0);
}

static void what_is_wrong_with_a_cluster_stands_out(void **state)
{
    fixture *f = *state;
    enter_cluster(f);
    sample *now = &f->pair.now;
    strcpy(now->nodes[1].state, "doubtful");
    strcpy(now->nodes[2].link, "in doubt");
    now->nodes[2].is_draining = true;
    now->nodes[2].held_bytes = 1;
    now->losses.words[0].count = 9;
    now->has_engine = 0;
    draw(f, 120, 30);
    expect_row(&f->canvas, "nodes       b doubtful  c in doubt, drains, waits");
    assert_int_equal(style_of(&f->canvas, "nodes", "b doubtful"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "nodes", "c in doubt"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "cluster", "lost 11"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "cluster", "the engine is away"), CANVAS_BAD);
    for (int i = 0; i < 40; i++)
        sample_pair_add_node(&f->pair, "another", "up");
    draw(f, 80, 30);
    expect_row(&f->canvas, "nodes       b doubtful  c in doubt, drains, waits  another up  another up  +38");
}

static void a_node_that_is_alone_in_its_cluster_lists_no_others(void **state)
{
    fixture *f = *state;
    sample_pair_add_node(&f->pair, "a", "");
    draw(f, 120, 30);
    expect_row(&f->canvas, "cluster     a  others 0  rooms owned 0  elsewhere 0  from there 0  lost 0  "
                           "claims 0/s  resends 0/s");
    for (int row = 0; row < f->canvas.rows; row++)
        assert_int_not_equal(strncmp(canvas_line(&f->canvas, row), "nodes", 5), 0);
}

/* ---- When something is wrong ---- */

static void a_silent_server_is_told_above_its_last_numbers(void **state)
{
    fixture *f = *state;
    f->view.trouble = "no answer since 10:20:30 (5 s): Connection timed out";
    draw(f, 80, 24);
    assert_string_equal(canvas_line(&f->canvas, 0) + 80 - 9, "no answer");
    expect_row(&f->canvas, "no answer since 10:20:30 (5 s): Connection timed out");
    find_row(&f->canvas, "connections open 1234");
}

static void the_reasons_for_not_being_ready_are_told(void **state)
{
    fixture *f = *state;
    f->pair.now.is_ready = false;
    strcpy(f->pair.now.why, "MAX_CONNECTIONS is reached");
    draw(f, 80, 24);
    assert_string_equal(canvas_line(&f->canvas, 0) + 80 - 10, " not ready");
    assert_int_equal(style_of(&f->canvas, "MAX_CONNECTIONS is reached", "MAX"), CANVAS_BAD);

    f->pair.now.is_draining = 1;
    draw(f, 80, 24);
    assert_string_equal(canvas_line(&f->canvas, 0) + 80 - 9, " draining");
    f->pair.now.is_live = false;
    draw(f, 80, 24);
    assert_string_equal(canvas_line(&f->canvas, 0) + 80 - 9, " not live");
}

static void a_pause_is_told(void **state)
{
    fixture *f = *state;
    f->view.is_paused = true;
    draw(f, 40, 10);
    assert_string_equal(canvas_line(&f->canvas, 0) + 40 - 14, " paused, ready");
}

static void what_the_server_says_can_not_move_the_cursor(void **state)
{
    fixture *f = *state;
    strcpy(f->pair.now.version, "\x1b[2J");
    strcpy(f->pair.now.why, "a\nb");
    strcpy(f->pair.now.threads[0].name, "\x1b[31m");
    draw(f, 80, 24);
    find_row(&f->canvas, "homecall-signal ?[2J  up ");
    expect_row(&f->canvas, "a?b");
    find_row(&f->canvas, "?[31m ");
}

static void what_is_wrong_stands_out_and_nothing_else(void **state)
{
    fixture *f = *state;
    draw(f, 80, 24);
    assert_int_equal(style_of(&f->canvas, "limits hit", "message_rate"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "limits hit", "room_capacity"), CANVAS_PLAIN);
    assert_int_equal(style_of(&f->canvas, "refused", "0.5"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "worker-0", "95%"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "worker-1", "20%"), CANVAS_PLAIN);
    assert_int_equal(style_of(&f->canvas, "process", "log"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "process", "process"), CANVAS_HEADING);
    assert_int_equal(style_of(&f->canvas, "homecall-signal", " "), CANVAS_TITLE);

    f->pair.now.threads[0].cpu_seconds = f->pair.before.threads[0].cpu_seconds;
    f->pair.before.limits = f->pair.now.limits;
    f->pair.before.log_lines_dropped = f->pair.now.log_lines_dropped;
    f->pair.now.signals[SAMPLE_OFFER][SAMPLE_REFUSED] = 0;
    draw(f, 80, 24);
    for (int row = 0; row < f->canvas.rows; row++)
        assert_null(memchr(canvas_styles(&f->canvas, row), CANVAS_BAD, 80));
}

static void what_is_nearly_full_or_late_stands_out(void **state)
{
    fixture *f = *state;
    sample *s = &f->pair.now;
    s->queue_bytes = 0.95 * s->queue_budget_bytes;
    s->descriptors = 65000;
    s->threads[1].lag_max_seconds = 1.2;
    s->is_accepting_paused = 1;
    draw(f, 80, 24);
    assert_int_equal(style_of(&f->canvas, "queue  ", "243M"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "process", "descriptors"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "worker-1", "1.2s"), CANVAS_BAD);
    assert_int_equal(style_of(&f->canvas, "connections", "accepting pauses"), CANVAS_BAD);
}

static void a_restarted_server_counts_anew(void **state)
{
    fixture *f = *state;
    sample *s = &f->pair.now;
    s->uptime_seconds = 10;
    s->accepted = 5;
    s->closes.size = 0;
    draw(f, 80, 24);
    find_row(&f->canvas, "homecall-signal 0.1.0  up 00:00:10  ");
    find_row(&f->canvas, "connections open 1234  accepted 0.5/s  closed -/s");
}

/* ---- When there is much ---- */

static void limits_that_do_not_fit_are_counted(void **state)
{
    fixture *f = *state;
    sample_pair_add_word(&f->pair.now.limits, "max_request_head_bytes", 7);
    sample_pair_add_word(&f->pair.now.limits, "max_connections_per_address", 1);
    sample_pair_add_word(&f->pair.now.limits, "pong_timeout", 2);
    draw(f, 80, 24);
    expect_row(&f->canvas, "limits hit  max_request_head_bytes 7 (3.5/s)  pong_timeout 2 (1.0/s)  +3");
    f->pair.now.limits.size = 0;
    draw(f, 80, 24);
    expect_row(&f->canvas, "limits hit  none");
}

/* Give the server this many threads, each with a load of 25 %, the last with 95 %. */
static void set_threads(fixture *f, size_t count)
{
    f->pair.before.thread_count = f->pair.now.thread_count = 0;
    for (size_t t = 0; t < count; t++) {
        char name[32];
        snprintf(name, sizeof(name), "worker-%zu", t);
        sample_pair_add_thread(&f->pair.before, name, 1);
        sample_pair_add_thread(&f->pair.now, name, t + 1 < count ? 1.5 : 2.9);
    }
}

static void more_threads_than_rows_stand_in_columns(void **state)
{
    fixture *f = *state;
    set_threads(f, 12);
    draw(f, 80, 24);
    expect_row(&f->canvas,
               "worker-0   [||       ]  25%    0    0us  worker-6   [||       ]  25%    0    0us");
    expect_row(&f->canvas,
               "worker-5   [||       ]  25%    0    0us  worker-11  [|||||||||]  95%    0    0us");
    set_threads(f, 18);
    draw(f, 80, 24);
    expect_row(&f->canvas, "worker-0   [||     ]  25%  worker-6   [||     ]  25%  worker-12  [||     ]  25%");
}

static void threads_without_room_are_counted_and_a_busy_one_does_not_hide(void **state)
{
    fixture *f = *state;
    set_threads(f, 30);
    draw(f, 80, 24);
    int last = find_row(&f->canvas, "worker-5 ");
    assert_string_equal(canvas_line(&f->canvas, last) + 54, "... and 13 more, <= 95%   ");
    assert_int_equal(canvas_styles(&f->canvas, last)[54], CANVAS_BAD);

    set_threads(f, SAMPLE_MAX_THREADS);
    draw(f, 40, 10);
    assert_string_equal(canvas_line(&f->canvas, 9) + 21, "... and 315 more   ");
}

static void nothing_is_drawn_outside_whatever_the_size(void **state)
{
    fixture *f = *state;
    strcpy(f->pair.now.why, "a reason that is long enough to go over the edge of most of the canvases here");
    static const size_t counts[] = {0, 1, 7, SAMPLE_MAX_THREADS};
    for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
        set_threads(f, counts[n]);
        for (int columns = 1; columns <= 130; columns += columns < 50 ? 1 : 7)
            for (int rows = 1; rows <= 45; rows += 4) {
                draw(f, columns, rows);
                for (int row = 0; row < rows; row++)
                    assert_int_equal(strlen(canvas_line(&f->canvas, row)), columns);
            }
    }
}

static void numbers_beyond_all_sense_do_no_harm(void **state)
{
    fixture *f = *state;
    f->pair.now = (sample){.thread_count = 2, .closes = {.size = 2}, .limits = {.size = 2}};
    double *numbers = &f->pair.now.open;
    *numbers = 1e300;
    f->pair.now.accepted = f->pair.now.bytes_in = f->pair.now.uptime_seconds = 1e308;
    f->pair.now.closes.words[0].count = f->pair.now.closes.words[1].count = 1e308;
    f->pair.now.limits.words[0].count = INFINITY;
    f->pair.now.threads[0].cpu_seconds = 1e308;
    f->pair.now.threads[1].lag_max_seconds = INFINITY;
    draw(f, 80, 24);
    f->view.before = f->view.now;
    draw(f, 80, 24);
    f->view.before = NULL;
    draw(f, 80, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_usual_terminal_shows_all, make, destroy),
        cmocka_unit_test_setup_teardown(a_large_terminal_shows_it_with_more_room, make, destroy),
        cmocka_unit_test_setup_teardown(a_small_terminal_shows_what_matters_most, make, destroy),
        cmocka_unit_test_setup_teardown(a_narrow_and_high_terminal_has_the_tables_below_each_other, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(plain_text_is_the_small_screen_with_more_width, make, destroy),
        cmocka_unit_test_setup_teardown(before_the_first_answer_there_is_but_a_title, make, destroy),
        cmocka_unit_test_setup_teardown(the_first_sample_has_no_rates_yet, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_of_a_cluster_has_two_lines_more, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_a_cluster_stands_out, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_that_is_alone_in_its_cluster_lists_no_others, make, destroy),
        cmocka_unit_test_setup_teardown(a_silent_server_is_told_above_its_last_numbers, make, destroy),
        cmocka_unit_test_setup_teardown(the_reasons_for_not_being_ready_are_told, make, destroy),
        cmocka_unit_test_setup_teardown(a_pause_is_told, make, destroy),
        cmocka_unit_test_setup_teardown(what_the_server_says_can_not_move_the_cursor, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_wrong_stands_out_and_nothing_else, make, destroy),
        cmocka_unit_test_setup_teardown(what_is_nearly_full_or_late_stands_out, make, destroy),
        cmocka_unit_test_setup_teardown(a_restarted_server_counts_anew, make, destroy),
        cmocka_unit_test_setup_teardown(limits_that_do_not_fit_are_counted, make, destroy),
        cmocka_unit_test_setup_teardown(more_threads_than_rows_stand_in_columns, make, destroy),
        cmocka_unit_test_setup_teardown(threads_without_room_are_counted_and_a_busy_one_does_not_hide, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(nothing_is_drawn_outside_whatever_the_size, make, destroy),
        cmocka_unit_test_setup_teardown(numbers_beyond_all_sense_do_no_harm, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
