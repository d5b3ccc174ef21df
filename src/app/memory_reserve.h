/* A reserve of memory for libevent, whose evhttp does not bear every allocation that fails: it frees a
 * request that was never whole, and the process dies. */
#ifndef HOMECALL_APP_MEMORY_RESERVE_H
#define HOMECALL_APP_MEMORY_RESERVE_H

/* Make the reserve, and have libevent allocate by functions that give it up when memory is missing, try
 * again, and make it anew as soon as that can be done. To be called once, by the main thread, before anything
 * else of libevent is called. 0 or -ENOMEM. */
int memory_reserve_make(void);

/* Free it. Nothing of libevent may be called after that but what frees. */
void memory_reserve_free(void);

#endif
