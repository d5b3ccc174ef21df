/* A file that ends within a line: what is logged next begins a line of its own. The disk is full in between,
 * for which RLIMIT_FSIZE stands here: a write takes what fits and no more. */
#include "base/log.h"

#include "homecall/signal_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct fixture {
    char file[32];
    struct rlimit limit; /* as it was */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    strcpy(f->file, "/tmp/test_log.XXXXXX");
    int fd = mkstemp(f->file);
    *state = f;
    return fd < 0 || close(fd) != 0 || getrlimit(RLIMIT_FSIZE, &f->limit) != 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    signal_log_stop();
    int error = setrlimit(RLIMIT_FSIZE, &f->limit) | unlink(f->file);
    free(f);
    return error;
}

static void start(const char *file)
{
    signal_log_options options;
    signal_log_options_init(&options, sizeof(options));
    options.file = file;
    options.format = SIGNAL_LOG_JSON;
    assert_int_equal(signal_log_start(&options), 0);
}

static void log_number(uint64_t n)
{
    LOG(LOG_INFO, "Test", "counted", LOG_NUMBER("n", n));
}

static void await_loss(uint64_t lines)
{
    for (int i = 0; i < 20000 && signal_log_dropped() < lines; i++)
        poll(NULL, 0, 1);
    assert_int_equal(signal_log_dropped(), lines);
}

enum { FITS = 20 }; /* of a line */

/* Log a line, of which the file takes the beginning. There is space for more afterwards. */
static void tear_a_line(const fixture *f)
{
    const struct rlimit full = {.rlim_cur = FITS, .rlim_max = f->limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    log_number(1);
    await_loss(1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &f->limit), 0);
}

/* The file has the torn line, and besides whole ones only. Among these is one with this number. */
static void check_lines(const fixture *f, size_t torn_len, int number)
{
    FILE *file = fopen(f->file, "r");
    assert_non_null(file);
    char wanted[32];
    snprintf(wanted, sizeof(wanted), ",\"n\":%d}\n", number);
    bool is_there = false;
    char line[512];
    for (int i = 0; fgets(line, sizeof(line), file) != NULL; i++) {
        size_t len = strlen(line);
        if (i == 0)
            assert_int_equal(len, torn_len + 1);
        else
            assert_true(strncmp(line, "{\"time\":", 8) == 0 && strcmp(line + len - 2, "}\n") == 0);
        is_there = is_there || strstr(line, wanted) != NULL;
    }
    fclose(file);
    assert_true(is_there);
}

static void a_line_that_was_cut_off_is_ended_before_the_next(void **state)
{
    const fixture *f = *state;
    start(f->file);
    tear_a_line(f);
    log_number(2);
    signal_log_stop();
    check_lines(f, FITS, 2);
}

/* As at each new certificate, with no new file. */
static void it_is_ended_also_when_the_file_was_opened_again(void **state)
{
    const fixture *f = *state;
    start(f->file);
    tear_a_line(f);
    signal_log_reopen();
    log_number(2);
    signal_log_stop();
    check_lines(f, FITS, 2);
}

static void it_is_ended_also_by_the_next_process(void **state)
{
    const fixture *f = *state;
    FILE *file = fopen(f->file, "w");
    assert_non_null(file);
    fputs("{\"time\":\"2026", file);
    fclose(file);
    start(f->file);
    log_number(2);
    signal_log_stop();
    check_lines(f, strlen("{\"time\":\"2026"), 2);
}

static void it_is_ended_also_where_standard_output_is_that_file(void **state)
{
    const fixture *f = *state;
    FILE *file = fopen(f->file, "w");
    assert_non_null(file);
    fputs("{\"time\"", file);
    fclose(file);
    int fd = open(f->file, O_WRONLY | O_APPEND | O_CLOEXEC);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    start("");
    log_number(2);
    signal_log_stop();
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(fd);
    check_lines(f, strlen("{\"time\""), 2);
}

static void a_file_of_whole_lines_gets_no_empty_one(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        start(f->file);
        log_number(2);
        signal_log_reopen();
        signal_log_stop();
    }
    FILE *file = fopen(f->file, "r");
    assert_non_null(file);
    char line[512];
    while (fgets(line, sizeof(line), file) != NULL)
        assert_true(strlen(line) > 1);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_that_was_cut_off_is_ended_before_the_next, make, destroy),
        cmocka_unit_test_setup_teardown(it_is_ended_also_when_the_file_was_opened_again, make, destroy),
        cmocka_unit_test_setup_teardown(it_is_ended_also_by_the_next_process, make, destroy),
        cmocka_unit_test_setup_teardown(it_is_ended_also_where_standard_output_is_that_file, make, destroy),
        cmocka_unit_test_setup_teardown(a_file_of_whole_lines_gets_no_empty_one, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
