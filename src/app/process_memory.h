/* The memory of the process: what the system gets back, and who can read it. */
#ifndef HOMECALL_APP_PROCESS_MEMORY_H
#define HOMECALL_APP_PROCESS_MEMORY_H

/* Have large buffers given back to the system when they are freed. Let no core file be written, and nobody
 * but root read the memory: codewords, names and SDP are in it. To be called by the main thread, before there
 * are others, and after the log has begun. */
void process_memory_set_up(void);

#endif
