/* Mailbox: the only way into a thread.
 *
 * It carries sessions, which change their owner on the way, and a few commands. The reader takes all of it at
 * once, so a burst costs one lock and one wake-up, and what one sender pushed stays in order. Nothing is
 * allocated: a session has the link in itself, a command is a bit. Left out on purpose: a bound (each session
 * in it is a connection that has its place already) and answers (nobody waits for one). */
#ifndef HOMECALL_SERVER_MAILBOX_H
#define HOMECALL_SERVER_MAILBOX_H

#include "session/session.h"
#include "stats/thread_counters.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Commands, as bits: giving one twice is giving it once. */
typedef enum mailbox_command {
    MAILBOX_DRAIN = 1, /* close every connection, then end */
    MAILBOX_END = 2,   /* end at once */
} mailbox_command;

STAILQ_HEAD(session_list, session);

/* The mailboxes whose readers a thread still has to wake. */
typedef SLIST_HEAD(mailbox_list, mailbox) mailbox_list;

typedef struct mailbox {
    pthread_mutex_t lock; /* guards the next four; no callback runs under it */
    mail_counters counters;
    struct session_list sessions;
    unsigned commands;
    bool is_closed;
    int wake_fd; /* owned eventfd: readable when the mailbox is not empty; lives until deinit, after its
                    senders */
    SLIST_ENTRY(mailbox)
    unwoken; /* in the list of the one thread whose push found it empty, until that has
                woken the reader */
} mailbox;

/* Make an empty mailbox. 0, or -errno of eventfd. */
int mailbox_init(mailbox *mb);

/* Free it. It must be empty, and no thread may use it any more. */
void mailbox_deinit(mailbox *mb);

/* Any thread. On 0 the mailbox owns `s`; on -ESHUTDOWN the caller still does. The reader sleeps on until the
 * caller comes with mailbox_wake_all(unwoken), soon: so whatever it pushes in between costs one wake-up, and
 * the reader does not take the processor from it in the middle of its work. */
int mailbox_push(mailbox *mb, session *s, mailbox_list *unwoken);

/* Wake the readers of all mailboxes in the list, and empty it. */
void mailbox_wake_all(mailbox_list *unwoken);

/* Any thread. A closed mailbox ignores it: its reader has ended. */
void mailbox_order(mailbox *mb, mailbox_command command);

/* The reader: take everything out, sessions to the end of *sessions. Returns the commands. */
unsigned mailbox_take(mailbox *mb, struct session_list *sessions);

/* The reader: let nothing more in. False, and nothing changed, when something waits. */
bool mailbox_close_if_empty(mailbox *mb);

#endif
