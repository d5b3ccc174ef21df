/* The service manager that has started this process: systemd, or whatever speaks its protocol (sd_notify(3),
 * sd_listen_fds(3), sd_watchdog_enabled(3)).
 *
 * It is a datagram for each message and a few variables in the environment, so no library is needed for it.
 * Where no manager listens (NOTIFY_SOCKET, LISTEN_FDS and WATCHDOG_USEC are not set) the calls do nothing, so
 * nobody has to ask whether there is one. A message that can't be sent is lost: the manager has time-outs of
 * its own, and a server that works does not end for it. Left out on purpose: RELOADING=1, since what SIGHUP
 * asks for is done within a turn of the main loop; and addresses of other kinds than a local socket, on which
 * only the manager of a machine listens that runs this one.
 *
 * All functions: the main thread. */
#ifndef HOMECALL_APP_SERVICE_MANAGER_H
#define HOMECALL_APP_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERVICE_SOCKETS_MAX = 16 };

/* The listening sockets of one name. */
typedef struct service_sockets {
    const char *name; /* borrowed: what the socket unit says as FileDescriptorName= */
    int fds[SERVICE_SOCKETS_MAX];
    size_t count;
} service_sockets;

/* Take over the sockets that the manager has opened for us, each into the one of the `count` sets that has
 * its name. The descriptors are the caller's from here on, and close-on-exec. To be called once, and before
 * other threads are started, since it removes the variables that tell of them.
 *
 * 0, also when there are none; -EINVAL for a socket with another name, on which nobody would accept, and for
 * variables that make no sense; -ENFILE for too many of one name; -EBADF for one that is not open. On failure
 * every socket is closed and every set empty. */
int service_manager_take_sockets(service_sockets *sets, size_t count);

/* Close the sockets of a set, which is empty then. */
void service_manager_close_sockets(service_sockets *set);

/* The server answers from now on. `status` is a line for whoever looks at the unit. */
void service_manager_notify_ready(const char *status);

/* The server has begun to stop. */
void service_manager_notify_stopping(const char *status);

/* How often service_manager_keep_alive() is to be called; 0 where nobody waits for it. Half of what the
 * manager waits, so that one call may come late. */
uint64_t service_manager_watchdog_interval_us(void);

/* Tell the manager that the server lives; say nothing while it does not: the manager ends and restarts it
 * when that lasts. */
void service_manager_keep_alive(bool is_live);

#endif
