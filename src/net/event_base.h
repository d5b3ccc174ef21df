/* Makes a libevent base without the risk that libevent ends the process. */
#ifndef HOMECALL_NET_EVENT_BASE_H
#define HOMECALL_NET_EVENT_BASE_H

#include <event2/event.h>

/* How many descriptors a base keeps open: an epoll, and both ends of a pipe for signals. */
enum { NET_EVENT_BASE_DESCRIPTORS = 3 };

/* How many more descriptors must be free while it is made. */
enum { NET_EVENT_BASE_SPARE = 8 };

/* Make a base without locks, which only one thread may use. It uses epoll, whatever libevent's environment
 * variables say. 0 and the base in *out, owned by the caller; -EMFILE or -ENFILE when there are too few
 * descriptors; or -ENOMEM. Any thread. */
int net_event_base_new(struct event_base **out);

#endif
