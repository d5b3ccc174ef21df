#include "support/fake_resolver.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int resolve_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static const fake_name *known;

void fake_resolver_set(const fake_name *names)
{
    known = names;
}

/* The one of the system, for what needs no look-up. */
static int resolve_address(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **out)
{
    static resolve_function *real;
    struct addrinfo numeric = *hints;
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "getaddrinfo");
        memcpy(&real, &found, sizeof(found));
    }
    numeric.ai_flags |= AI_NUMERICHOST;
    return real(host, service, &numeric, out);
}

static int resolve_name(const char *addresses, const char *service, const struct addrinfo *hints,
                        struct addrinfo **out)
{
    char copy[4096];
    snprintf(copy, sizeof(copy), "%s", addresses);
    struct addrinfo **end = out;
    *out = NULL;
    for (char *address = strtok(copy, " "); address != NULL; address = strtok(NULL, " ")) {
        int code = resolve_address(address, service, hints, end);
        if (code != 0)
            return code;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return *out == NULL ? EAI_NONAME : 0;
}

/* Stands before the one of the system. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    for (const fake_name *name = known; name != NULL && name->name != NULL; name++) {
        if (strcmp(name->name, host) == 0)
            return resolve_name(name->addresses, service, hints, out);
    }
    return resolve_address(host, service, hints, out);
}
