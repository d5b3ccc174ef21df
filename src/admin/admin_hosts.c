#include "admin/admin_hosts.h"

#include "base/host_name.h"
#include "base/listen_entry.h"

/* ---- Addresses ---- */

static bool is_same_address(const address *a, const address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool is_address_of(slice text, const address *wanted)
{
    address found;
    return address_parse_ip(text, &found) && is_same_address(&found, wanted);
}

/* ---- Names ---- */

static slice without_root(slice name)
{
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    return name;
}

static bool is_same_name(slice a, slice b)
{
    return slice_equals_in_any_case(without_root(a), without_root(b));
}

/* localhost and all names under it are the loopback (RFC 6761, 6.3), for browsers as well. */
static bool is_localhost(slice name)
{
    const slice tail = SLICE_LITERAL(".localhost");
    name = without_root(name);
    if (slice_equals_in_any_case(name, SLICE_LITERAL("localhost")))
        return true;
    return name.len > tail.len &&
           slice_equals_in_any_case((slice){name.data + name.len - tail.len, tail.len}, tail);
}

/* Take the port off a name. False where there is no name, or what stands behind the colon is no port. */
static bool cut_port(slice *host)
{
    if (host->len == 0)
        return false;
    slice rest = *host;
    *host = slice_take_until(&rest, ':');
    uint16_t port;
    return rest.len == 0 || address_parse_port(rest, &port); /* the port may be empty (RFC 3986, 3.2.3) */
}

/* ---- Both ---- */

static bool allows_address(const admin_host_rules *hosts, const address *asked, const address *local)
{
    if (address_is_loopback(asked) || is_same_address(asked, local) || is_address_of(hosts->own, asked))
        return true;
    slice list = hosts->allowed;
    for (slice entry; slice_take_entry(&list, &entry);)
        if (is_address_of(entry, asked))
            return true;
    return false;
}

static bool allows_name(const admin_host_rules *hosts, slice name)
{
    if (is_localhost(name) || is_same_name(name, hosts->own))
        return true;
    slice list = hosts->allowed;
    for (slice entry; slice_take_entry(&list, &entry);)
        if (is_same_name(name, entry))
            return true;
    return false;
}

static bool allows_all(slice list)
{
    for (slice entry; slice_take_entry(&list, &entry);)
        if (slice_equals(entry, SLICE_LITERAL("*")))
            return true;
    return false;
}

bool admin_hosts_allow(const admin_host_rules *hosts, slice host, const address *local)
{
    if (local->family == ADDRESS_UNIX || allows_all(hosts->allowed))
        return true;
    address asked;
    if (address_parse(host, &asked))
        return allows_address(hosts, &asked, local);
    return cut_port(&host) && allows_name(hosts, host);
}

const char *admin_hosts_find_fault(slice list, slice *entry)
{
    while (slice_take_entry(&list, entry)) {
        listen_entry unused;
        if (slice_equals(*entry, SLICE_LITERAL("*")))
            continue;
        const char *reason = listen_entry_parse_host(*entry, &unused);
        if (reason == NULL && !host_name_is_ascii(*entry))
            reason = "browsers send a name in ASCII, as xn--...";
        if (reason != NULL)
            return reason;
    }
    return NULL;
}
