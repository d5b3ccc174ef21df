#include "base/listen_entry.h"

#include "base/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/un.h>

/* RFC 1035, 2.3.4. */
enum { MAX_NAME = 253, MAX_LABEL = 63 };

/* One byte of it is the NUL. */
enum { PATH_CAP = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

static_assert(MAX_NAME + sizeof(".") <= LISTEN_ENTRY_CAP, "every name fits, with the root's dot");
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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What is no ASCII may stand in /etc/hosts. Underscores are no part of a host's name (RFC 952), but stand in
 * the names of containers. */
static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* A name whose last label is a number would be taken for an IPv4 address, and not for the one that a reader
 * sees in it: 127.1, 010.0.0.1. */
static bool is_name(slice text)
{
    if (text.len > 0 && text.data[text.len - 1] == '.') /* the root's */
        text.len--;
    if (text.len == 0 || text.len > MAX_NAME || text.data[text.len - 1] == '.')
        return false;
    bool is_number = false;
    while (text.len > 0) {
        slice label = slice_take_until(&text, '.');
        if (label.len == 0 || label.len > MAX_LABEL)
            return false;
        is_number = is_digit(label.data[0]);
        for (size_t i = 0; i < label.len; i++) {
            if (!is_of_name(label.data[i]))
                return false;
            is_number = is_number && is_digit(label.data[i]);
        }
    }
    return !is_number;
}

/* An IPv6 address with the zone that a link-local one needs (RFC 4007, 11): the name of an interface, or its
 * number. */
static bool is_zoned(slice text)
{
    slice zone = text;
    slice host = slice_take_until(&zone, '%');
    for (size_t i = 0; i < zone.len; i++) {
        if (!is_of_name(zone.data[i]) && zone.data[i] != '.')
            return false;
    }
    address found;
    return zone.len > 0 && memchr(host.data, ':', host.len) != NULL && address_parse_ip(host, &found);
}

const char *listen_entry_parse_host(slice text, listen_entry *out)
{
    address found;
    if (text.len >= LISTEN_ENTRY_CAP)
        return "longer than any host name";
    if (address_parse_ip(text, &found) || is_zoned(text))
        return set(out, LISTEN_ENTRY_ADDRESS, text);
    if (is_name(text))
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
        return "a path is wanted behind unix:";
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

bool listen_entry_is_loopback(const listen_entry *entry)
{
    static const uint8_t ipv6_loopback[16] = {[15] = 1};
    address found;
    if (entry->kind == LISTEN_ENTRY_PATH || strcmp(entry->text, "localhost") == 0)
        return true;
    if (!address_parse_ip(slice_of_text(entry->text), &found))
        return false;
    return found.family == ADDRESS_IPV4 ? found.bytes[0] == IN_LOOPBACKNET
                                        : memcmp(found.bytes, ipv6_loopback, sizeof(ipv6_loopback)) == 0;
}
