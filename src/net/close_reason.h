/* Why connections end, in the words that logs and metrics use, and the codes that they end with. */
#ifndef HOMECALL_NET_CLOSE_REASON_H
#define HOMECALL_NET_CLOSE_REASON_H

#include <stdbool.h>
#include <stdint.h>

typedef enum close_reason {
    CLOSE_REASON_BY_PEER,           /* it sent a close frame: any code */
    CLOSE_REASON_LOST,              /* the end of TCP, without one */
    CLOSE_REASON_SILENT,            /* no sign of life when asked for one */
    CLOSE_REASON_NOT_READ,          /* more waits for it than MAX_OUTPUT_BYTES */
    CLOSE_REASON_TLS_FAULT,         /* no handshake of TLS, or bytes that are no TLS */
    CLOSE_REASON_HANDSHAKE_FAULT,   /* its request was answered with an HTTP fault */
    CLOSE_REASON_PAGE,              /* it asked for a page, and got it */
    CLOSE_REASON_HANDSHAKE_TIMEOUT, /* no complete request within HANDSHAKE_TIMEOUT */
    CLOSE_REASON_NO_PLACE,          /* answered with 503: MAX_CONNECTIONS and the like */
    CLOSE_REASON_PROTOCOL_FAULT, /* frames that RFC 6455 forbids, text that is not UTF-8: 1002, 1003, 1007 */
    CLOSE_REASON_TOO_BIG,        /* a message over MAX_MESSAGE_BYTES */
    CLOSE_REASON_FLOOD,          /* more frames than MESSAGE_RATE and MESSAGE_BURST allow */
    CLOSE_REASON_INVALID_MESSAGES, /* more of them than FAULT_BURST allows */
    CLOSE_REASON_TAKEN_OVER,       /* the same user joined from a new connection */
    CLOSE_REASON_SERVER_STOPS,
    CLOSE_REASON_NO_MEMORY,
    CLOSE_REASONS
} close_reason;

/* The close codes that are told apart, each a slot: those of RFC 6455, 7.4.1, ours, and the rest by range. */
enum { CLOSE_CODE_SLOTS = 16 };

/* The word for a reason, snake_case; a literal. */
const char *close_reason_name(close_reason reason);

/* The code that we close with for this reason: 1006 where there is no close frame, 0 where the code is the
 * peer's or depends on its fault. */
uint16_t close_reason_code(close_reason reason);

/* Can a connection end for this reason with a code of this slot? Where there should be a close frame, there
 * may be none after all (1006): it was too early for one, or there was no memory for it. */
bool close_reason_has_slot(close_reason reason, int slot);

/* The slot of a code, and the text for it: "1000", "4001", "4xxx", "other"; a literal. */
int close_code_slot(uint16_t code);
const char *close_code_slot_name(int slot);

#endif
