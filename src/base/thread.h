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

#endif
