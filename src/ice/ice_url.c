#include "ice/ice_url.h"

#include "base/address.h"
#include "base/idna.h"
#include "base/memory_text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct url_scheme {
    const char *name;
    bool is_turn;
} url_scheme;

static const url_scheme schemes[] = {{"stun", false}, {"stuns", false}, {"turn", true}, {"turns", true}};

static const url_scheme *find_scheme(slice name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (slice_equals_in_any_case(name, slice_of_text(schemes[i].name)))
            return &schemes[i];
    }
    return NULL;
}

static bool has(slice text, char c)
{
    return text.len > 0 && memchr(text.data, c, text.len) != NULL;
}

/* A host name without the root's dot, or an IPv4 address (RFC 3986, 3.2.2). There is no colon in it. */
static bool is_host(slice host)
{
    address ipv4;
    bool is_name = host_name_is_good(host) && host_name_is_ascii(host) && host.data[host.len - 1] != '.';
    return is_name || address_parse_ip(host, &ipv4);
}

/* What is wrong with "host" or "host:port"; NULL when nothing is. */
static const char *find_host_fault(slice text)
{
    address a = {0};
    if (text.len > 0 && text.data[0] == '[') {
        bool is_good = address_parse(text, &a) && (a.port > 0 || text.data[text.len - 1] == ']');
        return is_good ? NULL : "IPv6 and its port are expected as in [2001:db8::1]:3478";
    }

    bool has_port = has(text, ':');
    slice host = slice_take_until(&text, ':');
    if (!is_host(host))
        return "a host name, IPv4 or [IPv6] is expected after the colon";
    if (has_port && (!address_parse_port(text, &a.port) || a.port == 0))
        return "the port is no number from 1 to 65535";
    return NULL;
}

static const char *find_query_fault(const url_scheme *scheme, slice query)
{
    slice value = query;
    if (!scheme->is_turn)
        return "only turn and turns take a ?";
    if (!slice_equals(slice_take_until(&value, '='), SLICE_LITERAL("transport")) ||
        (!slice_equals(value, SLICE_LITERAL("udp")) && !slice_equals(value, SLICE_LITERAL("tcp"))))
        return "behind the ? transport=udp or transport=tcp is expected";
    return NULL;
}

static const char *find_fault(slice url)
{
    slice rest = url;
    bool has_colon = has(rest, ':');
    const url_scheme *scheme = find_scheme(slice_take_until(&rest, ':'));
    if (!has_colon || scheme == NULL)
        return "stun:, stuns:, turn: or turns: is expected before a host";
    bool has_query = has(rest, '?');
    slice host = slice_take_until(&rest, '?');
    const char *reason = find_host_fault(host);
    return reason == NULL && has_query ? find_query_fault(scheme, rest) : reason;
}

/* ---- International hosts ---- */

/* The host name in a URL, which may be none; in the URL. */
static slice host_of(slice url)
{
    slice rest = url;
    (void)slice_take_until(&rest, ':');
    slice authority = slice_take_until(&rest, '?');
    return has(authority, '[') ? (slice){authority.data, 0} : slice_take_until(&authority, ':');
}

/* Write a URL with its host in ASCII. What is wrong with it, or NULL. */
static const char *write_url(slice url, idna *names, FILE *out)
{
    slice host = host_of(url);
    char ascii[HOST_NAME_CAP];
    if (host_name_is_ascii(host)) {
        const char *reason = find_fault(url);
        if (reason == NULL)
            fprintf(out, "%.*s", (int)url.len, url.data);
        return reason;
    }
    const char *reason = idna_to_ascii(names, host, ascii);
    if (reason != NULL)
        return reason;
    char *whole = NULL;
    size_t before = (size_t)(host.data - url.data);
    size_t behind = before + host.len;
    if (asprintf(&whole, "%.*s%s%.*s", (int)before, url.data, ascii, (int)(url.len - behind),
                 url.data + behind) < 0)
        return "out of memory";
    reason = find_fault(slice_of_text(whole));
    if (reason == NULL)
        fputs(whole, out);
    free(whole);
    return reason;
}

/* ---- The list ---- */

static int write_list(slice text, FILE *out, ice_url_fault *fault)
{
    static_assert(ICE_URL_MAX_LISTED == 16, "what the reason says");
    idna names = {0};
    size_t count = 0;
    const char *reason = NULL;
    for (slice url; reason == NULL && slice_take_entry(&text, &url); count++) {
        if (count > 0)
            fputc(',', out);
        reason = count == ICE_URL_MAX_LISTED ? "16 URLs stand before it, and more are not taken"
                                             : write_url(url, &names, out);
        if (reason != NULL)
            *fault = (ice_url_fault){url, reason};
    }
    idna_deinit(&names);
    return reason == NULL ? 0 : -EINVAL;
}

int ice_url_read_list(slice text, char **list, ice_url_fault *fault)
{
    char *written = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&written, &len);
    if (out == NULL)
        return -ENOMEM;
    int error = write_list(text, out, fault);
    if (!memory_text_close(out, &written) && error == 0)
        error = -ENOMEM;
    if (error == 0)
        *list = written;
    else
        free(written);
    return error;
}

bool ice_url_is_turn(slice url)
{
    const url_scheme *scheme = find_scheme(slice_take_until(&url, ':'));
    return scheme != NULL && scheme->is_turn;
}
