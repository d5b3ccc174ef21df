/* Why connections end: the reasons, as logs and metrics name them, and the close codes. Any thread. */
#ifndef HOMECALL_NET_CLOSE_REASON_H
#define HOMECALL_NET_CLOSE_REASON_H

#include <stdbool.h>
#include <stdint.h>

typedef enum close_reason {
    CLOSE_REASON_BY_PEER,         /* the peer sent a close frame, with any code */
    CLOSE_REASON_LOST,            /* the peer of a WebSocket ended TCP without a close frame, or TCP broke */
    CLOSE_REASON_SILENT,          /* the peer was silent after a ping, or did not end TCP after our close */
    CLOSE_REASON_NOT_READ,        /* more output waits for the peer than MAX_OUTPUT_BYTES */
    CLOSE_REASON_NO_REQUEST,      /* the peer ended TCP, or TCP broke, before its request was complete */
    CLOSE_REASON_TLS_FAULT,       /* the TLS handshake failed, or bytes came that are not TLS */
    CLOSE_REASON_HANDSHAKE_FAULT, /* the request was answered with an HTTP fault, or a PROXY header was bad */
    CLOSE_REASON_PAGE,            /* the request was for a page, and was answered */
    CLOSE_REASON_HANDSHAKE_TIMEOUT, /* there was no complete request within HANDSHAKE_TIMEOUT */
    CLOSE_REASON_NO_PLACE,          /* answered with 503: a limit of connections, or no memory */
    CLOSE_REASON_PROTOCOL_FAULT, /* a frame that RFC 6455 forbids (1002), or text that is not UTF-8 (1007) */
    CLOSE_REASON_TOO_BIG,        /* a message over MAX_MESSAGE_BYTES */
    CLOSE_REASON_FLOOD,          /* more frames than MESSAGE_RATE and MESSAGE_BURST allow */
    CLOSE_REASON_ADDRESS_FLOOD,  /* the connections of one address have sent more than it may */
    CLOSE_REASON_INVALID_MESSAGES, /* more invalid messages than FAULT_BURST allows */
    CLOSE_REASON_TAKEN_OVER,       /* the same user joined from a new connection */
    CLOSE_REASON_REPLACED,         /* its session goes on with another connection */
    CLOSE_REASON_SESSION_FULL,     /* what it came for is full, and it can't ask for anything else */
    CLOSE_REASON_NOT_ALLOWED,      /* it may not join what it came for: the embedding program says so */
    CLOSE_REASON_SERVER_STOPS,     /* the server stops */
    CLOSE_REASON_RESTARTS,         /* the same, where the client knows what that means */
    CLOSE_REASON_OVERLOADED,       /* a join while the server is overloaded */
    CLOSE_REASON_NO_MEMORY,        /* out of memory */
    CLOSE_REASON_SLOW_MESSAGE,     /* a message or a frame was begun, and not ended within MESSAGE_TIMEOUT */
    CLOSE_REASON_HELD_MOST,        /* it held the most when all buffers together passed MAX_BUFFERED_BYTES */
    CLOSE_REASONS
} close_reason;

/* Close codes are counted in slots: one for each code of RFC 6455, 7.4.1 and for ours, and some for ranges of
 * all other codes. */
enum { CLOSE_CODE_SLOTS = 16 };

/* The word for a reason in snake_case; a literal. */
const char *close_reason_name(close_reason reason);

/* The code of our close frame for this reason. 1006 where none is sent; 0 where the code depends on what the
 * peer has sent. */
uint16_t close_reason_code(close_reason reason);

/* Can a connection end for this reason with a code of this slot? Every reason can end with 1006: a close
 * frame can't be sent in the handshake, or there may be no memory for it. */
bool close_reason_has_slot(close_reason reason, int slot);

/* The slot of a code, from 0 to CLOSE_CODE_SLOTS - 1. */
int close_code_slot(uint16_t code);

/* The text for a slot: "1000", "4001", "4xxx", "other", …; a literal. */
const char *close_code_slot_name(int slot);

#endif
