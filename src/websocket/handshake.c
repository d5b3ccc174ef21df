/* The request is read when its head is complete, in one pass that cuts it into lines and takes down the few
 * header fields that matter. The verdict is a list of questions about what was taken down. Until then each
 * call only searches for the empty line and looks at the first line, so a client that sends byte by byte
 * makes little work. A head over its limit is read up to the limit, since a malformed request is told so
 * first.
 *
 * Left out on purpose: requests that are not upgrades (the admin port reads them). */
#include "websocket/handshake.h"

#include "base/ascii.h"
#include "websocket/http_text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { KEY_CHARS = WS_HANDSHAKE_KEY_LEN - 2 }; /* before its padding */

/* What the verdict needs of the head. The slices point into it. */
typedef struct request {
    slice method;
    slice path;
    slice query;
    slice version; /* Sec-WebSocket-Version */
    slice key;
    slice origin;
    unsigned version_count;
    unsigned key_count;
    unsigned origin_count;
    slice fetch_site; /* Sec-Fetch-Site */
    unsigned fetch_site_count;
    unsigned host_count;
    bool has_bad_host;
    bool lists_websocket; /* "websocket" is in Upgrade */
    bool lists_upgrade;   /* "upgrade" is in Connection */
    bool has_body;
    bool offers_protocols; /* there is a Sec-WebSocket-Protocol */
} request;

/* ---- Characters and slices ---- */

static bool is_visible(char c)
{
    return c > ' ' && c < 0x7F;
}

/* Does the list (RFC 9110, 5.6.1) have this word? */
static bool list_has(slice list, slice word)
{
    slice entry;
    while (slice_take_entry(&list, &entry)) {
        if (slice_equals_in_any_case(entry, word))
            return true;
    }
    return false;
}

/* ---- The request line (RFC 9112, 3) ---- */

/* Skip "http://host" of an absolute-form target (RFC 9112, 3.2.2). RFC 6455, 4.1 asks for the schemes of HTTP
 * there; a client that sends the address as its user wrote it means the same. */
static bool skip_authority(slice *target)
{
    const slice schemes[] = {SLICE_LITERAL("http://"), SLICE_LITERAL("https://"), SLICE_LITERAL("ws://"),
                             SLICE_LITERAL("wss://")};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        slice scheme = schemes[i];
        if (target->len < scheme.len || !slice_equals_in_any_case((slice){target->data, scheme.len}, scheme))
            continue;
        size_t end = scheme.len;
        while (end < target->len && target->data[end] != '/' && target->data[end] != '?')
            end++;
        slice host = {target->data + scheme.len, end - scheme.len};
        target->data += end;
        target->len -= end;
        return http_text_is_host(host);
    }
    return false;
}

/* The path is compared and logged. The query is neither, so a name that a page puts there as it is, in UTF-8
 * and not percent-encoded, does no harm. */
static bool read_target(slice target, request *r)
{
    bool is_in_query = false;
    for (size_t i = 0; i < target.len; i++) {
        char c = target.data[i];
        bool is_over_ascii = (unsigned char)c >= 0x80;
        is_in_query |= c == '?';
        /* A target has no fragment (RFC 9112, 3.2). */
        if (c == '#' || !(is_visible(c) || (is_in_query && is_over_ascii)))
            return false;
    }
    if (target.len == 0 || (target.data[0] != '/' && !skip_authority(&target)))
        return false;
    r->path = slice_take_until(&target, '?');
    r->query = target;
    return true;
}

/* HTTP/1.1, or a later 1.x, which is read as 1.1 (RFC 9110, 2.5). 1.0 can't upgrade (RFC 6455, 4.2.1). */
static bool is_served_version(slice version)
{
    const slice major = SLICE_LITERAL("HTTP/1.");
    return version.len == major.len + 1 && memcmp(version.data, major.data, major.len) == 0 &&
           version.data[major.len] >= '1' && version.data[major.len] <= '9';
}

static bool read_request_line(slice line, request *r)
{
    const char *first = memchr(line.data, ' ', line.len);
    const char *last = memrchr(line.data, ' ', line.len);
    if (first == NULL || first == last)
        return false;

    r->method = (slice){line.data, (size_t)(first - line.data)};
    slice target = {first + 1, (size_t)(last - first - 1)};
    slice version = {last + 1, line.len - (size_t)(last + 1 - line.data)};
    return http_text_is_token(r->method) && read_target(target, r) && is_served_version(version);
}

/* ---- The header fields ---- */

static void on_host(request *r, slice value)
{
    r->host_count++;
    r->has_bad_host |= !http_text_is_host(value);
}

static void on_upgrade(request *r, slice value)
{
    r->lists_websocket |= list_has(value, SLICE_LITERAL("websocket"));
}

static void on_connection(request *r, slice value)
{
    r->lists_upgrade |= list_has(value, SLICE_LITERAL("upgrade"));
}

static void on_version(request *r, slice value)
{
    r->version_count++;
    r->version = value;
}

static void on_key(request *r, slice value)
{
    r->key_count++;
    r->key = value;
}

static void on_origin(request *r, slice value)
{
    r->origin_count++;
    r->origin = value;
}

static void on_fetch_site(request *r, slice value)
{
    r->fetch_site_count++;
    r->fetch_site = value;
}

static void on_protocol(request *r, slice value)
{
    (void)value;
    r->offers_protocols = true;
}

static void on_content_length(request *r, slice value)
{
    r->has_body |= !slice_equals(value, SLICE_LITERAL("0"));
}

static void on_transfer_encoding(request *r, slice value)
{
    (void)value;
    r->has_body = true;
}

typedef struct field {
    slice name;
    void (*on_value)(request *r, slice value);
} field;

#define NAME(text)               \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const field fields[] = {
    {NAME("Host"), on_host},
    {NAME("Upgrade"), on_upgrade},
    {NAME("Connection"), on_connection},
    {NAME("Sec-WebSocket-Version"), on_version},
    {NAME("Sec-WebSocket-Key"), on_key},
    {NAME("Sec-WebSocket-Protocol"), on_protocol},
    {NAME("Origin"), on_origin},
    {NAME("Sec-Fetch-Site"), on_fetch_site},
    {NAME("Content-Length"), on_content_length},
    {NAME("Transfer-Encoding"), on_transfer_encoding},
};

static const field *find_field(slice name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (name.len == fields[i].name.len && slice_equals_in_any_case(name, fields[i].name))
            return &fields[i];
    }
    return NULL;
}

/* Read a header line (RFC 9112, 5). A folded line, or a blank before the colon, makes a name that is no
 * token. */
static bool read_field(slice line, request *r)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (colon == NULL)
        return false;
    slice name = {line.data, (size_t)(colon - line.data)};
    slice value = slice_trim((slice){colon + 1, line.len - name.len - 1});
    const field *known = find_field(name); /* the name of a known one is a token */
    if ((known == NULL && !http_text_is_token(name)) || !http_text_is_value(value))
        return false;
    if (known != NULL)
        known->on_value(r, value);
    return true;
}

/* ---- The head ---- */

typedef enum line_end {
    LINE_HAS_CRLF,
    LINE_HAS_BARE_LF,
    LINE_HAS_NO_END, /* the line is not complete */
} line_end;

/* Take the next line, without its end, off the rest of a head. */
static line_end take_line(slice *rest, slice *line)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
    if (end == NULL)
        return LINE_HAS_NO_END;
    *line = (slice){rest->data, (size_t)(end - rest->data)};
    rest->data = end + 1;
    rest->len -= line->len + 1;
    if (line->len == 0 || line->data[line->len - 1] != '\r')
        return LINE_HAS_BARE_LF;
    line->len--;
    return LINE_HAS_CRLF;
}

/* Where the last line and the empty one that ends a head meet: at the first CRLF CRLF. NULL while there is
 * none. memmem() would look at each byte; most lines have one CR. */
static const char *find_end(slice head)
{
    static const char ending[] = {'\r', '\n', '\r', '\n'};
    const char *at = head.data;
    const char *past = head.data + head.len;
    while ((at = memchr(at, '\r', (size_t)(past - at))) != NULL) {
        if ((size_t)(past - at) < sizeof(ending))
            return NULL;
        if (memcmp(at, ending, sizeof(ending)) == 0)
            return at;
        at++;
    }
    return NULL;
}

/* The first line with its end, or as much of it as is there. */
static slice first_line(slice head)
{
    const char *end = memchr(head.data, '\n', head.len);
    return end == NULL ? head : (slice){head.data, (size_t)(end + 1 - head.data)};
}

/* Read the complete lines of a head, which is not empty. False where they are malformed. */
static bool read_head(slice head, request *r)
{
    slice line;
    line_end end = take_line(&head, &line);
    if (end == LINE_HAS_NO_END)
        return ascii_is_token_char(head.data[0]); /* The first byte tells TLS on the plain port. */
    if (end == LINE_HAS_BARE_LF || !read_request_line(line, r))
        return false;

    while ((end = take_line(&head, &line)) == LINE_HAS_CRLF) {
        if (!read_field(line, r))
            return false;
    }
    return end == LINE_HAS_NO_END;
}

/* The last of the 22 characters says two bits of the key. Its other four say nothing, and may be set: RFC
 * 6455, 4.1 has such a key as its example. */
static bool is_valid_key(slice key)
{
    return key.len == WS_HANDSHAKE_KEY_LEN && memcmp(key.data + KEY_CHARS, "==", 2) == 0 &&
           http_text_is_base64((slice){key.data, KEY_CHARS});
}

static bool is_page(const ws_handshake_rules *rules, const request *r)
{
    return rules->page_path != NULL && slice_equals(r->path, slice_of_text(rules->page_path));
}

static bool is_served_path(const ws_handshake_rules *rules, slice path)
{
    if (rules->path == NULL)
        return true;
    /* "http://host" means "http://host/" (RFC 9110, 4.2.3). */
    return slice_equals(path.len == 0 ? SLICE_LITERAL("/") : path, slice_of_text(rules->path));
}

/* Is it a WebSocket handshake? 101, or the fault (RFC 6455, 4.2.1). */
static int judge_upgrade(const request *r)
{
    if (!r->lists_websocket || !r->lists_upgrade)
        return 426;
    if (r->version_count != 1 || !slice_equals(r->version, SLICE_LITERAL("13")))
        return 426;
    return r->key_count == 1 && is_valid_key(r->key) ? 101 : 400;
}

/* May who sends it have the answer? A browser names the origin with each upgrade, but not with the GET of a
 * page's own host: there it says same-origin (Fetch, "Origin header"; Fetch Metadata, 2.3), which no page can
 * say for itself. */
static bool is_from_allowed_origin(const ws_handshake_rules *rules, const request *r)
{
    if (r->origin_count > 0)
        return rules->allows_origin == NULL || rules->allows_origin(rules->context, r->origin);
    return !rules->requires_origin || (is_page(rules, r) && r->fetch_site_count == 1 &&
                                       slice_equals(r->fetch_site, SLICE_LITERAL("same-origin")));
}

/* The verdict over a well-formed request (protocol/README.md, "Connecting"). */
static int judge(const ws_handshake_rules *rules, const request *r)
{
    if (!is_page(rules, r) && !is_served_path(rules, r->path))
        return 404;
    if (!slice_equals(r->method, SLICE_LITERAL("GET")))
        return 405;
    int status = is_page(rules, r) ? 200 : judge_upgrade(r);
    if (status >= 400)
        return status;
    if (r->host_count != 1 || r->has_bad_host) /* RFC 9112, 3.2 */
        return 400;
    if (r->has_body) /* The body would be read as frames. */
        return 400;
    if (r->origin_count > 1) /* We might check another one than the client means. */
        return 400;
    return is_from_allowed_origin(rules, r) ? status : 403;
}

bool ws_handshake_parse(const ws_handshake_rules *rules, const char *data, size_t len,
                        ws_handshake *handshake)
{
    assert(rules->max_head_bytes > 0);
    if (len == 0)
        return false;

    bool is_over_limit = len > rules->max_head_bytes;
    slice seen = {data, is_over_limit ? rules->max_head_bytes : len};
    const char *end = find_end(seen);
    slice readable = seen;
    if (end != NULL)
        readable.len = (size_t)(end - data) + 2; /* with the CRLF of the last header line */
    else if (!is_over_limit)
        readable = first_line(seen);

    request r = {0};
    int status;
    if (!read_head(readable, &r))
        status = 400;
    else if (end != NULL)
        status = judge(rules, &r);
    else if (is_over_limit)
        status = 431;
    else
        return false;

    *handshake = (ws_handshake){.status = status,
                                .path = r.path,
                                .query = r.query,
                                .origin = r.origin,
                                .offers_protocols = r.offers_protocols};
    if (status == 101) {
        handshake->head_len = readable.len + 2;
        handshake->key = r.key;
    }
    if (status != 400 && end != NULL) {
        size_t line_len = first_line(readable).len;
        handshake->fields = (slice){readable.data + line_len, readable.len - line_len};
    }
    return true;
}

bool ws_handshake_next_field(slice *rest, slice name, slice *value)
{
    slice line;
    while (take_line(rest, &line) == LINE_HAS_CRLF) {
        if (slice_equals_in_any_case(slice_take_until(&line, ':'), name)) {
            *value = slice_trim(line);
            return true;
        }
    }
    return false;
}
