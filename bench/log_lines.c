/* log_lines THREADS LINES FILE [json]: each of THREADS logs LINES lines as a worker does for a relayed
 * signal, as fast as it can, and the writer of the log appends them to FILE. Prints what a line costs the
 * thread that logs it, and what it costs the writer, which is the same one for all threads: so how many lines
 * it bears in a second, at most. Lines that were dropped are told, and not counted. */
#include "base/clock.h"
#include "base/log.h"
#include "homecall/signal_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64, TURN = 32, PAIRS = 50 };

typedef struct logger {
    pthread_t thread;
    unsigned number;
    uint64_t lines;
    uint64_t cpu_us; /* of the thread, when it is done */
} logger;

static void log_signal(unsigned thread, uint64_t pair)
{
    char room[32];
    char from[32];
    char to[32];
    size_t room_len = (size_t)snprintf(room, sizeof(room), "room-%u-%u", thread, (unsigned)pair);
    size_t from_len = (size_t)snprintf(from, sizeof(from), "user-%u-%u", thread, (unsigned)pair * 2);
    size_t to_len = (size_t)snprintf(to, sizeof(to), "user-%u-%u", thread, (unsigned)pair * 2 + 1);
    for (int i = 0; i < TURN; i++) {
        const log_field fields[] = {
            LOG_NUMBER("conn", pair * 2),
            LOG_PRIVATE("room", ((slice){room, room_len})),
            LOG_PRIVATE("user", ((slice){from, from_len})),
            LOG_LITERAL("kind", "candidate"),
            LOG_NUMBER("bytes", 200),
            LOG_NUMBER("to_conn", pair * 2 + 1),
            LOG_PRIVATE("to", ((slice){to, to_len})),
        };
        log_frequent_event(LOG_INFO, "HomeCall_Signal_Rooms", "relayed", fields,
                           sizeof(fields) / sizeof(fields[0]));
    }
    log_end_turn();
}

static void *run(void *argument)
{
    logger *l = argument;
    log_name_thread("worker", l->number);
    for (uint64_t i = 0; i < l->lines / TURN; i++)
        log_signal(l->number, i % PAIRS);
    l->cpu_us = clock_read_us(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: log_lines THREADS LINES FILE [json]\n");
        return 2;
    }
    size_t count = strtoul(argv[1], NULL, 10);
    uint64_t lines = strtoull(argv[2], NULL, 10) / TURN * TURN;
    static logger loggers[THREADS_MAX];
    signal_log_options options;
    signal_log_options_init(&options, sizeof(options));
    options.file = argv[3];
    options.format = argc == 5 ? SIGNAL_LOG_JSON : SIGNAL_LOG_TEXT;
    if (count < 1 || count > THREADS_MAX || lines < TURN || signal_log_start(&options) != 0) {
        fprintf(stderr, "log_lines: can't start\n");
        return 1;
    }
    uint64_t started_us = clock_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        loggers[i] = (logger){.number = (unsigned)i, .lines = lines};
        if (pthread_create(&loggers[i].thread, NULL, run, &loggers[i]) != 0)
            return 1;
    }
    uint64_t logging_us = 0;
    for (size_t i = 0; i < count; i++) {
        pthread_join(loggers[i].thread, NULL);
        logging_us += loggers[i].cpu_us;
    }
    signal_log_stop();
    double took_s = (double)(clock_monotonic_us() - started_us) / 1e6;
    double writing_us = (double)(clock_read_us(CLOCK_PROCESS_CPUTIME_ID) - logging_us);
    double logged = (double)(lines * count);
    double written = logged - (double)signal_log_dropped();
    printf("%.2f s, %.0f lines dropped; a line costs its thread %.0f ns, the writer %.0f ns: it bears %.1f M "
           "lines/s\n",
           took_s, logged - written, (double)logging_us * 1e3 / logged, writing_us * 1e3 / written,
           written / writing_us);
    return 0;
}
