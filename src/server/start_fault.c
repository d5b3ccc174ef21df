#include "server/start_fault.h"

#include <errno.h>
#include <stdio.h>

void start_fault_set(signal_server_fault *fault, signal_server_fault_kind kind, const char *entry,
                     uint16_t port)
{
    *fault = (signal_server_fault){.kind = kind, .port = port};
    snprintf(fault->entry, sizeof(fault->entry), "%s", entry);
}

void start_fault_finish(signal_server_fault *fault, int error)
{
    fault->error = error;
    if (error == -EMFILE || error == -ENFILE)
        fault->kind = SIGNAL_SERVER_FAULT_DESCRIPTORS;
    else if (error == -ENOMEM)
        fault->kind = SIGNAL_SERVER_FAULT_MEMORY;
}
