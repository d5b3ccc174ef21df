/* What a configuration asks of this machine, looked at without a trace. */
#include "app/machine_check.h"
#include "app/options.h"
#include "support/fake_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const fake_name names[] = {{"localhost", "::1 127.0.0.1"}, {"none.example", ""}, {NULL, NULL}};

/* A directory of its own, in which the test is. */
typedef struct fixture {
    char directory[64];
    app_config config;
    char *reports;
    size_t len;
    FILE *stream;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    *state = f;
    fake_resolver_set(names);
    options_init(&f->config);
    f->stream = open_memstream(&f->reports, &f->len);
    strcpy(f->directory, "/tmp/test_machine_check.XXXXXX");
    return mkdtemp(f->directory) == NULL || chmod(f->directory, 0755) != 0 || chdir(f->directory) != 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    static const char *const files[] = {"file", "directory/file", "link", "pipe", "socket"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir("directory");
    int error = chdir("/") != 0 || rmdir(f->directory) != 0;
    fclose(f->stream);
    free(f->reports);
    options_deinit(&f->config);
    free(f);
    return error;
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *here = opendir(".");
    assert_non_null(here);
    while (readdir(here) != NULL)
        count++;
    closedir(here);
    return count;
}

/* What is reported, or "" where all is well; and no file has come or gone. */
static const char *check(fixture *f)
{
    rewind(f->stream);
    size_t before = count_files();
    bool is_good = machine_check(&f->config, f->stream);
    fputc('\0', f->stream);
    fflush(f->stream);
    assert_int_equal(count_files(), before);
    assert_true(is_good == (f->reports[0] == '\0'));
    return f->reports;
}

static void expect_good_log_file(fixture *f, const char *path)
{
    f->config.log.file = path;
    assert_string_equal(check(f), "");
}

static void expect_bad_log_file(fixture *f, const char *path, const char *reason)
{
    char begin[160];
    f->config.log.file = path;
    snprintf(begin, sizeof(begin), "homecall-signal: LOG_FILE: \"%s\" is not valid: %s", path, reason);
    const char *report = check(f);
    if (strncmp(report, begin, strlen(begin)) != 0)
        fail_msg("%s: %s", path, report);
}

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void the_defaults_fit_any_machine(void **state)
{
    assert_string_equal(check(*state), "");
}

static void a_log_file_can_be_there_or_be_made(void **state)
{
    fixture *f = *state;
    assert_int_equal(mkdir("directory", 0755), 0);
    expect_good_log_file(f, "new");
    expect_good_log_file(f, "directory/new");
    expect_good_log_file(f, "./directory/../new");
    expect_good_log_file(f, "/dev/null");
    assert_int_equal(symlink("elsewhere", "link"), 0);
    expect_good_log_file(f, "link");
}

static void a_log_file_that_is_there_is_not_touched(void **state)
{
    fixture *f = *state;
    struct stat before;
    struct stat after;
    write_file("file", "a line\n");
    assert_int_equal(stat("file", &before), 0);
    expect_good_log_file(f, "file");
    assert_int_equal(stat("file", &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(before.st_mtim));
    assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(before.st_ctim));
}

static void a_log_file_that_can_not_be_written_is_told(void **state)
{
    fixture *f = *state;
    write_file("file", "");
    assert_int_equal(mkdir("directory", 0755), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    expect_bad_log_file(f, "absent/log", "its directory does not exist");
    expect_bad_log_file(f, "directory", "it is a directory");
    expect_bad_log_file(f, "new/", "it is the name of a directory");
    expect_bad_log_file(f, "pipe", "it is a named pipe without a reader");
    expect_bad_log_file(f, "file/log", "the part before its last / is not a directory");
    char path[5000];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    path[4500] = '/';
    f->config.log.file = path;
    assert_string_not_equal(check(f), "");
}

/* As a user to whom nothing here belongs: root may write anywhere. 0 where both files are refused. */
static int check_as_nobody(fixture *f)
{
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 2;
    f->config.log.file = "directory/new";
    if (strstr(check(f), "this user may not write to its directory") == NULL)
        return 3;
    f->config.log.file = "file";
    return strstr(check(f), "this user may not write to it;") == NULL;
}

static void a_log_file_of_somebody_else_is_told(void **state)
{
    write_file("file", "");
    assert_int_equal(chmod("file", 0444), 0);
    assert_int_equal(mkdir("directory", 0555), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(check_as_nobody(*state));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void expect_bad(fixture *f, const char *key, const char *value, const char *reason)
{
    char begin[200];
    snprintf(begin, sizeof(begin), "homecall-signal: %s: \"%s\" is not valid: %s", key, value, reason);
    const char *report = check(f);
    if (strncmp(report, begin, strlen(begin)) != 0)
        fail_msg("%s: %s", value, report);
    assert_null(strchr(strchr(report, '\n') + 1, '\n'));
}

static void a_host_without_an_address_is_told(void **state)
{
    fixture *f = *state;
    f->config.server.host = "localhost,none.example";
    expect_bad(f, "WS_HOST", "none.example", "no address is found for it here");
    f->config.server.port = -1;
    assert_string_equal(check(f), ""); /* it is not looked up */
    f->config.server.host = "127.0.0.1";
    f->config.server.admin_host = "unknown.example";
    expect_bad(f, "ADMIN_HOST", "unknown.example", "no address is found for it here");
    f->config.server.admin_port = 0;
    assert_string_equal(check(f), "");
}

static void a_port_that_two_names_share_is_told(void **state)
{
    fixture *f = *state;
    static const fake_name shared[] = {{"a.example", "127.0.0.2"}, {"b.example", "127.0.0.2"}, {NULL, NULL}};
    fake_resolver_set(shared);
    f->config.server.host = "a.example";
    f->config.server.admin_host = "b.example";
    f->config.server.port = f->config.server.admin_port;
    expect_bad(f, "ADMIN_PORT", "9888", "WS_PORT uses it already");
}

static void leave_a_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void a_path_that_no_socket_can_have_is_told(void **state)
{
    fixture *f = *state;
    write_file("file", "");
    leave_a_socket("socket");
    f->config.server.host = "unix:new,unix:socket";
    assert_string_equal(check(f), "");
    f->config.server.host = "unix:absent/new";
    expect_bad(f, "WS_HOST", "unix:absent/new", "its directory does not exist");
    f->config.server.host = "unix:file";
    expect_bad(f, "WS_HOST", "unix:file", "the file there is not a socket");
    f->config.server.host = "unix:file/new";
    expect_bad(f, "WS_HOST", "unix:file/new", "the part before its last / is not a directory");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_fit_any_machine),
        TEST(a_log_file_can_be_there_or_be_made),
        TEST(a_log_file_that_is_there_is_not_touched),
        TEST(a_log_file_that_can_not_be_written_is_told),
        TEST(a_log_file_of_somebody_else_is_told),
        TEST(a_host_without_an_address_is_told),
        TEST(a_port_that_two_names_share_is_told),
        TEST(a_path_that_no_socket_can_have_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
