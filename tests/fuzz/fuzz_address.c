/* Any text as an address: what is read is written, and what is written is read as the same, always in the
 * same words. */
#include "base/address.h"

#include "support/same_address.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Read an exact copy, so that the sanitizers see a byte read too many. */
static bool parse(const char *text, size_t len, address *out)
{
    char *copy = malloc(len > 0 ? len : 1);
    require(copy != NULL);
    memcpy(copy, text, len);
    *out = (address){.family = UINT8_MAX};
    bool is_address = address_parse((slice){copy, len}, out);
    require(is_address == (out->family != UINT8_MAX));
    free(copy);
    return is_address;
}

static void require_well_formed(const address *a)
{
    require(a->family == ADDRESS_IPV4 || a->family == ADDRESS_IPV6);
    for (size_t i = 4; i < sizeof(a->bytes) && a->family == ADDRESS_IPV4; i++)
        require(a->bytes[i] == 0);
    address by_bytes = a->family == ADDRESS_IPV4 ? address_from_ipv4(a->bytes, a->port)
                                                 : address_from_ipv6(a->bytes, a->port);
    require(same_address(a, &by_bytes)); /* no mapped one stays IPv6 */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    address a;
    if (!parse((const char *)data, size, &a))
        return 0;
    require_well_formed(&a);

    char text[ADDRESS_MAX_TEXT];
    char again_text[ADDRESS_MAX_TEXT];
    size_t len = address_format(&a, text);
    require(len > 0 && len < sizeof(text) && strlen(text) == len);
    address again;
    require(parse(text, len, &again) && same_address(&a, &again));
    require(address_format(&again, again_text) == len && memcmp(text, again_text, len + 1) == 0);

    address bare;
    if (address_parse_ip((slice){(const char *)data, size}, &bare))
        require(same_address(&a, &bare) && bare.port == 0);
    return 0;
}
