#include "net/close_reason.h"

#include "websocket/frame.h"

#include <assert.h>

typedef struct reason_row {
    const char *name;
    uint16_t code; /* what close_reason_code() returns */
} reason_row;

static const reason_row reasons[CLOSE_REASONS] = {
    [CLOSE_REASON_BY_PEER] = {"by_peer", 0},
    [CLOSE_REASON_LOST] = {"lost", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_SILENT] = {"silent", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_NOT_READ] = {"not_read", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_NO_REQUEST] = {"no_request", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_TLS_FAULT] = {"tls_fault", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_HANDSHAKE_FAULT] = {"handshake_fault", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_PAGE] = {"page", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_HANDSHAKE_TIMEOUT] = {"handshake_timeout", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_NO_PLACE] = {"no_place", WS_CLOSE_ABNORMAL},
    [CLOSE_REASON_PROTOCOL_FAULT] = {"protocol_fault", 0},
    [CLOSE_REASON_TOO_BIG] = {"too_big", WS_CLOSE_TOO_BIG},
    [CLOSE_REASON_FLOOD] = {"flood", WS_CLOSE_POLICY},
    [CLOSE_REASON_ADDRESS_FLOOD] = {"address_flood", WS_CLOSE_POLICY},
    [CLOSE_REASON_INVALID_MESSAGES] = {"invalid_messages", WS_CLOSE_POLICY},
    [CLOSE_REASON_TAKEN_OVER] = {"taken_over", WS_CLOSE_TAKEN_OVER},
    [CLOSE_REASON_REPLACED] = {"replaced", WS_CLOSE_REPLACED},
    [CLOSE_REASON_SESSION_FULL] = {"session_full", WS_CLOSE_POLICY},
    [CLOSE_REASON_NOT_ALLOWED] = {"not_allowed", WS_CLOSE_POLICY},
    [CLOSE_REASON_RESTARTS] = {"restarts", WS_CLOSE_SERVICE_RESTART},
    [CLOSE_REASON_SERVER_STOPS] = {"server_stops", WS_CLOSE_GOING_AWAY},
    [CLOSE_REASON_OVERLOADED] = {"overloaded", WS_CLOSE_TRY_AGAIN_LATER},
    [CLOSE_REASON_NO_MEMORY] = {"no_memory", WS_CLOSE_INTERNAL_ERROR},
    [CLOSE_REASON_SLOW_MESSAGE] = {"slow_message", WS_CLOSE_POLICY},
    [CLOSE_REASON_HELD_MOST] = {"held_most", WS_CLOSE_ABNORMAL},
};

const char *close_reason_name(close_reason reason)
{
    assert(reason < CLOSE_REASONS);
    return reasons[reason].name;
}

uint16_t close_reason_code(close_reason reason)
{
    return reasons[reason].code;
}

typedef struct slot_row {
    uint16_t first, last; /* the range of its codes, both included */
    const char *name;
} slot_row;

/* A code belongs to the first slot whose range it is in. The last one takes all codes. */
static const slot_row slots[CLOSE_CODE_SLOTS] = {
    {1000, 1000, "1000"}, {1001, 1001, "1001"}, {1002, 1002, "1002"}, {1003, 1003, "1003"},
    {1005, 1005, "1005"}, {1006, 1006, "1006"}, {1007, 1007, "1007"}, {1008, 1008, "1008"},
    {1009, 1009, "1009"}, {1010, 1010, "1010"}, {1011, 1011, "1011"}, {1012, 1014, "1012-1014"},
    {4001, 4001, "4001"}, {3000, 3999, "3xxx"}, {4000, 4999, "4xxx"}, {0, UINT16_MAX, "other"},
};

int close_code_slot(uint16_t code)
{
    int slot = 0; /* ends at the last slot at the latest */
    while (code < slots[slot].first || code > slots[slot].last)
        slot++;
    return slot;
}

bool close_reason_has_slot(close_reason reason, int slot)
{
    if (reason == CLOSE_REASON_BY_PEER || slot == close_code_slot(WS_CLOSE_ABNORMAL))
        return true;
    if (reason == CLOSE_REASON_PROTOCOL_FAULT)
        return slot == close_code_slot(WS_CLOSE_PROTOCOL_ERROR) ||
               slot == close_code_slot(WS_CLOSE_INVALID_DATA);
    return slot == close_code_slot(reasons[reason].code);
}

const char *close_code_slot_name(int slot)
{
    assert(slot >= 0 && slot < CLOSE_CODE_SLOTS);
    return slots[slot].name;
}
