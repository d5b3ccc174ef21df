#include "support/nats_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 2000, PAUSE_MS = 10 };

static const char *const places[] = {"/usr/sbin/nats-server", "/usr/bin/nats-server",
                                     "/usr/local/bin/nats-server"};

static const char *find_program(void)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (access(places[i], X_OK) == 0)
            return places[i];
    }
    return NULL;
}

bool nats_engine_exists(void)
{
    return find_program() != NULL;
}

/* ---- Files ---- */

const char *nats_engine_write(const nats_engine *e, const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", e->directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static void remove_files(const nats_engine *e)
{
    DIR *directory = opendir(e->directory);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", e->directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(e->directory);
}

/* ---- The process ---- */

static bool can_connect(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool is_good = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
    close(fd);
    return is_good;
}

/* It writes where it listens into a file of its own. */
static uint16_t read_port(const nats_engine *e)
{
    char path[128];
    char text[1024] = "";
    snprintf(path, sizeof(path), "%s/nats-server_%d.ports", e->directory, (int)e->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *at = strstr(text, "127.0.0.1:");
    return at == NULL || strchr(text, '}') == NULL ? 0
                                                   : (uint16_t)strtoul(at + strlen("127.0.0.1:"), NULL, 10);
}

static void spawn(nats_engine *e)
{
    char port[16];
    char log[128];
    snprintf(port, sizeof(port), "%d", e->port == 0 ? -1 : e->port);
    snprintf(log, sizeof(log), "%s/log", e->directory);
    e->pid = fork();
    assert_true(e->pid >= 0);
    if (e->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* where the test is killed */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execl(find_program(), "nats-server", "-a", "127.0.0.1", "-p", port, "-c", e->config, "--ports_file_dir",
          e->directory, NULL);
    _exit(127);
}

static void await_start(nats_engine *e)
{
    for (int i = 0; i < TRIES; i++) {
        uint16_t port = e->port != 0 ? e->port : read_port(e);
        if (port != 0 && can_connect(port)) {
            if (e->port == 0) /* others may read it when it is started again */
                snprintf(e->url, sizeof(e->url), "nats://127.0.0.1:%u", port);
            e->port = port;
            return;
        }
        assert_int_equal(waitpid(e->pid, NULL, WNOHANG), 0);
        poll(NULL, 0, PAUSE_MS);
    }
    fail_msg("nats-server does not start");
}

void nats_engine_start(nats_engine *e, const char *lines)
{
    *e = (nats_engine){.directory = "/tmp/homecall-nats-XXXXXX"};
    assert_non_null(mkdtemp(e->directory));
    snprintf(e->config, sizeof(e->config), "%s", nats_engine_write(e, "nats.conf", lines));
    spawn(e);
    await_start(e);
}

void nats_engine_end(nats_engine *e, int signal)
{
    assert_true(e->pid > 0);
    assert_int_equal(kill(e->pid, signal), 0);
    assert_int_equal(waitpid(e->pid, NULL, 0), e->pid);
    e->pid = 0;
}

void nats_engine_start_again(nats_engine *e)
{
    spawn(e);
    await_start(e);
}

void nats_engine_pause(nats_engine *e)
{
    assert_int_equal(kill(e->pid, SIGSTOP), 0);
}

void nats_engine_go_on(nats_engine *e)
{
    assert_int_equal(kill(e->pid, SIGCONT), 0);
}

void nats_engine_destroy(nats_engine *e)
{
    if (e->pid > 0) {
        kill(e->pid, SIGKILL);
        waitpid(e->pid, NULL, 0);
    }
    if (e->directory[0] != '\0')
        remove_files(e);
    *e = (nats_engine){0};
}
