#include "cluster/courier.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/monotonic_cond.h"
#include "base/seldom.h"
#include "base/thread.h"
#include "base/wake_up.h"
#include "cluster/courier_pulse.h"
#include "cluster/courier_subjects.h"
#include "cluster/engine_options.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char log_namespace[] = "HomeCall_Signal_Cluster";

const bool courier_exists = true;

/* What may wait for the thread that hands it to the core: for each subject. */
enum { PENDING_MESSAGES = 65536, PENDING_BYTES = 32 << 20 };

/* How long the library may take to end what it still calls, and the pause before a connection that the
 * library has given up is made anew. */
enum { CLOSING_MS = 10000, ANEW_MS = 1000, WARN_EVERY_MS = 60 * 1000 };

struct courier {
    node_core *core; /* borrowed, as the next two */
    const cluster_settings *settings;
    const cluster_secrets *secrets;
    courier_subjects subjects;
    int wake_fd; /* owned eventfd */
    pthread_t thread;
    bool is_started;
    _Atomic bool must_end;     /* relaxed, as the next one */
    _Atomic bool has_given_up; /* the library has closed the connection for good */
    /* Of the courier's thread alone: */
    natsConnection *connection; /* owned; NULL while there is none */
    courier_pulse *pulse;       /* owned */
    natsSubscription *subscriptions[COURIER_SUBJECTS];
    uint64_t anew_ms; /* when a connection is made again */
    seldom slow_warning;
    /* What callbacks of the library change: */
    pthread_mutex_t lock; /* guards the next three; not held when the core is called */
    pthread_cond_t changed;
    bool has_engine;
    unsigned open; /* the connection and the subscriptions that may still call back */
};

/* ---- What the library calls, on its threads ---- */

/* The same twice is once. In order, since one thread of the library calls all but the first. */
static void set_engine(courier *c, bool is_there)
{
    pthread_mutex_lock(&c->lock);
    bool is_new = c->has_engine != is_there;
    c->has_engine = is_there;
    pthread_mutex_unlock(&c->lock);
    if (!is_new)
        return;
    if (!atomic_load_explicit(&c->must_end, memory_order_relaxed)) /* or it is we who go */
        log_event(is_there ? LOG_INFO : LOG_WARN, log_namespace,
                  is_there ? "the engine is there" : "the engine is away", NULL, 0);
    node_core_on_engine(c->core, is_there, clock_monotonic_ms());
    courier_wake(c);
}

static void on_connected(natsConnection *connection, void *context)
{
    (void)connection;
    set_engine(context, true);
}

static void on_disconnected(natsConnection *connection, void *context)
{
    (void)connection;
    set_engine(context, false);
}

static void note_closed(courier *c)
{
    pthread_mutex_lock(&c->lock);
    c->open--;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

/* By us, or by the library, which gives up where it is refused twice. */
static void on_closed(natsConnection *connection, void *context)
{
    (void)connection;
    courier *c = context;
    set_engine(c, false);
    atomic_store_explicit(&c->has_given_up, true, memory_order_relaxed);
    courier_wake(c);
    note_closed(c);
}

static void on_complete(void *context)
{
    note_closed(context);
}

static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
                     void *context)
{
    courier *c = context;
    const char *text = NULL;
    (void)subscription;
    if (status == NATS_SLOW_CONSUMER) {
        node_core_on_gap(c->core, clock_monotonic_ms());
        log_event(LOG_WARN, log_namespace, "the engine sends more than is taken", NULL, 0);
        return;
    }
    (void)natsConnection_GetLastError(connection, &text);
    LOG(LOG_ERROR, log_namespace, "the engine refuses something",
        LOG_BYTES("why", slice_of_text(natsStatus_GetText(status))),
        LOG_BYTES("text", slice_of_text(text == NULL ? "" : text)));
}

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                       void *context)
{
    (void)connection;
    (void)subscription;
    courier *c = context;
    const slice packet = {natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)};
    node_core_on_packet(c->core, packet, clock_monotonic_ms());
    natsMsg_Destroy(message);
}

/* ---- The connection ---- */

static natsStatus make_options(courier *c, natsOptions **out)
{
    natsOptions *o = NULL;
    natsStatus status =
        engine_options_make(c->settings, c->secrets, slice_of_text(c->settings->texts[CLUSTER_URL]), &o);
    if (status == NATS_OK)
        status = natsOptions_SetRetryOnFailedConnect(o, true, on_connected, c);
    if (status == NATS_OK)
        status = natsOptions_SetDisconnectedCB(o, on_disconnected, c);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(o, on_connected, c);
    if (status == NATS_OK)
        status = natsOptions_SetClosedCB(o, on_closed, c);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(o, on_error, c);
    if (status == NATS_OK)
        *out = o;
    else
        natsOptions_Destroy(o);
    return status;
}

static void count_open(courier *c, int change)
{
    pthread_mutex_lock(&c->lock);
    c->open = (unsigned)((int)c->open + change);
    pthread_mutex_unlock(&c->lock);
}

static natsStatus subscribe(courier *c, int which)
{
    natsSubscription *s = NULL;
    natsStatus status = natsConnection_Subscribe(&s, c->connection, c->subjects.texts[which], on_message, c);
    if (status != NATS_OK)
        return status;
    c->subscriptions[which] = s;
    status = natsSubscription_SetPendingLimits(s, PENDING_MESSAGES, PENDING_BYTES);
    count_open(c, 1);
    if (natsSubscription_SetOnCompleteCB(s, on_complete, c) != NATS_OK) {
        count_open(c, -1);
        return NATS_NO_MEMORY;
    }
    return status;
}

/* End it, and wait until nothing of it calls any more. False where that takes too long: then the courier
 * can't be freed. */
static bool close_connection(courier *c)
{
    natsConnection_Close(c->connection);
    courier_pulse_watch(c->pulse, NULL);
    const struct timespec until = monotonic_cond_time(CLOSING_MS);
    int error = 0;
    pthread_mutex_lock(&c->lock);
    while (c->open > 0 && error == 0)
        error = pthread_cond_timedwait(&c->changed, &c->lock, &until);
    bool is_over = c->open == 0;
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < COURIER_SUBJECTS; i++) {
        natsSubscription_Destroy(c->subscriptions[i]);
        c->subscriptions[i] = NULL;
    }
    natsConnection_Destroy(c->connection);
    c->connection = NULL;
    return is_over;
}

static void tell_failure(natsStatus status)
{
    LOG(LOG_ERROR, log_namespace, "no connection to the engine",
        LOG_BYTES("why", slice_of_text(natsStatus_GetText(status))));
}

/* Nothing answers yet: the library goes on by itself. */
static void connect(courier *c, uint64_t now_ms)
{
    natsOptions *options = NULL;
    c->anew_ms = now_ms + ANEW_MS;
    atomic_store_explicit(&c->has_given_up, false, memory_order_relaxed);
    natsStatus status = make_options(c, &options);
    if (status == NATS_OK)
        status = natsConnection_Connect(&c->connection, options);
    natsOptions_Destroy(options);
    if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED) {
        tell_failure(status);
        c->connection = NULL;
        return;
    }
    count_open(c, 1);
    bool is_there = status == NATS_OK;
    status = NATS_OK;
    for (int i = 0; i < COURIER_SUBJECTS && status == NATS_OK; i++)
        status = subscribe(c, i);
    if (status != NATS_OK) {
        tell_failure(status);
        (void)close_connection(c);
        return;
    }
    courier_pulse_watch(c->pulse, c->connection);
    if (is_there)
        set_engine(c, true);
    else
        log_event(LOG_WARN, log_namespace, "the engine does not answer yet", NULL, 0);
}

static void keep_connected(courier *c)
{
    uint64_t now_ms = clock_monotonic_ms();
    bool has_given_up = atomic_load_explicit(&c->has_given_up, memory_order_relaxed);
    if (c->connection != NULL && has_given_up) {
        tell_failure(NATS_CONNECTION_CLOSED);
        (void)close_connection(c);
        c->anew_ms = now_ms + ANEW_MS;
    }
    if (c->connection == NULL && now_ms >= c->anew_ms)
        connect(c, now_ms);
}

/* ---- The thread ---- */

/* What can't be said now is lost, as in the engine: links and claims say it again. */
static void publish(courier *c, const node_packet *packet)
{
    char own[COURIER_SUBJECT_CAP];
    const char *subject = c->subjects.texts[packet->subject];
    if (packet->subject == NODE_TO_NODE) {
        courier_subject_of(own, c->settings->texts[CLUSTER_NAME], &packet->to);
        subject = own;
    }
    natsStatus status = natsConnection_Publish(c->connection, subject, packet->data, (int)packet->len);
    bool is_away = status == NATS_CONNECTION_DISCONNECTED || status == NATS_INSUFFICIENT_BUFFER ||
                   status == NATS_CONNECTION_CLOSED || status == NATS_IO_ERROR;
    if (status != NATS_OK && !is_away && seldom_is_due(&c->slow_warning, WARN_EVERY_MS, clock_monotonic_ms()))
        LOG(LOG_WARN, log_namespace, "not said to the engine",
            LOG_BYTES("why", slice_of_text(natsStatus_GetText(status))));
}

static void publish_all(courier *c)
{
    node_packets packets = STAILQ_HEAD_INITIALIZER(packets);
    node_core_take_packets(c->core, &packets);
    while (!STAILQ_EMPTY(&packets)) {
        node_packet *first = STAILQ_FIRST(&packets);
        STAILQ_REMOVE_HEAD(&packets, link);
        if (c->connection != NULL)
            publish(c, first);
        node_packet_free(first);
    }
}

static void wait_until(const courier *c, uint64_t due_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct pollfd wake = {.fd = c->wake_fd, .events = POLLIN};
    eventfd_t value;
    int timeout_ms = due_ms > now_ms ? (int)(due_ms - now_ms < 1000 ? due_ms - now_ms : 1000) : 0;
    (void)poll(&wake, 1, timeout_ms);
    (void)eventfd_read(c->wake_fd, &value);
}

/* Where the engine is away, to flush would only be to wait. */
static void say_last_words(courier *c)
{
    node_core_say_bye(c->core);
    publish_all(c);
    if (c->connection != NULL && natsConnection_Status(c->connection) == NATS_CONN_STATUS_CONNECTED)
        (void)natsConnection_FlushTimeout(c->connection, COURIER_LAST_WORDS_MS);
}

static void *run(void *context)
{
    courier *c = context;
    log_name_thread("courier", 0);
    (void)nats_SetMessageDeliveryPoolSize(1); /* one is what it has by itself */
    while (!atomic_load_explicit(&c->must_end, memory_order_relaxed)) {
        keep_connected(c);
        uint64_t due_ms = node_core_tick(c->core, clock_monotonic_ms());
        publish_all(c);
        wait_until(c, due_ms);
    }
    say_last_words(c);
    return NULL;
}

/* ---- Life ---- */

static int init_lock(courier *c)
{
    int error = monotonic_cond_init(&c->changed);
    if (error != 0)
        return error;
    error = pthread_mutex_init(&c->lock, NULL);
    if (error != 0)
        pthread_cond_destroy(&c->changed);
    return -error;
}

int courier_new(node_core *core, const cluster_settings *settings, const cluster_secrets *secrets,
                courier **out)
{
    courier *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->core = core;
    c->settings = settings;
    c->secrets = secrets;
    courier_subjects_make(&c->subjects, settings->texts[CLUSTER_NAME], node_core_self(core));
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int error = c->wake_fd < 0 ? -errno : 0;
    if (error == 0)
        error = courier_pulse_new(&c->pulse);
    if (error == 0)
        error = init_lock(c);
    if (error != 0) {
        if (c->wake_fd >= 0)
            close(c->wake_fd);
        courier_pulse_free(c->pulse);
        free(c);
        return error;
    }
    *out = c;
    return 0;
}

int courier_start(courier *c)
{
    int error = courier_pulse_start(c->pulse);
    if (error == 0)
        error = thread_start(&c->thread, "hc-courier", run, c);
    c->is_started = error == 0;
    return error;
}

void courier_wake(courier *c)
{
    (void)wake_up(c->wake_fd); /* it looks by itself every second */
}

void courier_stop(courier *c)
{
    if (!c->is_started)
        return;
    atomic_store_explicit(&c->must_end, true, memory_order_relaxed);
    courier_wake(c);
    pthread_join(c->thread, NULL);
    c->is_started = false;
}

void courier_free(courier *c)
{
    if (c == NULL)
        return;
    courier_stop(c);
    bool is_over = c->connection == NULL || close_connection(c);
    courier_pulse_stop(c->pulse);
    if (!is_over) {
        log_event(LOG_ERROR, log_namespace, "the library of the engine does not end", NULL, 0);
        return; /* it may still call: what it uses is not freed */
    }
    courier_pulse_free(c->pulse);
    close(c->wake_fd);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void courier_get_round_trips(const courier *c, counter_histogram *out)
{
    const counter_histogram *from = courier_pulse_round_trips(c->pulse);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        counter_set(&out->buckets[i], counter_get(&from->buckets[i]));
    counter_set(&out->sum, counter_get(&from->sum));
}
