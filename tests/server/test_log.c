/* The log of a server under a flood of signals, each of which has a line: as long as the writer of the log
 * goes on, no line is lost, and when nobody reads the log, calls go on and the lost lines are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/client.h"
#include "support/server.h"

#include "homecall/signal_log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BURST =
        200, /* signals that are sent at once; they and what they become fit into the buffers of sockets */
    BURSTS = 200, /* twice as many lines as the ring of a worker holds, and more */
    NAP_LINES =
        250, /* after so many a slow writer rests for a millisecond; a worker logs several times as fast */
    PIPE_CAP = 64, /* for a path */
};

/* ---- The flood ---- */

/* A server with one worker, and two clients in a room. The signals are the same each time, and so are as long
 * when they are received. */
typedef struct flood {
    signal_server *server;
    client *anna;
    client *bert;
    uint8_t *burst; /* owned; the frames of BURST signals */
    size_t burst_len;
    size_t signal_len; /* of one, as it is received */
} flood;

static void receive_bytes(const flood *f, size_t len)
{
    static char buffer[64 * 1024];
    while (len > 0) {
        struct pollfd wanted = {.fd = client_fd(f->bert), .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, CLIENT_WAIT_MS), 1);
        ssize_t got = read(wanted.fd, buffer, len < sizeof(buffer) ? len : sizeof(buffer));
        assert_true(got > 0);
        len -= (size_t)got;
    }
}

static void begin(flood *f)
{
    static const char signal[] = "{\"type\":\"candidate\",\"candidate\":\"candidate:1 1 udp\"}";
    static const char received[] =
        "{\"type\":\"candidate\",\"room\":\"room\",\"from\":\"anna\",\"candidate\":"
        "\"candidate:1 1 udp\"}";
    signal_server_options options = server_options();
    options.workers = 1;
    f->server = server_start(&options);
    f->anna = client_open_settled(signal_server_port(f->server), "room", "anna");
    f->bert = client_open_settled(signal_server_port(f->server), "room", "bert");
    client_send_text(f->anna, signal);
    client_expect_json(f->bert, received);
    f->signal_len = 2 + strlen(received);

    size_t len;
    uint8_t *frame = client_make_frame(
        &(client_frame){.opcode = CLIENT_TEXT, .payload = signal, .len = strlen(signal)}, &len);
    f->burst = malloc(BURST * len);
    assert_non_null(f->burst);
    for (size_t i = 0; i < BURST; i++)
        memcpy(f->burst + i * len, frame, len);
    f->burst_len = BURST * len;
    free(frame);
}

/* Every signal arrives: that is what the test fails for if it takes too long. */
static void play(const flood *f)
{
    for (int i = 0; i < BURSTS; i++) {
        client_send_bytes(f->anna, f->burst, f->burst_len);
        receive_bytes(f, BURST * f->signal_len);
    }
}

static void end(flood *f)
{
    client_close(f->anna);
    client_close(f->bert);
    server_end(f->server);
    free(f->burst);
}

/* ---- Lines ---- */

typedef struct tally {
    uint64_t relayed;  /* lines about a signal */
    uint64_t reported; /* lines that others say were dropped */
} tally;

static void count_line(tally *t, const char *line, size_t len)
{
    static const char report[] = "dropped count=";
    const char *count = memmem(line, len, report, strlen(report));
    if (count != NULL)
        t->reported += strtoull(count + strlen(report), NULL, 10);
    t->relayed += memmem(line, len, "] relayed ", 10) != NULL || memmem(line, len, "\"relayed\"", 9) != NULL;
}

/* As slow as a disk that is a little slower than the server. */
static void take_slowly(void *context, signal_log_level level, const char *line, size_t len)
{
    (void)level;
    tally *t = context;
    count_line(t, line, len);
    if (t->relayed % NAP_LINES == 0)
        poll(NULL, 0, 1);
}

static void flood_a_slow_writer(signal_log_format format)
{
    tally t = {0};
    signal_log_options log;
    signal_log_options_init(&log, sizeof(log));
    log.on_line = take_slowly;
    log.context = &t;
    log.format = format;
    assert_int_equal(signal_log_start(&log), 0);
    flood f;
    begin(&f);
    play(&f);
    end(&f);
    signal_log_stop();
    assert_int_equal(signal_log_dropped(), 0);
    assert_int_equal(t.relayed, 1 + BURST * BURSTS);
}

static void a_flood_loses_no_line_of_text(void **state)
{
    (void)state;
    flood_a_slow_writer(SIGNAL_LOG_TEXT);
}

static void a_flood_loses_no_line_of_json(void **state)
{
    (void)state;
    flood_a_slow_writer(SIGNAL_LOG_JSON);
}

/* ---- A pipe that nobody reads ---- */

typedef struct reader {
    int fd;
    tally tally;
} reader;

/* Read to the end of the pipe. */
static void *read_all(void *argument)
{
    reader *r = argument;
    FILE *lines = fdopen(r->fd, "r");
    assert_non_null(lines);
    char line[1024];
    while (fgets(line, sizeof(line), lines) != NULL)
        count_line(&r->tally, line, strlen(line));
    fclose(lines);
    return NULL;
}

static void a_log_that_nobody_reads_stops_no_call_and_counts_what_it_loses(void **state)
{
    (void)state;
    char path[PIPE_CAP];
    snprintf(path, sizeof(path), "/tmp/homecall_log_%d", (int)getpid());
    assert_int_equal(mkfifo(path, 0600), 0);
    reader r = {.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    assert_true(r.fd >= 0 && fcntl(r.fd, F_SETPIPE_SZ, 4096) > 0);
    signal_log_options log;
    signal_log_options_init(&log, sizeof(log));
    log.file = path;
    assert_int_equal(signal_log_start(&log), 0);

    flood f;
    begin(&f);
    play(&f);
    assert_true(signal_log_dropped() > 0);

    /* It is read again, until the log ends. */
    assert_int_equal(fcntl(r.fd, F_SETFL, 0), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
    end(&f);
    signal_log_stop();
    pthread_join(thread, NULL);
    unlink(path);
    assert_int_equal(r.tally.reported, signal_log_dropped());
    /* A few lines about the ends of connections may be lost, too. */
    assert_in_range(r.tally.relayed + signal_log_dropped(), 1 + BURST * BURSTS, 20 + BURST * BURSTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_loses_no_line_of_text),
        cmocka_unit_test(a_flood_loses_no_line_of_json),
        cmocka_unit_test(a_log_that_nobody_reads_stops_no_call_and_counts_what_it_loses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
