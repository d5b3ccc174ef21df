/* Mailbox: the only way into a thread.
 *
 * It carries connections, which change their owner on the way, and a few commands. The reader takes all of it
 * at once, so a burst costs one lock and one wake-up, and what one sender pushed stays in order. Nothing is
 * allocated: a connection has the link in itself, a command is a bit. Left out on purpose: a bound (each
 * connection in it has its place already) and answers (nobody waits for one). */
#ifndef HOMECALL_SERVER_MAILBOX_H
#define HOMECALL_SERVER_MAILBOX_H

#include "base/counter.h"
#include "net/connection_set.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Commands, as bits: giving one twice is giving it once. */
typedef enum mailbox_command {
    MAILBOX_DRAIN = 1, /* close every connection, then end */
    MAILBOX_END = 2,   /* end at once */
} mailbox_command;

typedef struct mailbox mailbox;

/* The mailboxes whose readers a thread has to wake at the end of its turn. */
typedef SLIST_HEAD(mailbox_list, mailbox) mailbox_list;

/* Connections on their way into a thread. Written under the mailbox's lock. */
typedef struct mailbox_counters {
    counter pushed;
    counter taken; /* pushed - taken = the depth now */
} mailbox_counters;

struct mailbox {
    pthread_mutex_t lock; /* guards the next five; no callback runs under it */
    mailbox_counters counters;
    connection_queue connections; /* owned; detached */
    unsigned commands;
    bool is_closed;
    bool is_wake_due; /* some thread has this mailbox on its list, and will wake the reader */
    int wake_fd;      /* owned eventfd: readable when the mailbox is not empty; lives until deinit, after its
                         senders */
    SLIST_ENTRY(mailbox)
    wake_link; /* while is_wake_due: on the list of the thread that must wake this mailbox's reader, the one
                  whose push found it empty. Only that thread may use it. */
};

/* Make an empty mailbox. 0, or -errno of eventfd or of the lock. */
int mailbox_init(mailbox *mb);

/* Free it. It must be empty, and no thread may use it any more. */
void mailbox_deinit(mailbox *mb);

/* Any thread. On 0 the mailbox owns the connection, which is detached; on -ESHUTDOWN the caller still does.
 * The reader sleeps on until the caller comes with mailbox_wake_all(to_wake), at the end of its turn: so
 * whatever it pushes in between costs one wake-up, and the reader does not take the processor from it in the
 * middle of its work. */
int mailbox_push(mailbox *mb, connection_entry *entry, mailbox_list *to_wake);

/* Wake the readers of all mailboxes in the list, and empty it. */
void mailbox_wake_all(mailbox_list *to_wake);

/* Any thread. A closed mailbox ignores it: its reader has ended. */
void mailbox_order(mailbox *mb, mailbox_command command);

/* The reader: take everything out, connections to the end of *connections. Returns the commands. */
unsigned mailbox_take(mailbox *mb, connection_queue *connections);

/* The reader: let nothing more in. False, and nothing changed, when something waits. */
bool mailbox_close_if_empty(mailbox *mb);

#endif
