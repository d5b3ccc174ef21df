#include "app/service_manager.h"

#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* sd_listen_fds(3): the first socket that is passed on. */
enum { FIRST_FD = 3 };

/* How long a message waits for a manager that has too many. */
enum { PATIENCE_S = 5 };

/* A number of at most `max` in a variable. 0, -ENOENT where it is not set, or -EINVAL. */
static int read_variable(const char *name, uint64_t max, uint64_t *out)
{
    const char *text = getenv(name);
    if (text == NULL)
        return -ENOENT;
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > max)
        return -EINVAL;
    *out = number;
    return 0;
}

/* Does a variable name this process? As read_variable(), with *out unset where it names another. */
static int read_is_ours(const char *name, bool *out)
{
    uint64_t pid;
    int error = read_variable(name, INT32_MAX, &pid);
    if (error == 0)
        *out = pid == (uint64_t)getpid();
    return error;
}

/* ---- Sockets ---- */

/* Their number; 0 where there are none for us, or -EINVAL. */
static int count_passed(void)
{
    bool is_ours = false;
    uint64_t count = 0;
    int error = read_is_ours("LISTEN_PID", &is_ours);
    if (error == 0 && is_ours)
        error = read_variable("LISTEN_FDS", INT32_MAX - FIRST_FD, &count);
    return error == 0 || error == -ENOENT ? (int)count : error;
}

static int put_into_set(service_sockets *sets, size_t count, slice name, int fd)
{
    for (size_t i = 0; i < count; i++) {
        if (!slice_equals(name, (slice){sets[i].name, strlen(sets[i].name)}))
            continue;
        if (sets[i].count == SERVICE_SOCKETS_MAX)
            return -ENFILE;
        sets[i].fds[sets[i].count++] = fd;
        return 0;
    }
    return -EINVAL;
}

static int take_passed(service_sockets *sets, size_t count, int passed)
{
    const char *text = getenv("LISTEN_FDNAMES");
    if (passed > 0 && text == NULL)
        return -EINVAL;
    slice names = {text, text == NULL ? 0 : strlen(text)};
    for (int fd = FIRST_FD; fd < FIRST_FD + passed; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return -errno;
        int error = put_into_set(sets, count, slice_take_until(&names, ':'), fd);
        if (error != 0)
            return error;
    }
    return passed > 0 && names.len > 0 ? -EINVAL : 0; /* more names than sockets */
}

/* None of them is open behind the first that is not: where a number is nonsense, the end is found so. */
static void close_passed(int passed)
{
    for (int fd = FIRST_FD; fd < FIRST_FD + passed && close(fd) == 0; fd++)
        continue;
}

int service_manager_take_sockets(service_sockets *sets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sets[i].count = 0;
    int passed = count_passed();
    int error = passed < 0 ? passed : take_passed(sets, count, passed);
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]); /* nobody whom we start is to take them for its own */
    if (error == 0)
        return 0;

    close_passed(passed);
    for (size_t i = 0; i < count; i++)
        sets[i].count = 0;
    return error;
}

void service_manager_close_sockets(service_sockets *set)
{
    while (set->count > 0)
        close(set->fds[--set->count]);
}

/* ---- Messages ---- */

/* Where the manager listens: a path, or, behind an '@', a name in the abstract space, which begins with a
 * zero in its place. Returns the length of the address, 0 where nobody listens. */
static socklen_t find_manager(struct sockaddr_un *out)
{
    const char *place = getenv("NOTIFY_SOCKET");
    if (place == NULL || (*place != '/' && *place != '@') || place[1] == '\0')
        return 0;
    size_t len = strlen(place);
    if (len >= sizeof(out->sun_path))
        return 0;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, place, len);
    if (*place == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* At boot many units speak at once, and a manager that does not hear of a start ends the unit: so it is
 * waited for, but not for ever. */
static void send_message(const char *text)
{
    struct sockaddr_un manager;
    socklen_t manager_len = find_manager(&manager);
    int fd = manager_len == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    ssize_t sent = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (sent == 0) {
        do
            sent =
                sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&manager, manager_len);
        while (sent < 0 && errno == EINTR);
    }
    close(fd);
}

/* A status that is too long loses its end. */
static void send_status(const char *state, const char *status)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s\nSTATUS=%s", state, status);
    send_message(text);
}

void service_manager_notify_ready(const char *status)
{
    send_status("READY=1", status);
}

void service_manager_notify_successor(pid_t pid, const char *status)
{
    char state[64];
    snprintf(state, sizeof(state), "MAINPID=%d\nREADY=1", (int)pid);
    send_status(state, status);
}

void service_manager_notify_stopping(const char *status)
{
    send_status("STOPPING=1", status);
}

uint64_t service_manager_watchdog_interval_us(void)
{
    bool is_ours = true; /* also where nobody is named */
    uint64_t patience_us;
    if (read_is_ours("WATCHDOG_PID", &is_ours) == -EINVAL || !is_ours ||
        read_variable("WATCHDOG_USEC", UINT64_MAX - 1, &patience_us) != 0)
        return 0;
    return patience_us / 2;
}

void service_manager_keep_alive(bool is_live)
{
    if (is_live)
        send_message("WATCHDOG=1");
}
