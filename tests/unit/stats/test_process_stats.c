/* The numbers of this process, against what it does to itself. */
#include "stats/process_stats.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int make(void **state)
{
    process_probe *probe = malloc(sizeof(*probe));
    if (probe == NULL)
        return -1;
    process_probe_init(probe);
    *state = probe;
    return 0;
}

static int destroy(void **state)
{
    process_probe_deinit(*state);
    free(*state);
    return 0;
}

/* An emulator of another processor makes /proc/self/stat up, with zeros for most: also for the threads, of
 * which a process has one. Then there is nothing to be tested. */
static void need_true_numbers(void)
{
    char text[1024] = {0};
    FILE *file = fopen("/proc/self/stat", "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    char *save = NULL;
    const char *field = strtok_r(strrchr(text, ')'), " ", &save); /* the second of them, proc(5) */
    for (int i = 2; i < 20 && field != NULL; i++)
        field = strtok_r(NULL, " ", &save);
    assert_non_null(field);
    if (strcmp(field, "0") == 0)
        skip();
}

static process_stats read_now(process_probe *probe)
{
    process_stats stats;
    process_probe_read(probe, &stats);
    return stats;
}

static void memory_and_its_growth_are_told(void **state)
{
    need_true_numbers();
    enum { SIZE = 32 << 20 };
    process_stats before = read_now(*state);
    assert_true(before.resident_bytes > 0);
    assert_true(before.virtual_bytes >= before.resident_bytes);
    char *block = malloc(SIZE);
    assert_non_null(block);
    memset(block, 1, SIZE);
    process_stats after = read_now(*state);
    assert_true(after.resident_bytes >= before.resident_bytes + SIZE / 2);
    assert_true(after.virtual_bytes >= before.virtual_bytes);
    free(block);
}

static void processor_time_goes_on(void **state)
{
    process_stats before = read_now(*state);
    process_stats after = before;
    while (after.cpu_us <= before.cpu_us) /* reading costs some */
        after = read_now(*state);
}

static void *wait_for_end(void *arg)
{
    char byte;
    (void)!read(*(int *)arg, &byte, 1);
    return NULL;
}

static void threads_are_counted(void **state)
{
    need_true_numbers();
    process_stats before = read_now(*state);
    int pipe_ends[2];
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &pipe_ends[0]), 0);
    assert_true(read_now(*state).threads > before.threads);
    close(pipe_ends[1]);
    pthread_join(thread, NULL);
    close(pipe_ends[0]);
}

static void the_start_was_not_long_ago_and_stays_where_it_is(void **state)
{
    need_true_numbers();
    uint64_t now_utc_ms = clock_utc_ms();
    process_stats first = read_now(*state);
    assert_true(first.started_utc_ms <= now_utc_ms + 100);
    assert_true(first.started_utc_ms > now_utc_ms - 600 * 1000);
    assert_true(read_now(*state).started_utc_ms == first.started_utc_ms);
}

static uint64_t count_descriptors(void)
{
    uint64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count - 1; /* the directory's own */
}

static void expect_counts_descriptors(process_probe *probe)
{
    assert_int_equal(read_now(probe).open_descriptors, count_descriptors());
    int fds[40];
    for (int i = 0; i < 40; i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    probe->count_due_us = 0;
    assert_int_equal(read_now(probe).open_descriptors, count_descriptors());
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    probe->count_due_us = 0;
    assert_int_equal(read_now(probe).open_descriptors, count_descriptors());
}

static void descriptors_are_counted(void **state)
{
    expect_counts_descriptors(*state);
}

static void descriptors_are_counted_one_by_one_where_the_kernel_does_not_tell(void **state)
{
    process_probe_count_singly(*state);
    expect_counts_descriptors(*state);
}

static void a_count_one_by_one_is_kept_for_a_multiple_of_what_it_took(void **state)
{
    process_probe *probe = *state;
    process_probe_count_singly(probe);
    uint64_t before_us = clock_monotonic_us();
    uint64_t counted = read_now(probe).open_descriptors;
    uint64_t took_us = clock_monotonic_us() - before_us;
    assert_true(probe->count_due_us > before_us);
    assert_true(probe->count_due_us <= before_us + 501 * took_us);

    probe->count_due_us = UINT64_MAX; /* so the next are told from memory */
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read_now(probe).open_descriptors, counted);
    close(fd);
}

static void everything_is_told_when_no_descriptor_is_left(void **state)
{
    need_true_numbers();
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
    process_stats stats = read_now(*state);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    assert_int_equal(stats.max_descriptors, 0);
    assert_true(stats.threads > 0);
    assert_true(stats.resident_bytes > 0);
    assert_int_equal(stats.open_descriptors, count_descriptors());
    assert_int_equal(read_now(*state).max_descriptors, before.rlim_cur);
}

static void descriptors_below_a_limit_are_counted(void **state)
{
    (void)state;
    uint64_t before;
    uint64_t count;
    assert_true(process_count_descriptors(UINT64_MAX, &before));
    assert_int_equal(before, count_descriptors());
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int high = fcntl(low, F_DUPFD_CLOEXEC, 900);
    assert_true(high >= 900);
    assert_true(process_count_descriptors(UINT64_MAX, &count));
    assert_int_equal(count, before + 2);
    /* Others may be open as well: Valgrind keeps its own above the limit that it tells. */
    assert_true(process_count_descriptors((uint64_t)high, &before));
    assert_true(process_count_descriptors((uint64_t)high + 1, &count));
    assert_int_equal(count, before + 1);
    assert_true(process_count_descriptors((uint64_t)low, &before));
    assert_true(process_count_descriptors((uint64_t)low + 1, &count));
    assert_int_equal(count, before + 1);
    assert_true(process_count_descriptors(0, &count));
    assert_int_equal(count, 0);
    close(high);
    close(low);
}

static void without_a_descriptor_none_are_counted(void **state)
{
    (void)state;
    uint64_t count;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool is_counted = process_count_descriptors(UINT64_MAX, &count);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(is_counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_and_its_growth_are_told, make, destroy),
        cmocka_unit_test_setup_teardown(processor_time_goes_on, make, destroy),
        cmocka_unit_test_setup_teardown(threads_are_counted, make, destroy),
        cmocka_unit_test_setup_teardown(the_start_was_not_long_ago_and_stays_where_it_is, make, destroy),
        cmocka_unit_test_setup_teardown(descriptors_are_counted, make, destroy),
        cmocka_unit_test_setup_teardown(descriptors_are_counted_one_by_one_where_the_kernel_does_not_tell,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(a_count_one_by_one_is_kept_for_a_multiple_of_what_it_took, make,
                                        destroy),
        cmocka_unit_test(descriptors_below_a_limit_are_counted),
        cmocka_unit_test(without_a_descriptor_none_are_counted),
        cmocka_unit_test_setup_teardown(everything_is_told_when_no_descriptor_is_left, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
