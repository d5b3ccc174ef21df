/* WebSocket frames (RFC 6455, 5) as a pure machine: the caller's bytes in, events out.
 *
 * The decoder reads what a client sends, unless is_client says that it reads what a server sends. Clients
 * mask their frames, and the decoder unmasks them in place, in the caller's buffer. Servers don't mask
 * theirs.
 *
 * It enforces every rule of the framing: reserved bits and opcodes, shortest form of lengths, whole and short
 * control frames, the order of fragments, UTF-8 in texts (a text fails at the byte that is wrong), close
 * codes, and the bound of messages. It keeps no payload: a data frame that is only partly there is passed on
 * part by part. So its memory is this struct alone.
 *
 * Left out on purpose: putting messages together (the connection does that, and only for messages that did
 * not arrive in one piece), and extensions (none is ever negotiated, so every reserved bit is a fault). */
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

/* RFC 6455, 7.4.1, and one of the private range of 7.4.2 */
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
    WS_CLOSE_SERVICE_RESTART = 1012, /* registered with IANA after RFC 6455, as the next */
    WS_CLOSE_TRY_AGAIN_LATER = 1013, /* registered with IANA after RFC 6455 */
    WS_CLOSE_REPLACED = 4501,   /* its session goes on with another connection: protocol/README.md, 2.4 */
    WS_CLOSE_TAKEN_OVER = 4001, /* the same user joined from a new connection: protocol/README.md, 1.1 */
} ws_close_code;

enum {
    WS_MASK_LEN = 4,              /* RFC 6455, 5.3 */
    WS_MAX_CONTROL_PAYLOAD = 125, /* RFC 6455, 5.5 */
    WS_MAX_SERVER_HEADER = 10,    /* two bytes and a 64-bit length, without a mask */
    WS_MAX_CLIENT_HEADER = 14,    /* the same with a mask */
};

/* What the decoder knows between two calls. Zeroed = before the first frame of a client. It is embedded in
 * each connection, so it is small. */
typedef struct ws_decoder {
    uint32_t frame_left;    /* payload bytes of the current data frame still to come */
    uint32_t message_bytes; /* payload bytes of the current message, with all frames announced so far */
    uint8_t mask[4];        /* of the current data frame, rotated so that mask[0] is for the next byte */
    utf8_state utf8;        /* of the current text message */
    uint8_t opcode;         /* TEXT or BINARY while a message is under way, 0 otherwise */
    bool is_in_frame;       /* the header of a data frame has been read, and not yet all of its payload */
    bool is_final;          /* of the current data frame: FIN */
    bool has_data : 1;      /* a part of the current message has already been passed on */
    bool has_failed : 1;    /* after a FAULT or CLOSE: nothing more is read */
    bool is_client : 1;     /* the frames come from a server. Set before the first frame. */
} ws_decoder;

typedef enum ws_event_type {
    WS_EVENT_NONE,  /* the bytes that are left are the start of something: come back with more of it */
    WS_EVENT_DATA,  /* the next part of a message, or all of it */
    WS_EVENT_PING,  /* answer with a pong that carries the same data */
    WS_EVENT_PONG,  /* a pong, asked for or not */
    WS_EVENT_CLOSE, /* the peer closes: answer with the same code */
    WS_EVENT_FAULT, /* the peer broke a rule: fail the connection with this code */
} ws_event_type;

typedef struct ws_event {
    ws_event_type type;
    uint8_t *data; /* DATA, PING, PONG: unmasked payload; CLOSE: the reason text. In the caller's buffer. */
    size_t len;    /* of `data`; may be 0, also for DATA */
    bool is_text;  /* DATA: of a text message, checked as UTF-8 so far */
    bool is_first; /* DATA: the message begins here */
    bool is_last;  /* DATA: the message ends here */
    uint16_t code; /* CLOSE: the peer's code or WS_CLOSE_NO_STATUS. FAULT: the code to close with. */
    const char *reason; /* FAULT: a literal for the log and the close frame, under 123 bytes */
} ws_event;

/* Read the next event from [data, data + len), which starts behind the bytes that the last call consumed.
 * Returns how many bytes this call has consumed. They need not be given again, but *event may point into
 * them.
 *
 * With WS_EVENT_NONE the bytes that were not consumed must be given again, with more behind them. They are at
 * most WS_MAX_CLIENT_HEADER + WS_MAX_CONTROL_PAYLOAD - 1, and never payload of a message: that is passed on
 * as far as it is there.
 *
 * A message over `max_message_bytes` is a FAULT with 1009 as soon as a header announces it. After a FAULT or
 * a CLOSE every call consumes everything and returns WS_EVENT_NONE. */
size_t ws_decoder_next(ws_decoder *decoder, uint32_t max_message_bytes, uint8_t *data, size_t len,
                       ws_event *event);

/* How long the header of an unmasked (server) frame is. */
static inline size_t ws_frame_header_len(uint64_t payload_len)
{
    return payload_len <= WS_MAX_CONTROL_PAYLOAD ? 2 : payload_len <= UINT16_MAX ? 4 : WS_MAX_SERVER_HEADER;
}

/* Write the header of an unmasked (server) frame with FIN set; returns its length, at most
 * WS_MAX_SERVER_HEADER. */
size_t ws_frame_header(uint8_t out[WS_MAX_SERVER_HEADER], ws_opcode opcode, uint64_t payload_len);

/* The same for a masked (client) frame; at most WS_MAX_CLIENT_HEADER. The caller masks the payload with the
 * same mask, by ws_mask(). */
size_t ws_client_frame_header(uint8_t out[WS_MAX_CLIENT_HEADER], ws_opcode opcode, uint64_t payload_len,
                              const uint8_t mask[WS_MASK_LEN]);

/* Mask or unmask in place (RFC 6455, 5.3). True where the result is ASCII alone: it costs nothing to see that
 * in the same pass, and text that is ASCII is UTF-8. */
bool ws_mask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN]);

#endif
