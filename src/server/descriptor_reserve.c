#include "server/descriptor_reserve.h"

#include "admin/admin_connections.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

static_assert((int)ADMIN_MAX_CONNECTIONS + 8 <= (int)DESCRIPTOR_RESERVE,
              "the admin port leaves some as well");

int descriptor_reserve_bound(uint32_t acceptors)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    int left = (int)limit.rlim_cur - DESCRIPTOR_RESERVE - (int)acceptors;
    return left > 0 ? left : 0;
}

bool descriptor_reserve_has_more(int bound, int open_fd)
{
    int lowest = fcntl(open_fd, F_DUPFD_CLOEXEC, 0);
    if (lowest < 0)
        return false;
    close(lowest);
    return lowest < bound;
}
