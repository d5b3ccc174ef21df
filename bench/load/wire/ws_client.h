/* A WebSocket client connection: TCP, TLS for wss://, the upgrade, frames, and the close.
 *
 * It is the client's counterpart of src/net/connection.h, and uses the same code for frames. Output is
 * collected and written at the end of the loop's turn, or at once by ws_client_flush(). Input is read into
 * one buffer of the thread. An idle connection has no buffer. Pings are answered. The owner embeds the
 * struct.
 *
 * All functions: the thread of its loop. */
#ifndef HOMECALL_BENCH_WS_CLIENT_H
#define HOMECALL_BENCH_WS_CLIENT_H

#include "wire/server_list.h"

#include "base/bytes.h"
#include "base/slice.h"
#include "websocket/frame.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct ws_client ws_client;

enum { WS_CLIENT_MAX_TARGET = 1024 };

/* The callbacks of the owner. All but the first may send, close and drop, and on_end may connect again. */
typedef struct ws_client_events {
    /* Write the request target, with its NUL, to `out`; NULL = the path of the URL. */
    void (*write_request_target)(const ws_client *c, char out[WS_CLIENT_MAX_TARGET]);
    void (*on_open)(ws_client *c);             /* the connection is upgraded; may be NULL */
    void (*on_text)(ws_client *c, slice text); /* a whole text message, borrowed for the call */
    void (*on_pong)(ws_client *c);             /* a pong has come; may be NULL */
    /* The connection has ended and its descriptor is closed. `code` is the server's close code (1005: its
     * frame had none; 1006: no close frame came; 0: it was never upgraded). `why` says why it ended, borrowed
     * for the call. Not called after ws_client_drop(). */
    void (*on_end)(ws_client *c, uint16_t code, const char *why);
} ws_client_events;

/* What the clients of one thread share. */
typedef struct ws_client_loop {
    struct event_base *base;      /* borrowed; the caller sets it */
    unsigned sources;             /* connect to 127.0.0.0/8 from so many addresses in turn, from 127.0.0.1 on;
                                     0 = the kernel chooses */
    unsigned next_source;         /* which of them is the next */
    uint64_t random;              /* the state of ws_client_random(); not 0 */
    uint64_t now_ns;              /* monotonic: when the current input was read, or when the turn started */
    uint64_t open;                /* how many clients are upgraded and have not ended */
    uint64_t alive;               /* how many clients have a descriptor */
    uint64_t bytes_in, bytes_out; /* bytes read and written; with TLS, decrypted ones */
    uint8_t *scratch;             /* owned: the buffer of every read */
    STAILQ_HEAD(ws_client_list, ws_client)
    unwritten; /* borrowed: clients with output to be written at the end of the turn */
} ws_client_loop;

typedef enum ws_client_state {
    WS_CLIENT_ENDED,      /* it has no descriptor; the state of a zeroed struct */
    WS_CLIENT_CONNECTING, /* TCP is connecting */
    WS_CLIENT_SECURING,   /* the TLS handshake */
    WS_CLIENT_UPGRADING,  /* the request was sent; the answer has not come yet */
    WS_CLIENT_OPEN,       /* upgraded */
    WS_CLIENT_CLOSING,    /* our close frame was sent; it waits for the server's, and for the end of TCP */
} ws_client_state;

struct ws_client {
    ws_client_loop *loop;           /* borrowed */
    const ws_client_events *events; /* borrowed */
    const load_server *server;      /* borrowed, as the next; the owner sets both before it connects */
    const char *subprotocol;        /* what it asks for; NULL = none */
    struct event input;             /* added while there is a descriptor */
    struct event *writable;         /* owned: added; NULL while the socket need not become writable */
    tls_stream *tls;                /* owned; NULL for ws:// */
    bytes *unread;                  /* owned: an incomplete frame header or answer; or NULL */
    bytes *message;                 /* owned: an incomplete message; or NULL */
    bytes *output;                  /* owned: what is to be written; or NULL */
    STAILQ_ENTRY(ws_client) link;   /* in loop->unwritten, while is_unwritten */
    ws_decoder decoder;
    int fd;            /* owned; -1 in ENDED */
    uint16_t code;     /* the server's close code; 1006 until it comes */
    uint16_t refusal;  /* the HTTP status by which its upgrade was refused, as 503; 0 = it was not */
    uint8_t state;     /* a ws_client_state */
    bool is_unwritten; /* it is in loop->unwritten */
    uint32_t lives;    /* how often it was connected. When a callback has connected it again, its caller sees
                          that    by this number. */
};

/* Make the rest of a loop; the caller has set its members from `base` to `random`. 0 or -ENOMEM. */
int ws_client_loop_init(ws_client_loop *loop);

/* Free what ws_client_loop_init() made. All clients must have ended. */
void ws_client_loop_deinit(ws_client_loop *loop);

/* Read the monotonic clock. Any thread. */
uint64_t ws_client_clock_ns(void);

/* A pseudo-random number, for masks and for the scenarios. */
uint64_t ws_client_random(ws_client_loop *loop);

/* Write the collected output of all clients, at the end of a turn. */
void ws_client_loop_flush(ws_client_loop *loop);

/* Make a client that has ended. `loop` and `events` are borrowed. */
void ws_client_init(ws_client *c, ws_client_loop *loop, const ws_client_events *events);

/* Start to connect a client that has ended. 0; or -errno of the socket (-EMFILE, -EADDRNOTAVAIL, …) or
 * -ENOMEM: then it still has ended. on_end is called only for a failure after 0 was returned. */
int ws_client_connect(ws_client *c);

/* Send a text message, in OPEN only. It is written at the end of the turn. False without memory: then the
 * connection has ended, and on_end was called. */
bool ws_client_send(ws_client *c, const char *text, size_t len);

/* Send a ping in the same way. on_pong is called when the server has read everything that was sent before. */
bool ws_client_ping(ws_client *c);

/* Write the collected output now, as far as the socket takes it. */
void ws_client_flush(ws_client *c);

/* Send a close frame, and wait for the server's and for the end of TCP; then on_end is called. One that is
 * not upgraded ends at once, with on_end. Nothing happens to one that is CLOSING or has ended. */
void ws_client_close(ws_client *c, uint16_t code);

/* End TCP by a reset, as when a client crashes. on_end is not called. */
void ws_client_drop(ws_client *c);

#endif
