#include "base/address_list.h"

#include <assert.h>
#include <errno.h>

enum { IPV4_BITS = 32, IPV6_BITS = 128, MAX_PREFIX_DIGITS = 3 };

static uint8_t bits_of(const address *a)
{
    return a->family == ADDRESS_IPV4 ? IPV4_BITS : IPV6_BITS;
}

/* The bits of byte `at` that the prefix covers. */
static uint8_t mask_at(uint8_t prefix_bits, size_t at)
{
    if (prefix_bits >= 8 * (at + 1))
        return 0xFF;
    if (prefix_bits <= 8 * at)
        return 0;
    return (uint8_t)(0xFF << (8 - prefix_bits % 8));
}

static bool holds(const address_network *network, const address *a)
{
    if (network->first.family != a->family)
        return false;
    for (size_t i = 0; i < sizeof(a->bytes); i++) {
        if (((network->first.bytes[i] ^ a->bytes[i]) & mask_at(network->prefix_bits, i)) != 0)
            return false;
    }
    return true;
}

/* Are all the bits behind the prefix 0? */
static bool is_first(const address_network *network)
{
    for (size_t i = 0; i < sizeof(network->first.bytes); i++) {
        if ((network->first.bytes[i] & ~mask_at(network->prefix_bits, i)) != 0)
            return false;
    }
    return true;
}

/* A decimal number up to `max_bits` without leading zeros. */
static bool parse_prefix(slice text, uint8_t max_bits, uint8_t *out)
{
    if (text.len == 0 || text.len > MAX_PREFIX_DIGITS || (text.data[0] == '0' && text.len > 1))
        return false;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = (uint8_t)bits;
    return bits <= max_bits;
}

/* Read "address" or "address/prefix". Returns what is wrong, or NULL. */
static const char *parse_network(slice entry, address_network *out)
{
    bool has_prefix = memchr(entry.data, '/', entry.len) != NULL;
    slice host = slice_take_until(&entry, '/');
    if (!address_parse_ip(host, &out->first))
        return "neither an IP address nor a network nor unix";

    out->prefix_bits = bits_of(&out->first);
    if (!has_prefix)
        return NULL;
    if (out->first.family == ADDRESS_IPV4 && memchr(host.data, ':', host.len) != NULL)
        return "an IPv4 network is to be written as IPv4";
    if (!parse_prefix(entry, bits_of(&out->first), &out->prefix_bits))
        return out->first.family == ADDRESS_IPV4 ? "the prefix is no number from 0 to 32"
                                                 : "the prefix is no number from 0 to 128";
    return is_first(out) ? NULL : "the address has bits set behind the prefix";
}

static const char *add(address_list *list, slice entry)
{
    if (slice_equals_in_any_case(entry, SLICE_LITERAL("unix"))) {
        list->has_unix = true;
        return NULL;
    }
    static_assert(ADDRESS_LIST_MAX == 256, "what the reason says");
    if (list->count == ADDRESS_LIST_MAX)
        return "256 networks stand before it, and more are not taken";
    const char *reason = parse_network(entry, &list->networks[list->count]);
    if (reason == NULL)
        list->count++;
    return reason;
}

int address_list_parse(address_list *list, slice text, address_list_fault *fault)
{
    *list = (address_list){0};
    for (slice entry; slice_take_entry(&text, &entry);) {
        const char *reason = add(list, entry);
        if (reason != NULL) {
            *list = (address_list){0};
            *fault = (address_list_fault){entry, reason};
            return -EINVAL;
        }
    }
    return 0;
}

bool address_list_has(const address_list *list, const address *a)
{
    if (a->family == ADDRESS_UNIX)
        return list->has_unix;
    for (size_t i = 0; i < list->count; i++) {
        if (holds(&list->networks[i], a))
            return true;
    }
    return false;
}
