#include "server/worker_cluster.h"

#include "base/wake_up.h"
#include "session/session_cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker_cluster {
    net_ticker ticker;
    net_loop *loop;  /* borrowed */
    net_watch woken; /* with an owned eventfd */
    bool is_open;    /* the next one is made */
    cluster_worker share;
};

static worker_cluster *of_ticker(const net_ticker *ticker)
{
    return (worker_cluster *)(uintptr_t)((const char *)ticker - offsetof(worker_cluster, ticker));
}

/* ---- The ticker ---- */

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    (void)now_ms;
    const worker_cluster *c = of_ticker(ticker);
    return c->is_open ? cluster_worker_next_due_ms(&c->share) : UINT64_MAX;
}

/* Each turn looks at what is due. */
static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    (void)ticker;
    (void)now_ms;
}

static void on_work(net_ticker *ticker)
{
    worker_cluster *c = of_ticker(ticker);
    if (c->is_open && cluster_worker_turn(&c->share, net_loop_now_ms(c->loop)))
        c->loop->has_more = true;
}

/* What tickers behind this one have said. */
static void on_turn_end(net_ticker *ticker, uint64_t took_us)
{
    (void)took_us;
    worker_cluster *c = of_ticker(ticker);
    if (!c->is_open)
        return;
    cluster_worker_flush(&c->share);
    if (cluster_worker_has_more(&c->share))
        c->loop->has_more = true;
}

/* The turn that this starts does the work. */
static void on_woken(net_watch *woken, uint32_t events)
{
    (void)events;
    eventfd_t value;
    (void)eventfd_read(woken->fd, &value);
}

/* ---- Life ---- */

int worker_cluster_new(net_loop *loop, worker_cluster **out)
{
    worker_cluster *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->loop = loop;
    c->ticker = (net_ticker){
        .next_due_ms = next_due_ms, .on_due = on_due, .on_work = on_work, .on_turn_end = on_turn_end};
    c->woken = (net_watch){.on_ready = on_woken, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    int error = c->woken.fd < 0 ? -errno : net_watch_change(&loop->epoll, &c->woken, EPOLLIN);
    if (error != 0) {
        worker_cluster_free(c);
        return error;
    }
    net_loop_add_ticker(loop, &c->ticker);
    *out = c;
    return 0;
}

int worker_cluster_enter(worker_cluster *c, const worker_cluster_plan *plan, session_group *group,
                         unsigned number)
{
    cluster_worker_options options = {.core = plan->core,
                                      .number = number,
                                      .kinds = session_cluster_kinds(group),
                                      .kind_count = DIALECT_COUNT,
                                      .manager = group->rooms.manager,
                                      .opens_rooms = plan->opens_rooms};
    if (options.kinds == NULL)
        return -ENOMEM;
    memcpy(options.secret, plan->secret, sizeof(options.secret));
    session_cluster_fill_edge(&options.clients);
    cluster_worker_init(&c->share, &options);
    session_cluster_enter(group, &c->share.edge);
    c->is_open = true;
    return 0;
}

void worker_cluster_free(worker_cluster *c)
{
    if (c == NULL)
        return;
    if (c->is_open)
        cluster_worker_deinit(&c->share);
    (void)net_watch_change(&c->loop->epoll, &c->woken, 0);
    if (c->woken.fd >= 0)
        close(c->woken.fd);
    free(c);
}

void worker_cluster_wake(const worker_cluster *c)
{
    (void)wake_up(c->woken.fd); /* it has a turn of its own soon, while there is anything in it */
}

void worker_cluster_get_counters(const worker_cluster *c, cluster_counters *out)
{
    cluster_worker_get_counters(&c->share, out);
}

bool worker_cluster_may_end(const worker_cluster *c)
{
    node_id heir;
    return c->share.owner.rooms == NULL || !node_core_find_heir(c->share.core, &c->share.ear, &heir);
}
