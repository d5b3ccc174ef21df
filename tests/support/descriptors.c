#include "support/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_FILLED = 256 };

static struct rlimit usual;    /* the limit before descriptors_limit() */
static int filled[MAX_FILLED]; /* owned: all numbers below the highest descriptor that were free */
static size_t filled_count;

size_t descriptors_open(void)
{
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count - 1; /* the directory itself */
}

/* The highest descriptor of this program that is open. Valgrind keeps its own above the limit that it tells.
 */
static int find_highest(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    int highest = -1;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);
        bool is_ours = entry->d_name[0] != '.' && fd != dirfd(directory) && (rlim_t)fd < limit.rlim_cur;
        if (is_ours && fd > highest)
            highest = fd;
    }
    closedir(directory);
    return highest;
}

size_t descriptors_limit(size_t more)
{
    int highest = find_highest();
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
        if (fd > highest) {
            close(fd);
            break;
        }
        assert_true(filled_count < MAX_FILLED);
        filled[filled_count++] = fd;
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit tight = {.rlim_cur = (rlim_t)highest + 1 + more, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    return (size_t)tight.rlim_cur;
}

void descriptors_unlimit(void)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    while (filled_count > 0)
        close(filled[--filled_count]);
}
