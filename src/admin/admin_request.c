#include "admin/admin_request.h"

#include "base/ascii.h"
#include "websocket/http_text.h"

enum { STATUS_BAD = 400, STATUS_HEAD_TOO_LARGE = 431, STATUS_OTHER_VERSION = 505 };

/* ---- Lines ---- */

/* Take the next line, without its end, off the rest. False where no whole line is left. */
static bool take_line(slice *rest, slice *line)
{
    if (rest->len == 0 || memchr(rest->data, '\n', rest->len) == NULL)
        return false;
    *line = slice_take_until(rest, '\n');
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* How long the head is, with its empty line; 0 while it is not complete. */
static size_t head_len_of(slice bytes)
{
    slice rest = bytes;
    slice line;
    while (take_line(&rest, &line))
        if (line.len == 0)
            return bytes.len - rest.len;
    return 0;
}

static bool is_visible(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0;
}

static bool starts_with(slice text, slice prefix)
{
    return text.len >= prefix.len && slice_equals_in_any_case((slice){text.data, prefix.len}, prefix);
}

/* ---- The request line (RFC 9112, 3) ---- */

/* Take "http://host" off a target that is a whole URL. */
static void take_authority(slice *target, admin_request *r)
{
    const slice schemes[] = {SLICE_LITERAL("http://"), SLICE_LITERAL("https://")};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!starts_with(*target, schemes[i]))
            continue;
        size_t end = schemes[i].len;
        while (end < target->len && target->data[end] != '/' && target->data[end] != '?')
            end++;
        r->has_host = true;
        r->host = (slice){target->data + schemes[i].len, end - schemes[i].len};
        *target = (slice){target->data + end, target->len - end};
        return;
    }
}

/* Which path is asked for. What is none (an asterisk, host:port) stays what it is: there is no such page. */
static void read_target(slice target, admin_request *r)
{
    take_authority(&target, r);
    r->path = slice_take_until(&target, '?');
    if (r->path.len == 0) /* http://host means http://host/ (RFC 9110, 4.2.3) */
        r->path = SLICE_LITERAL("/");
}

/* 0, or the status of the fault. */
static int read_request_line(slice line, admin_request *r)
{
    slice method = slice_take_until(&line, ' ');
    slice target = slice_take_until(&line, ' ');
    const slice major = SLICE_LITERAL("HTTP/");
    if (!http_text_is_token(method) || !is_visible(target) || line.len != major.len + 3 ||
        !starts_with(line, major) || !ascii_is_digit(line.data[5]) || line.data[6] != '.' ||
        !ascii_is_digit(line.data[7]))
        return STATUS_BAD;
    if (line.data[5] != '1')
        return STATUS_OTHER_VERSION;
    r->is_head = slice_equals(method, SLICE_LITERAL("HEAD"));
    r->only_reads = r->is_head || slice_equals(method, SLICE_LITERAL("GET"));
    r->stays = line.data[7] != '0'; /* with 1.0 an answer ends the connection, whatever is asked */
    read_target(target, r);
    return 0;
}

/* ---- The header fields (RFC 9112, 5) ---- */

static bool list_has(slice list, slice word)
{
    for (slice entry; slice_take_entry(&list, &entry);)
        if (slice_equals_in_any_case(entry, word))
            return true;
    return false;
}

/* `hosts` counts the Host fields. False where the line is no field: a blank before the colon, or a folded
 * line, makes a name that is no token. */
static bool read_field(slice line, admin_request *r, unsigned *hosts)
{
    if (memchr(line.data, ':', line.len) == NULL)
        return false;
    slice name = slice_take_until(&line, ':');
    slice value = slice_trim(line);
    if (!http_text_is_token(name) || memchr(value.data, '\0', value.len) != NULL ||
        memchr(value.data, '\r', value.len) != NULL)
        return false;
    if (slice_equals_in_any_case(name, SLICE_LITERAL("Host"))) {
        if (!r->has_host) /* that of a URL wins */
            r->host = value;
        ++*hosts;
    } else if (slice_equals_in_any_case(name, SLICE_LITERAL("Accept"))) {
        r->accept = value;
    } else if (slice_equals_in_any_case(name, SLICE_LITERAL("Connection"))) {
        r->stays = r->stays && !list_has(value, SLICE_LITERAL("close"));
    } else if (slice_equals_in_any_case(name, SLICE_LITERAL("Content-Length"))) {
        r->has_body = r->has_body || !slice_equals(value, SLICE_LITERAL("0"));
    } else if (slice_equals_in_any_case(name, SLICE_LITERAL("Transfer-Encoding"))) {
        r->has_body = true;
    }
    return true;
}

/* ---- The head ---- */

/* 0, or the status of the fault. */
static int read_head(slice head, admin_request *r)
{
    slice line;
    if (!take_line(&head, &line))
        return STATUS_BAD;
    int fault = read_request_line(line, r);
    unsigned hosts = 0;
    while (fault == 0 && take_line(&head, &line) && line.len > 0)
        if (!read_field(line, r, &hosts))
            fault = STATUS_BAD;
    r->has_host = r->has_host || hosts > 0;
    return fault == 0 && hosts > 1 ? STATUS_BAD : fault; /* RFC 9112, 3.2 */
}

bool admin_request_parse(slice bytes, admin_request *out)
{
    *out = (admin_request){0};
    slice seen = {bytes.data, bytes.len < ADMIN_REQUEST_MAX_HEAD ? bytes.len : ADMIN_REQUEST_MAX_HEAD};
    size_t len = head_len_of(seen);
    if (len == 0 && seen.len < ADMIN_REQUEST_MAX_HEAD)
        return false;
    int fault = len == 0 ? STATUS_HEAD_TOO_LARGE : read_head((slice){bytes.data, len}, out);
    if (fault != 0)
        *out = (admin_request){.fault = fault};
    else
        out->len = len;
    return true;
}
