/* libevent's messages go to our log.
 *
 * libevent ends the process for some faults: a broken invariant, a system call that must not fail. The server
 * avoids those that we know of (net/event_base.h). If it happens nevertheless, the log and standard error
 * tell why. */
#ifndef HOMECALL_APP_LIBEVENT_LOG_H
#define HOMECALL_APP_LIBEVENT_LOG_H

/* Start to pass its messages on. The log must run. Main thread; messages may come on any thread. */
void libevent_log_start(void);

/* Pass nothing on any more. Call it before the log ends. */
void libevent_log_stop(void);

#endif
