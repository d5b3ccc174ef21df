/* Mailbox: the only way for other threads to give something to a thread.
 *
 * It carries connections, whose owner changes on the way, and commands. The reader takes everything at once,
 * so many pushes cost one lock and one wake-up, and what one sender has pushed stays in order. Nothing is
 * allocated: a connection contains its link, a command is a bit. There is no limit on its length, because
 * every connection in it was admitted before. There are no answers, because no sender waits for one. */
#ifndef HOMECALL_SERVER_MAILBOX_H
#define HOMECALL_SERVER_MAILBOX_H

#include "base/counter.h"
#include "net/connection_set.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Commands, as bits. To give one twice is the same as once. */
typedef enum mailbox_command {
    MAILBOX_DRAIN = 1, /* close every connection, and end when they have ended */
    MAILBOX_END = 2,   /* drop every connection, and end */
} mailbox_command;

typedef struct mailbox mailbox;

/* The mailboxes whose readers a thread must wake at the end of its turn. */
typedef SLIST_HEAD(mailbox_list, mailbox) mailbox_list;

/* How many connections went through a mailbox. Written under its lock; any thread may read. */
typedef struct mailbox_counters {
    counter pushed;
    counter taken; /* pushed - taken = how many are in it now */
} mailbox_counters;

struct mailbox {
    pthread_mutex_t lock; /* guards the next five; no callback runs under it */
    mailbox_counters counters;
    connection_queue connections; /* owned; all are detached */
    unsigned commands;            /* bits of mailbox_command that were not taken yet */
    bool is_closed;               /* nothing can be pushed any more */
    bool is_wake_due;             /* some thread has this mailbox on its list, and will wake the reader */
    int wake_fd; /* owned eventfd: written to when the reader is to take what is in the mailbox, and never
                    read */
    SLIST_ENTRY(mailbox)
    wake_link; /* while is_wake_due: on the list of the thread that must wake this mailbox's reader, the one
                  whose push found it empty. Only that thread may use it. */
};

/* Make an empty mailbox. 0, or -errno of eventfd() or of the lock. */
int mailbox_init(mailbox *mb);

/* Free it. It must hold no connection, and no thread may use it any more. */
void mailbox_deinit(mailbox *mb);

/* Push a detached connection. 0, and the mailbox owns it; or -ESHUTDOWN when the mailbox is closed, and the
 * caller still owns it. Any thread.
 *
 * The reader is not woken by this, but by mailbox_wake_all(to_wake), which the caller must call at the end of
 * its turn. So all pushes of a turn cost one wake-up, and the reader does not take the processor from the
 * caller in the middle of its turn. */
int mailbox_push(mailbox *mb, connection_entry *entry, mailbox_list *to_wake);

/* Wake the readers of all mailboxes on the list, and take them off it. False when that has failed for some:
 * these are still on the list, and the caller must call again soon. The thread that the list belongs to. */
bool mailbox_wake_all(mailbox_list *to_wake);

/* Give a command, and wake the reader. A closed mailbox ignores it: its reader has ended. If the reader can't
 * be woken, that is tried for up to 20 ms; the command is then found when something else wakes it. Any
 * thread. */
void mailbox_order(mailbox *mb, mailbox_command command);

/* Take everything out. The connections are appended to *connections, and the caller owns them. Returns the
 * commands, as bits. Only the reader, also without a wake-up. */
unsigned mailbox_take(mailbox *mb, connection_queue *connections);

/* Close the mailbox for ever, if it is empty. False when it is not, and then nothing has changed. Only the
 * reader. */
bool mailbox_close_if_empty(mailbox *mb);

#endif
