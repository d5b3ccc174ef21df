/* Arbitrary bytes as a packet, and as a link message, of another node.
 *
 * What must hold: what is accepted is within its bounds, can be written again, and is then the same bytes;
 * so there is one encoding of each message, and nothing is accepted that is not understood. */
#include "fuzz.h"

#include "cluster/wire.h"

static void require_within(slice inner, const char *data, size_t size)
{
    REQUIRE(inner.len == 0 || (inner.data >= data && inner.data + inner.len <= data + size));
}

static void judge(const wire_message *m, const char *data, size_t size)
{
    REQUIRE(m->type > 0 && m->type < WIRE_TYPES);
    REQUIRE(m->name.len <= WIRE_MAX_NODE_NAME && m->version.len <= WIRE_MAX_NODE_NAME);
    REQUIRE(m->room.len <= WIRE_MAX_NAME && m->user.len <= WIRE_MAX_NAME && m->extra.len <= WIRE_MAX_EXTRA);
    REQUIRE(m->payload.len <= WIRE_MAX_PAYLOAD && wire_key_count(m) <= WIRE_MAX_KEYS);
    REQUIRE(m->space < WIRE_SPACES && m->order <= WIRE_ORDERS);
    require_within(m->name, data, size);
    require_within(m->version, data, size);
    require_within(m->room, data, size);
    require_within(m->user, data, size);
    require_within(m->extra, data, size);
    require_within(m->keys, data, size);
    require_within(m->payload, data, size);
    REQUIRE(wire_size(m) == size);
    uint8_t *again = malloc(size);
    REQUIRE(again != NULL);
    wire_write(m, again);
    REQUIRE(memcmp(again, data, size) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wire_message m;
    char *copy = malloc(size > 0 ? size : 1); /* so that the sanitizers see a byte read too many */
    REQUIRE(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    const slice input = {copy, size};
    if (wire_read_packet(input, &m) == 0) {
        REQUIRE(wire_is_packet(m.type) && !node_id_is_nobody(&m.from));
        judge(&m, copy, size);
    }
    if (wire_read_link(input, &m) == 0) {
        REQUIRE(!wire_is_packet(m.type));
        judge(&m, copy, size);
    }
    free(copy);
    return 0;
}
