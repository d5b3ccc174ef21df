/* The descriptors of the test's process: how many are open, and how many may be open. */
#ifndef HOMECALL_TESTS_SUPPORT_DESCRIPTORS_H
#define HOMECALL_TESTS_SUPPORT_DESCRIPTORS_H

#include <stddef.h>

/* How many are open. The test fails if that can't be read. */
size_t descriptors_open(void);

/* From now on, let the process open only `more` descriptors. Returns the new limit. descriptors_unlimit()
 * must be called afterwards. */
size_t descriptors_limit(size_t more);

/* Set the limit back to what it was before. */
void descriptors_unlimit(void);

#endif
