#include "net/connection_turn.h"

#include "net/connection_holding.h"
#include "net/connection_input.h"
#include "net/transport_tls.h"

#include <assert.h>
#include <errno.h>

/* The callback of transport_open(). Input is read here. Output is written at the end of the turn. */
static void on_ready(net_watch *watch, uint32_t events)
{
    connection *c = connection_of_transport(transport_of(watch));
    (void)net_loop_now_us(c->entry.set->loop); /* before any work, since the turn's time counts from here */
    if ((events & EPOLLOUT) != 0)
        connection_set_put_work(&c->entry, CONNECTION_WORK_WRITE);
    if ((events & EPOLLIN) != 0)
        connection_on_readable(c);
    if (events == TRANSPORT_SECURED)
        counter_add(&c->entry.set->counters.tls_handshakes, 1);
    else if (events == TRANSPORT_BEGINS && c->entry.state == CONNECTION_HANDSHAKE)
        connection_enter_state(c, CONNECTION_HANDSHAKE); /* so that its deadline counts from now */
}

/* While it was in the backlog, it did not read what it was told of. The socket tells of that again, but not
 * of what TLS holds: on_work has that recalled. */
static void on_backlog(connection_entry *entry)
{
    connection *c = connection_of(entry);
    connection_take_backlog(c);
    if (transport_holds_input(&c->transport))
        connection_set_put_work(entry, CONNECTION_WORK_WRITE);
}

static void tell_of_ping(connection *c)
{
    if (c->entry.set->events->on_ping != NULL)
        c->entry.set->events->on_ping(c);
}

static void on_due(connection_entry *entry)
{
    connection *c = connection_of(entry);
    switch ((connection_state)entry->state) {
    case CONNECTION_HANDSHAKE:
        if (!transport_is_secured(&c->transport) && transport_waits_for_step(&c->transport)) {
            connection_enter_state(c, CONNECTION_HANDSHAKE); /* it is we whom it waits for */
            break;
        }
        connection_drop(c, CLOSE_REASON_HANDSHAKE_TIMEOUT, "no upgrade request in time");
        break;
    case CONNECTION_OPEN:
        connection_ping(c);
        connection_enter_state(c, CONNECTION_PINGED);
        tell_of_ping(c);
        break;
    case CONNECTION_HELD: /* a pong would not be handled */
        connection_enter_state(c, CONNECTION_HELD);
        tell_of_ping(c);
        break;
    case CONNECTION_PINGED:
        connection_drop(c, CLOSE_REASON_SILENT, "no sign of life");
        break;
    case CONNECTION_CLOSING:
    case CONNECTION_LINGERING:
        connection_drop(c, CLOSE_REASON_SILENT, "the peer keeps the connection open");
        break;
    case CONNECTION_LEAVING:
    case CONNECTION_CLOSED:
    case CONNECTION_STATES:
    case CONNECTION_DETACHED:
        assert(!"these states have no deadline");
        break;
    }
}

/* ---- The end of a turn ---- */

/* End it for the reason that `work` names. */
static void drop_for(connection *c, unsigned work)
{
    if ((work & CONNECTION_WORK_NO_MEMORY) != 0)
        connection_drop_without_memory(c);
    else if ((work & CONNECTION_WORK_PEER_GONE) != 0)
        connection_drop_gone(c, "the peer is gone");
    else
        connection_drop(c, CLOSE_REASON_NOT_READ, "the peer does not read");
}

/* All output is written, so all signals in it are. If the socket took it at once, they were read in this
 * turn, and are counted when it ends. If not, their time is from when the socket took no more until now. */
static void count_relays(connection *c)
{
    connection_set *set = c->entry.set;
    if (!transport_wants_writable(&c->transport)) {
        set->relays_written += c->relays_unwritten;
    } else {
        uint64_t took_us = net_loop_now_us(set->loop) - c->transport.extra->since_us;
        counter_histogram_add(&set->counters.relay_us, took_us, c->relays_unwritten);
    }
    c->relays_unwritten = 0;
}

/* Write the output, and watch the socket if it does not take all. False when the connection was dropped. */
static bool flush(connection *c)
{
    if (connection_write_output(c) != 0) {
        connection_drop_gone(c, "the peer is gone");
        return false;
    }
    if (c->relays_unwritten > 0 && c->output == NULL)
        count_relays(c);
    if (connection_want_writable(c, c->output != NULL) != 0) {
        connection_drop_without_memory(c);
        return false;
    }
    connection_recount(c);
    return c->entry.state != CONNECTION_CLOSED;
}

/* All last bytes are written: end our side of TCP, so that the peer sees the end. Then wait until it ends its
 * side, unless it has done so already. */
static void end_output(connection *c)
{
    if (connection_has_read_all(c)) {
        connection_drop(c, CLOSE_REASON_BY_PEER, "the peer closed");
        return;
    }
    if (transport_end_output(&c->transport) == -EAGAIN) {
        if (connection_want_writable(c, true) != 0)
            connection_drop_without_memory(c);
        return;
    }
    if (transport_watches_input(&c->transport))
        connection_enter_state(c, CONNECTION_LINGERING);
    else
        connection_drop_gone(c, "the peer is gone");
}

static void hand_over(connection *c)
{
    assert(!transport_watches_input(&c->transport));
    connection_leave_set(c);
    c->entry.set->events->on_hand_over(c);
}

static void on_work(connection_entry *entry, unsigned work)
{
    connection *c = connection_of(entry);
    if ((work & CONNECTION_WORK_ENDS) != 0 && connection_is_open(c))
        drop_for(c, work);
    /* What one that leaves has not handled is for the thread that it goes to. */
    if ((work & CONNECTION_WORK_RESUME) != 0 && connection_is_open(c) && entry->state != CONNECTION_LEAVING)
        connection_resume_input(c);
    if (entry->state == CONNECTION_CLOSED) {
        if (entry->work == 0) { /* else it was dropped just now and is in the queue again; free it then */
            connection_leave_set(c);
            connection_give_back(c);
        }
        return;
    }

    if (!flush(c))
        return;
    if (entry->state == CONNECTION_CLOSING && c->output == NULL)
        end_output(c);
    transport_recall_input(&c->transport);
    if (entry->state == CONNECTION_LEAVING && entry->work == 0)
        hand_over(c);
}

const connection_hooks connection_turn_hooks = {
    .on_ready = on_ready,
    .on_due = on_due,
    .on_work = on_work,
    .on_backlog = on_backlog,
    .on_sweep = connection_end_slow,
    .on_excess = connection_end_largest,
};
