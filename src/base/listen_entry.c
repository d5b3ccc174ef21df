#include "base/listen_entry.h"

#include "base/address.h"
#include "base/ascii.h"
#include "base/host_name.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/un.h>

/* One byte of it is the NUL. */
enum { PATH_CAP = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

static_assert((int)HOST_NAME_CAP <= (int)LISTEN_ENTRY_CAP, "every name fits");
static_assert(sizeof("unix:") + PATH_CAP <= LISTEN_ENTRY_CAP, "every path fits");
static_assert(PATH_CAP == 108, "what the reason says");

static const slice unix_prefix = {"unix:", sizeof("unix:") - 1};
static const char not_a_host[] = "neither an IP address nor a host name";
static const char not_an_entry[] = "neither an IP address nor a host name nor unix:PATH";

static bool starts_with(slice text, slice prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

static const char *set(listen_entry *out, listen_entry_kind kind, slice text)
{
    assert(text.len < sizeof(out->text));
    *out = (listen_entry){.kind = kind};
    memcpy(out->text, text.data, text.len);
    return NULL;
}

/* ---- Hosts ---- */

/* May it stand in the name of an interface? */
static bool is_of_zone(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.' ||
           (unsigned char)c >= 0x80;
}

/* An IPv6 address with the zone that a link-local one needs (RFC 4007, 11): the name of an interface, or its
 * number. */
static bool is_zoned(slice text)
{
    slice zone = text;
    slice host = slice_take_until(&zone, '%');
    for (size_t i = 0; i < zone.len; i++) {
        if (!is_of_zone(zone.data[i]))
            return false;
    }
    address found;
    return zone.len > 0 && memchr(host.data, ':', host.len) != NULL && address_parse_ip(host, &found);
}

/* What can be bound, or not even that, and reached by nobody; NULL where it may be an address of this
 * machine. */
static const char *find_fault_of_address(const address *a)
{
    bool is_ipv4 = a->family == ADDRESS_IPV4;
    if (is_ipv4 ? IN_MULTICAST((uint32_t)a->bytes[0] << 24) || memcmp(a->bytes, "\xff\xff\xff\xff", 4) == 0
                : a->bytes[0] == 0xff)
        return "nobody can connect to a multicast or broadcast address";
    if (!is_ipv4 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80)
        return "a link-local address needs its interface behind it, as in fe80::1%eth0";
    return NULL;
}

const char *listen_entry_parse_host(slice text, listen_entry *out)
{
    address found;
    if (text.len >= LISTEN_ENTRY_CAP)
        return "longer than any host name";
    if (is_zoned(text))
        return set(out, LISTEN_ENTRY_ADDRESS, text);
    if (address_parse_ip(text, &found)) {
        const char *reason = find_fault_of_address(&found);
        return reason != NULL ? reason : set(out, LISTEN_ENTRY_ADDRESS, text);
    }
    if (host_name_is_good(text))
        return set(out, LISTEN_ENTRY_NAME, text);
    if (!address_parse(text, &found))
        return not_a_host;
    return text.data[0] == '[' && found.port == 0
               ? "an IPv6 address is written without brackets"
               : "the port is an option of its own, and not a part of the address";
}

/* ---- Paths ---- */

static const char *parse_path(slice text, listen_entry *out)
{
    size_t len = text.len - unix_prefix.len;
    if (len == 0)
        return "a path is expected after unix:";
    if (len >= PATH_CAP)
        return "the path of a Unix socket has at most 107 bytes";
    if (memchr(text.data, '\0', text.len) != NULL)
        return "a path has no NUL in it";
    return set(out, LISTEN_ENTRY_PATH, text);
}

/* ---- Both ---- */

const char *listen_entry_parse(slice text, listen_entry *out)
{
    if (starts_with(text, unix_prefix))
        return parse_path(text, out);
    const char *reason = listen_entry_parse_host(text, out);
    return reason == not_a_host ? not_an_entry : reason;
}

const char *listen_entry_path(const listen_entry *entry)
{
    return entry->kind == LISTEN_ENTRY_PATH ? entry->text + unix_prefix.len : NULL;
}

static bool list_has(slice list, bool is_path)
{
    listen_entry entry;
    for (slice text; slice_take_entry(&list, &text);) {
        if (listen_entry_parse(text, &entry) == NULL && (entry.kind == LISTEN_ENTRY_PATH) == is_path)
            return true;
    }
    return false;
}

bool listen_entry_list_has_path(slice list)
{
    return list_has(list, true);
}

bool listen_entry_list_has_host(slice list)
{
    return list_has(list, false);
}

bool listen_entry_is_loopback(const listen_entry *entry)
{
    address found;
    if (entry->kind == LISTEN_ENTRY_PATH || strcmp(entry->text, "localhost") == 0)
        return true;
    return address_parse_ip(slice_of_text(entry->text), &found) && address_is_loopback(&found);
}
