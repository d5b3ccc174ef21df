#include "base/resolve.h"

#include "base/idna.h"

#include <errno.h>
#include <sys/socket.h>

static int error_of_resolver(int code)
{
    switch (code) {
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno != 0 ? -errno : -EIO;
    default:
        return -EADDRNOTAVAIL;
    }
}

static int look_up(const char *host, const char *service, int flags, struct addrinfo **out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    errno = 0;
    int code = getaddrinfo(host, service, &hints, out);
    return code == 0 ? 0 : error_of_resolver(code);
}

int resolve_host(const char *host, const char *service, int flags, struct addrinfo **out)
{
    int error = look_up(host, service, flags, out);
    if (error != -EADDRNOTAVAIL || host_name_is_ascii(slice_of_text(host)))
        return error;
    idna names = {0};
    char ascii[HOST_NAME_CAP];
    const char *reason = idna_to_ascii(&names, slice_of_text(host), ascii);
    idna_deinit(&names);
    return reason == NULL ? look_up(ascii, service, flags, out) : error;
}
