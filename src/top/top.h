/* homecall-signal top: a live view of a server in the terminal, over /stats of its admin port.
 *
 * It watches from outside. The server may run anywhere, may not have been started yet, and may end and come
 * back. If standard output is no terminal, the view is lines of text. It blocks the thread that calls it, and
 * handles SIGINT, SIGTERM, SIGHUP and SIGWINCH there. SIGPIPE is ignored from then on. Left out on purpose:
 * any way to change the server. */
#ifndef HOMECALL_TOP_TOP_H
#define HOMECALL_TOP_TOP_H

#include <stdint.h>

/* Watch until the user leaves, all intervals are over, or nobody reads the output any more. argv[0] is "top";
 * `host` and `port` are those of the configured admin port. Returns the exit code: 0; 1 when the server has
 * not answered, so that nothing could be shown; 2 for arguments that are not valid. */
int top_main(int argc, char **argv, const char *host, uint16_t port);

#endif
