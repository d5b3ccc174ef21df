/* The descriptors of the test's own process: how many are open, and how many may be. */
#ifndef HOMECALL_TESTS_SUPPORT_DESCRIPTORS_H
#define HOMECALL_TESTS_SUPPORT_DESCRIPTORS_H

#include <stddef.h>

/* How many are open. The test fails where the system does not tell. */
size_t descriptors_open(void);

/* Let the process open `more` than are open now, and none besides. Returns the limit that this makes. To be
 * undone by descriptors_unlimit(). */
size_t descriptors_limit(size_t more);

/* Put the limit back to what it was before. */
void descriptors_unlimit(void);

#endif
