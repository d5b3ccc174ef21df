/* homecall-signal top: a live view of a server in the terminal, over /stats of its admin port.
 *
 * It watches from outside: the server may run anywhere, may not have been started yet, may end and come
 * again. Where standard output is no terminal, the view is lines of text. It blocks the thread, which handles
 * SIGINT, SIGTERM, SIGHUP and SIGWINCH here, and ignores SIGPIPE from then on. Left out on purpose: any way
 * to change the server. */
#ifndef HOMECALL_TOP_TOP_H
#define HOMECALL_TOP_TOP_H

#include <stdint.h>

/* Watch until the user leaves, or all intervals are over, or nobody reads any more. argv[0] is "top"; `host`
 * and `port` are those of the admin port. The exit code: 0, or 1 when there was no answer from the server and
 * nothing could be told, or 2 for arguments that mean nothing. */
int top_main(int argc, char **argv, const char *host, uint16_t port);

#endif
