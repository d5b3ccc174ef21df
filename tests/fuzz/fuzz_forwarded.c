/* Forwarding headers, fuzzed. Whatever a client made up: a peer that is not trusted is the client itself;
 * what a proxy appends to the list, or sends as a line of its own, is found as it was written; and once the
 * walk has ended, nothing that stands further to the left changes where.
 *
 * Input: one byte of settings (bit 0: Forwarded instead of X-Forwarded-For; bits 1 and 2: the family of the
 * client that the proxy names and whether it names a port); then the lines, each ended by LF. */
#include "proxy/forwarded.h"

#include "support/same_address.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINES = 8, QUOTED_BIT = 1, IPV6_BIT = 2, PORT_BIT = 4, LONGEST_ELEMENT = 256 };

static const address stranger = {.family = ADDRESS_IPV4, .bytes = {203, 0, 113, 9}, .port = 99};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The lines of one header; each an exact copy, so that the sanitizers see a byte read too many. */
typedef struct header {
    slice lines[MAX_LINES];
    size_t count;
} header;

static void add_line(header *h, slice text, const char *more)
{
    size_t more_len = strlen(more);
    char *copy = malloc(text.len + more_len > 0 ? text.len + more_len : 1);
    require(copy != NULL && h->count < MAX_LINES);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    memcpy(copy + text.len, more, more_len);
    h->lines[h->count++] = (slice){copy, text.len + more_len};
}

static void deinit(header *h)
{
    for (size_t i = 0; i < h->count; i++)
        free((void *)(uintptr_t)h->lines[i].data);
}

/* The lines of the text, with `more` behind the last one. */
static header header_of(slice text, const char *more)
{
    header h = {0};
    while (h.count < MAX_LINES - 1 && text.len > 0) {
        slice line = slice_take_until(&text, '\n');
        bool is_last = text.len == 0 || h.count == MAX_LINES - 2;
        add_line(&h, line, is_last ? more : "");
    }
    return h;
}

static address_list trusted_list(void)
{
    static const char text[] = "127.0.0.1,10.0.0.0/8,fd00::/8,unix";
    address_list list;
    address_list_fault fault;
    require(address_list_parse(&list, (slice){text, sizeof(text) - 1}, &fault) == 0);
    return list;
}

static bool find(const header *h, bool is_quoted, address peer, address *client)
{
    static const forwarded_values none = {NULL, 0};
    const address_list trusted = trusted_list();
    const forwarded_values values = {h->lines, h->count};
    bool is_told =
        forwarded_find_client(&peer, &trusted, is_quoted ? none : values, is_quoted ? values : none, client);
    /* Who was not told is stood for by a hop that is trusted. */
    require(is_told || address_list_has(&trusted, client));
    require(is_told || !same_address(&peer, &stranger));
    return is_told;
}

/* What an honest proxy writes about this client, as an element. */
static void write_element(char out[LONGEST_ELEMENT], const address *client, bool is_quoted)
{
    char text[ADDRESS_MAX_TEXT];
    address_format(client, text);
    bool is_bare = client->family == ADDRESS_IPV6 && client->port == 0;
    if (is_quoted)
        snprintf(out, LONGEST_ELEMENT, is_bare ? "by=\"a,\\\"\";for=\"[%s]\"" : "by=\"a,\\\"\";for=\"%s\"",
                 text);
    else
        snprintf(out, LONGEST_ELEMENT, "%s", text);
}

static void require_found(const header *h, bool is_quoted, const address *expected)
{
    address found;
    require(find(h, is_quoted, (address){.family = ADDRESS_UNIX}, &found));
    require(same_address(&found, expected));
}

/* A trusted proxy names a client, behind what is there already: in the last line, in a line of its own, and
 * with a second trusted proxy behind it. */
static void check_appended(slice text, bool is_quoted, const address *client)
{
    char element[LONGEST_ELEMENT];
    char appended[2 * LONGEST_ELEMENT];
    write_element(element, client, is_quoted);
    snprintf(appended, sizeof(appended), ", %s, %s10.1.2.3", element, is_quoted ? "proto=https;for=" : "");

    header in_line = header_of(text, appended);
    if (in_line.count > 0)
        require_found(&in_line, is_quoted, client);
    deinit(&in_line);

    header by_line = header_of(text, "");
    add_line(&by_line, (slice){NULL, 0}, element);
    require_found(&by_line, is_quoted, client);
    deinit(&by_line);
}

/* The last line alone leads to where all of them lead, unless the walk passed it. */
static void check_left_does_not_matter(const header *all, bool is_quoted, address peer)
{
    address whole;
    address part;
    bool is_whole_told = find(all, is_quoted, peer, &whole);
    header last = {.count = all->count > 0};
    if (last.count > 0)
        last.lines[0] = all->lines[all->count - 1];
    bool is_part_told = find(&last, is_quoted, peer, &part);

    const address_list trusted = trusted_list();
    bool has_passed = is_part_told && address_list_has(&trusted, &part);
    require(has_passed || (is_part_told == is_whole_told && same_address(&part, &whole)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool is_quoted = (data[0] & QUOTED_BIT) != 0;
    slice text = {(const char *)data + 1, size - 1};

    header h = header_of(text, "");
    address found;
    require(find(&h, is_quoted, stranger, &found) && same_address(&found, &stranger));
    check_left_does_not_matter(&h, is_quoted, (address){.family = ADDRESS_UNIX});
    deinit(&h);

    static const uint8_t ipv6[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 0x17};
    uint16_t port = (data[0] & PORT_BIT) != 0 ? 4711 : 0;
    address client = stranger;
    client.port = port;
    if ((data[0] & IPV6_BIT) != 0)
        client = address_from_ipv6(ipv6, port);
    check_appended(text, is_quoted, &client);
    return 0;
}
