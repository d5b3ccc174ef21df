/* The whole logger: threads that log, the writer, and start, stop and reopen around them. */
#include "base/log.h"

#include "base/clock.h"
#include "base/log_front.h"
#include "homecall/signal_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    char directory[64];
    char file[96];  /* for the log */
    char moved[96]; /* where a rotation puts it */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    strcpy(f->directory, "/tmp/test_log.XXXXXX");
    if (mkdtemp(f->directory) == NULL)
        return -1;
    snprintf(f->file, sizeof(f->file), "%s/log", f->directory);
    snprintf(f->moved, sizeof(f->moved), "%s/log.1", f->directory);
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    signal_log_stop();
    unlink(f->file);
    unlink(f->moved);
    int error = rmdir(f->directory);
    free(f);
    return error;
}

static signal_log_options options_for(const char *file)
{
    return (signal_log_options){
        .size = sizeof(signal_log_options), .file = file, .level = SIGNAL_LOG_INFO, .is_private = true};
}

static void start(const char *file)
{
    const signal_log_options options = options_for(file);
    assert_int_equal(signal_log_start(&options), 0);
}

static void log_number(uint64_t n)
{
    LOG(LOG_INFO, "Test", "counted", LOG_NUMBER("n", n));
}

/* What is in the file, as a heap string. */
static char *content_of(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t len = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(len + 1);
    assert_non_null(text);
    text[fread(text, 1, len, file)] = '\0';
    fclose(file);
    return text;
}

static size_t count_of(const char *text, const char *wanted)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at += strlen(wanted))
        count++;
    return count;
}

static void assert_count(const char *path, const char *wanted, size_t count)
{
    char *text = content_of(path);
    assert_int_equal(count_of(text, wanted), count);
    free(text);
}

static void before_its_start_and_after_its_stop_nothing_is_logged(void **state)
{
    fixture *f = *state;
    log_number(1);
    assert_false(log_is_on(LOG_ERROR));
    start(f->file);
    log_number(2);
    signal_log_stop();
    assert_false(log_is_on(LOG_ERROR));
    log_number(3);
    log_event(LOG_ERROR, "Test", "late", NULL, 0);
    log_event(LOG_OFF, "Test", "late", NULL, 0);

    char *text = content_of(f->file);
    assert_int_equal(count_of(text, "\n"), 1);
    assert_non_null(strstr(text, "] [INFO] [Test] counted n=2\n"));
    free(text);
    assert_int_equal(signal_log_dropped(), 0);
}

static void levels_below_the_threshold_are_not_even_evaluated(void **state)
{
    fixture *f = *state;
    signal_log_options options = options_for(f->file);
    options.level = SIGNAL_LOG_WARN;
    assert_int_equal(signal_log_start(&options), 0);
    uint64_t evaluated = 0;
    LOG(LOG_DEBUG, "Test", "debug", LOG_NUMBER("n", ++evaluated));
    LOG(LOG_INFO, "Test", "info", LOG_NUMBER("n", ++evaluated));
    assert_int_equal(evaluated, 0);
    LOG(LOG_WARN, "Test", "warn", LOG_NUMBER("n", ++evaluated));
    LOG(LOG_ERROR, "Test", "error", LOG_NUMBER("n", ++evaluated));
    assert_int_equal(evaluated, 2);
    log_event(LOG_INFO, "Test", "info", NULL, 0);
    signal_log_stop();
    assert_count(f->file, "[Test]", 2);
}

static void with_the_level_off_nothing_is_logged(void **state)
{
    fixture *f = *state;
    signal_log_options options = options_for(f->file);
    options.level = SIGNAL_LOG_OFF;
    assert_int_equal(signal_log_start(&options), 0);
    LOG(LOG_ERROR, "Test", "error", LOG_NUMBER("n", 1));
    log_event(LOG_OFF, "Test", "off", NULL, 0);
    signal_log_stop();
    assert_count(f->file, "\n", 0);
}

static void a_second_start_is_refused_and_a_second_stop_does_nothing(void **state)
{
    fixture *f = *state;
    start(f->file);
    const signal_log_options options = options_for(f->file);
    assert_int_equal(signal_log_start(&options), -EALREADY);
    signal_log_stop();
    signal_log_stop();
    signal_log_reopen();
    start(f->file);
    log_number(1);
    signal_log_stop();
    assert_count(f->file, "n=1\n", 1);
}

static void a_file_that_can_not_be_opened_is_told(void **state)
{
    fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/none/log", f->directory);
    const signal_log_options missing = options_for(path);
    assert_int_equal(signal_log_start(&missing), -ENOENT);
    const signal_log_options directory = options_for(f->directory);
    assert_int_equal(signal_log_start(&directory), -EISDIR);
    assert_false(log_is_on(LOG_ERROR));
}

static void a_new_file_is_closed_to_others_and_an_old_one_is_appended_to(void **state)
{
    fixture *f = *state;
    mode_t before = umask(0);
    start(f->file);
    umask(before);
    log_number(1);
    signal_log_stop();
    struct stat status;
    assert_int_equal(stat(f->file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);

    start(f->file);
    log_number(2);
    signal_log_stop();
    assert_count(f->file, "n=1\n", 1);
    assert_count(f->file, "n=2\n", 1);
}

static void names_become_tags_of_one_key_unless_privacy_is_off(void **state)
{
    fixture *f = *state;
    start(f->file);
    LOG(LOG_INFO, "Test", "joined", LOG_PRIVATE("room", SLICE_LITERAL("kitchen")));
    LOG(LOG_INFO, "Test", "joined", LOG_PRIVATE("room", SLICE_LITERAL("kitchen")));
    signal_log_stop();
    char *text = content_of(f->file);
    assert_null(strstr(text, "kitchen"));
    char tag[16] = {0};
    assert_int_equal(sscanf(strstr(text, "room="), "room=%15s", tag), 1);
    assert_int_equal(strlen(tag), strlen("#01234567"));
    assert_int_equal(count_of(text, tag), 2);
    free(text);

    signal_log_options options = options_for(f->file);
    options.is_private = false;
    assert_int_equal(signal_log_start(&options), 0);
    LOG(LOG_INFO, "Test", "joined", LOG_PRIVATE("room", SLICE_LITERAL("kitchen")));
    signal_log_stop();
    assert_count(f->file, "room=kitchen\n", 1);
}

static void a_node_is_named_where_one_is_given(void **state)
{
    fixture *f = *state;
    signal_log_options options = options_for(f->file);
    char name[] = "a";
    options.node = name;
    assert_int_equal(signal_log_start(&options), 0);
    name[0] = 'x'; /* it was copied */
    log_number(7);
    signal_log_stop();
    assert_count(f->file, "counted node=\"a\" n=7\n", 1);
}

static void json_is_written_where_it_is_asked_for(void **state)
{
    fixture *f = *state;
    signal_log_options options = options_for(f->file);
    options.format = SIGNAL_LOG_JSON;
    assert_int_equal(signal_log_start(&options), 0);
    log_number(7);
    signal_log_stop();
    assert_count(f->file, "\"level\":\"INFO\",\"namespace\":\"Test\",\"event\":\"counted\",\"n\":7}\n", 1);
}

static void fields_over_the_most_are_left_out(void **state)
{
    fixture *f = *state;
    log_field fields[LOG_MAX_FIELDS + 1];
    for (size_t i = 0; i < LOG_MAX_FIELDS + 1; i++)
        fields[i] = LOG_NUMBER("n", i);
    start(f->file);
    log_event(LOG_INFO, "Test", "many", fields, LOG_MAX_FIELDS + 1);
    signal_log_stop();
    assert_count(f->file, " n=", LOG_MAX_FIELDS);
}

/* Wait, reading along, until the file holds the text: for what the writer does while the logger runs. */
static void await(const char *path, const char *wanted)
{
    for (uint64_t end = clock_monotonic_ms() + 20000; clock_monotonic_ms() < end; poll(NULL, 0, 1)) {
        if (access(path, F_OK) != 0)
            continue;
        char *text = content_of(path);
        bool is_there = strstr(text, wanted) != NULL;
        free(text);
        if (is_there)
            return;
    }
    fail_msg("%s is not in %s", wanted, path);
}

static void a_line_is_written_soon_also_after_a_long_silence(void **state)
{
    fixture *f = *state;
    start(f->file);
    for (uint64_t i = 0; i < 5; i++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "n=%d\n", (int)i);
        log_number(i);
        await(f->file, wanted);
        poll(NULL, 0, 50); /* not to wait for anything: longer than a nap, so that the writer is asleep */
    }
}

static void after_a_reopen_lines_go_to_the_new_file(void **state)
{
    fixture *f = *state;
    start(f->file);
    log_number(1);
    await(f->file, "n=1\n");
    assert_int_equal(rename(f->file, f->moved), 0);
    log_number(2);
    await(f->moved, "n=2\n");
    signal_log_reopen();
    log_number(3);
    signal_log_stop();
    assert_count(f->moved, "[Test]", 2);
    assert_count(f->file, "n=3\n", 1);
    assert_count(f->file, "[INFO] [HomeCall_Signal_Log] log file reopened", 1);
}

static void a_reopen_that_fails_keeps_the_old_file_and_says_so(void **state)
{
    fixture *f = *state;
    start(f->file);
    assert_int_equal(rename(f->file, f->moved), 0);
    assert_int_equal(mkdir(f->file, 0700), 0);
    signal_log_reopen();
    log_number(1);
    signal_log_stop();
    assert_int_equal(rmdir(f->file), 0);
    assert_count(f->moved, "[ERROR] [HomeCall_Signal_Log] log file not reopened", 1);
    assert_count(f->moved, "reason=\"Is a directory\"", 1);
    assert_count(f->moved, "n=1\n", 1);
}

enum { THREADS = 4, LINES = 300 };

static void *log_numbers(void *argument)
{
    uint64_t base = (uint64_t)(uintptr_t)argument * LINES;
    for (uint64_t i = 0; i < LINES; i++)
        log_number(base + i);
    return NULL;
}

static void lines_of_many_threads_all_arrive_in_the_order_of_each(void **state)
{
    fixture *f = *state;
    start(f->file);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_numbers, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    signal_log_stop();
    assert_int_equal(signal_log_dropped(), 0);

    uint64_t next[THREADS] = {0};
    char *text = content_of(f->file);
    const char *at = text;
    for (size_t i = 0; i < THREADS * LINES; i++) {
        at = strstr(at, " n=");
        assert_non_null(at);
        uint64_t n = strtoull(at + 3, NULL, 10);
        at += 3;
        assert_int_equal(n % LINES, next[n / LINES]);
        next[n / LINES]++;
    }
    assert_null(strstr(at, " n="));
    free(text);
}

static void threads_one_after_the_other_share_one_ring(void **state)
{
    fixture *f = *state;
    start(f->file);
    for (uintptr_t i = 0; i < 10; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, log_numbers, (void *)i), 0);
        pthread_join(thread, NULL);
    }
    assert_non_null(log_front_producers());
    assert_null(log_front_producers()->next);
    signal_log_stop();
    assert_null(log_front_producers());
    assert_int_equal(signal_log_dropped(), 0);
    assert_count(f->file, "counted", 10 * LINES);
}

typedef struct crowd {
    _Atomic bool is_over;
    _Atomic uint64_t logged;
} crowd;

static void *log_until_over(void *argument)
{
    crowd *c = argument;
    while (!atomic_load(&c->is_over)) {
        LOG(LOG_INFO, "Test", "busy", LOG_PRIVATE("room", SLICE_LITERAL("kitchen")));
        atomic_fetch_add(&c->logged, 1);
        sched_yield();
    }
    return NULL;
}

static void threads_go_on_logging_while_the_logger_comes_and_goes(void **state)
{
    fixture *f = *state;
    crowd c = {false, 0};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_until_over, &c), 0);
    for (int i = 0; i < 8; i++) {
        start(f->file);
        uint64_t before = atomic_load(&c.logged);
        while (atomic_load(&c.logged) < before + 20)
            sched_yield();
        signal_log_reopen();
        signal_log_stop();
    }
    atomic_store(&c.is_over, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_count(f->file, "kitchen", 0);
    char *text = content_of(f->file);
    assert_int_equal(count_of(text, "\n["), count_of(text, "\n") - 1); /* every line begins as one */
    free(text);
}

/* A named pipe whose reader is there but does not read. */
static int open_stuck_pipe(const fixture *f)
{
    assert_int_equal(mkfifo(f->file, 0600), 0);
    int reader = open(f->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    return reader;
}

/* Log until lines are dropped; returns how many were logged. */
static uint64_t flood(void)
{
    uint64_t logged = 0;
    while (signal_log_dropped() < 10)
        log_number(logged++);
    return logged;
}

static void a_stuck_reader_holds_up_neither_loggers_nor_the_stop(void **state)
{
    fixture *f = *state;
    int reader = open_stuck_pipe(f);
    start(f->file);
    uint64_t logged = flood();
    uint64_t before_ms = clock_monotonic_ms();
    signal_log_stop();
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 5000); /* a second, and a busy machine's slowness */

    char *text = calloc(1, 1 << 20);
    ssize_t len = read(reader, text, (1 << 20) - 1);
    assert_true(len > 0);
    assert_int_equal(text[len - 1], '\n');
    assert_int_equal(count_of(text, "counted") + signal_log_dropped(), logged);
    free(text);
    close(reader);
}

/* What lines tell: how many of ours arrived, and how many are reported as dropped. */
typedef struct tally {
    uint64_t arrived;
    uint64_t reported;
} tally;

/* Add up the whole lines of the text; returns their length. */
static size_t add_lines(tally *t, const char *text)
{
    static const char report[] = "[WARN] [HomeCall_Signal_Log] dropped count=";
    const char *line = text;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *count = memmem(line, (size_t)(end - line), report, strlen(report));
        if (count != NULL)
            t->reported += strtoull(count + strlen(report), NULL, 10);
        else
            t->arrived++;
    }
    return (size_t)(line - text);
}

static void dropped_lines_are_counted_and_reported_when_there_is_room_again(void **state)
{
    fixture *f = *state;
    int reader = open_stuck_pipe(f);
    start(f->file);
    uint64_t logged = flood();
    uint64_t dropped = signal_log_dropped();

    /* Read until every line is there or reported; some may be reported before the pipe was full. */
    tally t = {0};
    char text[4096];
    size_t len = 0;
    for (uint64_t end = clock_monotonic_ms() + 20000;
         clock_monotonic_ms() < end && t.reported + t.arrived < logged;) {
        struct pollfd wanted = {.fd = reader, .events = POLLIN};
        poll(&wanted, 1, 100);
        ssize_t got = read(reader, text + len, sizeof(text) - 1 - len);
        len += got > 0 ? (size_t)got : 0;
        text[len] = '\0';
        size_t done = add_lines(&t, text);
        len -= done;
        memmove(text, text + done, len);
    }
    signal_log_stop();
    assert_int_equal(t.reported, dropped);
    assert_int_equal(t.arrived + dropped, logged);
    assert_int_equal(signal_log_dropped(), dropped);
    close(reader);
}

/* Hold the writer up in a round that has looked at every ring: the pipe, of one page, keeps the first line,
 * so the second is taken out of its ring but not written. */
static void hold_up_writer(int reader)
{
    assert_true(fcntl(reader, F_SETPIPE_SZ, 1) > 0);
    int waiting = 0;
    for (log_number(0); waiting == 0; poll(NULL, 0, 1))
        assert_int_equal(ioctl(reader, FIONREAD, &waiting), 0);
    for (log_number(1); !log_ring_is_empty(log_front_producers()->ring);)
        poll(NULL, 0, 1);
}

enum { TURNS = 20, MANY = 700 };

typedef struct turns {
    pthread_barrier_t barrier;
    _Atomic uint64_t players;
    _Atomic uint64_t next;
} turns;

/* Two threads log by turns, each in a later millisecond than the last: one line, or so many that the writer
 * does not copy them. */
static void *take_turns(void *argument)
{
    turns *t = argument;
    uint64_t own = atomic_fetch_add(&t->players, 1);
    for (uint64_t i = 0; i < TURNS; i++) {
        if (i % 2 == own) {
            for (uint64_t lines = i % 5 == 4 ? MANY : 1; lines > 0; lines--)
                log_number(atomic_fetch_add(&t->next, 1));
            for (uint64_t now_ms = clock_utc_ms(); clock_utc_ms() == now_ms;)
                poll(NULL, 0, 1);
        }
        pthread_barrier_wait(&t->barrier);
    }
    return NULL;
}

/* Read so many lines, as a string. */
static void read_lines(int reader, char *text, size_t cap, size_t count)
{
    memset(text, 0, cap);
    size_t lines = 0;
    for (size_t len = 0; lines < count;) {
        struct pollfd wanted = {.fd = reader, .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, 20000), 1);
        ssize_t got = read(reader, text + len, cap - 1 - len);
        lines += count_of(text + len, "\n");
        len += got > 0 ? (size_t)got : 0;
    }
}

static void a_pipe_that_is_full_is_waited_for(void **state)
{
    enum { COUNT = 1000 };
    fixture *f = *state;
    static char text[COUNT * 100];
    int reader = open_stuck_pipe(f);
    start(f->file);
    hold_up_writer(reader);
    for (uint64_t i = 2; i < COUNT; i++)
        log_number(i);
    read_lines(reader, text, sizeof(text), COUNT);
    const char *at = text;
    for (uint64_t i = 0; i < COUNT; i++) {
        at = strstr(at, " n=") + 3;
        assert_int_equal(strtoull(at, NULL, 10), i);
    }
    assert_int_equal(signal_log_dropped(), 0);
    close(reader);
}

static void lines_of_different_threads_are_written_in_the_order_of_time(void **state)
{
    fixture *f = *state;
    int reader = open_stuck_pipe(f);
    start(f->file);
    hold_up_writer(reader);

    turns t = {.next = 2};
    pthread_t threads[2];
    pthread_barrier_init(&t.barrier, NULL, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &t), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&t.barrier);

    static char text[TURNS * MANY * 100];
    read_lines(reader, text, sizeof(text), t.next);
    const char *at = text;
    for (uint64_t i = 0; i < t.next; i++) {
        at = strstr(at, " n=") + 3;
        assert_int_equal(strtoull(at, NULL, 10), i);
    }
    close(reader);
}

static void a_target_that_fails_drops_and_counts_every_line(void **state)
{
    (void)state;
    start("/dev/full");
    for (uint64_t i = 0; i < 100; i++)
        log_number(i);
    signal_log_stop();
    assert_int_equal(signal_log_dropped(), 100);
}

static void a_reader_that_went_away_does_no_harm(void **state)
{
    fixture *f = *state;
    int reader = open_stuck_pipe(f);
    start(f->file);
    close(reader);
    log_number(1); /* EPIPE, and a SIGPIPE that nobody here ignores */
    signal_log_stop();
    assert_int_equal(signal_log_dropped(), 1);
}

static void standard_output_is_written_to_without_changing_its_flags(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    const signal_log_options options = options_for("");
    int error = signal_log_start(&options);
    log_number(42);
    signal_log_reopen();
    signal_log_stop();
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);

    char text[256] = {0};
    ssize_t len = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    assert_int_equal(error, 0);
    assert_int_equal(flags & O_NONBLOCK, 0);
    assert_true(len > 0);
    assert_int_equal(count_of(text, "\n"), 1);
    assert_non_null(strstr(text, "counted n=42\n"));
}

/* What on_line has got, and on which thread. */
typedef struct taken_lines {
    char text[4096]; /* with a line feed behind each */
    signal_log_level last_level;
    pthread_t thread;
    unsigned count;
} taken_lines;

static void take_line(void *context, signal_log_level level, const char *line, size_t len)
{
    taken_lines *taken = context;
    size_t used = strlen(taken->text);
    assert_null(memchr(line, '\n', len));
    assert_true(used + len + 2 <= sizeof(taken->text));
    memcpy(taken->text + used, line, len);
    taken->text[used + len] = '\n';
    taken->last_level = level;
    taken->thread = pthread_self();
    taken->count++;
}

static void lines_go_to_a_function_instead_of_a_file(void **state)
{
    const fixture *f = *state;
    taken_lines taken = {0};
    signal_log_options options = options_for(f->file);
    options.on_line = take_line;
    options.context = &taken;
    assert_int_equal(signal_log_start(&options), -EINVAL); /* which of the two? */
    assert_int_equal(access(f->file, F_OK), -1);

    options.file = "";
    assert_int_equal(signal_log_start(&options), 0);
    log_number(1);
    signal_log_reopen(); /* there is nothing to open */
    log_number(2);
    LOG(LOG_DEBUG, "Test", "below the level", LOG_NUMBER("n", 0));
    LOG(LOG_ERROR, "Test", "bad", LOG_BYTES("text", slice_of_text("a\nb")));
    signal_log_stop();
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.last_level, SIGNAL_LOG_ERROR);
    assert_false(pthread_equal(taken.thread, pthread_self()));
    assert_non_null(strstr(taken.text, "counted n=1\n"));
    assert_non_null(strstr(taken.text, "counted n=2\n"));
    assert_non_null(strstr(taken.text, "[ERROR] [Test] bad text="));
    assert_int_equal(signal_log_dropped(), 0);
}

/* Programs that were compiled with another version of the struct. */
static void the_options_of_older_and_newer_programs_are_told_apart(void **state)
{
    const fixture *f = *state;
    struct {
        signal_log_options known;
        uint64_t unknown;
    } newer;
    memset(&newer, 0xA5, sizeof(newer));
    signal_log_options_init(&newer.known, sizeof(newer));
    assert_int_equal(newer.unknown, 0);
    assert_int_equal(newer.known.level, SIGNAL_LOG_INFO);
    assert_true(newer.known.is_private);
    newer.known.file = f->file;
    newer.unknown = 1; /* an option that is not known here */
    assert_int_equal(signal_log_start(&newer.known), -EINVAL);
    newer.unknown = 0;
    assert_int_equal(signal_log_start(&newer.known), 0);
    signal_log_stop();

    enum { OLD = offsetof(signal_log_options, on_line) };
    signal_log_options options;
    memset(&options, 0xA5, sizeof(options)); /* what it does not own must not be read, nor written */
    signal_log_options_init(&options, OLD);
    assert_int_equal((uintptr_t)options.context & 0xFFFF, 0xA5A5);
    options.file = f->file;
    assert_int_equal(signal_log_start(&options), 0);
    log_number(1);
    signal_log_stop();

    options.size = 0; /* nobody has initialised it */
    assert_int_equal(signal_log_start(&options), -EINVAL);
    options.size = SIZE_MAX;
    assert_int_equal(signal_log_start(&options), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_options_of_older_and_newer_programs_are_told_apart, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(before_its_start_and_after_its_stop_nothing_is_logged, make, destroy),
        cmocka_unit_test_setup_teardown(levels_below_the_threshold_are_not_even_evaluated, make, destroy),
        cmocka_unit_test_setup_teardown(with_the_level_off_nothing_is_logged, make, destroy),
        cmocka_unit_test_setup_teardown(a_second_start_is_refused_and_a_second_stop_does_nothing, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_file_that_can_not_be_opened_is_told, make, destroy),
        cmocka_unit_test_setup_teardown(a_new_file_is_closed_to_others_and_an_old_one_is_appended_to, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(names_become_tags_of_one_key_unless_privacy_is_off, make, destroy),
        cmocka_unit_test_setup_teardown(a_node_is_named_where_one_is_given, make, destroy),
        cmocka_unit_test_setup_teardown(json_is_written_where_it_is_asked_for, make, destroy),
        cmocka_unit_test_setup_teardown(fields_over_the_most_are_left_out, make, destroy),
        cmocka_unit_test_setup_teardown(a_line_is_written_soon_also_after_a_long_silence, make, destroy),
        cmocka_unit_test_setup_teardown(after_a_reopen_lines_go_to_the_new_file, make, destroy),
        cmocka_unit_test_setup_teardown(a_reopen_that_fails_keeps_the_old_file_and_says_so, make, destroy),
        cmocka_unit_test_setup_teardown(lines_of_many_threads_all_arrive_in_the_order_of_each, make, destroy),
        cmocka_unit_test_setup_teardown(threads_one_after_the_other_share_one_ring, make, destroy),
        cmocka_unit_test_setup_teardown(threads_go_on_logging_while_the_logger_comes_and_goes, make, destroy),
        cmocka_unit_test_setup_teardown(a_stuck_reader_holds_up_neither_loggers_nor_the_stop, make, destroy),
        cmocka_unit_test_setup_teardown(dropped_lines_are_counted_and_reported_when_there_is_room_again, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_pipe_that_is_full_is_waited_for, make, destroy),
        cmocka_unit_test_setup_teardown(lines_of_different_threads_are_written_in_the_order_of_time, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_target_that_fails_drops_and_counts_every_line, make, destroy),
        cmocka_unit_test_setup_teardown(lines_go_to_a_function_instead_of_a_file, make, destroy),
        cmocka_unit_test_setup_teardown(a_reader_that_went_away_does_no_harm, make, destroy),
        cmocka_unit_test_setup_teardown(standard_output_is_written_to_without_changing_its_flags, make,
                                        destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
