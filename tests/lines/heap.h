/* A heap for lines_server: the functions of the C library that allocate are replaced, so that every
 * allocation is on cache lines of its own, and what was allocated is known. With LINES_PLAIN_HEAP in the
 * environment the allocations are side by side, as the C library has them. */
#ifndef HOMECALL_TESTS_LINES_HEAP_H
#define HOMECALL_TESTS_LINES_HEAP_H

/* Print a line "heap COUNT", and then this number of allocations as three words each: address, size, and the
 * address of the code that has asked for it. Not as text, since a tool watches every instruction. */
void heap_print(void);

#endif
