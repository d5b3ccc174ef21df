#include "server/mailbox.h"

#include "base/wake_up.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(mailbox *mb)
{
    *mb = (mailbox){.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (mb->wake_fd < 0)
        return -errno;
    STAILQ_INIT(&mb->connections);
    int error = pthread_mutex_init(&mb->lock, NULL);
    if (error != 0)
        close(mb->wake_fd);
    return -error;
}

void mailbox_deinit(mailbox *mb)
{
    assert(STAILQ_EMPTY(&mb->connections));
    pthread_mutex_destroy(&mb->lock);
    close(mb->wake_fd);
}

static bool is_empty(const mailbox *mb)
{
    return STAILQ_EMPTY(&mb->connections) && mb->commands == 0;
}

int mailbox_push(mailbox *mb, connection_entry *entry, mailbox_list *to_wake)
{
    assert(entry->state == CONNECTION_DETACHED && entry->work == 0);
    pthread_mutex_lock(&mb->lock);
    bool is_closed = mb->is_closed;
    bool must_wake = !is_closed && is_empty(mb) && !mb->is_wake_due;
    if (!is_closed) {
        STAILQ_INSERT_TAIL(&mb->connections, entry, queued);
        counter_add(&mb->counters.pushed, 1);
    }
    if (must_wake)
        mb->is_wake_due = true; /* so threads that push from now on need not wake the reader */
    pthread_mutex_unlock(&mb->lock);

    if (must_wake)
        SLIST_INSERT_HEAD(to_wake, mb, wake_link);
    return is_closed ? -ESHUTDOWN : 0;
}

/* A wake-up has failed. Does the caller's thread have to try it again? No if the reader has taken everything
 * without it, or if another thread is to wake the reader. */
static bool must_try_again(mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    bool must = !is_empty(mb) && !mb->is_wake_due;
    if (must)
        mb->is_wake_due = true;
    pthread_mutex_unlock(&mb->lock);
    return must;
}

/* One write is enough for all pushes until the reader has taken them. */
bool mailbox_wake_all(mailbox_list *to_wake)
{
    mailbox_list failed = SLIST_HEAD_INITIALIZER(failed);
    mailbox *mb;
    while ((mb = SLIST_FIRST(to_wake)) != NULL) {
        SLIST_REMOVE_HEAD(to_wake, wake_link);
        /* After this a push of another thread may put the mailbox on its own list. */
        pthread_mutex_lock(&mb->lock);
        mb->is_wake_due = false;
        pthread_mutex_unlock(&mb->lock);
        if (wake_up(mb->wake_fd) != 0 && must_try_again(mb))
            SLIST_INSERT_HEAD(&failed, mb, wake_link);
    }
    *to_wake = failed;
    return SLIST_EMPTY(to_wake);
}

void mailbox_order(mailbox *mb, mailbox_command command)
{
    pthread_mutex_lock(&mb->lock);
    /* Where an order was not taken yet, its wake-up may have been lost. */
    bool must_wake = !mb->is_closed && (is_empty(mb) || mb->commands != 0);
    if (!mb->is_closed)
        mb->commands |= command;
    pthread_mutex_unlock(&mb->lock);

    if (must_wake)
        (void)wake_up_patiently(mb->wake_fd);
}

unsigned mailbox_take(mailbox *mb, connection_queue *connections)
{
    pthread_mutex_lock(&mb->lock);
    STAILQ_CONCAT(connections, &mb->connections);
    counter_set(&mb->counters.taken, counter_get(&mb->counters.pushed));
    unsigned commands = mb->commands;
    mb->commands = 0;
    pthread_mutex_unlock(&mb->lock);
    return commands;
}

bool mailbox_close_if_empty(mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    if (is_empty(mb))
        mb->is_closed = true;
    bool is_closed = mb->is_closed;
    pthread_mutex_unlock(&mb->lock);
    return is_closed;
}
