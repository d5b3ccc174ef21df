/* A WebSocket client connection: TCP, TLS where the target wants it, the upgrade, frames, and the close.
 *
 * It is the mirror of src/net/connection.h, with the same frame code below it: output gathers and is written
 * once at the end of the loop's turn (or at once with ws_client_flush), input is read into one buffer of the
 * thread, and an idle one has no buffer of its own. Pings are answered. The owner embeds the struct.
 *
 * All functions: the thread of its loop. */
#ifndef HOMECALL_BENCH_WS_CLIENT_H
#define HOMECALL_BENCH_WS_CLIENT_H

#include "wire/opening.h"
#include "wire/target.h"
#include "wire/tls.h"

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

/* What the owner is told, and asked once. Any of them may send, close, drop, and on_end may connect anew. */
typedef struct ws_client_events {
    /* Write the request target, with its NUL, to `out`; NULL = the path of the URL. */
    void (*write_request_target)(const ws_client *c, char out[WS_CLIENT_MAX_TARGET]);
    void (*on_open)(ws_client *c);             /* upgraded; may be NULL */
    void (*on_text)(ws_client *c, slice text); /* a whole text message, borrowed for the call */
    void (*on_pong)(ws_client *c);             /* may be NULL */
    /* It is over: the descriptor is closed. `code` is the server's close code (1005: none in its frame, 1006:
     * no close frame came, 0: it never opened), `why` says what ended it, borrowed for the call. Not told of
     * what ws_client_drop() ends. */
    void (*on_end)(ws_client *c, uint16_t code, const char *why);
} ws_client_events;

/* What the clients of one thread share. */
typedef struct ws_client_loop {
    struct event_base *base; /* borrowed, as are the next three; immutable while clients run */
    const target *server;
    const opening *opening;
    tls_settings *tls; /* NULL for ws:// */
    unsigned
        sources; /* how many addresses from 127.0.0.1 on to connect from in turn; 0 = the kernel chooses */
    unsigned next_source;
    uint64_t random;              /* state of the generator of masks; not 0 */
    uint64_t now_ns;              /* when the bytes at hand were read, or the turn began */
    uint64_t open;                /* how many are upgraded and not over */
    uint64_t alive;               /* how many have a descriptor */
    uint64_t bytes_in, bytes_out; /* read and written, inside TLS where there is any */
    uint8_t *scratch;             /* owned: where every read lands */
    STAILQ_HEAD(ws_client_list, ws_client) unwritten; /* borrowed: clients with output for the turn's end */
} ws_client_loop;

typedef enum ws_client_state {
    WS_CLIENT_ENDED, /* no descriptor; the state of a zeroed struct */
    WS_CLIENT_CONNECTING,
    WS_CLIENT_SECURING,  /* the TLS handshake */
    WS_CLIENT_UPGRADING, /* the request is sent or being sent */
    WS_CLIENT_OPEN,
    WS_CLIENT_CLOSING, /* our close frame is sent; the server's, and the end of TCP, are waited for */
} ws_client_state;

struct ws_client {
    ws_client_loop *loop;           /* borrowed */
    const ws_client_events *events; /* borrowed */
    struct event input;             /* watches for bytes while there is a descriptor */
    struct event *room;             /* owned; NULL unless the socket is waited on for room */
    tls_stream *tls;                /* owned; NULL for ws:// */
    bytes *unread;                  /* owned: a part of a frame or of the answer; or NULL */
    bytes *message;                 /* owned: a message in pieces; or NULL */
    bytes *output;                  /* owned: what is not written yet; or NULL */
    STAILQ_ENTRY(ws_client) link;   /* in loop->unwritten, while is_unwritten */
    ws_decoder decoder;
    int fd;        /* owned; meaningless in ENDED */
    uint16_t code; /* the server's close code; 1006 until it comes */
    uint8_t state; /* a ws_client_state */
    bool is_unwritten;
    uint32_t lives; /* connections begun, so that a callback's caller notices a new one */
};

/* The members that the caller does not set become usable. 0 or -ENOMEM. */
int ws_client_loop_init(ws_client_loop *loop);
void ws_client_loop_deinit(ws_client_loop *loop);

/* Monotonic time, read now. */
uint64_t ws_client_clock_ns(void);

/* A number that looks random, for masks and for whatever else the thread draws. */
uint64_t ws_client_random(ws_client_loop *loop);

/* Write what has gathered for every client. For the end of a turn. */
void ws_client_loop_flush(ws_client_loop *loop);

/* Make an ended client usable: zeroed memory. */
void ws_client_init(ws_client *c, ws_client_loop *loop, const ws_client_events *events);

/* Begin to connect. A failure later is told with on_end. 0, or -errno of the socket (-EMFILE, -EADDRNOTAVAIL
 * …) or -ENOMEM, with nothing begun and nothing told. */
int ws_client_connect(ws_client *c);

/* Gather a text message. Only in OPEN. False without memory: it is then dropped and told. */
bool ws_client_send(ws_client *c, const char *text, size_t len);

/* Gather a ping; on_pong follows when everything sent before has been read by the server. */
bool ws_client_ping(ws_client *c);

/* Write what has gathered now, as far as the socket takes it. */
void ws_client_flush(ws_client *c);

/* Send a close frame and wait for the server's, and for the end of TCP; on_end follows. Before the upgrade it
 * is a drop with on_end. Nothing happens to one that is closing or over. */
void ws_client_close(ws_client *c, uint16_t code);

/* End it by a reset, as a crash does, without on_end. */
void ws_client_drop(ws_client *c);

#endif
