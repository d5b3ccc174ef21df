/* The lists, too, are cut from their end, and each element is read when it is cut off. So whatever the client
 * has put at the start, an open quote for instance, does not change how an element of a proxy is read. */
#include "proxy/forwarded.h"

#include "base/ascii.h"

/* How one of the two headers is written. */
typedef struct list_syntax {
    /* Take the last element off a list that is not empty. */
    slice (*take_last)(slice *list);
    /* Read the address that an element tells. False when it tells none. */
    bool (*read)(slice element, address *out);
} list_syntax;

/* Cut the list at its byte `start`, and return what was behind. The comma before `start` is dropped. */
static slice cut(slice *list, size_t start)
{
    slice element = {list->data + start, list->len - start};
    list->len = start == 0 ? 0 : start - 1;
    return slice_trim(element);
}

/* ---- X-Forwarded-For ---- */

static slice take_last_plain(slice *list)
{
    const char *comma = memrchr(list->data, ',', list->len);
    return cut(list, comma == NULL ? 0 : (size_t)(comma + 1 - list->data));
}

/* ---- Forwarded (RFC 7239, 4) ---- */

/* Is the byte at `at` escaped? It is in a quoted string (RFC 9110, 5.6.4). */
static bool is_escaped(slice text, size_t at)
{
    size_t backslashes = 0;
    while (backslashes < at && text.data[at - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/* Seen from the end, a string begins with its closing quote and ends at the next one that is not escaped. */
static slice take_last_quoted(slice *list)
{
    bool is_in_string = false;
    for (size_t at = list->len; at > 0; at--) {
        char c = list->data[at - 1];
        if (c == '"' && !(is_in_string && is_escaped(*list, at - 1)))
            is_in_string = !is_in_string;
        else if (c == ',' && !is_in_string)
            return cut(list, at);
    }
    return cut(list, 0);
}

static void skip(slice *text, size_t len)
{
    text->data += len;
    text->len -= len;
}

static bool take_token(slice *rest, slice *token)
{
    size_t len = 0;
    while (len < rest->len && ascii_is_token_char(rest->data[len]))
        len++;
    *token = (slice){rest->data, len};
    skip(rest, len);
    return len > 0;
}

/* Take a quoted string off the rest; *content is what is between the quotes. Escapes stay as they are: no
 * address needs one, so a string that has any is not read as an address. */
static bool take_string(slice *rest, slice *content)
{
    size_t end = 1;
    while (end < rest->len && rest->data[end] != '"')
        end += rest->data[end] == '\\' ? 2 : 1;
    if (end >= rest->len)
        return false;
    *content = (slice){rest->data + 1, end - 1};
    skip(rest, end + 1);
    return true;
}

/* Take `name=value` off the rest (forwarded-pair). */
static bool take_pair(slice *rest, slice *name, slice *value)
{
    if (!take_token(rest, name) || rest->len == 0 || rest->data[0] != '=')
        return false;
    skip(rest, 1);
    bool is_string = rest->len > 0 && rest->data[0] == '"';
    return is_string ? take_string(rest, value) : take_token(rest, value);
}

/* Take the next parameter, which may be empty, and the semicolon behind it. False where it is malformed. */
static bool take_parameter(slice *rest, slice *name, slice *value)
{
    if (rest->data[0] != ';' && !take_pair(rest, name, value))
        return false;
    *rest = slice_trim(*rest);
    if (rest->len == 0)
        return true;
    if (rest->data[0] != ';')
        return false;
    skip(rest, 1);
    *rest = slice_trim(*rest);
    return true;
}

/* The value of `for`, which must be in an element just once (RFC 7239, 4). */
static bool find_for(slice element, slice *node)
{
    unsigned times = 0;
    while (element.len > 0) {
        slice name = {0};
        slice value = {0};
        if (!take_parameter(&element, &name, &value))
            return false;
        if (!slice_equals_in_any_case(name, SLICE_LITERAL("for")))
            continue;
        *node = value;
        times++;
    }
    return times == 1;
}

/* Could this be a port that is kept secret, as in 192.0.2.1:_p (RFC 7239, 6.3)? */
static bool is_hidden_port(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!ascii_is_letter(c) && !ascii_is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return text.len > 1 && text.data[0] == '_';
}

static slice without_hidden_port(slice node)
{
    const char *colon = memrchr(node.data, ':', node.len);
    if (colon == NULL)
        return node;
    slice host = {node.data, (size_t)(colon - node.data)};
    return is_hidden_port((slice){colon + 1, node.len - host.len - 1}) ? host : node;
}

static bool read_forwarded(slice element, address *out)
{
    slice node;
    if (!find_for(element, &node) || node.len == 0)
        return false;
    /* IPv6 stands in brackets here (RFC 7239, 6); without them a port would be read as a part of it. */
    node = without_hidden_port(node);
    const char *colon = memchr(node.data, ':', node.len);
    bool has_colons = colon != NULL && memrchr(node.data, ':', node.len) != colon;
    return (!has_colons || node.data[0] == '[') && address_parse(node, out);
}

/* ---- The walk ---- */

static const list_syntax plain = {take_last_plain, address_parse};
static const list_syntax quoted = {take_last_quoted, read_forwarded};

/* Walk along one line. True where the walk ends; *is_found then tells whether it ends at an address. */
static bool walk_line(slice line, const list_syntax *syntax, const address_list *trusted, address *client,
                      bool *is_found)
{
    while (line.len > 0) {
        slice element = syntax->take_last(&line);
        if (element.len == 0)
            continue;
        *is_found = syntax->read(element, client);
        if (!*is_found || !address_list_has(trusted, client))
            return true;
    }
    return false;
}

bool forwarded_find_client(const address *peer, const address_list *trusted, forwarded_values x_forwarded_for,
                           forwarded_values forwarded, address *client)
{
    *client = *peer;
    if (!address_list_has(trusted, peer))
        return true;

    bool has_plain = x_forwarded_for.count > 0;
    const forwarded_values values = has_plain ? x_forwarded_for : forwarded;
    bool is_found = true;
    for (size_t i = values.count; i > 0; i--) {
        if (walk_line(values.lines[i - 1], has_plain ? &plain : &quoted, trusted, client, &is_found))
            return is_found;
    }
    return is_found;
}
