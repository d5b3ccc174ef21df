/* idle_connections PORT PID COUNT [joined]: opens COUNT connections to the server with this process id, has
 * them join in twos if asked to, and prints what its resident memory grew by for each. */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Resident memory of a process in KiB. */
static long resident_kib(unsigned long pid)
{
    char path[64];
    char line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%lu/status", pid);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        probe_fail(path);
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    fclose(status);
    errno = 0;
    if (kib < 0)
        probe_fail("no VmRSS");
    return kib;
}

static void open_one(uint16_t port, size_t i, int is_joined, int *fd)
{
    *fd = probe_connect(port);
    if (is_joined) {
        char room[32];
        char user[32];
        snprintf(room, sizeof(room), "room-%zu", i / 2);
        snprintf(user, sizeof(user), "user-%zu", i);
        probe_join(*fd, room, user);
    }
    probe_sync(*fd);
}

int main(int argc, char **argv)
{
    static const char usage[] = "idle_connections PORT PID COUNT [joined]";
    uint16_t port = (uint16_t)probe_number(argc > 1 ? argv[1] : NULL, usage);
    unsigned long pid = probe_number(argc > 2 ? argv[2] : NULL, usage);
    size_t count = probe_number(argc > 3 ? argv[3] : NULL, usage);
    int is_joined = argc > 4 && strcmp(argv[4], "joined") == 0;

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int *fds = calloc(count + 1, sizeof(*fds));
    if (fds == NULL)
        probe_fail("memory");

    /* The first ones make the server touch what it touches once: they do not count. */
    enum { WARM_UP = 64 };
    int warm[WARM_UP];
    for (size_t i = 0; i < WARM_UP; i++)
        open_one(port, count + i, is_joined, &warm[i]);

    long before_kib = resident_kib(pid);
    for (size_t i = 0; i < count; i++)
        open_one(port, i, is_joined, &fds[i]);
    long after_kib = resident_kib(pid);
    printf("%zu %s connections: %.0f bytes each (VmRSS %ld -> %ld KiB)\n", count,
           is_joined ? "joined" : "not joined", (double)(after_kib - before_kib) * 1024 / (double)count,
           before_kib, after_kib);

    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    for (size_t i = 0; i < WARM_UP; i++)
        close(warm[i]);
    free(fds);
    return EXIT_SUCCESS;
}
