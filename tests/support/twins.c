#include "support/twins.h"

#include "support/nats_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 64 };

typedef struct twin {
    const signal_server *first;
    signal_server *second;
    uint16_t ports[2];
    unsigned clients;
} twin;

static twin twins[MOST];
static nats_engine engine;
static pid_t engine_of; /* the process that has started it */

static void end_engine(void)
{
    if (getpid() == engine_of)
        nats_engine_destroy(&engine);
}

bool twins_are_used(void)
{
    const char *nodes = getenv("HOMECALL_TEST_NODES");
    return nodes != NULL && strcmp(nodes, "2") == 0;
}

bool twins_are_wanted(const signal_server_options *o)
{
    return twins_are_used() && o->cluster_url[0] == '\0' && o->port == 0 && o->tls_port < 0 &&
           o->admin_port == 0 && strstr(o->host, "unix:") == NULL && o->listen_fd_count == 0 &&
           nats_engine_exists();
}

void twins_join(signal_server_options *o)
{
    static char name[32];
    static char secret[128];
    static unsigned last;
    if (engine.pid == 0) {
        nats_engine_start(&engine, "max_payload: 8388608\n");
        engine_of = getpid();
        atexit(end_engine);
        snprintf(secret, sizeof(secret), "%s",
                 nats_engine_write(&engine, "secret", "a secret of more than thirty-two bytes"));
    }
    snprintf(name, sizeof(name), "twins-%u", ++last);
    o->cluster_url = engine.url;
    o->cluster_name = name;
    o->cluster_secret_file = secret;
}

void twins_add(const signal_server *first, signal_server *second)
{
    twin *free = twins;
    while (free < twins + MOST - 1 && free->first != NULL)
        free++;
    *free = (twin){
        .first = first, .second = second, .ports = {signal_server_port(first), signal_server_port(second)}};
}

static twin *find(const signal_server *first)
{
    for (twin *t = twins; t < twins + MOST; t++) {
        if (first != NULL && t->first == first)
            return t;
    }
    return NULL;
}

const signal_server *twins_find(const signal_server *first)
{
    const twin *t = find(first);
    return t == NULL ? NULL : t->second;
}

signal_server *twins_take(const signal_server *first)
{
    twin *t = find(first);
    signal_server *second = t == NULL ? NULL : t->second;
    if (t != NULL)
        *t = (twin){0};
    return second;
}

uint16_t twins_choose_port(uint16_t port)
{
    for (twin *t = twins; t < twins + MOST; t++) {
        if (t->first != NULL && t->ports[0] == port)
            return t->ports[t->clients++ % 2];
    }
    return port;
}
