#include "app/service_manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* ---- Sockets ---- */

static int put_into_set(service_sockets *sets, size_t count, const char *name, int fd)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sets[i].name, name) != 0)
            continue;
        if (sets[i].count == SERVICE_SOCKETS_MAX)
            return -ENFILE;
        sets[i].fds[sets[i].count++] = fd;
        return 0;
    }
    return -EINVAL;
}

static void free_names(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++)
        free(*name);
    free(names);
}

int service_manager_take_sockets(service_sockets *sets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sets[i].count = 0;
    char **names = NULL;
    int passed = sd_listen_fds_with_names(1, &names);
    int error = passed < 0 ? passed : 0;
    for (int i = 0; i < passed && error == 0; i++)
        error = put_into_set(sets, count, names[i], SD_LISTEN_FDS_START + i);
    free_names(names);
    if (error == 0)
        return 0;

    for (int i = 0; i < passed; i++)
        close(SD_LISTEN_FDS_START + i);
    for (size_t i = 0; i < count; i++)
        sets[i].count = 0;
    return error;
}

void service_manager_close_sockets(service_sockets *set)
{
    while (set->count > 0)
        close(set->fds[--set->count]);
}

/* ---- Messages ---- */

void service_manager_notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_manager_notify_stopping(const char *status)
{
    sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}

uint64_t service_manager_watchdog_interval_us(void)
{
    uint64_t patience_us = 0;
    return sd_watchdog_enabled(0, &patience_us) > 0 ? patience_us / 2 : 0;
}

void service_manager_keep_alive(bool is_live)
{
    if (is_live)
        sd_notify(0, "WATCHDOG=1");
}
