#include "admin/admin_connections.h"

#include "base/clock.h"
#include "base/memory_text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ANSWER_HEAD = 512 };

typedef enum connection_state {
    STATE_FREE,    /* nobody has the place */
    STATE_READING, /* for a request, or for the rest of one */
    STATE_STAYING, /* for another request, of which nothing has come yet */
    STATE_WRITING, /* the answer; nothing is read meanwhile */
    STATE_LEAVING, /* the answer is written, and what still comes is thrown away until the client ends TCP: if
                      a socket with unread input is closed, the kernel sends a reset, and the answer may be
                      lost */
} connection_state;

typedef struct admin_connection {
    admin_connections *set; /* borrowed: whose it is */
    connection_state state;
    int fd;               /* owned; -1 in a free place */
    struct event *ready;  /* owned, for as long as the set: the socket can be read, or written */
    uint64_t deadline_ms; /* monotonic: when it is closed */
    uint64_t last_active; /* the number of the latest thing that has happened on it: see `happened` */
    bool stays;           /* behind this answer another request may come */
    size_t in_len;
    char in[ADMIN_REQUEST_MAX_HEAD]; /* what was read and is not answered yet */
    char *answer;                    /* owned; NULL while there is none */
    size_t answer_len;
    size_t written; /* of the answer */
} admin_connection;

struct admin_connections {
    struct event_base *base;  /* borrowed */
    admin_answerer *answerer; /* borrowed */
    struct event *timer;      /* owned: the first deadline has come */
    uint64_t happened;        /* how many things have happened on connections so far */
    admin_connection places[ADMIN_MAX_CONNECTIONS];
};

/* ---- States ---- */

static void on_ready(evutil_socket_t fd, short what, void *arg);

static void close_connection(admin_connection *c)
{
    assert(c->state != STATE_FREE);
    event_del(c->ready);
    close(c->fd);
    free(c->answer);
    c->answer = NULL;
    c->fd = -1;
    c->state = STATE_FREE;
}

/* Have the timer fire at the first deadline. Its place in libevent's heap was reserved, so this takes no
 * memory. */
static void set_timer(admin_connections *set)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t first_ms = UINT64_MAX;
    for (size_t i = 0; i < ADMIN_MAX_CONNECTIONS; i++)
        if (set->places[i].state != STATE_FREE && set->places[i].deadline_ms < first_ms)
            first_ms = set->places[i].deadline_ms;
    if (first_ms == UINT64_MAX) {
        (void)event_del(set->timer);
        return;
    }
    uint64_t wait_ms = first_ms > now_ms ? first_ms - now_ms : 0;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
                                 .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    (void)evtimer_add(set->timer, &wait);
}

static void end_within(admin_connection *c, uint32_t span_ms)
{
    c->deadline_ms = clock_monotonic_ms() + span_ms;
}

/* Wait until the socket can be read or written. False without memory. */
static bool await(admin_connection *c, short what)
{
    (void)event_del(c->ready);
    return event_assign(c->ready, c->set->base, c->fd, (short)(what | EV_PERSIST), on_ready, c) == 0 &&
           event_add(c->ready, NULL) == 0;
}

/* Each state has the direction that it waits for. A connection that can't wait is closed. */
static void enter_state(admin_connection *c, connection_state state)
{
    bool was_writing = c->state == STATE_WRITING;
    c->state = state;
    if (was_writing != (state == STATE_WRITING) && !await(c, state == STATE_WRITING ? EV_WRITE : EV_READ))
        close_connection(c);
}

static void note_activity(admin_connection *c)
{
    c->last_active = ++c->set->happened;
}

/* ---- Answering ---- */

/* The address that the client has connected to; unknown if the kernel does not tell it. */
static address local_address_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return (address){0};
    return address_from_sockaddr((const struct sockaddr *)&bound, len);
}

/* Make the answer. False without memory. */
static bool make_answer(admin_connection *c, const admin_request *request)
{
    char *body = NULL;
    size_t body_len = 0;
    FILE *out = open_memstream(&body, &body_len);
    if (out == NULL)
        return false;
    const address local = local_address_of(c->fd);
    admin_page_head head = admin_answer_write(c->set->answerer, request, &local, out);
    if (!memory_text_close(out, &body))
        return false;

    c->stays = !admin_answer_is_last(request, head);
    char head_text[MAX_ANSWER_HEAD];
    int head_len = admin_answer_format_head(head, body_len, !c->stays, head_text, sizeof(head_text));
    assert(head_len > 0 && head_len < MAX_ANSWER_HEAD);
    c->written = 0;
    c->answer_len = (size_t)head_len + (request->is_head ? 0 : body_len); /* RFC 9110, 9.3.2 */
    c->answer = malloc(c->answer_len);
    if (c->answer != NULL) {
        memcpy(c->answer, head_text, (size_t)head_len);
        memcpy(c->answer + head_len, body, c->answer_len - (size_t)head_len);
    }
    free(body);
    return c->answer != NULL;
}

static void drop_input(admin_connection *c, size_t len)
{
    c->in_len -= len;
    memmove(c->in, c->in + len, c->in_len);
}

/* Answer the request that was read, if it is whole. */
static void answer_request(admin_connection *c)
{
    admin_request request;
    if (!admin_request_parse((slice){c->in, c->in_len}, &request))
        return;
    if (!make_answer(c, &request)) {
        close_connection(c);
        return;
    }
    drop_input(c, request.fault != 0 ? c->in_len : request.len);
    enter_state(c, STATE_WRITING);
}

/* ---- Reading and writing ---- */

/* The answer is written: leave, or stay for the next request, which may have been read already. */
static void finish_answer(admin_connection *c)
{
    free(c->answer);
    c->answer = NULL;
    if (!c->stays) {
        (void)shutdown(c->fd, SHUT_WR); /* if it fails, reading tells that the connection has ended */
        enter_state(c, STATE_LEAVING);
        return;
    }
    const admin_options *options = &c->set->answerer->options;
    bool has_more = c->in_len > 0;
    end_within(c, has_more ? options->request_timeout_ms : options->idle_timeout_ms);
    enter_state(c, has_more ? STATE_READING : STATE_STAYING);
    if (has_more && c->state == STATE_READING)
        answer_request(c); /* it is written when the loop comes back here: others have their turn before */
}

static void write_answer(admin_connection *c)
{
    ssize_t some = send(c->fd, c->answer + c->written, c->answer_len - c->written, MSG_NOSIGNAL);
    if (some < 0) {
        if (errno != EAGAIN && errno != EINTR)
            close_connection(c);
        return;
    }
    note_activity(c);
    c->written += (size_t)some;
    if (c->written == c->answer_len)
        finish_answer(c);
}

/* Read what fits behind that which is there already. False when nothing has come, or the connection is closed
 * then. */
static bool read_some(admin_connection *c)
{
    if (c->state == STATE_LEAVING)
        c->in_len = 0;
    ssize_t some = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
    if (some > 0) {
        note_activity(c);
        c->in_len += (size_t)some;
        return true;
    }
    if (some == 0 || (errno != EAGAIN && errno != EINTR))
        close_connection(c);
    return false;
}

static void read_request(admin_connection *c)
{
    if (!read_some(c) || c->state == STATE_LEAVING)
        return;
    if (c->state == STATE_STAYING) {
        end_within(c, c->set->answerer->options.request_timeout_ms);
        enter_state(c, STATE_READING);
    }
    answer_request(c);
    if (c->state == STATE_WRITING)
        write_answer(c); /* at once: a new answer nearly always fits into the socket */
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    admin_connection *c = arg;
    assert(c->state != STATE_FREE);
    if (c->state == STATE_WRITING)
        write_answer(c);
    else
        read_request(c);
    set_timer(c->set);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    admin_connections *set = arg;
    uint64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < ADMIN_MAX_CONNECTIONS; i++)
        if (set->places[i].state != STATE_FREE && set->places[i].deadline_ms <= now_ms)
            close_connection(&set->places[i]);
    set_timer(set);
}

/* ---- The set ---- */

/* A free place, or that of the connection on which nothing has happened for the longest time. */
static admin_connection *find_place(admin_connections *set)
{
    admin_connection *oldest = &set->places[0];
    for (size_t i = 0; i < ADMIN_MAX_CONNECTIONS; i++) {
        admin_connection *c = &set->places[i];
        if (c->state == STATE_FREE)
            return c;
        if (c->last_active < oldest->last_active)
            oldest = c;
    }
    close_connection(oldest);
    return oldest;
}

void admin_connections_add(admin_connections *set, int fd)
{
    admin_connection *c = find_place(set);
    c->fd = fd;
    c->in_len = 0;
    c->state = STATE_READING;
    note_activity(c);
    end_within(c, set->answerer->options.request_timeout_ms);
    if (!await(c, EV_READ))
        close_connection(c);
    set_timer(set);
}

int admin_connections_new(struct event_base *base, admin_answerer *answerer, admin_connections **out)
{
    admin_connections *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return -ENOMEM;
    set->base = base;
    set->answerer = answerer;
    set->timer = evtimer_new(base, on_deadline, set);
    const struct timeval some = {.tv_sec = 1};
    bool is_whole = set->timer != NULL && evtimer_add(set->timer, &some) == 0; /* so its place is reserved */
    for (size_t i = 0; i < ADMIN_MAX_CONNECTIONS; i++) {
        admin_connection *c = &set->places[i];
        c->set = set;
        c->fd = -1;
        c->ready = event_new(base, -1, EV_READ, on_ready, c);
        is_whole = is_whole && c->ready != NULL;
    }
    if (!is_whole) {
        admin_connections_free(set);
        return -ENOMEM;
    }
    (void)evtimer_del(set->timer);
    *out = set;
    return 0;
}

void admin_connections_free(admin_connections *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < ADMIN_MAX_CONNECTIONS; i++) {
        if (set->places[i].state != STATE_FREE)
            close_connection(&set->places[i]);
        if (set->places[i].ready != NULL)
            event_free(set->places[i].ready);
    }
    if (set->timer != NULL)
        event_free(set->timer);
    free(set);
}
