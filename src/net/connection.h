/* Connection: one WebSocket peer, from the accepted descriptor to its end.
 *
 * It connects a transport with the pure code of src/websocket. It reads and answers the upgrade request. It
 * turns bytes into messages, and messages into bytes. It answers pings and close frames, and enforces the
 * limits. It does not know what a message means: for that it calls its owner (connection_events). The owner
 * embeds the struct.
 *
 * Its files build on each other: connection_turn (deadlines, the end of a turn) on connection_input (frames
 * and messages) on connection_handshake (the upgrade request) on connection (open, send, end).
 *
 * An idle connection has no buffer. There is one only while it is needed: for an incomplete frame header, for
 * a message of which only a part has come, for output that the socket has not taken.
 *
 * A connection ends in two steps. First it ends for its owner: on_end is called, once, when we have decided
 * to close it or the peer is gone. Our last bytes (a close frame, an HTTP fault) may still have to be
 * written. Later the descriptor is closed, and at the end of that turn on_free is called, once. Between the
 * two steps, input is read and thrown away until the peer ends TCP or its time is over. We must read it: when
 * a socket with unread input is closed, the kernel sends a reset, and our last bytes may be lost.
 *
 * All functions: the thread of the set that the connection belongs to. For one that is detached: the thread
 * that has taken it out of the mailbox or was about to push it. */
#ifndef HOMECALL_NET_CONNECTION_H
#define HOMECALL_NET_CONNECTION_H

#include "base/bytes.h"
#include "base/slice.h"
#include "base/token_bucket.h"
#include "net/connection_set.h"
#include "net/net_allowance.h"
#include "net/tls_context.h"
#include "net/transport.h"
#include "websocket/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct connection connection;

/* What the owner answers when it is given a message. */
typedef enum connection_verdict {
    CONNECTION_GO_ON,        /* the message is handled; go on with the next one */
    CONNECTION_HOLD,         /* the message is handled; handle no more input until connection_resume() */
    CONNECTION_HOLD_MESSAGE, /* the message is not handled yet: the same message is given again after
                                connection_resume(), and no other input before that */
    CONNECTION_HAND_OVER,    /* the message is not handled, because another thread must do it. on_hand_over is
                                called at the end of the turn. */
} connection_verdict;

/* How a connection ended. */
typedef struct connection_end {
    close_reason reason;
    uint16_t code;   /* the close code that we sent or that came; 1006: none */
    const char *why; /* the reason in words; a literal */
} connection_end;

/* The callbacks of a connection's owner, on the connection's thread. on_message and on_pong may close or drop
 * the connection. Only on_free may free it. */
typedef struct connection_events {
    /* A request was read, good or bad. The owner answers a page (handshake->status is 200) itself, by
     * connection_answer(), and returns 0. Else it returns the HTTP status to answer with: handshake->status,
     * or a fault instead of 101 or 200, as 429 or 503. With every status but 101 the connection ends.
     * `handshake` is borrowed for the call; the owner may set its `protocol`, which a 101 then names. */
    int (*on_handshake)(connection *c, ws_handshake *handshake);
    /* The upgrade was answered with 101, and the connection is open. It may be given a message of the
     * request's own, by connection_give_message(). May be NULL. `handshake` is borrowed for the call. */
    void (*on_open)(connection *c, const ws_handshake *handshake);
    /* A whole message has come. `data` is borrowed for the call. */
    connection_verdict (*on_message)(connection *c, bool is_text, slice data);
    /* A pong has come. */
    void (*on_pong)(connection *c);
    /* A ping was sent, or the connection is HELD and would be pinged now if it was not. May be NULL. */
    void (*on_ping)(connection *c);
    /* The connection has ended for its owner: no message comes any more, and none is sent. Called once.
     * `end` is borrowed for the call. */
    void (*on_end)(connection *c, const connection_end *end);
    /* It is detached from its set, and keeps its unhandled message and its unread bytes. The owner attaches
     * it to another set, or abandons it. */
    void (*on_hand_over)(connection *c);
    /* The connection is not used any more, and is detached: free what embeds it. Called once, last. */
    void (*on_free)(connection *c);
} connection_events;

struct connection {
    transport transport;
    connection_entry entry;      /* its state, and its place in its set */
    uint64_t id;                 /* for log lines */
    uint64_t bytes_in;           /* how many bytes were read */
    uint64_t bytes_out;          /* how many bytes were put into `output` */
    connection_holding *holding; /* owned: what it holds from one turn to the next; or NULL */
    net_allowance *allowance;    /* borrowed: what its client may send; set by the owner */
    bytes *message; /* owned: the part of the current message that has come, where it did not come at once; or
                       NULL */
    bytes *output;  /* owned: what is to be written; or NULL */
    uint32_t messages_in;  /* whole messages that came, low 32 bits */
    uint32_t messages_out; /* messages sent, low 32 bits */
    uint32_t opened_cs;    /* monotonic, in hundredths of a second, low 32 bits */
    uint32_t last_read_ms; /* monotonic, low 32 bits: when bytes were read last */
    uint32_t ping_sent_us; /* monotonic, low 32 bits: when the ping was sent that awaits_pong is about */
    uint32_t ping_rtt_us;  /* how long the last answered ping took; 0 = none was answered */
    union {
        address peer;       /* in HANDSHAKE: where it comes from; see connection_set_peer() */
        ws_decoder decoder; /* after it */
    };
    token_bucket frames;       /* the frames that its peer may still send (net_limits.frame_rate) */
    uint16_t relays_unwritten; /* signals in `output` that connection_time_message() has counted */
    uint8_t pongs_owed;        /* how many of our pings were not answered yet, at most UINT8_MAX */
    bool has_kept_message : 1; /* `message` is complete, and is kept for the thread that must handle it, or
                                  until connection_resume() */
    bool kept_is_text : 1;     /* that message is a text message */
    bool has_ended : 1;        /* on_end was called */
    bool awaits_pong : 1;      /* a ping was sent whose time is measured for ping_rtt_us */
    bool is_tls : 1;           /* opened with TLS */
    bool awaits_proxy : 1;     /* in HANDSHAKE: a PROXY header must come before the request */
    bool leaves_for_input : 1; /* another thread is to read its next input */
    bool is_peer_done : 1;     /* its peer has sent a close frame, and nothing came behind that */
};

/* Start with an accepted descriptor, non-blocking and close-on-exec, which the connection owns from now on,
 * also on failure. Attach it to `set`, to read the upgrade request. With `tls`, of which it takes a share,
 * the TLS handshake comes first, and the time limit of the request is for both. NULL = without TLS. 0,
 * -ENOMEM, or another -errno of epoll. On failure the descriptor is closed, and no event is called. */
int connection_open(connection *c, int fd, uint64_t id, connection_set *set, tls_context *tls);

/* Answer a request for the page with this whole HTTP answer, head and body, both copied; then the connection
 * ends. Only within on_handshake, which then returns 0. */
void connection_answer(connection *c, slice head, slice body);

/* Have the owner given a message, which is not text, before all that the peer sends. Only within on_open.
 * Without memory the connection is dropped. */
void connection_give_message(connection *c, slice data);

/* Let another thread read all that the peer sends from now on. When there is input, it is not read, and the
 * connection is handed over, as by CONNECTION_HAND_OVER; when it is attached, its socket is read at once.
 * What was read already is handled here first. For one that is open. */
void connection_leave_for_input(connection *c);

/* End it at the end of the turn: there is no memory for what its peer must be told. on_end is not called
 * before this returns. Nothing happens to one that is ending. */
void connection_give_up(connection *c);

/* Answer with the HTTP fault of this status, without reading the request any further; then the connection
 * ends. In HANDSHAKE only. `why` is a literal, and only for on_end. */
void connection_refuse(connection *c, int status, close_reason reason, const char *why);

/* Attach a detached connection to a set of this thread. Its kept message and its unread bytes are handled at
 * the end of the turn, before anything that is read from now on. One that has left for input is read then. If
 * its socket can't be watched then, it is dropped. */
void connection_attach(connection *c, connection_set *set);

/* Send one frame, a message or a control frame, of `count` parts, which are copied. It is written at the end
 * of the turn. False when the connection is ending. False also without memory, when the peer is gone, or when
 * more output waits than net_limits.max_output_bytes: then the connection ends at the end of the turn. */
bool connection_send(connection *c, ws_opcode opcode, const struct iovec *parts, int count);

/* The message that was sent just now passes on a signal that was read in this turn: measure how long it takes
 * from the start of the turn until it is written (net_counters.relay_us). */
void connection_time_message(connection *c);

/* Send a ping. The pong for it will not count against net_limits.frame_rate. */
void connection_ping(connection *c);

/* Go on with the input of a HELD connection at the end of the turn. Nothing happens to one that is ending. */
void connection_resume(connection *c);

/* End it. One that is open sends a close frame with the code of the reason (close_reason_code()); one in
 * HANDSHAKE answers 503. `why` is a literal; it is sent in the close frame, and is in the connection_end.
 * on_end is called before this returns. Nothing happens to one that is ending. Without memory for the last
 * bytes it is dropped. */
void connection_close(connection *c, close_reason reason, const char *why);

/* End it at once, without a close frame or an answer: its descriptor is closed. on_end is called before this
 * returns, unless it was called before. Nothing happens to one that is CLOSED. */
void connection_drop(connection *c, close_reason reason, const char *why);

/* End one that is detached: its descriptor is closed, and on_end and on_free are called before this returns.
 * No counter of a set counts its end. `why` is a literal. */
void connection_abandon(connection *c, const char *why);

/* How long it has been open, in ms, with a step of 10. */
uint64_t connection_age_ms(const connection *c);

/* The connection whose entry this is. */
static inline connection *connection_of(connection_entry *entry)
{
    return (connection *)(void *)((char *)entry - offsetof(connection, entry));
}

/* The connection whose transport this is. */
static inline connection *connection_of_transport(transport *t)
{
    return (connection *)(void *)((char *)t - offsetof(connection, transport));
}

/* Has anything been read from it after this time? Only times of the last 24 days can be compared. */
static inline bool connection_has_read_since(const connection *c, uint64_t since_ms)
{
    return (int32_t)(c->last_read_ms - (uint32_t)since_ms) > 0;
}

/* How long it has been open at `now_ms`, in hundredths of a second, of which 32 bits are enough for more than
 * a year. */
static inline uint32_t connection_age_cs(const connection *c, uint64_t now_ms)
{
    return (uint32_t)(now_ms / 10) - c->opened_cs;
}

/* Is it open for messages? */
static inline bool connection_is_open(const connection *c)
{
    return c->entry.state >= CONNECTION_OPEN && c->entry.state <= CONNECTION_LEAVING;
}

/* ---- For the files of src/net that stand on this one ---- */

/* Bits of connection_entry.work: what is to be done at the end of the turn. Whatever the bits are, output is
 * written, and the state is looked at: CLOSED, CLOSING and LEAVING each have work of their own.
 *
 * The last three end the connection. That is not done at once, because the one who sends may be in the middle
 * of a room's list, from which on_end takes the peer. */
typedef enum connection_work {
    CONNECTION_WORK_WRITE = 1,      /* only what is done in any case */
    CONNECTION_WORK_RESUME = 2,     /* handle the kept message and the unread input */
    CONNECTION_WORK_NO_MEMORY = 4,  /* end it: out of memory */
    CONNECTION_WORK_NOT_READ = 8,   /* end it: more output waits than net_limits.max_output_bytes */
    CONNECTION_WORK_PEER_GONE = 16, /* end it: a write has failed */
    CONNECTION_WORK_ENDS = CONNECTION_WORK_NO_MEMORY | CONNECTION_WORK_NOT_READ | CONNECTION_WORK_PEER_GONE,
} connection_work;

/* Is it open, and not going to be ended at the end of the turn? */
static inline bool connection_stays_open(const connection *c)
{
    return connection_is_open(c) && (c->entry.work & CONNECTION_WORK_ENDS) == 0;
}

/* Change the state, and the counters of connections with it. The only way to do so. */
void connection_enter_state(connection *c, connection_state state);

/* Leave the set: it is detached afterwards. It must have no work. */
void connection_leave_set(connection *c);

/* Free the input that is kept. */
void connection_clear_unread(connection *c);

/* What it holds does not count in its set any more. */
void connection_detach_holding(connection *c);

/* Free what was detached, with the input that is kept. */
void connection_free_holding(connection *c);

/* Free its buffers, and call on_free. It must be detached, with its descriptor closed. */
void connection_give_back(connection *c);

/* Drop it because there is no memory. */
void connection_drop_without_memory(connection *c);

/* Drop it because TCP ended or broke: its peer is lost, or it is one that never completed a request. */
void connection_drop_gone(connection *c, const char *why);

/* End one that is open: send a close frame with end->code and `text`. */
void connection_close_with(connection *c, const connection_end *end, const char *text);

/* Its last bytes are in `output`: have them written, and throw away its input from now on. Calls on_end. */
void connection_begin_closing(connection *c, const connection_end *end);

/* Make the output longer by `len` bytes, at least 1, and return where they start: the caller fills them. NULL
 * without memory. */
uint8_t *connection_extend_output(connection *c, size_t len);

/* Append an HTTP answer without a body to the output. `key` is the Sec-WebSocket-Key of the request, and
 * `protocol` the subprotocol or NULL, both for status 101 only. 0 or -ENOMEM, also when the digest for a 101
 * can't be made. */
int connection_append_answer(connection *c, int status, slice key, const char *protocol);

/* Start or stop to watch whether the socket takes more output. 0, -ENOMEM, or another -errno of epoll; to
 * stop can't fail. */
int connection_want_writable(connection *c, bool wants);

/* Has its peer said all that it may say? After a close frame it may send nothing but the pong for a ping of
 * ours (RFC 6455, 5.5.1). So one that is ending is CLOSED as soon as its last bytes are written, and the end
 * of TCP is left to the kernel. If the peer goes on nevertheless, the kernel answers with a reset. With TLS
 * it is not so, since a close_notify is still to come. */
static inline bool connection_has_read_all(const connection *c)
{
    return c->is_peer_done && !c->is_tls && c->pongs_owed == 0;
}

/* Write as much of the output as the socket takes. 0, or -errno when the peer is gone. */
int connection_write_output(connection *c);

#endif
