/* Succession: this process starts the next one, of the same program with the same arguments and environment,
 * gives it the listening sockets, and learns whether it serves. Nobody is refused meanwhile: the sockets are
 * never closed.
 *
 * The sockets are passed on as a service manager does it (service_manager.h: LISTEN_FDS). Besides them the
 * successor gets the end of a pipe, whose number is in HOMECALL_READY_FD: it writes a byte when it serves. If
 * the pipe ends without one, it has failed.
 *
 * The names of the sockets:
 *
 *     ws      plain text; a service manager opens them
 *     ws-own  plain text, opened by a predecessor: files of Unix sockets among them are the successor's
 *     wss     TLS
 *     admin   the admin port
 *
 * All functions: the main thread. */
#ifndef HOMECALL_APP_SUCCESSION_H
#define HOMECALL_APP_SUCCESSION_H

#include "homecall/signal_server.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The longest time that a successor may take to serve, in seconds. */
enum { SUCCESSION_PATIENCE_S = 60 };

typedef struct succession {
    pid_t pid;    /* the successor; 0 = there is none */
    int ready_fd; /* owned, our end of the pipe: readable when the successor serves or has failed; -1 = none
                   */
} succession;

#define SUCCESSION_NONE          \
    {                            \
        .pid = 0, .ready_fd = -1 \
    }

/* Start the program that argv[0] names, as the shell would find it. `owns_paths`: the files of Unix sockets
 * are ours to give away. 0; or -errno of what failed, and then there is no successor. */
int succession_start(succession *s, char *const argv[], const signal_server_socket *sockets, size_t count,
                     bool owns_paths);

/* ready_fd is readable: does the successor serve? The descriptor is closed. If it does not, it is ended and
 * waited for. */
bool succession_conclude(succession *s);

/* End the successor, and wait for that; ready_fd is closed. Nothing happens where there is none. */
void succession_abandon(succession *s);

/* ---- The other side ---- */

/* The descriptor by which the predecessor is told, or -1 if this process has none. The variable is removed.
 * Call it once, before other threads are started. */
int succession_take_ready_fd(void);

/* Tell the predecessor that we serve, and close the descriptor; -1 is legal. */
void succession_tell_ready(int ready_fd);

#endif
