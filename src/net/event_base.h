/* Making a libevent base, in a way that can't end the process. */
#ifndef HOMECALL_NET_EVENT_BASE_H
#define HOMECALL_NET_EVENT_BASE_H

#include <event2/event.h>

/* What a base keeps open: an epoll, and both ends of a pipe for signals. */
enum { NET_EVENT_BASE_DESCRIPTORS = 3 };

/* How many more must be free while it is made. */
enum { NET_EVENT_BASE_SPARE = 8 };

/* Make a base for one thread alone: it has no locks. It uses epoll whatever libevent's environment variables
 * say. 0 and the base in *out, owned by the caller; -EMFILE or -ENFILE where there are too few
 * descriptors; or -ENOMEM. Any thread. */
int net_event_base_new(struct event_base **out);

#endif
