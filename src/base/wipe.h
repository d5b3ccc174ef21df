/* Memory that held what people say in confidence: codewords, names, SDP. It is overwritten before it is
 * freed, so that nobody finds it who reads the memory of the process later. */
#ifndef HOMECALL_BASE_WIPE_H
#define HOMECALL_BASE_WIPE_H

#include <stdlib.h>
#include <string.h>

/* Overwrite [memory, memory + len) and free `memory`. NULL is legal. */
static inline void wipe_and_free(void *memory, size_t len)
{
    if (memory == NULL)
        return;
    explicit_bzero(memory, len);
    free(memory);
}

#endif
