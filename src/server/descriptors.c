#include "server/descriptors.h"

#include "server/descriptor_reserve.h"
#include "server/start_fault.h"
#include "stats/process_stats.h"

#include <assert.h>
#include <errno.h>
#include <sys/resource.h>

static_assert((int)DESCRIPTOR_RESERVE >= (int)NET_EVENT_BASE_SPARE,
              "what the making of a base wants besides");

static uint64_t max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The sockets that listen: see listening_start(). */
static uint64_t count_sockets(const signal_server_options *o, const listen_plan *plan)
{
    uint64_t plain = o->listen_fd_count;
    uint64_t tls = o->listen_tls_fd_count;
    uint64_t sockets = (plain == 0 ? 0 : max_of(plain, o->acceptor_threads)) +
                       (tls == 0 ? 0 : max_of(tls, o->acceptor_threads));
    uint64_t ports = (o->port >= 0 && plain == 0) + (o->tls_port >= 0 && tls == 0);
    for (size_t i = 0; i < plan->count; i++) {
        if (listen_plan_opens(plan, i))
            sockets += listen_entry_path(&plan->places[i].entry) == NULL ? ports * o->acceptor_threads : 1;
    }
    return sockets;
}

static uint64_t count_needed(const signal_server_options *o, const listen_plan *hosts,
                             const listen_plan *admin_hosts)
{
    uint64_t threads = (uint64_t)o->workers + o->acceptor_threads;
    uint64_t of_admin =
        o->admin_port == 0 ? 0 : ADMIN_DESCRIPTORS + admin_hosts->count + o->listen_admin_fd_count;
    /* The courier: an eventfd, the connection to the engine, and the next one that is tried. */
    uint64_t of_cluster = o->cluster_url[0] == '\0' ? 0 : o->workers * WORKER_CLUSTER_DESCRIPTORS + 3;
    return threads * IO_THREAD_DESCRIPTORS + count_sockets(o, hosts) + of_admin + of_cluster;
}

int descriptors_check(const signal_server *server, const listen_plan *hosts, const listen_plan *admin_hosts,
                      signal_server_fault *fault)
{
    struct rlimit limit;
    uint64_t open;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        !process_count_descriptors(limit.rlim_cur, &open))
        return 0;
    uint64_t needed = open + count_needed(&server->options, hosts, admin_hosts) +
                      server->options.acceptor_threads + DESCRIPTOR_RESERVE + 1; /* for a client */
    if (needed <= limit.rlim_cur)
        return 0;
    start_fault_set_limit(fault, "RLIMIT_NOFILE", limit.rlim_cur, needed);
    return -EMFILE;
}
