/* The program as its user sees it: arguments, configuration, messages, signals, exit codes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/admin_client.h"
#include "support/client.h"
#include "support/free_port.h"
#include "support/member.h"
#include "support/tls_files.h"

#include <cjson/cJSON.h>

enum { PATIENCE_MS = 30000, MAX_OUTPUT = 64 * 1024 };

typedef struct stream {
    int fd; /* our end of the pipe; -1 at its end */
    char text[MAX_OUTPUT];
    size_t len;
} stream;

/* A process of the program, in a directory of its own. */
typedef struct fixture {
    char directory[64];
    pid_t pid; /* 0 while nothing runs */
    stream out;
    stream err;
} fixture;

/* ---- The directory ---- */

static const char *const file_names[] = {".env", "other.env", "log", "log.1", "notify", "socket", "hosts"};

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    strcpy(f->directory, "/tmp/test_program.XXXXXX");
    f->out.fd = f->err.fd = -1;
    *state = f;
    return mkdtemp(f->directory) == NULL;
}

static void close_stream(stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static const char *path_of(const fixture *f, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->directory, name);
    return path;
}

static int destroy(void **state)
{
    fixture *f = *state;
    if (f->pid > 0) { /* a test has failed while it ran */
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    close_stream(&f->out);
    close_stream(&f->err);
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++)
        unlink(path_of(f, file_names[i]));
    int error = rmdir(f->directory);
    free(f);
    return error;
}

static void write_file(const fixture *f, const char *name, const char *content)
{
    FILE *file = fopen(path_of(f, name), "w");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static bool file_holds(const fixture *f, const char *name, const char *wanted)
{
    char text[MAX_OUTPUT] = {0};
    FILE *file = fopen(path_of(f, name), "r");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    return strstr(text, wanted) != NULL;
}

/* ---- The process ---- */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Give `to` of the child a pipe whose other end is the stream. */
static void open_stream(stream *s, posix_spawn_file_actions_t *actions, int to, int *child_end)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *s = (stream){.fd = ends[0]};
    *child_end = ends[1];
    posix_spawn_file_actions_adddup2(actions, ends[1], to);
}

enum { MAX_WORDS = 8 };

/* Split at blanks, in place. */
static void split(char *text, char **words, size_t count)
{
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < MAX_WORDS);
        words[count++] = word;
    }
    words[count] = NULL;
}

static char *binary_path(void)
{
    char *binary = getenv("HOMECALL_SIGNAL_BINARY");
    assert_non_null(binary);
    return binary;
}

/* Start what stands in argv, with an environment that is separated by blanks. There is no admin port unless
 * the environment asks for one, since another program may have the default. */
static void spawn(fixture *f, char **argv, const char *environment)
{
    char *environment_copy = strdup(environment);
    char *envp[MAX_WORDS + 1] = {"ADMIN_PORT=0"};
    split(environment_copy, envp, 1);

    int out;
    int err;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, f->directory);
    open_stream(&f->out, &actions, STDOUT_FILENO, &out);
    open_stream(&f->err, &actions, STDERR_FILENO, &err);
    assert_int_equal(posix_spawn(&f->pid, argv[0], &actions, NULL, argv, envp), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out);
    close(err);
    free(environment_copy);
}

/* Start the program with arguments and an environment, both separated by blanks. */
static void start(fixture *f, const char *arguments, const char *environment)
{
    char *arguments_copy = strdup(arguments);
    char *argv[MAX_WORDS + 1] = {binary_path()};
    split(arguments_copy, argv, 1);
    spawn(f, argv, environment);
    free(arguments_copy);
}

static void read_stream(stream *s)
{
    assert_true(s->len < sizeof(s->text) - 1);
    ssize_t got = read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);
    if (got <= 0)
        close_stream(s);
    else
        s->len += (size_t)got;
}

/* Wait until the output holds `wanted`, or, where it is NULL, until both streams have ended. */
static void await_output(fixture *f, const char *wanted)
{
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    while (wanted == NULL ? f->out.fd >= 0 || f->err.fd >= 0 : strstr(f->out.text, wanted) == NULL) {
        struct pollfd both[] = {{.fd = f->out.fd, .events = POLLIN}, {.fd = f->err.fd, .events = POLLIN}};
        int ready = poll(both, 2, 1000);
        if (now_ms() > end_ms || (f->out.fd < 0 && f->err.fd < 0))
            fail_msg("no %s; stdout: %s; stderr: %s", wanted == NULL ? "end" : wanted, f->out.text,
                     f->err.text);
        if (ready > 0 && both[0].revents != 0)
            read_stream(&f->out);
        if (ready > 0 && both[1].revents != 0)
            read_stream(&f->err);
    }
}

/* The same in what comes behind the first `before` bytes, which is returned. */
static const char *await_more(fixture *f, size_t before, const char *wanted)
{
    uint64_t end_ms = now_ms() + PATIENCE_MS;
    while (strstr(f->out.text + before, wanted) == NULL) {
        struct pollfd out = {.fd = f->out.fd, .events = POLLIN};
        if (now_ms() > end_ms || f->out.fd < 0)
            fail_msg("no %s in %s", wanted, f->out.text + before);
        if (poll(&out, 1, 1000) > 0)
            read_stream(&f->out);
    }
    return f->out.text + before;
}

/* Wait for the end; returns the exit code, or 128 and the number of the signal that ended it. */
static int finish(fixture *f)
{
    await_output(f, NULL);
    int status;
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    f->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(fixture *f, const char *arguments, const char *environment)
{
    start(f, arguments, environment);
    return finish(f);
}

/* The same where the process may have no more than `descriptors`; nobody can raise that again. */
static int run_limited(fixture *f, unsigned descriptors, const char *environment)
{
    char script[64];
    char *const argv[] = {"/bin/sh", "-c", script, binary_path(), NULL};
    snprintf(script, sizeof(script), "ulimit -n %u && exec \"$0\"", descriptors);
    spawn(f, (char **)(uintptr_t)argv, environment);
    return finish(f);
}

/* May this process have mounts of its own? */
static bool can_mount(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Start the program where /etc/hosts has this content, which nobody else sees. */
static void start_with_hosts(fixture *f, const char *hosts, const char *argument, const char *environment)
{
    char *const argv[] = {"/usr/bin/unshare",
                          "--mount",
                          "/bin/sh",
                          "-c",
                          "/bin/mount --bind hosts /etc/hosts && exec \"$0\" $1",
                          binary_path(),
                          (char *)(uintptr_t)argument,
                          NULL};
    write_file(f, "hosts", hosts);
    spawn(f, (char **)(uintptr_t)argv, environment);
}

/* The number behind `key` in the start line. */
static unsigned long number_of(const fixture *f, const char *key)
{
    const char *line = strstr(f->out.text, "[INFO] [HomeCall_Signal_App] started");
    assert_non_null(line);
    const char *field = strstr(line, key);
    assert_non_null(field);
    return strtoul(field + strlen(key), NULL, 10);
}

/* Run until it has started: the start line is whole. */
static void start_serving(fixture *f, const char *arguments, const char *environment)
{
    start(f, arguments, environment);
    await_output(f, " started ");
    await_output(f, " workers=");
}

static int stop(fixture *f, int signal_number)
{
    assert_int_equal(kill(f->pid, signal_number), 0);
    return finish(f);
}

/* Listen on a free port of the loopback; returns the descriptor. */
static int occupy(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static bool accepts_connections(unsigned long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_connected;
}

/* ---- Arguments ---- */

static void help_and_version_are_shown_whatever_the_configuration_is(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "WS_PORT=bad\n");
    assert_int_equal(run(f, "--help", "WORKERS=bad"), 0);
    assert_string_equal(f->err.text, "");
    assert_memory_equal(f->out.text, "Usage: homecall-signal ", 23);
    assert_non_null(strstr(f->out.text, "\n  WS_PORT\n"));
    assert_int_equal(run(f, "--version", "WORKERS=bad"), 0);
    assert_string_equal(f->err.text, "");
    assert_memory_equal(f->out.text, "homecall-signal 0.", 18);
}

static void the_short_words_for_help_and_version_are_known(void **state)
{
    fixture *f = *state;
    static const char *const pairs[][2] = {{"-h", "--help"}, {"-V", "--version"}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(run(f, pairs[i][1], ""), 0);
        char *expected = strdup(f->out.text);
        assert_int_equal(run(f, pairs[i][0], ""), 0);
        assert_string_equal(f->out.text, expected);
        assert_string_equal(f->err.text, "");
        free(expected);
    }
}

static void an_unknown_argument_ends_with_two_and_a_hint(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--port 80", ""), 2);
    assert_string_equal(f->err.text,
                        "homecall-signal: --port: unknown argument; --help lists what there is\n");
    assert_string_equal(f->out.text, "");
    assert_int_equal(run(f, "--env-file", ""), 2);
    assert_string_equal(
        f->err.text,
        "homecall-signal: --env-file: a path is expected after it; --help lists what there is\n");
}

static void a_valid_configuration_is_told(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--check-config", ""), 0);
    assert_string_equal(f->out.text, "configuration is valid\n");
    assert_string_equal(f->err.text, "");
}

/* ---- Configuration ---- */

static void faulty_values_end_with_two_and_are_all_told(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "\n\nWS_PORT=99999\n");
    static const char *const arguments[] = {"", "--check-config", "--print-config"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run(f, arguments[i], "WORKERS=many"), 2);
        assert_string_equal(f->out.text, "");
        assert_string_equal(
            f->err.text,
            "homecall-signal: WS_PORT: \"99999\" is not valid: a port from 0 to 65535 or off is allowed "
            "(from .env, line 3)\n"
            "homecall-signal: WORKERS: \"many\" is not valid: a whole number from 0 to 256 is allowed "
            "(from the environment)\n");
    }
}

static void options_that_do_not_fit_each_other_end_with_two(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--check-config", "MAX_MESSAGE_BYTES=4m"), 2);
    assert_string_equal(
        f->err.text,
        "homecall-signal: MAX_OUTPUT_BYTES (4m) must be at least twice MAX_MESSAGE_BYTES (4m)\n");
}

/* Every client of such a page would get 403. */
static void origins_that_no_browser_sends_end_with_two_and_say_what_is_allowed(void **state)
{
    fixture *f = *state;
    static const char *const origins[] = {"https://'call.example'",    "wss://call.example",
                                          "https://call.example:",     "https://call.example:99999",
                                          "https://call.example/call", "call.example"};
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        char environment[96];
        char begin[160];
        snprintf(environment, sizeof(environment), "WS_PORT=0 ALLOWED_ORIGINS=%s", origins[i]);
        snprintf(begin, sizeof(begin), "homecall-signal: ALLOWED_ORIGINS: \"%s\" is not valid: ", origins[i]);
        for (int is_check = 0; is_check < 2; is_check++) {
            f->err.len = 0;
            assert_int_equal(run(f, is_check ? "--check-config" : "", environment), 2);
            assert_memory_equal(f->err.text, begin, strlen(begin));
            assert_non_null(strstr(f->err.text, "https://host, https://*.domain, "));
            assert_non_null(strstr(f->err.text, " are allowed (from the environment)\n"));
        }
    }
}

static void a_port_that_kubernetes_has_set_ends_with_two_and_says_what_helps(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "WS_PORT=tcp://10.0.0.1:80"), 2);
    assert_non_null(strstr(f->err.text, "WS_PORT: \"tcp://10.0.0.1:80\" is not valid: "));
    assert_non_null(strstr(f->err.text, "a Service that is called ws: enableServiceLinks: false "));
}

/* Whatever would start and then serve nobody, or not start: a check tells it, and so does a start where only
 * the options count. */
static void settings_that_never_work_end_with_two_and_name_the_option(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *environment;
        const char *report;
        bool is_of_machine; /* a start finds it out by itself, with 1 */
    } cases[] = {
        {"TURN_SECRET=x", "TURN_URLS: \"\" is not valid: TURN_SECRET is set, ", false},
        {"PROXY_PROTOCOL=on", "TRUSTED_PROXIES: \"\" is not valid: PROXY_PROTOCOL is on, ", false},
        {"REQUIRE_ORIGIN=1",
         "REQUIRE_ORIGIN: \"1\" is not valid: ALLOWED_ORIGINS is empty, and so every origin would do; off is "
         "allowed here, ",
         false},
        {"TLS_CERT_FILE=c TLS_KEY_FILE=k", "WSS_PORT: \"off\" is not valid: TLS_CERT_FILE ", false},
        {"WS_PORT=7001 WSS_PORT=7001 TLS_CERT_FILE=c TLS_KEY_FILE=k",
         "WSS_PORT: \"7001\" is not valid: ", false},
        {"WS_PORT=7001 ADMIN_PORT=7001", "ADMIN_PORT: \"7001\" is not valid: WS_PORT uses it already", false},
        {"ALLOW_PLAINTEXT=perhaps", "ALLOW_PLAINTEXT: \"perhaps\" is not valid: on or off is allowed", false},
        {"LOG_FILE=absent/log", "LOG_FILE: \"absent/log\" is not valid: its directory does not exist", true},
        {"LOG_FILE=.", "LOG_FILE: \".\" is not valid: it is a directory", true},
        {"WS_PORT=0 WS_HOST=unix:absent/s", "WS_HOST: \"unix:absent/s\" is not valid: its directory ", true},
        {"WS_PORT=0 ALLOW_PLAINTEXT=yes WS_HOST=no-such-host.invalid",
         "WS_HOST: \"no-such-host.invalid\" is not valid: no address is found for it here", true},
        {"WS_PORT=0 ADMIN_PORT=7001 ADMIN_HOST=no-such-host.invalid",
         "ADMIN_HOST: \"no-such-host.invalid\" is not valid: no address is found for it here", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[160];
        snprintf(expected, sizeof(expected), "homecall-signal: %s", cases[i].report);
        int code = run(f, "--check-config", cases[i].environment);
        if (code != 2 || strncmp(f->err.text, expected, strlen(expected)) != 0)
            fail_msg("%s: %d, %s", cases[i].environment, code, f->err.text);
        assert_string_equal(f->out.text, "");
        code = run(f, "", cases[i].environment);
        if (code != (cases[i].is_of_machine ? 1 : 2))
            fail_msg("%s: a start ends with %d, %s", cases[i].environment, code, f->err.text);
    }
}

static void a_check_leaves_the_log_file_alone(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--check-config", "LOG_FILE=log"), 0);
    assert_int_equal(access(path_of(f, "log"), F_OK), -1);
    write_file(f, "log", "a line\n");
    assert_int_equal(run(f, "--check-config", "LOG_FILE=log"), 0);
    assert_true(file_holds(f, "log", "a line\n"));
}

static void the_environment_wins_over_the_file_of_the_working_directory(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "WS_PORT=1001\nWORKERS=3\n");
    assert_int_equal(run(f, "--print-config", "WS_PORT=1002 ROOM_CAPACITY="), 0);
    assert_string_equal(f->err.text, "");
    assert_non_null(strstr(f->out.text, "\nWS_PORT=1002\n"));
    assert_non_null(strstr(f->out.text, "\nWORKERS=3\n"));
    assert_non_null(strstr(f->out.text, "\nROOM_CAPACITY=2\n"));
}

static void another_file_is_read_instead_of_the_one_of_the_working_directory(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "WS_PORT=1001\nWORKERS=bad\n");
    write_file(f, "other.env", "WS_PORT=1003\n");
    static const char *const arguments[] = {"--print-config --env-file other.env",
                                            "--env-file=other.env --print-config"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(run(f, arguments[i], ""), 0);
        assert_non_null(strstr(f->out.text, "\nWS_PORT=1003\n"));
        assert_non_null(strstr(f->out.text, "\nWORKERS=0\n"));
    }
}

static void a_named_file_that_can_not_be_read_ends_with_two(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--env-file absent.env", ""), 2);
    assert_string_equal(f->err.text, "homecall-signal: can't read absent.env: No such file or directory\n");
    assert_int_equal(run(f, "--env-file .", ""), 2);
    assert_string_equal(f->err.text, "homecall-signal: can't read .: Is a directory\n");
    assert_int_equal(run(f, "--env-file /dev/zero", ""), 2);
    assert_string_equal(f->err.text, "homecall-signal: can't read /dev/zero: File too large\n");
}

static void a_malformed_line_ends_with_two(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "WS_PORT=0\nWS_HOST\n");
    assert_int_equal(run(f, "--check-config", ""), 2);
    assert_string_equal(f->err.text, "homecall-signal: .env:2: a = is expected after the key\n");
}

static void an_unknown_key_is_told_in_the_file_but_not_in_the_environment(void **state)
{
    fixture *f = *state;
    write_file(f, ".env", "WS_PROT=1\n");
    assert_int_equal(run(f, "--check-config", "WORKRES=1"), 0);
    assert_string_equal(
        f->err.text,
        "homecall-signal: .env, line 1: WS_PROT is not an option and is ignored; did you mean WS_PORT?\n");
    assert_string_equal(f->out.text, "configuration is valid\n");
}

static void a_printed_configuration_can_be_used_as_the_file(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--print-config", "WS_PORT=1234 LOG_FILE=a#b$c CLOSE_TIMEOUT=5ms"), 0);
    char *printed = strdup(f->out.text);
    write_file(f, "other.env", printed);
    assert_int_equal(run(f, "--print-config --env-file other.env", ""), 0);
    assert_string_equal(f->err.text, "");
    assert_string_equal(f->out.text, printed);
    free(printed);
}

/* ---- Running ---- */

static void it_serves_on_a_free_port_and_stops_on_either_signal_with_zero(void **state)
{
    fixture *f = *state;
    static const struct {
        int number;
        const char *name;
    } signals[] = {{SIGTERM, "stopping signal=SIGTERM\n"}, {SIGINT, "stopping signal=SIGINT\n"}};
    for (size_t i = 0; i < 2; i++) {
        start_serving(f, "", "WS_PORT=0 WORKERS=2");
        unsigned long port = number_of(f, " port=");
        assert_in_range(port, 1, 65535);
        assert_int_equal(number_of(f, " workers="), 2);
        assert_true(accepts_connections(port));
        assert_int_equal(stop(f, signals[i].number), 0);
        assert_non_null(strstr(f->out.text, signals[i].name));
        assert_non_null(strstr(f->out.text, "[HomeCall_Signal_App] stopped\n"));
        assert_string_equal(f->err.text, "");
        assert_false(accepts_connections(port));
    }
}

/* A client that was told and stays would keep it for a minute. */
static void a_second_signal_ends_it_at_once(void **state)
{
    fixture *f = *state;
    start_serving(f, "", "WS_PORT=0 SHUTDOWN_GRACE=1h CLOSE_TIMEOUT=1m");
    client *stays = client_open((uint16_t)number_of(f, " port="));
    uint64_t begun_ms = now_ms();
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    assert_int_equal(client_receive(stays).opcode, CLIENT_CLOSE);
    await_output(f, "stopping signal=SIGTERM\n");
    assert_int_equal(stop(f, SIGINT), 0);
    assert_in_range(now_ms() - begun_ms, 0, 30 * 1000);
    assert_non_null(strstr(f->out.text, "stopping at once signal=SIGINT\n"));
    client_close(stays);
}

/* The number of the thread of this name. */
static pid_t find_thread(pid_t process, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    pid_t found = 0;
    for (const struct dirent *task = readdir(tasks); task != NULL && found == 0; task = readdir(tasks)) {
        char comm[32] = {0};
        snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", (int)process, task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(comm, sizeof(comm), file) != NULL && strcspn(comm, "\n") == strlen(name) &&
            strncmp(comm, name, strlen(name)) == 0)
            found = (pid_t)atoi(task->d_name);
        fclose(file);
    }
    closedir(tasks);
    return found;
}

/* Let this thread, and no other, do nothing any more. */
static pid_t hang(const fixture *f, const char *name)
{
    pid_t thread = find_thread(f->pid, name);
    assert_true(thread > 0);
    assert_int_equal(ptrace(PTRACE_SEIZE, thread, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
    assert_int_equal(waitpid(thread, NULL, __WALL), thread);
    return thread;
}

/* The thread sanitizer by itself lets a second pass at the end. */
#define ENDS_QUICKLY " TSAN_OPTIONS=atexit_sleep_ms=0"

/* Wait for the end of a process whose thread hangs: the kernel keeps that for whoever has stopped it. */
static int finish_hanging(fixture *f, pid_t thread)
{
    int status;
    await_output(f, NULL);
    while (waitpid(thread, &status, __WALL) == thread && !WIFEXITED(status) && !WIFSIGNALED(status))
        continue;
    return finish(f);
}

static void a_thread_that_hangs_does_not_keep_it_from_ending_in_time(void **state)
{
    /* On a machine that does much else a process may wait for a processor: the fastest has to keep the bound.
     */
    enum { GRACE_MS = 1000, BOUND_MS = GRACE_MS + 500, LOADED_BOUND_MS = GRACE_MS + 5000 };
    uint64_t fastest_ms = UINT64_MAX;
    fixture *f = *state;
    static const char *const threads[] = {"hc-acceptor-0", "hc-worker-0", "hc-admin"};
    if (getenv("HOMECALL_EMULATED") != NULL)
        skip(); /* an emulator has threads of its own */
    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
        char environment[128];
        snprintf(environment, sizeof(environment),
                 "WS_PORT=0 WORKERS=1 SHUTDOWN_GRACE=1s ADMIN_PORT=%u" ENDS_QUICKLY, (unsigned)free_port());
        start_serving(f, "", environment);
        pid_t thread = hang(f, threads[i]);
        uint64_t begun_ms = now_ms();
        assert_int_equal(kill(f->pid, SIGTERM), 0);
        assert_int_equal(finish_hanging(f, thread), 3);
        uint64_t took_ms = now_ms() - begun_ms;
        assert_in_range(took_ms, GRACE_MS, LOADED_BOUND_MS);
        fastest_ms = took_ms < fastest_ms ? took_ms : fastest_ms;
        assert_non_null(strstr(f->err.text, "the stop has not ended within SHUTDOWN_GRACE"));
    }
    assert_in_range(fastest_ms, GRACE_MS, BOUND_MS);
}

static void a_second_signal_ends_it_though_a_thread_hangs(void **state)
{
    fixture *f = *state;
    if (getenv("HOMECALL_EMULATED") != NULL)
        skip();
    start_serving(f, "", "WS_PORT=0 WORKERS=1 SHUTDOWN_GRACE=1h" ENDS_QUICKLY);
    pid_t thread = hang(f, "hc-worker-0");
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    await_output(f, "stopping signal=SIGTERM\n");
    uint64_t begun_ms = now_ms();
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    assert_int_equal(finish_hanging(f, thread), 3);
    assert_in_range(now_ms() - begun_ms, 0, 5000); /* half a second, where the machine has the time for it */
}

/* ---- Its memory ---- */

/* How often it stands in the memory of the process. -EACCES where this user can't read that. */
static int count_in_memory(pid_t process, const char *wanted)
{
    char path[64];
    char line[512];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
    FILE *maps = fopen(path, "r");
    assert_non_null(maps);
    int count = 0;
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from;
        unsigned long to;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r' || rights[1] != 'w')
            continue;
        char *content = malloc(to - from);
        assert_non_null(content);
        ssize_t got = pread(memory, content, to - from, (off_t)from);
        const char *end = content + (got > 0 ? got : 0);
        for (const char *at = content; (at = memmem(at, (size_t)(end - at), wanted, strlen(wanted))) != NULL;
             at++)
            count++;
        free(content);
    }
    fclose(maps);
    close(memory);
    return count;
}

static void what_was_said_in_a_call_is_not_in_its_memory_afterwards(void **state)
{
    fixture *f = *state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* a sanitizer has terabytes of memory of its own */
#endif
    if (getenv("HOMECALL_EMULATED") != NULL)
        skip(); /* an emulator keeps what it likes */
    static const char *const said[] = {"codeword-of-this-call", "anna-of-this-call", "offer-of-this-call"};
    start_serving(f, "", "WS_PORT=0 WORKERS=2");
    uint16_t port = (uint16_t)number_of(f, " port=");
    client *anna = client_open_settled(port, said[0], said[1]);
    client_send_offer(anna, "\"offer-of-this-call\""); /* it waits for bert */
    client_expect_nothing(anna);
    if (count_in_memory(f->pid, said[0]) == -EACCES)
        skip(); /* only root can look, and nobody else can either */
    for (size_t i = 0; i < 3; i++)
        assert_true(count_in_memory(f->pid, said[i]) > 0);

    client *bert = client_open_joined(port, said[0], "bert");
    client_expect_signal(bert, "offer", said[0], said[1], "\"offer-of-this-call\"");
    client *const both[] = {anna, bert};
    for (size_t i = 0; i < 2; i++) {
        client_send_close(both[i], 1000);
        client_expect_close(both[i], 1000);
        client_expect_end(both[i]);
        client_close(both[i]);
    }
    /* It is overwritten when the server has noticed that they have gone, which it does not tell anybody. */
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    for (size_t i = 0; i < 3; i++) {
        while (count_in_memory(f->pid, said[i]) > 0 && now_ms() < until_ms)
            sched_yield();
        assert_int_equal(count_in_memory(f->pid, said[i]), 0);
    }
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    assert_int_equal(finish(f), 0);
}

static void nothing_but_log_lines_goes_to_standard_output(void **state)
{
    fixture *f = *state;
    start_serving(f, "", "WS_PORT=0");
    assert_int_equal(stop(f, SIGTERM), 0);
    assert_int_equal(f->out.text[f->out.len - 1], '\n');
    for (char *line = strtok(f->out.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_int_equal(line[0], '[');
        assert_memory_equal(line + 25, "] [", 3);
    }
}

static void json_lines_are_written_where_they_are_asked_for(void **state)
{
    fixture *f = *state;
    start(f, "", "WS_PORT=0 LOG_FORMAT=json");
    await_output(f, "\"event\":\"started\"");
    assert_int_equal(stop(f, SIGTERM), 0);
    for (char *line = strtok(f->out.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, "{\"time\":\"", 9);
        assert_int_equal(line[strlen(line) - 1], '}');
    }
}

static void a_port_in_use_ends_with_one_and_names_the_options(void **state)
{
    fixture *f = *state;
    uint16_t port;
    int fd = occupy(&port);
    char environment[32];
    char expected[160];
    snprintf(environment, sizeof(environment), "BIND_RETRY=0 WS_PORT=%u", (unsigned)port);
    snprintf(expected, sizeof(expected),
             "homecall-signal: WS_HOST, WS_PORT: 127.0.0.1:%u is already in use; stop the program that uses "
             "it (ss -ltnp "
             "shows which), or choose another port\n",
             (unsigned)port);
    assert_int_equal(run(f, "", environment), 1);
    assert_string_equal(f->err.text, expected);
    close(fd);
}

/* ---- In the place of another ---- */

/* A server that is stopped keeps its places to listen, as one does that is about to be killed. Start another
 * in its place, which waits, kill the first, and see the second serve. */
static void succeed_a_killed_one(fixture *f, const char *environment, const char *place)
{
    void *state = NULL;
    assert_int_equal(make(&state), 0);
    fixture *first = state;
    start_serving(first, "", environment);
    assert_int_equal(kill(first->pid, SIGSTOP), 0);

    start(f, "", environment);
    await_output(f, "start waits why=");
    assert_non_null(strstr(f->out.text, place));
    poll(NULL, 0, 350); /* some tries */
    assert_null(strstr(f->out.text, " started "));
    assert_int_equal(kill(first->pid, SIGKILL), 0);
    await_output(f, " workers=");
    assert_int_equal(finish(first), 128 + SIGKILL);
    destroy(&state);

    assert_int_equal(stop(f, SIGTERM), 0);
    const char *told = strstr(f->err.text, "trying again for 20.0 s (BIND_RETRY)");
    assert_non_null(told);
    assert_null(strstr(told + 1, "trying again")); /* once */
    assert_null(strstr(f->err.text, "shows which"));
}

static void a_place_of_a_killed_predecessor_is_waited_for(void **state)
{
    char environment[192];
    unsigned port = free_port();
    snprintf(environment, sizeof(environment), "BIND_RETRY=20 WS_PORT=%u", port);
    succeed_a_killed_one(*state, environment, "WS_HOST, WS_PORT: 127.0.0.1:");
    snprintf(environment, sizeof(environment), "BIND_RETRY=20 WS_PORT=%u ACCEPTOR_THREADS=2", port);
    succeed_a_killed_one(*state, environment, "WS_HOST, WS_PORT: 127.0.0.1:");
    snprintf(environment, sizeof(environment), "BIND_RETRY=20 WS_PORT=0 ADMIN_PORT=%u",
             (unsigned)free_port());
    succeed_a_killed_one(*state, environment, "ADMIN_HOST, ADMIN_PORT: 127.0.0.1:");
    snprintf(environment, sizeof(environment), "BIND_RETRY=20 WS_PORT=off WS_HOST=unix:%s",
             path_of(*state, "socket"));
    succeed_a_killed_one(*state, environment, "WS_HOST: unix:/");
}

static void a_place_that_stays_taken_is_given_up(void **state)
{
    fixture *f = *state;
    uint16_t port;
    int fd = occupy(&port);
    char environment[64];
    snprintf(environment, sizeof(environment), "BIND_RETRY=400ms WS_PORT=%u", (unsigned)port);
    uint64_t begun_ms = now_ms();
    assert_int_equal(run(f, "", environment), 1);
    assert_in_range(now_ms() - begun_ms, 400, PATIENCE_MS);
    const char *first = strstr(f->err.text, " is already in use; trying again for 0.4 s (BIND_RETRY)");
    assert_non_null(first);
    assert_non_null(strstr(first, " is already in use; stop the program that uses it"));
    close(fd);
}

static void a_signal_ends_the_wait_for_a_place(void **state)
{
    fixture *f = *state;
    uint16_t port;
    int fd = occupy(&port);
    char environment[64];
    snprintf(environment, sizeof(environment), "BIND_RETRY=5m WS_PORT=%u", (unsigned)port);
    static const int others[] = {SIGHUP, SIGUSR1};
    static const int ends[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        start(f, "", environment);
        await_output(f, "start waits why=");
        assert_int_equal(kill(f->pid, others[i]), 0);
        assert_int_equal(stop(f, ends[i]), 0);
        assert_non_null(strstr(f->out.text, "stopping signal=SIG"));
        assert_null(strstr(f->out.text, "started"));
    }
    close(fd);
}

static void an_address_of_somebody_else_ends_with_one(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "WS_PORT=0 WS_HOST=203.0.113.1 ALLOW_PLAINTEXT=1"),
                     1); /* RFC 5737: nobody's */
    assert_string_equal(
        f->err.text, "homecall-signal: WS_HOST, WS_PORT: 203.0.113.1:0 is not available here; it must be an "
                     "address of this machine (ip address lists them), or a name for one\n");
}

static void expect_answer(const char *host, unsigned long port)
{
    admin_answer answer;
    if (admin_client_get(host, (uint16_t)port, "/", PATIENCE_MS, &answer) != 0)
        fail_msg("no answer from %s, port %lu", host, port);
    free(answer.body);
}

/* What the resolver of the system makes of /etc/hosts, the program listens on; and it finds itself there. */
static void a_name_of_etc_hosts_is_served_at_every_address(void **state)
{
    static const char hosts[] = "127.0.0.1 localhost both.example\n::1 localhost both.example\n"
                                "127.0.0.2 two.example\n127.0.0.3 two.example\n"
                                "203.0.113.1 half.example\n127.0.0.4 half.example\n";
    static const struct {
        const char *name;
        const char *hosts; /* as the log has them */
        const char *addresses[3];
    } cases[] = {
        {"localhost", "host=\"::1,127.0.0.1\"", {"::1", "127.0.0.1"}},
        {"two.example", "host=\"127.0.0.2,127.0.0.3\"", {"127.0.0.2", "127.0.0.3"}},
        {"half.example", "host=\"127.0.0.4\"", {"127.0.0.4"}},
    };
    if (!can_mount())
        skip();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture *f = *state;
        char environment[160];
        unsigned admin_port = free_port();
        snprintf(environment, sizeof(environment),
                 "ALLOW_PLAINTEXT=1 WS_PORT=0 WS_HOST=%s ADMIN_HOST=%s ADMIN_PORT=%u", cases[i].name,
                 cases[i].name, admin_port);
        start_with_hosts(f, hosts, "", environment);
        await_output(f, " started ");
        await_output(f, " workers=");
        assert_non_null(strstr(f->out.text, cases[i].hosts));
        for (const char *const *address = cases[i].addresses; *address != NULL; address++) {
            expect_answer(*address, number_of(f, " port="));
            expect_answer(*address, admin_port);
        }
        void *other;
        assert_int_equal(make(&other), 0);
        start_with_hosts(other, hosts, "--healthcheck", environment);
        assert_int_equal(finish(other), 0);
        destroy(&other);
        assert_int_equal(stop(f, SIGTERM), 0);
        f->out.len = 0;
        memset(f->out.text, 0, sizeof(f->out.text));
    }
}

/* Whatever is the first that can't be opened, the limit is named. */
static void too_few_descriptors_end_with_one_and_name_the_limit(void **state)
{
    fixture *f = *state;
    if (getenv("HOMECALL_EMULATED") != NULL)
        skip(); /* the emulator, and the script that starts it, need some themselves */
    assert_int_equal(run_limited(f, 60, "WS_PORT=0 WORKERS=64"), 1);
    assert_non_null(strstr(f->err.text, "WORKERS, ACCEPTOR_THREADS: RLIMIT_NOFILE is 60 and must be "));
    assert_int_equal(run_limited(f, 1024, "WS_PORT=0 WORKERS=256"), 1);
    assert_non_null(strstr(f->err.text, "RLIMIT_NOFILE is 1024 and must be at least 1"));
    for (unsigned limit = 6; limit < 28; limit++) {
        assert_int_equal(run_limited(f, limit, "WS_PORT=0 WORKERS=1"), 1);
        assert_non_null(strstr(f->err.text, "RLIMIT_NOFILE"));
    }
}

static void a_log_file_that_can_not_be_opened_ends_with_one(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "WS_PORT=0 LOG_FILE=absent/log"), 1);
    assert_string_equal(
        f->err.text,
        "homecall-signal: can't write the log to absent/log: No such file or directory (LOG_FILE)\n");
    assert_string_equal(f->out.text, "");
}

/* Wait for what the program does without telling us by a stream. */
static void await_file(const fixture *f, const char *name, const char *wanted)
{
    for (uint64_t end_ms = now_ms() + PATIENCE_MS; !file_holds(f, name, wanted); poll(NULL, 0, 2)) {
        if (now_ms() > end_ms)
            fail_msg("no %s in %s", wanted, name);
    }
}

static void sighup_opens_the_log_file_anew_after_it_was_renamed(void **state)
{
    fixture *f = *state;
    start(f, "", "WS_PORT=0 LOG_FILE=log");
    await_file(f, "log", " started ");
    char *old_path = strdup(path_of(f, "log"));
    assert_int_equal(rename(old_path, path_of(f, "log.1")), 0);
    free(old_path);
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    await_file(f, "log", "log file reopened");
    assert_int_equal(stop(f, SIGTERM), 0);
    assert_true(file_holds(f, "log", "[HomeCall_Signal_App] stopped\n"));
    assert_false(file_holds(f, "log.1", "stopp"));
    assert_string_equal(f->out.text, "");
    assert_string_equal(f->err.text, "");
}

static void sighup_with_the_log_on_standard_output_changes_nothing(void **state)
{
    fixture *f = *state;
    start_serving(f, "", "WS_PORT=0");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    assert_int_equal(stop(f, SIGTERM), 0);
    assert_non_null(strstr(f->out.text, "[HomeCall_Signal_App] stopped\n"));
}

static void a_reader_of_the_log_that_went_away_does_no_harm(void **state)
{
    fixture *f = *state;
    start_serving(f, "", "WS_PORT=0");
    unsigned long port = number_of(f, " port=");
    close_stream(&f->out);
    assert_true(accepts_connections(port));
    assert_int_equal(stop(f, SIGTERM), 0);
}

/* ---- Watching it ---- */

static void an_admin_port_in_use_ends_with_one_and_names_the_options(void **state)
{
    fixture *f = *state;
    uint16_t port;
    int fd = occupy(&port);
    char environment[48];
    char expected[160];
    snprintf(environment, sizeof(environment), "BIND_RETRY=0 WS_PORT=0 ADMIN_PORT=%u", (unsigned)port);
    snprintf(expected, sizeof(expected),
             "homecall-signal: ADMIN_HOST, ADMIN_PORT: 127.0.0.1:%u is already in use; stop the program that "
             "uses it (ss "
             "-ltnp shows which), or choose another port\n",
             (unsigned)port);
    assert_int_equal(run(f, "", environment), 1);
    assert_string_equal(f->err.text, expected);
    close(fd);
}

/* The answer of a health check with this configuration. */
static int check_health(const char *environment, const char *expected)
{
    void *other = NULL;
    assert_int_equal(make(&other), 0);
    fixture *f = other;
    int code = run(f, "--healthcheck", environment);
    if (strstr(f->err.text, expected) == NULL)
        fail_msg("the health check says \"%s\", and should say \"%s\"", f->err.text, expected);
    destroy(&other);
    return code;
}

static void the_health_check_tells_by_its_exit_code(void **state)
{
    fixture *f = *state;
    char environment[64];
    snprintf(environment, sizeof(environment), "WS_PORT=0 ADMIN_PORT=%u CLOSE_TIMEOUT=1m",
             (unsigned)free_port());
    assert_int_equal(check_health(environment, "refused"), 1);
    start_serving(f, "", environment);
    assert_int_equal(check_health(environment, ""), 0);

    client *stays = client_open((uint16_t)number_of(f, " port="));
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    client_expect_close(stays, 1001);
    assert_int_equal(check_health(environment, "draining"), 1);
    client_close(stays);
    assert_int_equal(finish(f), 0);
}

static void who_asks_a_server_without_an_admin_port_is_told_so(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "--healthcheck", "ADMIN_PORT=0"), 2);
    assert_string_equal(f->err.text,
                        "homecall-signal: ADMIN_PORT: \"0\" is not valid: --healthcheck asks at this "
                        "port, and it is off; a port from 1 to 65535 is expected (from the environment)\n");
    assert_int_equal(run(f, "top --once", "ADMIN_PORT=off"), 2);
    assert_string_equal(f->err.text,
                        "homecall-signal: ADMIN_PORT: \"off\" is not valid: top asks at this port, and it "
                        "is off; a port from 1 to 65535 is expected (from the environment)\n");
}

static void sigusr1_writes_the_state_to_the_log_and_names_nobody(void **state)
{
    fixture *f = *state;
    start_serving(f, "", "WS_PORT=0 WORKERS=2 LOG_PRIVACY=off LOG_LEVEL=info");
    client *c = client_open_settled((uint16_t)number_of(f, " port="), "secret", "secret");
    const char *text;
    do { /* the turn that has let the client in may still have to publish it */
        size_t before = f->out.len;
        assert_int_equal(kill(f->pid, SIGUSR1), 0);
        text = await_more(f, before, "thread=\"acceptor-0\"");
    } while (strstr(text, " connections=1 rooms=1 members=1 ") == NULL);
    assert_non_null(strstr(text, " accepted=1 joins=1 "));
    assert_non_null(strstr(text, "thread=\"worker-1\""));
    assert_null(strstr(strstr(text, " state uptime_s="), "secret"));
    client_close(c);
    assert_int_equal(stop(f, SIGTERM), 0);
}

static double number_in(const cJSON *line, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);
    if (!cJSON_IsNumber(item))
        fail_msg("no number %s in %s", key, cJSON_PrintUnformatted(line));
    return item->valuedouble;
}

static const char *text_in(const cJSON *line, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, key));
    return text == NULL ? "" : text;
}

/* The first line of this event that the log has about a connection. */
static const cJSON *find_line(const cJSON *lines, const char *event, double conn)
{
    const cJSON *line;
    cJSON_ArrayForEach(line, lines)
    {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(line, "conn");
        if (strcmp(text_in(line, "event"), event) == 0 && id != NULL && id->valuedouble == conn)
            return line;
    }
    fail_msg("no %s of connection %.0f", event, conn);
    return NULL;
}

static cJSON *parse_lines(char *text)
{
    cJSON *lines = cJSON_CreateArray();
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cJSON *parsed = cJSON_Parse(line);
        assert_non_null(parsed);
        cJSON_AddItemToArray(lines, parsed);
    }
    return lines;
}

static void call(uint16_t port)
{
    client *anna = client_open_settled(port, "room", "anna");
    client *bert = client_open_settled(port, "room", "bert");
    client_send_offer(anna, "\"v=0\"");
    client_expect_signal(bert, "offer", "room", "anna", "\"v=0\"");
    client_send_close(anna, 1000);
    client_expect_close(anna, 1000);
    client_send_close(bert, 1001);
    client_expect_close(bert, 1001);
    client_close(anna);
    client_close(bert);
}

/* Each line of a connection has its id and its thread, and while it is in a room, the tags of both names. */
static void a_call_can_be_followed_in_the_log_from_its_join_to_its_end(void **state)
{
    fixture *f = *state;
    start(f, "", "WS_PORT=0 WORKERS=2 LOG_FORMAT=json");
    await_output(f, "\"event\":\"started\"");
    const char *port = strstr(f->out.text, "\"port\":");
    assert_non_null(port);
    call((uint16_t)strtoul(port + 7, NULL, 10));
    assert_int_equal(stop(f, SIGTERM), 0);

    cJSON *lines = parse_lines(f->out.text);
    const cJSON *joined = find_line(lines, "joined", 1);
    const char *room = text_in(joined, "room");
    const char *user = text_in(joined, "user");
    assert_int_equal(room[0], '#');
    assert_string_equal(text_in(find_line(lines, "joined", 2), "room"), room);

    const cJSON *relayed = find_line(lines, "relayed", 1);
    assert_string_equal(text_in(relayed, "room"), room);
    assert_string_equal(text_in(relayed, "user"), user);
    assert_int_equal(number_in(relayed, "to_conn"), 2);
    assert_int_equal(number_in(relayed, "worker"), number_in(joined, "worker"));

    const cJSON *ended = find_line(lines, "ended", 1);
    assert_string_equal(text_in(ended, "room"), room);
    assert_string_equal(text_in(ended, "user"), user);
    assert_string_equal(text_in(ended, "reason"), "by_peer");
    assert_int_equal(number_in(ended, "code"), 1000);
    assert_true(number_in(ended, "age_ms") >= 0);
    assert_int_equal(number_in(ended, "messages_in"), 2); /* join, offer */
    assert_int_equal(number_in(ended, "messages_out"), 0);
    assert_true(number_in(ended, "bytes_in") > 200); /* with the request */
    assert_true(number_in(ended, "bytes_out") > 100);
    const cJSON *other = find_line(lines, "ended", 2);
    assert_int_equal(number_in(other, "code"), 1001);
    assert_int_equal(number_in(other, "messages_out"), 1);
    cJSON_Delete(lines);
}

static void sighup_reads_the_certificate_anew_and_keeps_the_old_one_if_that_fails(void **state)
{
    fixture *f = *state;
    tls_files files;
    tls_files_init(&files);
    tls_files_write(&files, "localhost", 0, TLS_FILES_DAY_S);
    char environment[256];
    snprintf(environment, sizeof(environment), "WS_PORT=off WSS_PORT=0 TLS_CERT_FILE=%s TLS_KEY_FILE=%s",
             files.cert, files.key);
    start_serving(f, "", environment);
    unsigned long port = number_of(f, " tls_port=");
    assert_int_equal(number_of(f, " port="), 0);

    size_t before = f->out.len;
    tls_files_write_text(files.key, "no key");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    assert_non_null(strstr(await_more(f, before, "certificate not loaded"), files.key));
    assert_true(accepts_connections(port));

    before = f->out.len;
    tls_files_write(&files, "localhost", 0, TLS_FILES_DAY_S);
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    await_more(f, before, "certificate loaded ends=");
    assert_null(strstr(f->out.text, "certificate warning"));

    before = f->out.len;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    tls_files_write_for(&files, key, "localhost", 0, TLS_FILES_DAY_S);
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    await_more(f, before, "certificate loaded ends=");
    assert_non_null(strstr(f->out.text + before, "certificate warning"));
    assert_non_null(strstr(f->out.text + before, "--key-type ecdsa"));
    assert_int_equal(stop(f, SIGTERM), 0);
    tls_files_deinit(&files);
}

static void a_certificate_that_can_not_be_used_ends_with_two(void **state)
{
    fixture *f = *state;
    assert_int_equal(run(f, "", "WSS_PORT=0 TLS_CERT_FILE=/nowhere/cert TLS_KEY_FILE=/nowhere/key"), 2);
    assert_non_null(strstr(f->err.text, "homecall-signal: TLS_CERT_FILE, TLS_KEY_FILE: "));
    assert_non_null(strstr(f->err.text, "/nowhere/cert"));
}

/* ---- Under a service manager ---- */

/* Bind the socket that NOTIFY_SOCKET names. */
static int open_manager(const fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    strcpy(address.sun_path, path_of(f, "notify"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* Read until a message begins with `wanted`; signs of life come in between. */
static void expect_message(int manager, const char *wanted)
{
    char text[256] = {0};
    do {
        if (recv(manager, text, sizeof(text) - 1, 0) < 0)
            fail_msg("the service manager is not told %s", wanted);
    } while (strncmp(text, wanted, strlen(wanted)) != 0);
}

static void the_service_manager_is_told_of_its_begin_its_life_and_its_end(void **state)
{
    fixture *f = *state;
    int manager = open_manager(f);
    char environment[192];
    snprintf(environment, sizeof(environment), "WS_PORT=0 NOTIFY_SOCKET=%s WATCHDOG_USEC=20000",
             path_of(f, "notify"));
    start_serving(f, "", environment);
    expect_message(manager, "READY=1\nSTATUS=");
    expect_message(manager, "WATCHDOG=1");
    expect_message(manager, "WATCHDOG=1");
    assert_int_equal(stop(f, SIGTERM), 0);
    expect_message(manager, "STOPPING=1\nSTATUS=");
    close(manager);
}

/* ---- The next process ---- */

/* The number behind `key` in what comes behind the first `before` bytes. */
static unsigned long number_behind(fixture *f, size_t before, const char *key)
{
    const char *field = strstr(await_more(f, before, key), key) + strlen(key);
    while (strchr(field, '\n') == NULL) /* the line is not whole yet */
        read_stream(&f->out);
    return strtoul(field, NULL, 10);
}

/* Have a successor started; returns its process. */
static pid_t succeed(fixture *f)
{
    size_t before = f->out.len;
    assert_int_equal(kill(f->pid, SIGUSR2), 0);
    pid_t next = (pid_t)number_behind(f, before, "starting a successor pid=");
    (void)await_more(f, before, "the successor serves, stopping");
    return next;
}

/* Wait for the end of a process that has a successor: its streams go on. Then the successor is the process.
 */
static void expect_succeeded(fixture *f, pid_t next)
{
    int status = -1;
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    f->pid = next;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* An emulator can't be started by what it runs. And who has lost its parent becomes a child of this test. */
static void prepare_succession(void)
{
    if (getenv("HOMECALL_EMULATED") != NULL)
        skip();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static void a_successor_takes_over_with_every_socket(void **state)
{
    fixture *f = *state;
    prepare_succession();
    uint16_t admin_port = free_port();
    char environment[256];
    snprintf(environment, sizeof(environment),
             "WS_PORT=0 WS_HOST=127.0.0.1,unix:socket ACCEPTOR_THREADS=2 WORKERS=1 ADMIN_PORT=%u",
             (unsigned)admin_port);
    start_serving(f, "", environment);
    uint16_t port = (uint16_t)number_of(f, " port=");
    for (int generation = 0; generation < 3; generation++) {
        client *anna = client_open_settled(port, "room", "anna");
        client *half = client_dial(port); /* its request comes when the successor serves already */
        pid_t before = f->pid;
        pid_t next = succeed(f);
        client_upgrade(half);
        client_expect_close(anna, 1001);
        client_close(anna);
        client_close(half);
        expect_succeeded(f, next);
        assert_int_not_equal(f->pid, before);

        admin_answer answer;
        assert_int_equal(admin_client_get("127.0.0.1", admin_port, "/readyz", PATIENCE_MS, &answer), 0);
        assert_int_equal(answer.status, 200);
        free(answer.body);
        client_close(client_open_settled(port, "room", "bert"));
        assert_int_equal(access(path_of(f, "socket"), F_OK), 0);
    }
    assert_int_equal(stop(f, SIGTERM), 0);
    assert_int_equal(access(path_of(f, "socket"), F_OK), -1); /* the last one has removed it */
    assert_false(accepts_connections(port));
    assert_string_equal(f->err.text, "");
}

/* protocol/README.md, "The session dialect": pages of it come back within a second, and take a refused
 * connection for the end of their call. */
static void sessions_go_on_with_the_successor_and_nobody_is_refused(void **state)
{
    fixture *f = *state;
    prepare_succession();
    start_serving(f, "", "WS_PORT=0 WORKERS=2");
    uint16_t port = (uint16_t)number_of(f, " port=");
    client *caller = member_open_settled(port, "call");
    client *callee = member_open_settled(port, "call");
    client *waiting = member_open_settled(port, "another");
    member_say(waiting, "{'type':'offer','sdp':'v=0'}");
    pid_t next = succeed(f);
    enum { NEWCOMERS = 50 }; /* their log lines are few enough for a pipe that is not read meanwhile */
    siginfo_t ended = {0};
    for (int i = 0; i < NEWCOMERS && ended.si_pid == 0; i++) {
        client_close(member_open(port, "new")); /* upgraded by the one or the other */
        assert_int_equal(waitid(P_PID, (id_t)f->pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    }
    client_expect_close(caller, 1001); /* and nothing before it */
    client_close(caller);
    caller = member_open_settled(port, "call");
    client_expect_close(callee, 1001);
    client_close(callee);
    client_expect_close(waiting, 1001);
    client_close(waiting);
    member_say(caller, "{'type':'offer','sdp':'v=1'}");
    callee = member_open(port, "call");
    member_expect(callee, "{'type':'offer','sessionId':'call','sdp':'v=1'}");
    member_expect_pair(caller, callee, "call");
    waiting = member_open_settled(port, "another"); /* without its own offer */
    client_close(caller);
    client_close(callee);
    client_close(waiting);
    expect_succeeded(f, next);
    assert_int_equal(stop(f, SIGTERM), 0);
}

static void a_successor_that_fails_changes_nothing(void **state)
{
    fixture *f = *state;
    prepare_succession();
    write_file(f, ".env", "WS_PORT=0\n");
    start_serving(f, "", "");
    uint16_t port = (uint16_t)number_of(f, " port=");
    client *anna = client_open_settled(port, "room", "anna");
    write_file(f, ".env", "WS_PORT=nonsense\n");
    for (int i = 0; i < 2; i++) {
        size_t before = f->out.len;
        assert_int_equal(kill(f->pid, SIGUSR2), 0);
        (void)await_more(f, before, "the new process did not start, this one goes on why=");
        client_close(client_open_settled(port, "room", "bert"));
        client_expect_nothing(anna);
    }
    write_file(f, ".env", "WS_PORT=0\n");
    pid_t next = succeed(f);
    client_expect_close(anna, 1001);
    client_close(anna);
    expect_succeeded(f, next);
    client_close(client_open_settled(port, "room", "bert"));
    assert_int_equal(stop(f, SIGTERM), 0);
    assert_non_null(strstr(f->err.text, "WS_PORT")); /* what the one that failed has said */
}

static void the_service_manager_is_told_of_a_successor(void **state)
{
    fixture *f = *state;
    prepare_succession();
    int manager = open_manager(f);
    char environment[192];
    char expected[64];
    snprintf(environment, sizeof(environment), "WS_PORT=0 NOTIFY_SOCKET=%s", path_of(f, "notify"));
    start_serving(f, "", environment);
    expect_message(manager, "READY=1\nSTATUS=");
    pid_t next = succeed(f);
    snprintf(expected, sizeof(expected), "MAINPID=%d\nREADY=1\nSTATUS=serving", (int)next);
    char text[256] = {0};
    assert_true(recv(manager, text, sizeof(text) - 1, 0) >
                0); /* the very next: the end of the old one is no end */
    assert_memory_equal(text, expected, strlen(expected));
    expect_succeeded(f, next);
    assert_int_equal(stop(f, SIGTERM), 0);
    memset(text, 0, sizeof(text));
    assert_true(recv(manager, text, sizeof(text) - 1, 0) > 0);
    assert_memory_equal(text, "STOPPING=1", 10);
    close(manager);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(help_and_version_are_shown_whatever_the_configuration_is),
        TEST(the_short_words_for_help_and_version_are_known),
        TEST(an_unknown_argument_ends_with_two_and_a_hint),
        TEST(a_valid_configuration_is_told),
        TEST(faulty_values_end_with_two_and_are_all_told),
        TEST(options_that_do_not_fit_each_other_end_with_two),
        TEST(origins_that_no_browser_sends_end_with_two_and_say_what_is_allowed),
        TEST(a_port_that_kubernetes_has_set_ends_with_two_and_says_what_helps),
        TEST(settings_that_never_work_end_with_two_and_name_the_option),
        TEST(a_check_leaves_the_log_file_alone),
        TEST(the_environment_wins_over_the_file_of_the_working_directory),
        TEST(another_file_is_read_instead_of_the_one_of_the_working_directory),
        TEST(a_named_file_that_can_not_be_read_ends_with_two),
        TEST(a_malformed_line_ends_with_two),
        TEST(an_unknown_key_is_told_in_the_file_but_not_in_the_environment),
        TEST(a_printed_configuration_can_be_used_as_the_file),
        TEST(it_serves_on_a_free_port_and_stops_on_either_signal_with_zero),
        TEST(a_second_signal_ends_it_at_once),
        TEST(a_thread_that_hangs_does_not_keep_it_from_ending_in_time),
        TEST(a_second_signal_ends_it_though_a_thread_hangs),
        TEST(what_was_said_in_a_call_is_not_in_its_memory_afterwards),
        TEST(nothing_but_log_lines_goes_to_standard_output),
        TEST(json_lines_are_written_where_they_are_asked_for),
        TEST(a_port_in_use_ends_with_one_and_names_the_options),
        TEST(a_place_of_a_killed_predecessor_is_waited_for),
        TEST(a_place_that_stays_taken_is_given_up),
        TEST(a_signal_ends_the_wait_for_a_place),
        TEST(an_address_of_somebody_else_ends_with_one),
        TEST(a_name_of_etc_hosts_is_served_at_every_address),
        TEST(too_few_descriptors_end_with_one_and_name_the_limit),
        TEST(a_log_file_that_can_not_be_opened_ends_with_one),
        TEST(sighup_opens_the_log_file_anew_after_it_was_renamed),
        TEST(sighup_with_the_log_on_standard_output_changes_nothing),
        TEST(a_reader_of_the_log_that_went_away_does_no_harm),
        TEST(an_admin_port_in_use_ends_with_one_and_names_the_options),
        TEST(the_health_check_tells_by_its_exit_code),
        TEST(who_asks_a_server_without_an_admin_port_is_told_so),
        TEST(sigusr1_writes_the_state_to_the_log_and_names_nobody),
        TEST(sighup_reads_the_certificate_anew_and_keeps_the_old_one_if_that_fails),
        TEST(a_certificate_that_can_not_be_used_ends_with_two),
        TEST(a_call_can_be_followed_in_the_log_from_its_join_to_its_end),
        TEST(the_service_manager_is_told_of_its_begin_its_life_and_its_end),
        TEST(a_successor_takes_over_with_every_socket),
        TEST(sessions_go_on_with_the_successor_and_nobody_is_refused),
        TEST(a_successor_that_fails_changes_nothing),
        TEST(the_service_manager_is_told_of_a_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
