/* One connection over a pair of sockets, between two loops that the test turns itself.
 *
 * Everything that a connection tells its owner is written down as one line of text, so a test says what it
 * does and then what must have happened, in order. The owner does what a message says: a text that starts
 * with "hold" holds the connection, "again" has itself held and given once more, "over" hands it over from
 * here and "back" from there, "echo" sends the message back, "slow" takes a millisecond, "close" and "drop"
 * end it. "over, hold", "over, again" and "over, close" do the second there.
 *
 * So the tests look at what the owner and the peer of a connection can see, and at the counters. The same
 * tests run with plain connections and, in a group between fixture_start_tls() and fixture_stop_tls(), with
 * connections that speak TLS: their peers speak in the clear all the same, through a tunnel. */
#ifndef HOMECALL_TESTS_UNIT_NET_CONNECTION_FIXTURE_H
#define HOMECALL_TESTS_UNIT_NET_CONNECTION_FIXTURE_H

#include "net/connection_handshake.h"
#include "net/connection_turn.h"
#include "support/journal.h"
#include "support/tls_tunnel.h"
#include "support/wire.h"

enum { SHORT_MS = 15, NEVER_MS = 3600 * 1000 };

/* What a thread has. */
typedef struct side {
    net_loop loop;
    connection_set set;
} side;

typedef struct fixture {
    net_limits limits;    /* may be changed until the first connection is made */
    const char *protocol; /* the subprotocol that a 101 names; NULL = none */
    int answer;           /* to a good request: this status; 0 = what the request deserves */
    bool tells_peer;      /* a request is noted with the address that it comes from */
    bool has_held;        /* "again" was held, and is handled when it comes next */
    bool takes_back;      /* who is handed over comes back here at once, and is closed */
    side here, there;     /* a connection begins here, and may be handed over to there, and back */
    wire_peer peer;
    tls_tunnel tunnel;
    connection *c;        /* the first one; NULL once it is freed */
    connection *detached; /* handed over and not attached again */
    uint64_t next_id;
    journal journal;
} fixture;

/* Exactly this must have been told since the last time. */
#define expect(f, expected) journal_expect(&(f)->journal, (expected))

/* ---- Beginning and end ---- */

/* For a group of tests: until it is stopped, connections speak TLS. */
int fixture_start_tls(void **state);
int fixture_stop_tls(void **state);

/* What they speak TLS with; NULL = they are plain. */
tls_context *fixture_tls(void);

/* For event_set_log_callback(), where a refused wait is what a test is about. */
void fixture_be_silent(int severity, const char *message);

/* A fixture without a connection, whose limits nothing passes and whose deadlines are far. */
fixture *fixture_make(void);

/* End and free what is left; the counters must say that nothing is there any more. */
void fixture_unmake(fixture *f);

/* Make one more connection here, over a descriptor of the test's. */
connection *fixture_connect(fixture *f, int fd);

/* Make the connection, over a pair of sockets of this type; with TLS its handshake is done. */
void fixture_begin(fixture *f, int type);

/* The same, but a client of TLS has not said anything yet, and won't before the first fixture_turn(). */
void fixture_begin_without_handshake(fixture *f);

/* Have the connection upgraded; the peer has read the answer. */
void fixture_upgrade(fixture *f);

/* All of that; returns `f`. */
fixture *fixture_open(fixture *f, int type);
fixture *fixture_make_open(void);

/* A pair of TCP sockets on loopback, since only TCP has resets. The peer's one blocks. */
int fixture_open_tcp(wire_peer *peer);

/* ---- Turns ---- */

/* A turn here, or with TLS as many as it takes until all is said. */
void fixture_turn(fixture *f);

/* The same there. */
void fixture_turn_there(fixture *f);

/* A turn here that waits for the next thing to happen: only for what has a deadline. */
void fixture_turn_when_due(fixture *f);

/* The first half of a turn here: what is ready is handled, and the end of the turn does not come yet. */
void fixture_pass(fixture *f);

/* Turn here until the first connection is freed, while its peer reads what it gets. */
void fixture_turn_until_freed(fixture *f);

/* Let time pass, in which this thread does nothing. */
void fixture_stall(uint64_t ms);

/* Let the peer have all that is on its way to it. */
void fixture_hear(fixture *f);

/* ---- What the owner does ---- */

bool fixture_send(connection *c, bool is_text, slice data);

/* Send kilobytes of zeros until the connection refuses; returns how many bytes it took. */
size_t fixture_send_too_much(connection *c);

/* Send, in messages of less than 8 KiB, until the socket takes no more. The peer must not read meanwhile. */
void fixture_fill(fixture *f);

/* Take the connection that was handed over, on this side. */
void fixture_attach(fixture *f, side *to);

/* ---- What a peer says ---- */

/* How far apart the places are where a test cuts what is said: everywhere, but with TLS, whose handshakes
 * take their time under Valgrind, not at each byte. */
size_t fixture_step(void);

/* Everything that a peer may say, in one piece, with a close at its end. Owned by the caller. */
bytes *fixture_make_conversation(void);

/* The owner and the peer have got what belongs to it; the owner has been told `before` first. */
void fixture_expect_conversation(fixture *f, const char *before);

/* ---- What can be seen ---- */

/* The owner was told `before`, and then that the peer has closed with this code. Without TLS the connection
 * is freed by now; with TLS it waits for the end of TCP. */
void fixture_expect_closed_by_peer(fixture *f, const char *before, unsigned code);

/* The connections of a side that are in this phase, as the counters say. */
uint64_t fixture_in_phase(const side *s, net_phase phase);

/* How many connections have ended on a side, and how many of them for this reason. */
uint64_t fixture_ends(const side *s);
uint64_t fixture_ends_for(const side *s, close_reason reason);

/* Nothing waits in the connection: no input and no output. */
void fixture_expect_idle(const fixture *f);

/* The connection was freed just now, and nothing is left of it. */
void fixture_expect_freed(fixture *f);

#endif
