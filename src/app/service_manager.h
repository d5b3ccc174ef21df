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
#include <sys/types.h>

/* Of one name. A predecessor may have one for each acceptor thread and address. */
enum { SERVICE_SOCKETS_MAX = 256 };

/* The listening sockets of one name. */
typedef struct service_sockets {
    const char *name; /* borrowed: FileDescriptorName= of the socket unit */
    int fds[SERVICE_SOCKETS_MAX];
    size_t count;
} service_sockets;

/* Take over the sockets that the manager has opened for us. Each goes into the set with its name. The caller
 * owns them from then on, and they are close-on-exec. Call it once, before other threads are started: it
 * removes the variables that tell of the sockets.
 *
 * 0, also when there are none; -EINVAL for a socket with another name, on which nobody would accept, and for
 * variables that make no sense; -ENFILE for too many of one name; -EBADF for one that is not open. On failure
 * every socket is closed and every set empty. */
int service_manager_take_sockets(service_sockets *sets, size_t count);

/* Close the sockets of a set. It is empty then. */
void service_manager_close_sockets(service_sockets *set);

/* Tell that the server answers from now on. `status` is a line that systemctl status shows. */
void service_manager_notify_ready(const char *status);

/* Tell that another process is the service from now on, and serves. A manager believes that of the process
 * which has been the service until now. */
void service_manager_notify_successor(pid_t pid, const char *status);

/* Tell that the server is stopping. */
void service_manager_notify_stopping(const char *status);

/* The interval at which service_manager_keep_alive() is to be called; 0 where no manager waits for it. It is
 * half of the time that the manager waits, so that a call may come late. */
uint64_t service_manager_watchdog_interval_us(void);

/* Tell the manager that the server lives. If it does not, nothing is told, and after its time-out the manager
 * restarts the server. */
void service_manager_keep_alive(bool is_live);

#endif
