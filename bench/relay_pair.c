/* relay_pair PORT COUNT: two users in a room pass COUNT candidates of 200 bytes to and fro, one at a time. It
 * prints the median and the 99th percentile of the round trip through the server in microseconds.
 * bench/syscalls.sh counts the server's system calls meanwhile. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_BYTES = 200 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv)
{
    static const char usage[] = "relay_pair PORT COUNT";
    uint16_t port = (uint16_t)probe_number(argc > 1 ? argv[1] : NULL, usage);
    size_t count = probe_number(argc > 2 ? argv[2] : NULL, usage);

    char message[MESSAGE_BYTES + 1];
    memset(message, 'x', sizeof(message));
    static const char begin[] = "{\"type\":\"candidate\",\"candidate\":\"";
    memcpy(message, begin, sizeof(begin) - 1);
    memcpy(message + MESSAGE_BYTES - 2, "\"}", 3);

    int users[2] = {probe_connect(port), probe_connect(port)};
    probe_join(users[0], "relay pair", "first");
    probe_join(users[1], "relay pair", "second");
    probe_sync(users[0]);
    probe_sync(users[1]);

    double *times = calloc(count + 1, sizeof(*times));
    if (times == NULL)
        probe_fail("memory");
    char frame[1024];
    for (size_t i = 0; i < count; i++) {
        double begun = now_us();
        probe_send(users[i % 2], message, MESSAGE_BYTES);
        probe_receive(users[(i + 1) % 2], frame, sizeof(frame));
        times[i] = now_us() - begun;
    }
    qsort(times, count, sizeof(*times), compare);
    printf("relayed %zu signals of %d bytes: p50 %.1f us, p99 %.1f us\n", count, MESSAGE_BYTES,
           times[count / 2], times[count * 99 / 100]);
    free(times);
    return EXIT_SUCCESS;
}
