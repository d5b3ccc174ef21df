#include "websocket/subprotocol.h"

#include "websocket/handshake.h"

static const char *find_known(slice name, const char *const known[], size_t known_count)
{
    for (size_t i = 0; i < known_count; i++) {
        if (slice_equals(name, slice_of_text(known[i])))
            return known[i];
    }
    return NULL;
}

const char *ws_subprotocol_choose(slice fields, const char *const known[], size_t known_count)
{
    slice list;
    slice name;
    while (ws_handshake_next_field(&fields, SLICE_LITERAL("Sec-WebSocket-Protocol"), &list)) {
        while (slice_take_entry(&list, &name)) {
            const char *chosen = find_known(name, known, known_count);
            if (chosen != NULL)
                return chosen;
        }
    }
    return NULL;
}
