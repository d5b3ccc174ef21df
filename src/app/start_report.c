#include "app/start_report.h"

#include "base/address.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What to say of a fault of this kind with this error. */
typedef struct words {
    signal_server_fault_kind kind;
    int error;
    const char *wrong; /* stands after the value; empty where the value says it already */
    const char *help;
} words;

/* The admin port is looked up as an ADDRESS. */
static const words table[] = {
    {SIGNAL_SERVER_FAULT_ADDRESS, -EADDRINUSE, "is already in use",
     "stop the program that uses it (ss -ltnp shows which), or choose another port"},
    {SIGNAL_SERVER_FAULT_ADDRESS, -EADDRNOTAVAIL, "is not available here",
     "it must be an address of this machine (ip address lists them), or a name for one"},
    {SIGNAL_SERVER_FAULT_ADDRESS, -EACCES, "is not permitted",
     "a port below 1024 needs root or CAP_NET_BIND_SERVICE"},
    {SIGNAL_SERVER_FAULT_ADDRESS, -EAFNOSUPPORT, "is of a family that this machine does not support",
     "use an address of the other family"},
    {SIGNAL_SERVER_FAULT_ADDRESS, -E2BIG, "means more than 32 addresses", "list the addresses that you want"},
    {SIGNAL_SERVER_FAULT_PATH, -EADDRINUSE, "is already in use",
     "stop the program that listens there, or choose another path"},
    {SIGNAL_SERVER_FAULT_PATH, -EEXIST, "exists already and is not a socket",
     "remove it, or choose another path"},
    {SIGNAL_SERVER_FAULT_PATH, -ENOENT, "is in a directory that does not exist",
     "make it, or choose another path"},
    {SIGNAL_SERVER_FAULT_PATH, -EACCES, "is in a directory that this user may not write to",
     "change its mode or owner, or choose another path"},
    {SIGNAL_SERVER_FAULT_SOCKET, -EINVAL, "can't be used", "it must be a stream socket that listens"},
    {SIGNAL_SERVER_FAULT_HOST, -EINVAL, "has nothing to listen on",
     "an address, a name or unix:PATH is expected"},
    {SIGNAL_SERVER_FAULT_HOST, -E2BIG, "is too long",
     "it may have 16 entries, and stand for 32 addresses and paths in all"},
    {SIGNAL_SERVER_FAULT_THREADS, -EAGAIN, "could not be started",
     "raise the limits on threads (ulimit -u, TasksMax= of the unit) or memory, or ask for fewer"},
    {SIGNAL_SERVER_FAULT_DESCRIPTORS, -EMFILE, "",
     "raise it (LimitNOFILE= of the unit, ulimit -n), or ask for fewer threads"},
    {SIGNAL_SERVER_FAULT_DESCRIPTORS, -ENFILE, "", "raise it (sysctl), or stop programs that have many open"},
    {SIGNAL_SERVER_FAULT_MEMORY, -ENOMEM, "ran out", "fewer WORKERS need less of it"},
};

static const words *find_words(const signal_server_fault *fault)
{
    signal_server_fault_kind kind =
        fault->kind == SIGNAL_SERVER_FAULT_ADMIN ? SIGNAL_SERVER_FAULT_ADDRESS : fault->kind;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].kind == kind && table[i].error == fault->error)
            return &table[i];
    }
    return NULL;
}

/* The options that the fault is about; NULL where it is about none. */
static const char *keys_of(const signal_server_fault *fault)
{
    switch (fault->kind) {
    case SIGNAL_SERVER_FAULT_ADDRESS:
        return fault->is_tls ? "WS_HOST, WSS_PORT" : "WS_HOST, WS_PORT";
    case SIGNAL_SERVER_FAULT_ADMIN:
        return "ADMIN_HOST, ADMIN_PORT";
    case SIGNAL_SERVER_FAULT_HOST:
    case SIGNAL_SERVER_FAULT_PATH:
        return "WS_HOST";
    case SIGNAL_SERVER_FAULT_ORIGIN:
        return "ALLOWED_ORIGINS";
    case SIGNAL_SERVER_FAULT_TURN_URL:
        return "TURN_URLS";
    case SIGNAL_SERVER_FAULT_CLUSTER:
        return "CLUSTER_URL";
    case SIGNAL_SERVER_FAULT_CERTIFICATE:
        return "TLS_CERT_FILE, TLS_KEY_FILE";
    case SIGNAL_SERVER_FAULT_DESCRIPTORS:
    case SIGNAL_SERVER_FAULT_THREADS:
        return "WORKERS, ACCEPTOR_THREADS";
    case SIGNAL_SERVER_FAULT_NONE:
    case SIGNAL_SERVER_FAULT_STATE:
    case SIGNAL_SERVER_FAULT_SOCKET:
    case SIGNAL_SERVER_FAULT_MEMORY:
    case SIGNAL_SERVER_FAULT_OPTION: /* by its name in the library: the program's own bounds are narrower */
        return NULL;
    }
    return NULL;
}

static void describe_limit(const signal_server_fault *fault, char *out, size_t cap)
{
    if (fault->needed > 0)
        snprintf(out, cap, "%s is %" PRIu64 " and must be at least %" PRIu64 " for so many threads",
                 fault->limit, fault->limit_value, fault->needed);
    else if (fault->limit_value > 0)
        snprintf(out, cap, "%s, which is %" PRIu64 ", allows no more descriptors", fault->limit,
                 fault->limit_value);
    else
        snprintf(out, cap, "%s allows no more descriptors", fault->limit == NULL ? "a limit" : fault->limit);
}

/* The thing that the fault is about, in words. */
static void name_value(const signal_server_fault *fault, char *out, size_t cap)
{
    switch (fault->kind) {
    case SIGNAL_SERVER_FAULT_ADDRESS:
    case SIGNAL_SERVER_FAULT_ADMIN:
        address_join_port(fault->entry, fault->port, out, cap);
        return;
    case SIGNAL_SERVER_FAULT_SOCKET:
        snprintf(out, cap, "socket %s of the service manager", fault->entry);
        return;
    case SIGNAL_SERVER_FAULT_THREADS:
        snprintf(out, cap, "thread %s", fault->entry);
        return;
    case SIGNAL_SERVER_FAULT_MEMORY:
        snprintf(out, cap, "memory");
        return;
    case SIGNAL_SERVER_FAULT_DESCRIPTORS:
        describe_limit(fault, out, cap);
        return;
    case SIGNAL_SERVER_FAULT_HOST:
        snprintf(out, cap, "the list");
        return;
    case SIGNAL_SERVER_FAULT_NONE:
    case SIGNAL_SERVER_FAULT_STATE:
        snprintf(out, cap, "the server");
        return;
    case SIGNAL_SERVER_FAULT_PATH:
    case SIGNAL_SERVER_FAULT_ORIGIN:
    case SIGNAL_SERVER_FAULT_TURN_URL:
    case SIGNAL_SERVER_FAULT_CLUSTER:
    case SIGNAL_SERVER_FAULT_CERTIFICATE: /* a whole sentence */
    case SIGNAL_SERVER_FAULT_OPTION:
        snprintf(out, cap, "%s", fault->entry);
        return;
    }
}

/* Has the entry its reason in it already? */
static bool tells_all(signal_server_fault_kind kind)
{
    return kind == SIGNAL_SERVER_FAULT_ORIGIN || kind == SIGNAL_SERVER_FAULT_TURN_URL ||
           kind == SIGNAL_SERVER_FAULT_CERTIFICATE || kind == SIGNAL_SERVER_FAULT_CLUSTER ||
           kind == SIGNAL_SERVER_FAULT_OPTION;
}

static void write_with(const signal_server_fault *fault, const char *help, char *out, size_t cap)
{
    char value[sizeof(fault->entry) + 64];
    name_value(fault, value, sizeof(value));
    const char *keys = keys_of(fault);
    const char *separator = keys == NULL ? "" : ": ";
    if (keys == NULL)
        keys = "";

    const words *w = find_words(fault);
    if (tells_all(fault->kind))
        snprintf(out, cap, "%s%s%s", keys, separator, value);
    else if (w != NULL)
        snprintf(out, cap, "%s%s%s%s%s; %s", keys, separator, value, w->wrong[0] == '\0' ? "" : " ", w->wrong,
                 help != NULL ? help : w->help);
    else
        snprintf(out, cap, "%s%s%s can't be used: %s", keys, separator, value, strerror(-fault->error));
}

void start_report_write(const signal_server_fault *fault, char *out, size_t cap)
{
    write_with(fault, NULL, out, cap);
}

void start_report_write_patient(const signal_server_fault *fault, uint32_t patience_ms, char *out, size_t cap)
{
    char help[96];
    snprintf(help, sizeof(help),
             "trying again for %" PRIu32 ".%" PRIu32 " s (BIND_RETRY), in case it is ending",
             patience_ms / 1000, patience_ms % 1000 / 100);
    write_with(fault, help, out, cap);
}
