#include "base/origin.h"

#include "base/address.h"
#include "base/ascii.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

/* Longer than every scheme in use: safari-web-extension has 20. */
enum { LONGEST_SCHEME = 63 };

/* The scheme, :// and *., the host, its port and a NUL. */
static_assert(LONGEST_SCHEME + sizeof("://*.") - 1 + HOST_NAME_CAP - 1 + sizeof(":65535") <= ORIGIN_CAP,
              "every origin fits");

typedef struct parts {
    slice scheme;
    bool is_pattern; /* *. stood before the host */
    slice host;      /* without it; an IPv6 address in its brackets */
    bool has_port;   /* a colon stands behind the host */
    slice port;
} parts;

static bool begins_with(slice text, slice prefix)
{
    return text.len >= prefix.len && slice_equals_in_any_case((slice){text.data, prefix.len}, prefix);
}

/* The text has no NUL in it. */
static bool has_any(slice text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(characters, text.data[i]) != NULL)
            return true;
    }
    return false;
}

/* ---- The parts ---- */

/* RFC 3986, 3.1. */
static bool is_scheme(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_of_all = ascii_is_letter(c);
        bool is_of_rest = ascii_is_digit(c) || c == '+' || c == '-' || c == '.';
        if (!is_of_all && !(i > 0 && is_of_rest))
            return false;
    }
    return text.len > 0 && text.len <= LONGEST_SCHEME;
}

static const char *find_fault_of_scheme(slice scheme)
{
    if (!is_scheme(scheme))
        return "no scheme as https stands before the ://";
    if (slice_equals_in_any_case(scheme, SLICE_LITERAL("wss")) ||
        slice_equals_in_any_case(scheme, SLICE_LITERAL("ws")))
        return "the origin is that of the page, which is no WebSocket";
    return NULL;
}

static const char *split_authority(slice text, parts *out)
{
    if (has_any(text, "/?#\\"))
        return "an origin ends with its host or port, without even a slash";
    if (has_any(text, "@"))
        return "no user is part of an origin";
    if (begins_with(text, SLICE_LITERAL("*."))) {
        out->is_pattern = true;
        text = (slice){text.data + 2, text.len - 2};
    }
    if (has_any(text, "*"))
        return "a * stands for all hosts under a domain, and only at the begin, as in *.call.example";
    const char *bracket = text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
    size_t in_brackets = bracket == NULL ? 0 : (size_t)(bracket - text.data) + 1;
    slice rest = {text.data + in_brackets, text.len - in_brackets};
    out->has_port = has_any(rest, ":");
    size_t before_colon = slice_take_until(&rest, ':').len;
    out->host = (slice){text.data, in_brackets + before_colon};
    out->port = rest;
    if (has_any(rest, ":"))
        return "an IPv6 address is expected in brackets, as in http://[::1]";
    return out->host.len == 0 ? "a host is expected after the ://" : NULL;
}

static const char *split(slice text, parts *out)
{
    *out = (parts){.is_pattern = false};
    if (memchr(text.data, '\0', text.len) != NULL)
        return "there is a NUL in it";
    if (has_any(text, "\"'"))
        return "a quote is part of the value, and of no origin";
    const char *separator = memmem(text.data, text.len, "://", 3);
    if (separator == NULL)
        return "no scheme as https:// stands before it";
    out->scheme = (slice){text.data, (size_t)(separator - text.data)};
    const char *reason = find_fault_of_scheme(out->scheme);
    if (reason != NULL)
        return reason;
    size_t len = text.len - out->scheme.len - 3;
    return split_authority((slice){separator + 3, len}, out);
}

/* ---- Hosts as browsers write them ---- */

enum { GROUPS = 8 };

/* Where the longest run of groups that are 0 begins, and how long it is; one alone is none. */
static size_t find_zeros(const uint16_t groups[GROUPS], size_t *count)
{
    size_t longest_at = GROUPS;
    *count = 1;
    for (size_t at = 0, len = 0; at < GROUPS; at += len + 1) {
        for (len = 0; at + len < GROUPS && groups[at + len] == 0;)
            len++;
        if (len > *count) {
            *count = len;
            longest_at = at;
        }
    }
    return longest_at;
}

/* An IPv6 address in its short form, in hexadecimal throughout (WHATWG URL, 3.5; inet_ntop() writes the end
 * of some as IPv4). */
static void write_ipv6(const uint8_t bytes[16], char out[HOST_NAME_CAP])
{
    uint16_t groups[GROUPS];
    size_t zeros;
    for (size_t i = 0; i < GROUPS; i++)
        groups[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    size_t zeros_at = find_zeros(groups, &zeros);
    size_t len = (size_t)snprintf(out, HOST_NAME_CAP, "[");
    for (size_t i = 0; i < GROUPS; i++) {
        if (i == zeros_at) {
            len += (size_t)snprintf(out + len, HOST_NAME_CAP - len, "::");
            i += zeros - 1;
            continue;
        }
        bool is_first = i == 0 || i == zeros_at + zeros;
        len += (size_t)snprintf(out + len, HOST_NAME_CAP - len, is_first ? "%x" : ":%x", groups[i]);
    }
    snprintf(out + len, HOST_NAME_CAP - len, "]");
}

static const char *write_address(slice host, char out[HOST_NAME_CAP])
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t bytes[16];
    bool is_closed = host.data[host.len - 1] == ']';
    size_t len = is_closed ? host.len - 2 : 0;
    if (len >= sizeof(text))
        len = 0;
    memcpy(text, host.data + 1, len);
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return "no IPv6 address stands in the brackets";
    write_ipv6(bytes, out);
    return NULL;
}

/* The letters of ASCII become small. */
static void write_small(slice host, char out[HOST_NAME_CAP])
{
    for (size_t i = 0; i < host.len; i++)
        out[i] = ascii_lower(host.data[i]);
    out[host.len] = '\0';
}

static const char *write_name(slice host, bool is_pattern, idna *names, char out[HOST_NAME_CAP])
{
    address ipv4;
    if (!host_name_is_ascii(host)) {
        const char *reason = idna_to_ascii(names, host, out);
        if (reason != NULL)
            return reason;
    } else if (host.len < HOST_NAME_CAP) {
        write_small(host, out);
    } else {
        return "longer than any host name";
    }
    slice written = slice_of_text(out);
    bool is_good = host_name_is_good(written) || (!is_pattern && address_parse_ip(written, &ipv4));
    return is_good ? NULL : "its host is neither a name nor an IP address as browsers write it";
}

/* Behind a scheme of its own: an extension's number, localhost, a dot alone. */
static const char *write_other(slice host, char out[HOST_NAME_CAP])
{
    bool is_good = host.len < HOST_NAME_CAP;
    for (size_t i = 0; i < host.len && is_good; i++) {
        char c = host.data[i];
        is_good = ascii_is_letter(c) || ascii_is_digit(c) || strchr("-._~", c) != NULL;
    }
    if (!is_good)
        return "its host is not made of letters, digits, -, ., _ and ~";
    write_small(host, out);
    return NULL;
}

static bool is_web(slice scheme)
{
    return slice_equals_in_any_case(scheme, SLICE_LITERAL("https")) ||
           slice_equals_in_any_case(scheme, SLICE_LITERAL("http"));
}

static const char *write_host(const parts *p, idna *names, char out[HOST_NAME_CAP])
{
    if (p->host.data[0] == '[' && !p->is_pattern)
        return write_address(p->host, out);
    return is_web(p->scheme) ? write_name(p->host, p->is_pattern, names, out) : write_other(p->host, out);
}

/* ---- The whole ---- */

static const char *parse(slice text, idna *names, char out[ORIGIN_CAP])
{
    parts p;
    char scheme[HOST_NAME_CAP];
    char host[HOST_NAME_CAP];
    uint16_t port = 0;
    const char *reason = split(text, &p);
    if (reason == NULL)
        reason = write_host(&p, names, host);
    if (reason != NULL)
        return reason;
    if (p.has_port && (!address_parse_port(p.port, &port) || port == 0))
        return "behind the host's colon stands no number from 1 to 65535";
    write_small(p.scheme, scheme);
    int len =
        snprintf(out, ORIGIN_CAP, "%.*s://%s%s", LONGEST_SCHEME, scheme, p.is_pattern ? "*." : "", host);
    if (len < 0 || len >= ORIGIN_CAP)
        return "it is too long";
    if (p.has_port)
        snprintf(out + len, (size_t)(ORIGIN_CAP - len), ":%u", port);
    out[origin_without_default_port(slice_of_text(out)).len] = '\0';
    return NULL;
}

const char *origin_parse(slice text, idna *names, char out[ORIGIN_CAP])
{
    static const slice opaque = {"null", 4};
    static const slice local = {"file://", 7};
    bool is_opaque = slice_equals_in_any_case(text, opaque);
    if (is_opaque || slice_equals_in_any_case(text, local)) {
        strcpy(out, is_opaque ? opaque.data : local.data);
        return NULL;
    }
    if (slice_equals(text, SLICE_LITERAL("*")))
        return "an empty value is what allows all";
    if (begins_with(text, local))
        return "a local page says file:// and no more";
    return parse(text, names, out);
}

static bool ends_with(slice text, slice suffix)
{
    return text.len >= suffix.len &&
           slice_equals((slice){text.data + text.len - suffix.len, suffix.len}, suffix);
}

slice origin_without_default_port(slice text)
{
    size_t dropped = 0;
    if (begins_with(text, SLICE_LITERAL("https://")) && ends_with(text, SLICE_LITERAL(":443")))
        dropped = 4;
    else if (begins_with(text, SLICE_LITERAL("http://")) && ends_with(text, SLICE_LITERAL(":80")))
        dropped = 3;
    return (slice){text.data, text.len - dropped};
}
