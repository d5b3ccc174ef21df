/* Calls of the C library that fail as often as a test wants. For programs of the tests that link
 * failing_call.c, whose functions stand before those of the library: also for libevent, which is in the same
 * process. */
#ifndef HOMECALL_TESTS_SUPPORT_FAILING_CALL_H
#define HOMECALL_TESTS_SUPPORT_FAILING_CALL_H

typedef enum failing_call {
    FAILING_ACCEPT,         /* accept4() */
    FAILING_LISTENER_ADD,   /* epoll_ctl(EPOLL_CTL_ADD) of a socket that listens */
    FAILING_CONNECTION_ADD, /* and of one that is connected */
    FAILING_EVENTFD_WRITE,  /* eventfd_write() */
    FAILING_CALLS
} failing_call;

/* Let the next `count` calls fail with this errno; 0: none any more. Any thread. */
void failing_call_set(failing_call which, int count, int error);

/* How many of them have not failed yet. Any thread. */
int failing_call_left(failing_call which);

#endif
