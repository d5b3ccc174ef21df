#include "server/acceptor.h"

#include "base/log.h"
#include "server/descriptor_reserve.h"
#include "server/listen_socket.h"
#include "session/session_life.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Server";

/* How many connections may wait in the kernel for accept(). The kernel takes at most net.core.somaxconn. */
enum { BACKLOG = 4096 };

/* How long accepting pauses when descriptors or memory are used up. Without a pause the thread would spin; a
 * client that waits hardly notices one of this length. */
static const struct timeval pause_time = {.tv_usec = 100L * 1000};

/* How long accepting must go well after a pause, until the shortage is over. At the limit of descriptors,
 * each connection that ends lets one more in, and the next one fails again. All that is one shortage, and is
 * logged once. */
static const struct timeval probation_time = {.tv_sec = 1};

/* `is_answered`: by 503, and not closed without an answer. */
static void count_refusal(acceptor *a, admission_refusal refusal, bool is_answered)
{
    acceptor_counters *counters = &a->counters;
    counter *by_cause = refusal == ADMISSION_OVER_LIMIT     ? &counters->over_limit
                        : refusal == ADMISSION_OVER_ADDRESS ? &counters->over_address
                        : refusal == ADMISSION_OVER_RATE    ? &counters->over_rate
                                                            : &counters->no_memory;
    counter_add(by_cause, 1);
    if (!is_answered)
        counter_add(&counters->unanswered, 1);
    if (seldom_is_due(&a->thread.group.shared->refusal_warning, SESSION_WARN_EVERY_MS,
                      net_loop_now_ms(&a->thread.loop)))
        LOG(LOG_WARN, log_namespace, "connections are refused",
            LOG_LITERAL("why", admission_refusal_text(refusal)));
}

bool acceptor_admit(acceptor *a, session *s, const address *client)
{
    admission_place *place = admission_place_of(s->connection.allowance);
    admission_refusal refusal =
        admission_claim(a->admission, &place, client, net_loop_now_us(&a->thread.loop));
    s->connection.allowance = &place->account.allowance;
    if (refusal != ADMISSION_GRANTED)
        count_refusal(a, refusal, true);
    return refusal == ADMISSION_GRANTED;
}

static void pause_if_overloaded(acceptor *a);
static void pause_if_short(acceptor *a, int latest_fd);

/* Is it refused for what its address does? With TLS such a one is not answered, since a TLS handshake costs
 * a hundred times more than a connection: so CONNECT_RATE is also how many handshakes an address gets. */
static bool is_for_its_address(admission_refusal refusal)
{
    return refusal == ADMISSION_OVER_ADDRESS || refusal == ADMISSION_OVER_RATE;
}

/* The clients of a proxy have no limits while nobody knows who they are. */
static void warn_of_untold_proxy(acceptor *a)
{
    if (a->is_untold || !admission_has_untold_proxy(a->admission))
        return;
    a->is_untold = true;
    LOG(LOG_WARN, log_namespace,
        "many connections from this machine have no limits: if they come from a proxy, name it in "
        "TRUSTED_PROXIES",
        LOG_NUMBER("open", a->thread.group.connections.count));
}

static void on_accept(net_listener *listener, int fd, const struct sockaddr *sockaddr, socklen_t len)
{
    const acceptor_socket *socket = (const acceptor_socket *)listener;
    acceptor *a = socket->acceptor;
    const address from = address_from_sockaddr(sockaddr, len);
    bool is_proxy = address_list_has(&a->thread.group.shared->proxies, &from);
    const uint64_t now_us = net_loop_now_us(&a->thread.loop);
    admission_place *place;
    admission_refusal refusal = admission_enter(a->admission, &from, is_proxy, now_us, &place);
    if (place != NULL && socket->is_tls && is_for_its_address(refusal)) {
        admission_leave(a->admission, place, now_us);
        place = NULL;
    }
    bool is_refused = refusal != ADMISSION_GRANTED;
    if (is_refused)
        count_refusal(a, refusal, place != NULL);
    if (place == NULL) { /* refused, and not to be answered */
        close(fd);
        return;
    }
    if (!socket->hands_down && a->send_buffer_bytes > 0) /* a Unix socket, where this can't fail */
        (void)listen_socket_set_send_buffer(fd, a->send_buffer_bytes);
    const session_start start = {
        .fd = fd,
        .peer = &from,
        .id = a->next_id,
        .client = &place->account,
        .tls = socket->is_tls ? certificate_share(a->certificate) : NULL,
        .awaits_proxy = is_proxy && a->has_proxy_protocol,
        .refusal = is_refused ? admission_refusal_text(refusal) : NULL,
    };
    assert(!socket->is_tls || start.tls != NULL); /* else a TLS port would be served without TLS */
    int error = session_open(&a->thread.group, &start);
    tls_context_free(start.tls);
    if (error != 0) {
        counter_add(&a->counters.no_memory, 1);
        LOG(LOG_WARN, log_namespace, "no memory for a connection",
            LOG_NUMBER("open", a->thread.group.connections.count));
        admission_leave(a->admission, place, now_us);
        return;
    }
    warn_of_untold_proxy(a);
    a->next_id += a->id_step;
    pause_if_short(a, fd);
    pause_if_overloaded(a);
}

/* Accept on all sockets. False when one can't be watched, because epoll has failed. The first time this is
 * logged. */
static bool start_listening(acceptor *a)
{
    uint64_t deaf = 0;
    int error = 0;
    for (size_t i = 0; i < a->socket_count; i++) {
        int failed = net_listener_accept(&a->sockets[i].listener, true);
        if (failed == 0)
            continue;
        error = -failed;
        deaf++;
    }
    if (deaf > 0 && counter_get(&a->counters.deaf_sockets) == 0)
        LOG(LOG_ERROR, log_namespace, "can't watch a listening socket", LOG_NUMBER("sockets", deaf),
            LOG_NUMBER("errno", (uint64_t)error));
    counter_set(&a->counters.deaf_sockets, deaf);
    return deaf == 0;
}

static void pause_listening(acceptor *a)
{
    for (size_t i = 0; i < a->socket_count; i++)
        (void)net_listener_accept(&a->sockets[i].listener, false); /* it can't fail */
}

/* Have on_retry called after this time. False without memory. */
static bool retry_after(acceptor *a, const struct timeval *span)
{
    return evtimer_add(a->retry, span) == 0;
}

/* Accept nothing for the time of a pause. Without memory for the timer there is no pause: nothing would end
 * it. */
static void pause_accepting(acceptor *a)
{
    a->is_paused = retry_after(a, &pause_time);
    if (a->is_paused)
        pause_listening(a);
}

/* New connections queue in the kernel while the server is overloaded. */
static void pause_if_overloaded(acceptor *a)
{
    if (a->is_paused || !session_group_is_overloaded(&a->thread.group))
        return;
    counter_add(&a->counters.overload_pauses, 1);
    pause_accepting(a);
}

static void pause_for_shortage(acceptor *a, int error)
{
    if (!a->is_short)
        LOG(LOG_WARN, log_namespace, "accepting pauses", LOG_NUMBER("errno", (uint64_t)error),
            LOG_NUMBER("open", a->thread.group.connections.count));
    a->is_short = true;
    counter_add(&a->counters.pauses, 1);
    counter_set(&a->counters.is_short, 1);
    pause_accepting(a);
}

/* The rest of the descriptors is not for clients. */
static void pause_if_short(acceptor *a, int latest_fd)
{
    if (latest_fd >= a->descriptor_bound && !a->is_paused)
        pause_for_shortage(a, EMFILE);
}

/* accept() has failed, with EMFILE or the like. The listening socket stays readable, so accepting must pause,
 * or the thread would spin. */
static void on_accept_fault(net_listener *listener, int error)
{
    pause_for_shortage(((acceptor_socket *)listener)->acceptor, error);
}

static const net_listener_events listener_events = {.on_accept = on_accept, .on_fault = on_accept_fault};

static bool has_descriptor(const acceptor *a)
{
    return descriptor_reserve_has_more(a->descriptor_bound, a->sockets[0].listener.watch.fd);
}

static void end_shortage(acceptor *a)
{
    a->is_short = false;
    counter_set(&a->counters.is_short, 0);
    LOG(LOG_WARN, log_namespace, "accepting again", LOG_NUMBER("open", a->thread.group.connections.count));
}

/* The timer has fired. After a pause: accept again, and if there was a shortage, start the probation. After
 * the probation: the shortage is over. Until the server is no longer overloaded, a descriptor is free and
 * each socket is watched again, the pause goes on: its timer can be set, since it has just fired and its
 * place is free. */
static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    acceptor *a = arg;
    if (a->socket_count == 0)
        return;
    if (!a->is_paused) {
        end_shortage(a);
        return;
    }
    bool goes_on = session_group_is_overloaded(&a->thread.group) || !has_descriptor(a) || !start_listening(a);
    a->is_paused = goes_on && retry_after(a, &pause_time);
    if (!goes_on && a->is_short && !retry_after(a, &probation_time))
        end_shortage(a);
}

static void stop_listening(acceptor *a)
{
    while (a->socket_count > 0) {
        acceptor_socket *socket = &a->sockets[--a->socket_count];
        /* The file is removed before the socket is closed: afterwards another server may have one at this
         * path. */
        bool stays = atomic_load_explicit(a->thread.plan.is_retiring, memory_order_relaxed);
        if (socket->path[0] != '\0' && !stays)
            (void)unlink(socket->path); /* somebody may have removed it before */
        net_listener_close(&socket->listener);
    }
    counter_set(&a->counters.sockets, 0);
    counter_set(&a->counters.deaf_sockets, 0);
}

static void on_drain(io_thread *t)
{
    stop_listening((acceptor *)t);
}

int acceptor_init(acceptor *a, const acceptor_plan *plan)
{
    *a = (acceptor){0};
    int error = io_thread_init(&a->thread, &plan->thread);
    if (error != 0)
        return error;
    a->admission = plan->admission;
    a->certificate = plan->certificate;
    a->descriptor_bound = plan->descriptor_bound;
    a->next_id = plan->first_id;
    a->id_step = plan->id_step;
    a->send_buffer_bytes = plan->send_buffer_bytes;
    a->has_proxy_protocol = plan->has_proxy_protocol;
    a->ice_rate = calloc(1, sizeof(*a->ice_rate));
    a->thread.group.ice_rate = a->ice_rate;
    a->thread.on_drain = on_drain;

    a->retry = evtimer_new(a->thread.loop.base, on_retry, a);
    if (a->ice_rate != NULL && a->retry != NULL && retry_after(a, &probation_time)) {
        (void)evtimer_del(a->retry); /* its place is reserved now */
        return 0;
    }
    if (a->retry != NULL)
        event_free(a->retry);
    free(a->ice_rate);
    io_thread_deinit(&a->thread);
    return -ENOMEM;
}

void acceptor_own_path(acceptor *a, const char *path)
{
    assert(a->socket_count > 0 && strlen(path) < sizeof(a->sockets[0].path));
    acceptor_socket *socket = &a->sockets[a->socket_count - 1];
    snprintf(socket->path, sizeof(socket->path), "%s", path);
}

int acceptor_add_socket(acceptor *a, int listen_fd, bool is_tls)
{
    if (a->socket_count == ACCEPTOR_MAX_SOCKETS) {
        close(listen_fd);
        return -ENOSPC;
    }
    acceptor_socket *socket = &a->sockets[a->socket_count];
    *socket =
        (acceptor_socket){.acceptor = a, .is_tls = is_tls, .hands_down = listen_socket_hands_down(listen_fd)};
    int error =
        a->send_buffer_bytes == 0 ? 0 : listen_socket_set_send_buffer(listen_fd, a->send_buffer_bytes);
    if (error != 0) {
        close(listen_fd);
        return error;
    }
    error = net_listener_open(&socket->listener, &a->thread.loop, listen_fd, BACKLOG, &listener_events);
    if (error != 0)
        return error;
    a->socket_count++;
    counter_set(&a->counters.sockets, a->socket_count);
    return 0;
}

void acceptor_deinit(acceptor *a)
{
    stop_listening(a);
    event_free(a->retry);
    free(a->ice_rate);
    io_thread_deinit(&a->thread);
}
