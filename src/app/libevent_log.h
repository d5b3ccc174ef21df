/* What libevent has to say goes to our log.
 *
 * It ends the process for some faults (a broken invariant, a system call that must not fail). The server
 * avoids what it knows of that (net/event_base.h); should it happen all the same, then not without a word. */
#ifndef HOMECALL_APP_LIBEVENT_LOG_H
#define HOMECALL_APP_LIBEVENT_LOG_H

/* From here on. The log runs already. Main thread; libevent may speak on any. */
void libevent_log_start(void);

/* No longer: the log is about to end. */
void libevent_log_stop(void);

#endif
