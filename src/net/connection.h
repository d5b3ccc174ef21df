/* Connection: one WebSocket peer, from the accepted descriptor to its end.
 *
 * It joins the transport with the pure machines of the websocket floor: it reads the upgrade request and
 * answers it, turns bytes into messages and messages into bytes, answers pings and closes, keeps the peer to
 * its limits. What a message means is its owner's business, told through connection_events. The owner embeds
 * the struct.
 *
 * Its files build on each other: connection_turn (deadlines, the end of a turn) on connection_input (frames
 * and messages) on connection_handshake (the upgrade request) on connection (open, send, end).
 *
 * Nothing is allocated for a connection that is idle: a part of a frame that came alone, a message in pieces,
 * and output that the socket did not take each have a buffer only as long as they last.
 *
 * An end has two steps. First the peer is told (a close frame, an HTTP fault) or lost: on_end is called,
 * once. Then, when the peer has seen the end or its time is over: the descriptor is closed and, at the end of
 * the turn, on_free is called, once. In between what the peer sends is read and thrown away, because closing
 * a socket with unread input would destroy our last bytes on their way.
 *
 * All functions: the thread of the set that the connection belongs to. */
#ifndef HOMECALL_NET_CONNECTION_H
#define HOMECALL_NET_CONNECTION_H

#include "base/bytes.h"
#include "base/slice.h"
#include "base/token_bucket.h"
#include "net/connection_set.h"
#include "net/tls_context.h"
#include "net/transport.h"
#include "websocket/frame.h"

#include <stdbool.h>
#include <stdint.h>
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
    /* It is detached from its set, with its message not handled and all its unread bytes: attach it
     * elsewhere. */
    void (*on_hand_over)(connection *c);
    /* Nothing refers to it any more: free it. */
    void (*on_free)(connection *c);
} connection_events;

struct connection {
    transport transport;
    connection_entry entry; /* its state, and its place in its set */
    uint64_t id;            /* for log lines */
    uint64_t bytes_in;      /* read */
    uint64_t bytes_out;     /* written, or to be written */
    bytes *unread;          /* owned: input not handled yet, before what the socket holds; or NULL */
    union {
        bytes *told_peer; /* owned, in HANDSHAKE: the address that a PROXY header has told; or NULL */
        bytes *message;   /* owned, after it: the current message as far as it came in pieces; or NULL */
    };
    bytes *output;         /* owned: frames not written yet; or NULL */
    uint32_t messages_in;  /* whole ones that came, low 32 bits, as the next */
    uint32_t messages_out; /* sent */
    uint32_t opened_cs;    /* monotonic, hundredths of a second */
    uint32_t last_read_ms; /* when bytes last came, low 32 bits */
    uint32_t ping_sent_us; /* while awaits_pong: when the ping was sent, low 32 bits */
    uint32_t ping_rtt_us;  /* from the last ping that was answered to its pong; 0 = none was */
    ws_decoder decoder;
    token_bucket frames;
    uint16_t relays_unwritten; /* signals for its peer in `output`, counted by connection_time_message() */
    uint8_t pongs_owed;        /* pings of ours that were not answered yet; the last value stands for more */
    bool has_held_message : 1; /* `message` is whole, and its owner has not handled it */
    bool held_is_text : 1;     /* it is a text message */
    bool has_ended : 1;        /* on_end was called */
    bool awaits_pong : 1;      /* for ping_rtt_us */
    bool is_tls : 1;           /* opened with TLS */
    bool awaits_proxy : 1;     /* in HANDSHAKE: a PROXY header must come before the request */
};

/* Begin with an accepted descriptor, which the connection owns from here on, and attach it to `set`, to read
 * the upgrade request. With `tls`, of which it takes a share, through TLS: that handshake comes first, within
 * the time for the request; NULL = in plain text. On failure (-ENOMEM and the like) the descriptor is closed
 * and no event is called. */
int connection_open(connection *c, int fd, uint64_t id, connection_set *set, tls_context *tls);

/* Answer a request of the page with this whole HTTP answer, and end. Within on_handshake only, which then
 * returns 0. */
void connection_answer(connection *c, slice head, slice body);

/* Answer with an HTTP fault instead of reading the request, and end. In HANDSHAKE only. */
void connection_refuse(connection *c, int status, close_reason reason, const char *why);

/* Take a connection that was handed over: its waiting output, its unhandled message and its unread bytes come
 * first. On failure (-ENOMEM and the like) the connection is still detached. */
int connection_attach(connection *c, connection_set *set);

/* Send one message of `count` parts. It is written at the end of the turn. False when the connection is
 * ending, or when this makes more wait than its limit: then it ends at the end of the turn. */
bool connection_send(connection *c, ws_opcode opcode, const struct iovec *parts, int count);

/* Count how long the message just sent takes to be written, from the start of this turn, in which the signal
 * was read that it passes on (net_counters.relay_us). */
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

/* End one that is detached: the descriptor is closed and on_end and on_free are called. It is not counted. */
void connection_abandon(connection *c, const char *why);

/* How long it has been open, in ms. */
uint64_t connection_age_ms(const connection *c);

/* The connection whose entry this is. */
static inline connection *connection_of(connection_entry *entry)
{
    return (connection *)(void *)((char *)entry - offsetof(connection, entry));
}

/* Has anything been read from it after this time (of the last days)? */
static inline bool connection_has_read_since(const connection *c, uint64_t since_ms)
{
    return (int32_t)(c->last_read_ms - (uint32_t)since_ms) > 0;
}

/* Is it open for messages? */
static inline bool connection_is_open(const connection *c)
{
    return c->entry.state >= CONNECTION_OPEN && c->entry.state <= CONNECTION_LEAVING;
}

/* ---- For the files of src/net that stand on this one ---- */

/* Bits of connection_entry.work: what is to be done at the end of the turn. Output is written in any case. */
typedef enum connection_work {
    CONNECTION_WORK_WRITE = 1,      /* nothing besides */
    CONNECTION_WORK_RESUME = 2,     /* go on with the unread input */
    CONNECTION_WORK_NO_MEMORY = 4,  /* end it, and so the next two. Not at once, since the caller may stand in
                                       the middle of a room. */
    CONNECTION_WORK_NOT_READ = 8,   /* more waits for its peer than may */
    CONNECTION_WORK_PEER_GONE = 16, /* a write has failed */
    CONNECTION_WORK_ENDS = CONNECTION_WORK_NO_MEMORY | CONNECTION_WORK_NOT_READ | CONNECTION_WORK_PEER_GONE,
} connection_work;

/* Is it open, and stays so at the end of the turn? */
static inline bool connection_stays_open(const connection *c)
{
    return connection_is_open(c) && (c->entry.work & CONNECTION_WORK_ENDS) == 0;
}

/* The one way to change the state. */
void connection_enter_state(connection *c, connection_state state);

/* Leave the set: it is detached then. */
void connection_leave_set(connection *c);

/* Free what it owns, and have it freed by its owner. It is detached. */
void connection_give_back(connection *c);

/* End it for want of memory. */
void connection_drop_without_memory(connection *c);

/* End one that is open with this close frame, and `text` in it. */
void connection_close_with(connection *c, const connection_end *end, const char *text);

/* Its last bytes stand in `output`: have them written, and throw away what still comes in. */
void connection_begin_closing(connection *c, const connection_end *end);

/* Make `len` bytes of space behind what waits to be written, to be filled by the caller; NULL without memory.
 */
uint8_t *connection_extend_output(connection *c, size_t len);

/* Put an HTTP answer without a body behind what waits; `key` is of the request where the status is 101. 0, or
 * -ENOMEM, also for want of what the digest of a 101 needs. */
int connection_append_answer(connection *c, int status, slice key);

/* Wait, or no longer wait, until the socket takes more. 0 or -ENOMEM. */
int connection_want_writable(connection *c, bool wants);

/* Write what waits, as far as the socket takes it. 0, or -errno when the peer is gone. */
int connection_write_output(connection *c);

#endif
