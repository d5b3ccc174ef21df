/* Connection: one WebSocket peer, from the accepted descriptor to its end.
 *
 * It joins the transport with the pure machines of the websocket floor: it reads the upgrade request and
 * answers it, turns bytes into messages and messages into bytes, answers pings and closes, keeps the peer to
 * its limits. What a message means is its owner's business, told through connection_events. The owner embeds
 * the struct.
 *
 * Nothing is allocated for a connection that is idle: a part of a frame that came alone, a message in pieces,
 * and output that the socket did not take each have a buffer only as long as they last.
 *
 * An end has two steps. First the peer is told (a close frame, an HTTP fault) or lost: on_end is called,
 * once. Then, when the peer has seen the end or its time is over: the descriptor is closed and, at the end of
 * the turn, on_free is called, once. In between what the peer sends is read and thrown away, because closing
 * a socket with unread input would destroy our last bytes on their way.
 *
 * All functions: the thread of the loop that the connection belongs to. */
#ifndef HOMECALL_NET_CONNECTION_H
#define HOMECALL_NET_CONNECTION_H

#include "base/address.h"
#include "base/bytes.h"
#include "base/slice.h"
#include "base/token_bucket.h"
#include "net/connection_state.h"
#include "net/loop.h"
#include "net/transport.h"
#include "websocket/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

typedef struct connection connection;

/* What the owner says to a message. */
typedef enum connection_verdict {
    CONNECTION_GO_ON,     /* done; the next one, please */
    CONNECTION_HOLD,      /* done; but no further input until connection_resume() */
    CONNECTION_HAND_OVER, /* not done: another thread must do it. on_hand_over follows at the end of the turn.
                           */
} connection_verdict;

/* How a connection ended. */
typedef struct connection_end {
    close_reason reason;
    uint16_t code;   /* the close code that was sent or came; 1006: none */
    const char *why; /* a literal, in words */
} connection_end;

typedef struct connection_events {
    /* A request was read. Returns the status that it is answered with: that of the handshake, or a fault (429
     * or 503 too) instead of 101 or 200; or 0 after connection_answer(). With all but 101 the end follows. */
    int (*on_handshake)(connection *c, const ws_handshake *handshake);
    /* A whole message. `data` is borrowed for the call. */
    connection_verdict (*on_message)(connection *c, bool is_text, slice data);
    void (*on_pong)(connection *c);
    /* The connection has ended for its owner: nothing more comes in or goes out. */
    void (*on_end)(connection *c, const connection_end *end);
    /* It is detached from its loop, with its message not handled and all its unread bytes: attach it
     * elsewhere. */
    void (*on_hand_over)(connection *c);
    /* Nothing refers to it any more: free it. */
    void (*on_free)(connection *c);
} connection_events;

/* Why a connection is to end at the end of the turn. */
typedef enum connection_doom {
    CONNECTION_DOOM_NONE,
    CONNECTION_DOOM_NO_MEMORY,
    CONNECTION_DOOM_NOT_READ, /* more waits for its peer than may */
} connection_doom;

struct connection {
    transport transport;
    net_loop *loop;                /* borrowed; while adrift the last one, of which only `events` and `owner`
                                      may be used */
    TAILQ_ENTRY(connection) link;  /* in its loop's list for its state */
    STAILQ_ENTRY(connection) todo; /* in its loop's list for the end of the turn, while is_todo */
    uint64_t id;                   /* for log lines */
    uint64_t bytes_in;             /* read */
    uint64_t bytes_out;            /* written, or to be written */
    uint32_t messages_in;          /* whole ones that came, low 32 bits, as the next */
    uint32_t messages_out;         /* sent */
    uint32_t opened_cs;            /* monotonic, hundredths of a second */
    uint32_t due_ms;       /* when its state has lasted long enough, low 32 bits; unused where that is for
                              ever */
    uint32_t last_read_ms; /* when bytes last came, low 32 bits */
    uint32_t ping_us;      /* while a pong is awaited, when its ping was sent, low 32 bits; else, with
                              has_ping_rtt, how long the last one took */
    bytes *unread;         /* owned: input not handled yet, before what the socket holds; or NULL */
    bytes *message;        /* owned: the current message as far as it came in pieces; or NULL. In HANDSHAKE:
                              the address that a PROXY header has told. */
    bytes *output;         /* owned: frames not written yet; or NULL */
    ws_decoder decoder;
    token_bucket frames;
    uint16_t pongs_owed;       /* pings of ours that were not answered yet */
    uint16_t timed;            /* messages in `output` whose way is timed */
    uint8_t state;             /* a connection_state */
    uint8_t doom;              /* to do: end it, for this connection_doom */
    bool is_todo : 1;          /* stands on loop->todo */
    bool must_resume : 1;      /* to do: go on with the unread input */
    bool must_hand_over : 1;   /* to do: hand over */
    bool has_held_message : 1; /* `message` is whole, and its owner has not handled it */
    bool held_is_text : 1;     /* it is a text message */
    bool has_ended : 1;        /* on_end was called */
    bool awaits_pong : 1;      /* for ping_us */
    bool has_ping_rtt : 1;     /* ping_us is a round-trip time */
    bool is_tls : 1;           /* opened with TLS */
    bool awaits_proxy : 1;     /* HANDSHAKE: a PROXY header must come before the request */
};

/* Begin with an accepted descriptor, which the connection owns from here on, and attach it to `loop`, to read
 * the upgrade request. On failure (-ENOMEM and the like) the descriptor is closed and no event is called. */
int connection_open(connection *c, int fd, uint64_t id, net_loop *loop);

/* The same through TLS with the certificate of `tls`, of which it takes a share. The handshake comes first,
 * within the time for the upgrade request. */
int connection_open_tls(connection *c, int fd, uint64_t id, net_loop *loop, tls_context *tls);

/* Expect a header of the PROXY protocol before the request. Right after connection_open(). */
void connection_await_proxy(connection *c);

/* Who is at the other end, as a PROXY header has told or else as the kernel knows. In HANDSHAKE only. */
address connection_peer(const connection *c);

/* Answer a request of the page with this whole HTTP answer, and end. Within on_handshake only, which then
 * returns 0. */
void connection_answer(connection *c, slice head, slice body);

/* Answer with an HTTP fault instead of reading the request, and end. */
void connection_refuse(connection *c, int status, close_reason reason, const char *why);

/* Take a connection that was handed over: its waiting output, its unhandled message and its unread bytes come
 * first. On failure the connection is still adrift. */
int connection_attach(connection *c, net_loop *loop);

/* Send one message of `count` parts. It is written at the end of the turn. False when the connection is
 * ending, or when this makes more wait than its limit: then it ends at the end of the turn. */
bool connection_send(connection *c, ws_opcode opcode, const struct iovec *parts, int count);

/* Count how long the message just sent takes from the begin of this turn, when what it came from was read,
 * until it is written (net_counters.relay_us). */
void connection_time_message(connection *c);

/* Send a ping. Its pong will not count as one of the frames that the peer may send. */
void connection_ping(connection *c);

/* Go on with the input of a held connection, at the end of the turn. */
void connection_resume(connection *c);

/* End it: with a close frame of the code that belongs to the reason (close_reason_code()) when it is open,
 * with 503 when it has not got that far. `why` is a literal, sent in the frame and told. on_end is called
 * before this returns. Nothing happens to one that is ending. */
void connection_close(connection *c, close_reason reason, const char *why);

/* End it without a word. on_end is called before this returns, if it was not before. */
void connection_drop(connection *c, close_reason reason, const char *why);

/* End one that is adrift: the descriptor is closed and on_end and on_free are called. It is not counted. */
void connection_abandon(connection *c, const char *why);

/* How long it has been open, in ms. */
uint64_t connection_age_ms(const connection *c);

/* Has anything been read from it after this time (of the last days)? */
static inline bool connection_has_read_since(const connection *c, uint64_t since_ms)
{
    return (int32_t)(c->last_read_ms - (uint32_t)since_ms) > 0;
}

/* Is it open for messages? */
static inline bool connection_is_open(const connection *c)
{
    return c->state == CONNECTION_OPEN || c->state == CONNECTION_PINGED || c->state == CONNECTION_HELD;
}

/* For the loop: the state has lasted as long as it may. */
void connection_on_due(connection *c);

/* For the loop: the end of a turn in which it was put on the to-do list. It may be gone afterwards. */
void connection_on_turn_end(connection *c);

#endif
