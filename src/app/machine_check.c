#include "app/machine_check.h"

#include "app/options_report.h"
#include "app/ports_check.h"
#include "base/listen_entry.h"
#include "server/listen_address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Files ---- */

/* Can a file of this path be made? NULL or why not. */
static const char *find_fault_of_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (len >= sizeof(directory))
        return "the path is too long";
    if (slash != NULL && slash[1] == '\0')
        return "it is the name of a directory, and a file is expected";
    memcpy(directory, slash == NULL ? "." : path, slash == NULL ? 1 : len);
    directory[slash == NULL ? 1 : len] = '\0';

    struct stat found;
    if (stat(directory, &found) != 0)
        return errno == ENOENT ? "its directory does not exist; one that does is expected"
                               : "its directory can't be reached by this user";
    if (!S_ISDIR(found.st_mode))
        return "the part before its last / is not a directory";
    /* The effective user's rights, as open() has them. */
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
        return "this user may not write to its directory; one that may be written to is expected";
    return NULL;
}

/* As the log opens it, but that it is not made. */
static const char *find_fault_of_log_file(const char *path)
{
    struct stat found;
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) {
        close(fd);
        return NULL;
    }
    switch (errno) {
    case ENOENT: /* where a link leads nowhere, the file it names would be made */
        return lstat(path, &found) == 0 ? NULL : find_fault_of_directory(path);
    case ENOTDIR:
        return find_fault_of_directory(path);
    case EISDIR:
        return "it is a directory, and a file is expected";
    case ENXIO:
        return "it is a named pipe without a reader";
    case EACCES:
    case EPERM:
    case EROFS:
        return "this user may not write to it; a file that may be written to is expected";
    default:
        return "it can't be opened";
    }
}

static bool check_log_file(const app_config *config, FILE *reports)
{
    const char *path = config->log.file;
    const char *reason = path[0] == '\0' ? NULL : find_fault_of_log_file(path);
    return reason == NULL ||
           options_refuse(reports, config, offsetof(app_config, log.file), slice_of_text(path), reason);
}

static const char *find_fault_of_socket(const char *path)
{
    struct stat found;
    if (lstat(path, &found) == 0 && !S_ISSOCK(found.st_mode))
        return "the file there is not a socket; another path is expected";
    return find_fault_of_directory(path);
}

/* ---- Hosts ---- */

static const char *find_fault_of_host(const listen_entry *entry)
{
    listen_addresses found;
    int error = listen_address_resolve(entry->text, &found);
    if (error == -E2BIG)
        return "it means more than 32 addresses; list the addresses that you want";
    return error == 0 ? NULL
                      : "no address is found for it here; an address of this machine, or a name that stands "
                        "for one, is "
                        "wanted";
}

static bool check_hosts(const app_config *config, FILE *reports)
{
    const signal_server_options *s = &config->server;
    slice list = slice_of_text(s->host);
    bool takes_addresses = s->port >= 0 || s->tls_port >= 0;
    bool is_good = true;
    for (slice text; slice_take_entry(&list, &text);) {
        listen_entry entry;
        const char *reason = NULL;
        if (listen_entry_parse(text, &entry) != NULL)
            continue; /* the options have been checked */
        if (entry.kind == LISTEN_ENTRY_PATH)
            reason = find_fault_of_socket(listen_entry_path(&entry));
        else if (takes_addresses)
            reason = find_fault_of_host(&entry);
        if (reason != NULL)
            is_good = options_refuse(reports, config, offsetof(app_config, server.host), text, reason);
    }
    return is_good;
}

static bool check_admin_host(const app_config *config, FILE *reports)
{
    const slice text = slice_of_text(config->server.admin_host);
    listen_entry entry;
    if (config->server.admin_port == 0 || listen_entry_parse_host(text, &entry) != NULL)
        return true;
    const char *reason = find_fault_of_host(&entry);
    return reason == NULL ||
           options_refuse(reports, config, offsetof(app_config, server.admin_host), text, reason);
}

bool machine_check(const app_config *config, FILE *reports)
{
    bool is_good = check_hosts(config, reports);
    is_good = check_admin_host(config, reports) && is_good;
    is_good = ports_check(config, true, reports) && is_good;
    return check_log_file(config, reports) && is_good;
}
