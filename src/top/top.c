#include "top/top.h"

#include "admin/admin_client.h"
#include "base/address.h"
#include "base/clock.h"
#include "top/sample.h"
#include "top/terminal.h"
#include "top/top_arguments.h"
#include "top/view.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/* An answer takes milliseconds. Meanwhile no key is read, so we must not wait for long. */
enum { ANSWER_TIMEOUT_MS = 2000 };

/* The canvas of plain text: wide enough for most lines, and high enough for a line for each of a few threads.
 */
enum { PLAIN_COLUMNS = 120, PLAIN_ROWS = 24 };
static_assert((PLAIN_COLUMNS + 1) * PLAIN_ROWS + 1 <= PIPE_BUF, "a block is written at once");

enum { DEFAULT_INTERVAL_MS = 1000, MIN_INTERVAL_MS = 100, MAX_INTERVAL_MS = 60 * 1000 };

typedef struct top_options {
    uint32_t interval_ms; /* between two looks */
    uint64_t count;       /* end after so many intervals, told or missed; 0 = never */
    bool is_plain;        /* text, even where there is a terminal */
} top_options;

typedef struct watch {
    const char *host; /* borrowed */
    uint16_t port;
    char address[280];
    int signal_fd;
    sample *samples; /* owned: two; the last answer is in samples[newest] */
    int newest;
    uint64_t answers;      /* so far */
    uint64_t silent_at_ms; /* monotonic: since when there is no answer; 0 = there is one */
    time_t silent_at;      /* the same by the calendar */
    char reason[96];       /* why there is none */
} watch;

/* ---- Asking ---- */

/* Take an answer. 0, or -errno and the reason is set. */
static int take_answer(watch *w, const admin_answer *answer)
{
    if (answer->status != 200) {
        snprintf(w->reason, sizeof(w->reason), "HTTP status %d", answer->status);
        return -EPROTO;
    }
    int error = sample_parse(&w->samples[!w->newest], answer->body, answer->len);
    if (error != 0) {
        snprintf(w->reason, sizeof(w->reason), "what came is no page of numbers");
        return error;
    }
    w->newest = !w->newest;
    w->answers++;
    w->silent_at_ms = 0;
    return 0;
}

/* Ask the server for a new sample. If there is no answer, note since when. */
static void ask(watch *w)
{
    admin_answer answer;
    int error = admin_client_get(w->host, w->port, "/stats", ANSWER_TIMEOUT_MS, &answer);
    if (error != 0) {
        snprintf(w->reason, sizeof(w->reason), "%s", strerror(-error));
    } else {
        error = take_answer(w, &answer);
        free(answer.body);
    }
    if (error != 0 && w->silent_at_ms == 0) {
        w->silent_at_ms = clock_monotonic_ms();
        w->silent_at = time(NULL);
    }
}

static void describe_silence(const watch *w, char *text, size_t size)
{
    struct tm parts;
    char clock[16] = "?";
    if (localtime_r(&w->silent_at, &parts) != NULL)
        strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
    snprintf(text, size, "no answer since %s (%.0f s): %s", clock,
             (double)(clock_monotonic_ms() - w->silent_at_ms) / 1e3, w->reason);
}

static void draw(canvas *c, const watch *w, bool is_paused, bool is_brief)
{
    char trouble[160];
    if (w->silent_at_ms != 0)
        describe_silence(w, trouble, sizeof(trouble));
    view v = {
        .address = w->address,
        .before = w->answers > 1 ? &w->samples[!w->newest] : NULL,
        .now = w->answers > 0 ? &w->samples[w->newest] : NULL,
        .trouble = w->silent_at_ms != 0 ? trouble : NULL,
        .is_paused = is_paused,
        .is_brief = is_brief,
    };
    view_draw(c, &v);
}

/* ---- Waiting ---- */

typedef enum event { EVENT_DUE, EVENT_KEY, EVENT_RESIZE, EVENT_LEAVE } event;

static event read_signal(int signal_fd)
{
    struct signalfd_siginfo info;
    ssize_t got = read(signal_fd, &info, sizeof(info));
    return got == sizeof(info) && info.ssi_signo == SIGWINCH ? EVENT_RESIZE : EVENT_LEAVE;
}

/* Wait for a key from `key_fd` (-1 = none), a signal, the end of the program that reads our output, or the
 * time, whichever comes first. */
static event await(int signal_fd, int key_fd, uint64_t due_ms)
{
    struct pollfd fds[] = {
        {.fd = signal_fd, .events = POLLIN}, {.fd = STDOUT_FILENO}, {.fd = key_fd, .events = POLLIN}};
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        int ready = poll(fds, 3, due_ms > now_ms ? (int)(due_ms - now_ms) : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return EVENT_DUE;
        if (fds[0].revents != 0)
            return read_signal(signal_fd);
        return fds[1].revents == 0 && fds[2].revents == POLLIN ? EVENT_KEY : EVENT_LEAVE;
    }
}

/* The next time to ask. Times that were missed are skipped. */
static uint64_t next_due(uint64_t due_ms, uint32_t interval_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    return due_ms + interval_ms > now_ms ? due_ms + interval_ms : now_ms + interval_ms;
}

/* ---- The screen ---- */

static void show(const watch *w, bool is_paused)
{
    int columns;
    int rows;
    terminal_get_size(&columns, &rows);
    canvas c;
    if (canvas_init(&c, columns, rows) != 0)
        return; /* the next one may find memory */
    draw(&c, w, is_paused, false);
    terminal_show(&c);
    canvas_deinit(&c);
}

/* Does the user stay? */
static bool obey_keys(bool *is_paused)
{
    int key;
    while ((key = terminal_read_key()) != -1) {
        if (key == 'q' || key == 'Q')
            return false;
        if (key == 'p' || key == 'P')
            *is_paused = !*is_paused;
    }
    return true;
}

static int run_screen(watch *w, const top_options *options)
{
    int key_fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
    bool is_paused = false;
    uint64_t due_ms = clock_monotonic_ms();
    for (bool stays = true; stays;) {
        switch (await(w->signal_fd, key_fd, due_ms)) {
        case EVENT_DUE:
            if (!is_paused)
                ask(w);
            due_ms = next_due(due_ms, options->interval_ms);
            break;
        case EVENT_KEY:
            stays = obey_keys(&is_paused);
            break;
        case EVENT_RESIZE:
            terminal_resize();
            break;
        case EVENT_LEAVE:
            stays = false;
            break;
        }
        if (stays)
            show(w, is_paused);
    }
    return EXIT_SUCCESS;
}

/* ---- Plain text ---- */

/* Wait until standard output takes more. 0; -EINTR when it is time to leave; or -errno of poll(). */
static int await_space(int signal_fd)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = POLLOUT}};
    for (;;) {
        int ready = poll(fds, 2, -1);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready > 0 && fds[0].revents != 0 && read_signal(signal_fd) == EVENT_LEAVE)
            return -EINTR;
        if (ready > 0 && fds[1].revents != 0)
            return 0;
    }
}

/* A block is shorter than PIPE_BUF, so a pipe that has space for it takes it whole. */
static int write_all(int signal_fd, const char *text, size_t len)
{
    while (len > 0) {
        int error = await_space(signal_fd);
        if (error != 0)
            return error;
        ssize_t written = write(STDOUT_FILENO, text, len);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            text += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

/* Write a block: the rows up to the last one that is not empty, and an empty line after them. 0 or -errno. */
static int write_canvas(int signal_fd, const canvas *c)
{
    char *text = malloc((size_t)c->rows * ((size_t)c->columns + 1) + 1);
    if (text == NULL)
        return -ENOMEM;
    int rows = c->rows;
    while (rows > 0 && canvas_line_length(c, rows - 1) == 0)
        rows--;
    size_t len = 0;
    for (int row = 0; row < rows; row++) {
        size_t line_len = (size_t)canvas_line_length(c, row);
        memcpy(text + len, canvas_line(c, row), line_len);
        len += line_len;
        text[len++] = '\n';
    }
    text[len++] = '\n';
    int error = write_all(signal_fd, text, len);
    free(text);
    return error;
}

static int write_block(const watch *w)
{
    canvas c;
    int error = canvas_init(&c, PLAIN_COLUMNS, PLAIN_ROWS);
    if (error != 0)
        return error;
    draw(&c, w, false, true);
    error = write_canvas(w->signal_fd, &c);
    canvas_deinit(&c);
    return error;
}

static int run_plain(watch *w, const top_options *options)
{
    uint64_t due_ms = clock_monotonic_ms();
    uint64_t told = 0;
    bool was_silent = false;
    for (uint64_t passed = 0; options->count == 0 || passed < options->count;) {
        event e = await(w->signal_fd, -1, due_ms);
        if (e == EVENT_LEAVE)
            break;
        if (e != EVENT_DUE)
            continue;
        due_ms = next_due(due_ms, options->interval_ms);
        ask(w);
        bool is_silent = w->silent_at_ms != 0;
        if (is_silent && !was_silent)
            fprintf(stderr, "homecall-signal: no answer from %s: %s\n", w->address, w->reason);
        was_silent = is_silent;
        passed += is_silent || w->answers > 1; /* the first answer only starts an interval */
        if (is_silent || w->answers == 1)
            continue;
        if (write_block(w) != 0)
            break;
        told++;
    }
    return was_silent && told == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- The whole ---- */

static int init(watch *w, const char *host, uint16_t port)
{
    *w = (watch){.host = host, .port = port};
    address_join_port(host, port, w->address, sizeof(w->address));
    w->samples = calloc(2, sizeof(*w->samples));
    return w->samples != NULL ? 0 : -ENOMEM;
}

static int run(const char *host, uint16_t port, const top_options *options)
{
    watch w;
    if (init(&w, host, port) != 0)
        return EXIT_FAILURE;
    sigset_t handled;
    sigset_t before;
    sigemptyset(&handled);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&handled, signals[i]);
    sigprocmask(SIG_BLOCK, &handled, &before);
    signal(SIGPIPE, SIG_IGN);

    int code = EXIT_FAILURE;
    w.signal_fd = signalfd(-1, &handled, SFD_CLOEXEC);
    if (w.signal_fd < 0)
        goto restore_signals;
    if (options->is_plain || !isatty(STDOUT_FILENO) || terminal_open() != 0) {
        code = run_plain(&w, options);
    } else {
        code = run_screen(&w, options);
        terminal_close();
    }
    close(w.signal_fd);

restore_signals:
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(w.samples);
    return code;
}

/* ---- Arguments ---- */

static void print_help(void)
{
    puts("Usage: homecall-signal [--env-file PATH] top [OPTION...]\n"
         "\n"
         "Watches the server whose admin port is at ADMIN_HOST and ADMIN_PORT, in the terminal,\n"
         "or as text where there is none. Keys: q leaves, p pauses.\n");
    argument_print_help(stdout, top_arguments, top_argument_count);
    puts("\n"
         "Ends with 1 when the server did not answer and there was nothing to print.");
}

static bool parse_interval(const char *text, uint32_t *interval_ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' ||
        !(seconds >= MIN_INTERVAL_MS / 1e3 && seconds <= MAX_INTERVAL_MS / 1e3))
        return false;
    *interval_ms = (uint32_t)(seconds * 1e3 + 0.5);
    return true;
}

static bool parse_count(const char *text, uint64_t *count)
{
    char *end;
    errno = 0;
    *count = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *count > 0;
}

static int refuse(const char *word, const char *why)
{
    fprintf(stderr, "homecall-signal top: %s: %s; --help lists what there is\n", word, why);
    return EXIT_USAGE;
}

int top_main(int argc, char **argv, const char *host, uint16_t port)
{
    static const struct option known[] = {{"interval", required_argument, NULL, 'i'},
                                          {"count", required_argument, NULL, 'c'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    top_options options = {.interval_ms = DEFAULT_INTERVAL_MS};
    opterr = 0;
    optind = 1;
    int found;
    while ((found = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (found == 'h') {
            print_help();
            return EXIT_SUCCESS;
        }
        if (found == 'o')
            options.count = 1;
        else if (found == ':')
            return refuse(argv[optind - 1], "a value is expected after it");
        else if (found == '?')
            return refuse(argv[optind - 1], "unknown option");
        else if (found == 'i' && !parse_interval(optarg, &options.interval_ms))
            return refuse(optarg, "the interval is a number of seconds from 0.1 to 60");
        else if (found == 'c' && !parse_count(optarg, &options.count))
            return refuse(optarg, "the count is a whole number from 1 on");
    }
    if (optind < argc)
        return refuse(argv[optind], "unknown argument");
    options.is_plain = options.count > 0;
    return run(host, port, &options);
}
