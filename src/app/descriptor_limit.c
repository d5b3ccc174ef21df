#include "app/descriptor_limit.h"

#include "base/log.h"
#include "server/descriptor_reserve.h"
#include "server/server_options.h"
#include "stats/process_stats.h"

#include <sys/resource.h>

static const char log_namespace[] = "HomeCall_Signal_App";

/* The soft limit is low for the sake of programs that use select(). This one does not. */
void descriptor_limit_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    uint64_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_cur != before && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    LOG(LOG_INFO, log_namespace, "descriptor limit", LOG_NUMBER("limit", limit.rlim_cur),
        LOG_NUMBER("before", before));
}

/* If there are too few descriptors for MAX_CONNECTIONS, that would show when the server is full, which is the
 * worst time: say it now. Everything else that the server keeps open is open already. */
void descriptor_limit_check(const signal_server_options *o)
{
    struct rlimit limit;
    uint64_t needed;
    if (o->max_connections == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        !process_count_descriptors(limit.rlim_cur, &needed))
        return;
    uint32_t acceptors = server_options_acceptors(o, server_options_processors());
    needed += (uint64_t)o->max_connections + acceptors + DESCRIPTOR_RESERVE;
    if (needed > limit.rlim_cur)
        LOG(LOG_WARN, log_namespace, "too few descriptors for MAX_CONNECTIONS",
            LOG_NUMBER("max_connections", o->max_connections), LOG_NUMBER("needed", needed),
            LOG_NUMBER("limit", limit.rlim_cur));
}
