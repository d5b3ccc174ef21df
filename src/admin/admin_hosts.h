/* Under which names the admin port answers, by the header Host (RFC 9110, 7.2).
 *
 * The port has no password: who reaches it may read. A web page of a stranger reaches the loopback of who
 * looks at it: its host name first leads to the stranger's web server, and later, when the browser asks
 * again, to 127.0.0.1 (DNS rebinding). For the browser that is still the page's own host, so the page may
 * read the answers. But the browser sends that name as Host, and here nobody answers to it.
 *
 * The attack needs a name. So an IP address is answered to wherever it is one of this machine's: that of the
 * loopback, or the one that the client has connected to. Pure. */
#ifndef HOMECALL_ADMIN_ADMIN_HOSTS_H
#define HOMECALL_ADMIN_ADMIN_HOSTS_H

#include "base/address.h"
#include "base/slice.h"

typedef struct admin_host_rules {
    slice own;     /* borrowed: ADMIN_HOST, one address or name */
    slice allowed; /* borrowed: ADMIN_ALLOWED_HOSTS, as admin_hosts_find_fault() takes it */
} admin_host_rules;

/* Is a request with this Host answered? The port in it, the case of letters and the dot of the root do not
 * count. `local` is the address that the client has connected to, or unknown. A Unix socket is reached by no
 * page, so there every Host is. */
bool admin_hosts_allow(const admin_host_rules *hosts, slice host, const address *local);

/* Read the list of ADMIN_ALLOWED_HOSTS: host names and IP addresses, separated by commas, or * for all. NULL,
 * or the reason why *entry can be no Host: a literal that can follow it and a colon. */
const char *admin_hosts_find_fault(slice list, slice *entry);

#endif
