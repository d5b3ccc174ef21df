#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

void start_fault_set(signal_server_fault *fault, signal_server_fault_kind kind, const char *entry,
                     uint16_t port)
{
    *fault = (signal_server_fault){.kind = kind, .port = port};
    snprintf(fault->entry, sizeof(fault->entry), "%s", entry);
}

void start_fault_set_limit(signal_server_fault *fault, const char *limit, uint64_t value, uint64_t needed)
{
    *fault = (signal_server_fault){
        .kind = SIGNAL_SERVER_FAULT_DESCRIPTORS, .limit = limit, .limit_value = value, .needed = needed};
}

/* Descriptors ran out although descriptors_check() had found enough. */
static void find_limit(signal_server_fault *fault, int error)
{
    struct rlimit limit = {0};
    if (error == -ENFILE)
        start_fault_set_limit(fault, "fs.file-max", 0, 0);
    else if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        start_fault_set_limit(fault, "RLIMIT_NOFILE", limit.rlim_cur, 0);
    else
        start_fault_set_limit(fault, "RLIMIT_NOFILE", 0, 0);
}

void start_fault_finish(signal_server_fault *fault, int error)
{
    bool is_short = error == -EMFILE || error == -ENFILE;
    if (is_short && fault->kind != SIGNAL_SERVER_FAULT_DESCRIPTORS)
        find_limit(fault, error);
    else if (error == -ENOMEM)
        fault->kind = SIGNAL_SERVER_FAULT_MEMORY;
    fault->error = error;
}
