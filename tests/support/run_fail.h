/* What ends a run of a simulation that fails: a jump out of it, with a text that says why. Not from within
 * the server's functions. */
#ifndef HOMECALL_TESTS_SUPPORT_RUN_FAIL_H
#define HOMECALL_TESTS_SUPPORT_RUN_FAIL_H

#include <setjmp.h>

enum { FAIL_TEXT_CAP = 1024 };

extern sigjmp_buf fail_jump; /* set where a run is started */
extern char fail_text[FAIL_TEXT_CAP];

__attribute__((noreturn, format(printf, 1, 2))) void run_fail(const char *format, ...);

#define REQUIRE(condition)                                                               \
    do {                                                                                 \
        if (!(condition))                                                                \
            run_fail("%s:%d: it does not hold that %s", __FILE__, __LINE__, #condition); \
    } while (0)

#endif
