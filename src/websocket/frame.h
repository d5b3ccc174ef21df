/* WebSocket frames (RFC 6455, 5) as a pure machine: the caller's bytes in, events out.
 *
 * The decoder is a server's unless it is told to be a client's (is_client). A server's wants masked frames
 * and unmasks them in place in the caller's buffer, a client's wants them unmasked. Both enforce every rule
 * of the framing: reserved bits and opcodes, minimal lengths, control frames whole and short, the order of
 * fragments, UTF-8 in text (failed at the offending byte), close codes, the message bound. It keeps no
 * payload: a data frame that is only partly there is passed on part by part, so its memory is this struct
 * alone.
 *
 * Left out on purpose: assembling messages (the connection does that, and only where a message did not arrive
 * in one piece) and extensions (none is ever negotiated, so every reserved bit is a fault). */
#ifndef HOMECALL_WEBSOCKET_FRAME_H
#define HOMECALL_WEBSOCKET_FRAME_H

#include "websocket/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 6455, 5.2 */
typedef enum ws_opcode {
    WS_OPCODE_CONTINUATION = 0x0,
    WS_OPCODE_TEXT = 0x1,
    WS_OPCODE_BINARY = 0x2,
    WS_OPCODE_CLOSE = 0x8,
    WS_OPCODE_PING = 0x9,
    WS_OPCODE_PONG = 0xA,
} ws_opcode;

/* RFC 6455, 7.4.1 and the private range of 7.4.2 */
typedef enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_NO_STATUS = 1005, /* never on the wire: a close frame without a code */
    WS_CLOSE_ABNORMAL = 1006,  /* never on the wire: no close frame at all */
    WS_CLOSE_INVALID_DATA = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_BIG = 1009,
    WS_CLOSE_INTERNAL_ERROR = 1011,
    WS_CLOSE_TAKEN_OVER = 4001, /* the same user joined from a new connection: PROTOCOL.md, rule 1 */
} ws_close_code;

enum {
    WS_MASK_LEN = 4,              /* RFC 6455, 5.3 */
    WS_MAX_CONTROL_PAYLOAD = 125, /* RFC 6455, 5.5 */
    WS_MAX_SERVER_HEADER = 10,    /* two bytes and a 64-bit length, without a mask */
    WS_MAX_CLIENT_HEADER = 14,    /* the same with a mask */
};

/* Between two calls. Zeroed = before the first frame, on a server. Embedded in each connection, hence small.
 */
typedef struct ws_decoder {
    uint32_t frame_left;    /* payload bytes of the current data frame still to come */
    uint32_t message_bytes; /* payload bytes of the current message announced so far, with this frame */
    uint8_t mask[4];        /* of the current data frame, turned so that mask[0] is for the next byte */
    utf8_state utf8;        /* of the current text message */
    uint8_t opcode;         /* TEXT or BINARY while a message is under way, 0 otherwise */
    bool is_in_frame;       /* a data frame's header has been read, its payload not wholly */
    bool is_final;          /* of the current data frame: FIN */
    bool has_data : 1;      /* a part of the current message has already been passed on */
    bool has_failed : 1;    /* after a FAULT or CLOSE: nothing more is read */
    bool is_client : 1;     /* the frames come from a server. Set before the first one. */
} ws_decoder;

typedef enum ws_event_type {
    WS_EVENT_NONE,  /* the rest of the bytes is the begin of something: come back with more behind them */
    WS_EVENT_DATA,  /* the next part of a message, possibly all of it */
    WS_EVENT_PING,  /* answer with a pong that carries the same data */
    WS_EVENT_PONG,  /* a pong, asked for or not */
    WS_EVENT_CLOSE, /* the peer closes; answer with the same code */
    WS_EVENT_FAULT, /* the peer broke a rule: fail the connection with this code */
} ws_event_type;

typedef struct ws_event {
    ws_event_type type;
    uint8_t *data; /* DATA, PING, PONG: unmasked payload; CLOSE: the reason text. In the caller's buffer. */
    size_t len;    /* its bytes; may be 0, also for DATA */
    bool is_text;  /* DATA: of a text message, checked as UTF-8 so far */
    bool is_first; /* DATA: the message begins here */
    bool is_last;  /* DATA: the message ends here */
    uint16_t code; /* CLOSE: the peer's code or WS_CLOSE_NO_STATUS. FAULT: the code to close with. */
    const char *reason; /* FAULT: a literal for the log and the close frame, under 123 bytes */
} ws_event;

/* Read the next event from [data, data + len), which begins where the last call stopped consuming. Returns
 * how many bytes were consumed; those are done with (but *event may point into them). With WS_EVENT_NONE the
 * bytes not consumed, at most WS_MAX_CLIENT_HEADER + WS_MAX_CONTROL_PAYLOAD - 1, must be given again with
 * more behind them. A payload in hand is always passed on, so WS_EVENT_NONE never leaves data of a message
 * behind.
 *
 * A message over `max_message_bytes` is a FAULT with 1009 as soon as a header announces it. After a FAULT or
 * a CLOSE every call consumes everything and returns WS_EVENT_NONE. */
size_t ws_decoder_next(ws_decoder *decoder, uint32_t max_message_bytes, uint8_t *data, size_t len,
                       ws_event *event);

/* Write the header of an unmasked (server) frame with FIN set; returns its length, at most
 * WS_MAX_SERVER_HEADER. */
size_t ws_frame_header(uint8_t out[WS_MAX_SERVER_HEADER], ws_opcode opcode, uint64_t payload_len);

/* The same for a masked (client) frame, at most WS_MAX_CLIENT_HEADER; the payload is to go through ws_mask()
 * with the same mask. */
size_t ws_client_frame_header(uint8_t out[WS_MAX_CLIENT_HEADER], ws_opcode opcode, uint64_t payload_len,
                              const uint8_t mask[WS_MASK_LEN]);

/* Mask or unmask in place (RFC 6455, 5.3). */
void ws_mask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN]);

#endif
