/* Waking another thread through an eventfd that it watches. */
#ifndef HOMECALL_BASE_WAKE_UP_H
#define HOMECALL_BASE_WAKE_UP_H

/* Make the eventfd readable. The kernel gives no reason to fail, but a call may fail for other causes (a
 * filter of system calls, a debugger, a descriptor that was closed), so it is tried a few times. 0, or -errno
 * of the last try: then the thread was not woken, and the caller has to try it again later. Any thread. */
int wake_up(int eventfd);

/* The same for a caller who can't try it again later: it waits up to 20 ms until it succeeds. */
int wake_up_patiently(int eventfd);

#endif
