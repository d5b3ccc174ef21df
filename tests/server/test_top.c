/* homecall-signal top as its user sees it: in a pseudo-terminal and in a pipe, before a server made up here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/free_port.h"
#include "support/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

enum { PATIENCE_MS = 30000, TICK_MS = 20, MAX_OUTPUT = 256 * 1024, MAX_WORDS = 12 };

/* The program, and the server that it asks. */
typedef struct fixture {
    uint16_t port;
    int listen_fd;           /* -1 while the server is not there */
    const char *page;        /* what it answers instead of numbers; NULL = numbers */
    const char *why;         /* why it is not ready; NULL = it is */
    unsigned asked;          /* so often */
    pid_t pid;               /* 0 while nothing runs */
    int out;                 /* of the program: the terminal, or a pipe */
    int err;                 /* the same, but for a terminal: -1 */
    int terminal;            /* the program's side of it, or -1 */
    struct termios settings; /* of the terminal, before the program */
    char text[MAX_OUTPUT];   /* what came out */
    size_t len;
    size_t seen; /* of that: behind what was awaited last */
    char errors[4096];
    size_t errors_len;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    f->port = free_port();
    f->listen_fd = f->out = f->err = f->terminal = -1;
    *state = f;
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int destroy(void **state)
{
    fixture *f = *state;
    if (f->pid > 0) { /* a test has failed while it ran */
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    close_fd(&f->listen_fd);
    close_fd(&f->out);
    close_fd(&f->err);
    close_fd(&f->terminal);
    free(f);
    return 0;
}

/* ---- The server ---- */

static void begin_serving(fixture *f)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1;
    f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(f->listen_fd >= 0);
    setsockopt(f->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(f->listen_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(f->listen_fd, 8), 0);
}

/* The numbers: a second goes by between two answers, and seven connections come in it. */
static void print_numbers(const fixture *f, char *body, size_t size)
{
    snprintf(body, size,
             "{\"version\":\"0.1.0\",\"uptime_seconds\":%u,\"live\":true,\"ready\":%s,\"why\":[%s%s%s],"
             "\"metrics\":{\"accepted_connections_total\":%u,\"connections\":{\"open\":{\"plain\":5}},"
             "\"thread_cpu_seconds_total\":{\"worker-0\":%u.5}}}",
             100 + f->asked, f->why == NULL ? "true" : "false", f->why != NULL ? "\"" : "",
             f->why != NULL ? f->why : "", f->why != NULL ? "\"" : "", 7 * f->asked, f->asked / 2);
}

static void answer(fixture *f)
{
    int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    char request[512] = {0};
    for (size_t len = 0; strstr(request, "\r\n\r\n") == NULL;) {
        ssize_t got = recv(fd, request + len, sizeof(request) - 1 - len, 0);
        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_memory_equal(request, "GET /stats ", 11);
    f->asked++;
    char numbers[512];
    print_numbers(f, numbers, sizeof(numbers));
    char page[1024];
    int len = snprintf(page, sizeof(page), "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(numbers), numbers);
    if (f->page != NULL)
        len = snprintf(page, sizeof(page), "%s", f->page);
    send(fd, page, (size_t)len, MSG_NOSIGNAL); /* whoever asked may have ended */
    close(fd);
}

/* ---- The program ---- */

static void execute(const fixture *f, const char *arguments, const char *setting)
{
    char *binary = getenv("HOMECALL_SIGNAL_BINARY");
    char *argv[MAX_WORDS] = {binary, "--env-file", "/dev/null", "top"};
    size_t count = 4;
    char *words = strdup(arguments);
    for (char *word = strtok(words, " "); word != NULL && count + 1 < MAX_WORDS; word = strtok(NULL, " "))
        argv[count++] = word;
    char port[32];
    snprintf(port, sizeof(port), "ADMIN_PORT=%u", f->port);
    char *setting_copy = strdup(setting);
    char *envp[] = {port, "TERM=xterm-256color", setting_copy, NULL};
    if (strncmp(setting, "TERM=", 5) == 0)
        envp[1] = setting_copy;
    execve(binary, argv, envp);
    _exit(127);
}

/* Start it in a terminal of this size. `setting` is one more variable of its environment. */
static void start_in_terminal(fixture *f, int columns, int rows, const char *arguments, const char *setting)
{
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    assert_int_equal(openpty(&f->out, &f->terminal, NULL, NULL, &size), 0);
    fcntl(f->out, F_SETFD, FD_CLOEXEC);
    assert_int_equal(tcgetattr(f->terminal, &f->settings), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        if (login_tty(f->terminal) != 0)
            _exit(126);
        execute(f, arguments, setting);
    }
}

/* Start it with its outputs in pipes. */
static void start_in_pipe(fixture *f, const char *arguments, const char *setting)
{
    int out[2];
    int err[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execute(f, arguments, setting);
    }
    close(out[1]);
    close(err[1]);
    f->out = out[0];
    f->err = err[0];
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Append what has come; a descriptor at its end is closed. */
static void read_into(int *fd, char *text, size_t size, size_t *len)
{
    assert_true(*len + 1 < size);
    ssize_t got = read(*fd, text + *len, size - 1 - *len);
    if (got <= 0)
        close_fd(fd);
    else
        *len += (size_t)got;
}

/* Let the server answer and the output come, for a moment. */
static void go_on(fixture *f)
{
    struct pollfd fds[] = {{.fd = f->listen_fd, .events = POLLIN},
                           {.fd = f->out, .events = POLLIN},
                           {.fd = f->err, .events = POLLIN}};
    if (poll(fds, 3, TICK_MS) <= 0)
        return;
    if (fds[0].revents != 0)
        answer(f);
    if (fds[1].revents != 0)
        read_into(&f->out, f->text, sizeof(f->text), &f->len);
    if (fds[2].revents != 0)
        read_into(&f->err, f->errors, sizeof(f->errors), &f->errors_len);
}

/* Wait until this comes, behind what was awaited before. */
static void await_text(fixture *f, const char *wanted)
{
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    const char *found;
    while ((found = strstr(f->text + f->seen, wanted)) == NULL) {
        if (now_ms() > end_ms)
            fail_msg("no %s in: %s; %s", wanted, f->text + f->seen, f->errors);
        go_on(f);
    }
    f->seen = (size_t)(found - f->text) + strlen(wanted);
}

/* Wait for the end; returns the exit code, or 128 and the number of the signal that ended it. */
static int finish(fixture *f)
{
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    int status;
    while (waitpid(f->pid, &status, WNOHANG) == 0) {
        if (now_ms() > end_ms)
            fail_msg("it does not end: %s", f->text + f->seen);
        go_on(f);
    }
    f->pid = 0;
    for (uint64_t until_ms = now_ms() + TICK_MS; f->terminal >= 0 ? now_ms() < until_ms : f->out >= 0;)
        go_on(f); /* what it wrote last may still be on its way */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void press(fixture *f, const char *keys)
{
    assert_int_equal(write(f->out, keys, strlen(keys)), strlen(keys));
}

static void resize(fixture *f, int columns, int rows)
{
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    assert_int_equal(ioctl(f->out, TIOCSWINSZ, &size), 0);
}

/* The screen has been left, and the terminal obeys as it did. */
static void expect_restored(fixture *f)
{
    struct termios settings;
    assert_non_null(strstr(f->text, "\x1b[?1049l"));
    assert_int_equal(tcgetattr(f->terminal, &settings), 0);
    assert_int_equal(settings.c_lflag, f->settings.c_lflag);
    assert_int_equal(settings.c_iflag, f->settings.c_iflag);
    assert_int_equal(settings.c_oflag, f->settings.c_oflag);
    assert_memory_equal(settings.c_cc, f->settings.c_cc, sizeof(settings.c_cc));
}

/* ---- In a terminal ---- */

static void a_screen_appears_and_q_gives_the_terminal_back(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "homecall-signal 0.1.0");
    await_text(f, "7.0/s");
    struct termios settings;
    assert_int_equal(tcgetattr(f->terminal, &settings), 0);
    assert_int_equal(settings.c_lflag & (ICANON | ECHO), 0);
    press(f, "q");
    assert_int_equal(finish(f), 0);
    expect_restored(f);
}

static void control_c_and_sigterm_give_the_terminal_back_too(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    press(f, "\x03");
    assert_int_equal(finish(f), 0);
    expect_restored(f);

    close_fd(&f->out);
    close_fd(&f->terminal);
    f->seen = f->len;
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    kill(f->pid, SIGTERM);
    assert_int_equal(finish(f), 0);
    expect_restored(f);
}

static void a_resized_terminal_is_drawn_anew(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 60", "NO_COLOR=");
    await_text(f, "call set-up");
    resize(f, 40, 10);
    await_text(f, "p50/90/99");
    resize(f, 120, 40);
    await_text(f, "homecall-signal 0.1.0");
    await_text(f, "call set-up");
    assert_int_equal(f->asked, 1); /* for that nobody has to be asked */
    press(f, "q");
    assert_int_equal(finish(f), 0);
}

static void a_pause_holds_the_screen(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    press(f, "p");
    await_text(f, "paused");
    unsigned asked = f->asked;
    for (uint64_t end_ms = now_ms() + 500; now_ms() < end_ms;)
        go_on(f);
    assert_int_equal(f->asked, asked);
    press(f, "p");
    for (uint64_t end_ms = now_ms() + PATIENCE_MS; f->asked < asked + 2;) {
        assert_true(now_ms() < end_ms);
        go_on(f);
    }
    press(f, "\x1b[A\x1bOp"); /* a cursor key, and one whose letter is no p of ours */
    press(f, "q");
    assert_int_equal(finish(f), 0);
}

static void control_z_gives_the_terminal_back_for_as_long(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    press(f, "\x1a"); /* it has no shell that could continue it, so the kernel does not stop it */
    await_text(f, "\x1b[?1049l");
    await_text(f, "\x1b[?1049h");
    await_text(f, "homecall-signal 0.1.0");
    struct termios settings;
    assert_int_equal(tcgetattr(f->terminal, &settings), 0);
    assert_int_equal(settings.c_lflag & (ICANON | ECHO), 0);
    press(f, "q");
    assert_int_equal(finish(f), 0);
    expect_restored(f);
}

static void only_rows_that_change_are_written_anew(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    size_t whole = f->len;
    press(f, "p");
    await_text(f, "paused");
    assert_true(f->len - f->seen < whole / 4);
    assert_null(strstr(f->text + f->seen, "call set-up"));
    press(f, "q");
    assert_int_equal(finish(f), 0);
}

static void a_server_that_is_not_there_is_told_until_it_comes(void **state)
{
    fixture *f = *state;
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "no answer since ");
    await_text(f, "Connection refused");
    begin_serving(f);
    await_text(f, "7.0/s");
    close_fd(&f->listen_fd);
    await_text(f, "Connection refused");
    press(f, "q");
    assert_int_equal(finish(f), 0);
    expect_restored(f);
}

static void an_answer_without_numbers_is_told(void **state)
{
    fixture *f = *state;
    f->page = "HTTP/1.0 404 Not Found\r\n\r\nno such page";
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, "HTTP status 404");
    f->page = "HTTP/1.0 200 OK\r\n\r\nhello";
    await_text(f, "what came is no page of numbers");
    press(f, "q");
    assert_int_equal(finish(f), 0);
}

static void colour_is_for_what_is_wrong_and_may_be_forbidden(void **state)
{
    static const char red[] = "\x1b[31m";
    fixture *f = *state;
    f->why = "draining";
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=1");
    await_text(f, "draining");
    press(f, "q");
    assert_int_equal(finish(f), 0);
    assert_null(strstr(f->text, red));

    close_fd(&f->out);
    close_fd(&f->terminal);
    start_in_terminal(f, 80, 24, "--interval 0.1", "NO_COLOR=");
    await_text(f, red);
    await_text(f, "draining");
    press(f, "q");
    assert_int_equal(finish(f), 0);
}

static void a_terminal_that_can_show_no_screen_gets_text(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_terminal(f, 80, 24, "--interval 0.1", "TERM=dumb");
    await_text(f, "7.0/s");
    press(f, "\x03");
    assert_int_equal(finish(f), 0);
    assert_null(strchr(f->text, '\x1b'));
}

/* ---- In a pipe ---- */

static void text_has_a_block_for_each_interval(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_pipe(f, "--interval 0.1 --count 2", "NO_COLOR=");
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->asked, 3);
    assert_string_equal(f->errors, "");
    assert_null(strchr(f->text, '\x1b'));
    await_text(f, "homecall-signal 0.1.0");
    await_text(f, "7.0/s");
    await_text(f, "\n\nhomecall-signal 0.1.0");
    await_text(f, "7.0/s");
    assert_null(strstr(f->text + f->seen, "homecall-signal"));
    assert_memory_equal(f->text + f->len - 2, "\n\n", 2);
}

static void text_of_a_server_that_is_not_there_ends_with_one(void **state)
{
    fixture *f = *state;
    start_in_pipe(f, "--once", "NO_COLOR=");
    assert_int_equal(finish(f), 1);
    assert_string_equal(f->text, "");
    char expected[128];
    snprintf(expected, sizeof(expected), "homecall-signal: no answer from 127.0.0.1:%u: Connection refused\n",
             f->port);
    assert_string_equal(f->errors, expected);
}

static void text_goes_on_when_the_server_comes_back(void **state)
{
    fixture *f = *state;
    start_in_pipe(f, "--interval 0.1", "NO_COLOR=");
    while (f->errors_len == 0)
        go_on(f);
    begin_serving(f);
    await_text(f, "7.0/s");
    kill(f->pid, SIGINT);
    assert_int_equal(finish(f), 0);
}

static void text_ends_when_nobody_reads_it(void **state)
{
    fixture *f = *state;
    begin_serving(f);
    start_in_pipe(f, "--interval 0.1", "NO_COLOR=");
    await_text(f, "7.0/s");
    close_fd(&f->out);
    assert_int_equal(finish(f), 0);
    assert_string_equal(f->errors, "");
}

static void text_ends_so_even_if_there_is_none(void **state)
{
    fixture *f = *state;
    start_in_pipe(f, "--interval 60", "NO_COLOR=");
    while (f->errors_len == 0)
        go_on(f);
    close_fd(&f->out);
    assert_int_equal(finish(f), 1);
}

static void text_that_nobody_takes_keeps_nobody_from_ending_it(void **state)
{
    enum { ONE_PAGE = 4096, BLOCKS = 12 };
    fixture *f = *state;
    begin_serving(f);
    start_in_pipe(f, "--interval 0.1", "NO_COLOR=");
    int out = f->out;
    f->out = -1; /* not read */
    assert_true(fcntl(out, F_SETPIPE_SZ, ONE_PAGE) > 0);
    for (uint64_t end_ms = now_ms() + PATIENCE_MS; now_ms() < end_ms && f->asked < BLOCKS;) {
        unsigned asked = f->asked;
        for (int ticks = 0; ticks < 50 && f->asked == asked; ticks++)
            go_on(f);
        if (f->asked == asked)
            break; /* it does not ask any more: it waits for room */
    }
    assert_in_range(f->asked, 2, BLOCKS - 1);
    kill(f->pid, SIGTERM);
    assert_int_equal(finish(f), 0);
    close(out);
}

static void a_real_server_is_understood(void **state)
{
    fixture *f = *state;
    signal_server_options options = server_options();
    options.admin_port = f->port;
    options.workers = 3;
    signal_server *server = server_start(&options);
    start_in_pipe(f, "--once --interval 0.2", "NO_COLOR=");
    int code = finish(f);
    server_end(server);
    assert_int_equal(code, 0);
    await_text(f, "ready\n");
    await_text(f, "connections open 0  accepted 0/s  closed 0/s  handshake 0  closing 0\n");
    await_text(f, "\nlimits hit  none\n");
    await_text(f, "\nworker-2 ");
    await_text(f, "\nacceptor-0 ");
}

/* ---- Arguments ---- */

static void wrong_arguments_end_with_two(void **state)
{
    static const char *const wrong[] = {
        "--interval 0.05", "--interval 61", "--interval 1s", "--interval=", "--interval nan", "--interval",
        "--count 0",       "--count -1",    "--count 1x",    "--count",     "--twice",        "now",
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        f->errors_len = 0;
        memset(f->errors, 0, sizeof(f->errors));
        start_in_pipe(f, wrong[i], "NO_COLOR=");
        int code = finish(f);
        if (code != 2 || strstr(f->errors, "--help lists what there is\n") == NULL)
            fail_msg("%s: %d, %s", wrong[i], code, f->errors);
        assert_string_equal(f->text, "");
        close_fd(&f->err);
    }
}

static void show_help(fixture *f, const char *word)
{
    start_in_pipe(f, word, "NO_COLOR=");
    assert_int_equal(finish(f), 0);
    assert_memory_equal(f->text, "Usage: homecall-signal ", 23);
    assert_non_null(strstr(f->text, "\n  --interval SECONDS "));
}

static void help_is_shown(void **state)
{
    show_help(*state, "--help");
}

static void help_has_a_short_word(void **state)
{
    show_help(*state, "-h");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, make, destroy)
    const struct CMUnitTest tests[] = {
        CASE(a_screen_appears_and_q_gives_the_terminal_back),
        CASE(control_c_and_sigterm_give_the_terminal_back_too),
        CASE(a_resized_terminal_is_drawn_anew),
        CASE(a_pause_holds_the_screen),
        CASE(control_z_gives_the_terminal_back_for_as_long),
        CASE(only_rows_that_change_are_written_anew),
        CASE(a_server_that_is_not_there_is_told_until_it_comes),
        CASE(an_answer_without_numbers_is_told),
        CASE(colour_is_for_what_is_wrong_and_may_be_forbidden),
        CASE(a_terminal_that_can_show_no_screen_gets_text),
        CASE(text_has_a_block_for_each_interval),
        CASE(text_of_a_server_that_is_not_there_ends_with_one),
        CASE(text_goes_on_when_the_server_comes_back),
        CASE(text_ends_when_nobody_reads_it),
        CASE(text_ends_so_even_if_there_is_none),
        CASE(text_that_nobody_takes_keeps_nobody_from_ending_it),
        CASE(a_real_server_is_understood),
        CASE(wrong_arguments_end_with_two),
        CASE(help_is_shown),
        CASE(help_has_a_short_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
