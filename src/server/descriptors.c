#include "server/descriptors.h"

#include "base/listen_entry.h"
#include "server/start_fault.h"
#include "stats/process_stats.h"

#include <errno.h>
#include <sys/resource.h>

static uint64_t max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How many sockets listen (listening_start()), or a few more: names are not resolved here. */
static uint64_t count_sockets(const signal_server_options *o)
{
    uint64_t inherited = o->listen_fd_count;
    uint64_t sockets = inherited == 0 ? 0 : max_of(inherited, o->acceptor_threads);
    uint64_t ports = (o->port >= 0 && inherited == 0) + (o->tls_port >= 0);
    slice list = slice_of_text(o->host);
    listen_entry entry;
    for (slice text; slice_take_entry(&list, &text);) {
        if (listen_entry_parse(text, &entry) != NULL)
            continue; /* the start will fail for it */
        if (listen_entry_path(&entry) == NULL)
            sockets += ports * o->acceptor_threads;
        else
            sockets += inherited == 0;
    }
    return sockets;
}

static uint64_t count_needed(const signal_server_options *o)
{
    uint64_t threads = (uint64_t)o->workers + o->acceptor_threads;
    return threads * IO_THREAD_DESCRIPTORS + count_sockets(o) + (o->admin_port > 0 ? ADMIN_DESCRIPTORS : 0);
}

int descriptors_check(const signal_server *server, signal_server_fault *fault)
{
    struct rlimit limit;
    uint64_t open;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        !process_count_descriptors(limit.rlim_cur, &open))
        return 0;
    uint64_t needed = open + count_needed(&server->options) + NET_EVENT_BASE_SPARE;
    if (needed <= limit.rlim_cur)
        return 0;
    start_fault_set_limit(fault, "RLIMIT_NOFILE", limit.rlim_cur, needed);
    return -EMFILE;
}
