/* A thread of the library. Its signals are all blocked: they belong to the program, whose own threads handle
 * them, and with SIGPIPE blocked a peer that is gone is an error like others. */
#ifndef HOMECALL_BASE_THREAD_H
#define HOMECALL_BASE_THREAD_H

#include <pthread.h>

/* The longest name that the kernel takes, with its NUL. */
enum { THREAD_NAME_CAP = 16 };

/* Start `run(argument)` on a thread of this name, which debuggers and top show; the rest of a longer one is
 * cut off. 0 and the thread in *id, to be joined by the caller; or -errno of pthread_create(): -EAGAIN where
 * a limit on threads or memory does not let it be. Any thread. */
int thread_start(pthread_t *id, const char *name, void *(*run)(void *argument), void *argument);

/* Let the calling thread give way from now on: when it wakes up, it does not take the processor from a thread
 * that is running, but waits until that one rests or its time is over, some milliseconds at most. On a free
 * processor nothing changes. It is no more than a wish: where it is refused, or the thread was started with
 * another policy than the usual one, all stays as it is. Any thread. */
void thread_give_way(void);

#endif
