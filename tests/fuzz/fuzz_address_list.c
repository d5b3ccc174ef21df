/* Any text as a list of networks: a fault names an entry of the text, and a list holds just what a reader of
 * another make, bit by bit and entry by entry, finds in its text.
 *
 * Input: one byte for the family and 16 for the address that is looked up; then the list. */
#include "base/address_list.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SETTINGS = 17 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static address address_of(const uint8_t *settings)
{
    switch (settings[0] % 4) {
    case 0:
        return address_from_ipv4(settings + 1, settings[16]);
    case 1:
        return address_from_ipv6(settings + 1, settings[16]);
    case 2:
        return (address){.family = ADDRESS_UNIX};
    default:
        return (address){.family = ADDRESS_UNKNOWN};
    }
}

static unsigned bit(const address *a, size_t at)
{
    return a->bytes[at / 8] >> (7 - at % 8) & 1;
}

/* Does a good entry hold the address? */
static bool entry_holds(slice entry, const address *a)
{
    if (slice_equals_in_any_case(entry, SLICE_LITERAL("unix")))
        return a->family == ADDRESS_UNIX;
    slice rest = entry;
    address first;
    require(address_parse_ip(slice_take_until(&rest, '/'), &first));
    size_t bits = first.family == ADDRESS_IPV4 ? 32 : 128;
    if (rest.len > 0) {
        size_t prefix = 0;
        for (size_t i = 0; i < rest.len; i++)
            prefix = prefix * 10 + (size_t)(rest.data[i] - '0');
        require(prefix <= bits);
        for (size_t i = prefix; i < bits; i++)
            require(bit(&first, i) == 0);
        bits = prefix;
    }
    if (first.family != a->family)
        return false;
    for (size_t i = 0; i < bits; i++) {
        if (bit(&first, i) != bit(a, i))
            return false;
    }
    return true;
}

static bool text_holds(slice text, const address *a)
{
    bool holds = false;
    while (text.len > 0) {
        slice entry = slice_trim(slice_take_until(&text, ','));
        if (entry.len > 0 && entry_holds(entry, a))
            holds = true;
    }
    return holds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SETTINGS)
        return 0;
    address a = address_of(data);
    size_t len = size - SETTINGS;
    char *copy = malloc(len > 0 ? len : 1);
    require(copy != NULL);
    memcpy(copy, data + SETTINGS, len);

    address_list list;
    address_list_fault fault;
    int error = address_list_parse(&list, (slice){copy, len}, &fault);
    require(list.count <= ADDRESS_LIST_MAX);
    if (error == 0) {
        require(address_list_has(&list, &a) == text_holds((slice){copy, len}, &a));
    } else {
        require(error == -EINVAL && list.count == 0 && !list.has_unix && !address_list_has(&list, &a));
        require(fault.entry.len > 0 && fault.entry.data >= copy &&
                fault.entry.data + fault.entry.len <= copy + len && strlen(fault.reason) > 0);
    }
    free(copy);
    return 0;
}
