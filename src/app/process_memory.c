#include "app/process_memory.h"

#include "base/log.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static const char log_namespace[] = "HomeCall_Signal_App";

/* By default the C library keeps more and more of them once one was freed, up to 32 MiB each, and the process
 * stays as large as under an attack. It is the program's to decide, not a library's. */
static void give_back_large_buffers(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

/* A sanitizer looks for leaks as a debugger does, from outside. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_LOOKED_INTO = 1 };
#else
enum { IS_LOOKED_INTO = 0 };
#endif

/* prctl(2), PR_SET_DUMPABLE: other processes of this user can't attach, and /proc/PID/mem is root's. The
 * limit is for a core file by a pipe as well, which a handler may ask for in spite of the flag. */
static void hide_memory(void)
{
    const struct rlimit none = {0, 0};
    if (IS_LOOKED_INTO)
        return;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        LOG(LOG_WARN, log_namespace, "other programs of this user can read the memory",
            LOG_NUMBER("errno", (uint64_t)errno));
}

void process_memory_set_up(void)
{
    give_back_large_buffers();
    hide_memory();
}
