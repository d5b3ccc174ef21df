/* A blocking WebSocket client for tests, on which a test reads like prose:
 *
 *     client *caller = client_open(port);
 *     client_join(caller, "blue fox", "anna");
 *     client_send_offer(caller, "\"v=0\"");
 *     …
 *     client_expect_signal(callee, "offer", "blue fox", "anna", "\"v=0\"");
 *     client_close(caller);
 *
 * It talks to 127.0.0.1 and to nothing else. Every wait has a deadline, and everything that is expected and
 * does not come fails the running cmocka test with a message that says what came instead; so no function here
 * returns an error, and none may be called from a thread of the test's own.
 *
 * It is made to be able to break every rule: bytes and frames go out as they are given. What comes in is
 * held to the rules that a server must keep (no mask, no reserved bits, no fragments of control frames). */
#ifndef HOMECALL_TESTS_SUPPORT_CLIENT_H
#define HOMECALL_TESTS_SUPPORT_CLIENT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a test waits for what must come. Long enough for a busy machine under Valgrind: a test that passes
 * never waits for it. */
enum { CLIENT_WAIT_MS = 20 * 1000 };

enum {
    CLIENT_CONTINUATION = 0x0,
    CLIENT_TEXT = 0x1,
    CLIENT_BINARY = 0x2,
    CLIENT_CLOSE = 0x8,
    CLIENT_PING = 0x9,
    CLIENT_PONG = 0xA,
};

/* The code of a close frame without one (RFC 6455, 7.1.5). */
enum { CLIENT_NO_CODE = 1005 };

typedef struct client client;

/* ---- Coming and going ---- */

/* Connect TCP, and nothing more. The client is owned by the caller, as from the next two. */
client *client_dial(uint16_t port);

/* The same in two steps, for a test in which descriptors run out: first the socket… */
client *client_new(void);

/* … then the connection. */
void client_connect(client *c, uint16_t port);

/* As client_dial(), from a source address in 127.0.0.0/8, as "127.0.0.2". */
client *client_dial_from(uint16_t port, const char *source);

/* Connect, upgrade, and expect to be welcome. */
client *client_open(uint16_t port);

/* The same, and join. */
client *client_open_joined(uint16_t port, const char *room, const char *user);

/* The same, and know that the server has let it in before this returns. */
client *client_open_settled(uint16_t port, const char *room, const char *user);

/* End TCP in order (FIN) without a word, and free it. NULL is legal. */
void client_close(client *c);

/* End TCP by a reset, as a crash does, and free it. */
void client_abort(client *c);

/* Say that nothing more will be sent (FIN), and go on reading. */
void client_end_output(client *c);

/* client_dial() with a receive buffer of a few KiB, which must be asked for before TCP connects: what this
 * client does not read soon waits in the server. */
client *client_dial_with_small_buffer(uint16_t port);

/* The descriptor, lent: for a test that polls many clients. */
int client_fd(const client *c);

/* ---- The opening handshake ---- */

/* The Sec-WebSocket-Key that client_upgrade() sends. */
extern const char client_key[];

/* Send a good request, expect 101 with the accept that belongs to the key (RFC 6455, 4.2.2). What follows it
 * is kept as frames. */
void client_upgrade(client *c);

/* Send a good request only. */
void client_send_upgrade(client *c);

/* Read the answer to it. */
void client_expect_upgraded(client *c);

/* The same after a request with another key, to which this Sec-WebSocket-Accept belongs. */
void client_expect_upgraded_with(client *c, const char *accept);

/* Read a whole HTTP answer of this status with "Connection: close", and then the end of TCP in order. */
void client_expect_http_fault(client *c, int status);

/* The value of a header of the HTTP answer read last, without blanks around it; fails where it is not there.
 * Lent until the next call. */
const char *client_http_header(client *c, const char *name);

/* ---- Sending ---- */

/* From here on everything that is sent is only gathered… */
void client_cork(client *c);

/* … until it goes out by one write here. What the socket does not take at once still follows. */
void client_uncork(client *c);

/* Send bytes as they are. */
void client_send_bytes(client *c, const void *data, size_t len);

/* A frame of any shape. Zeroed members make a good, final, masked frame of minimal length. */
typedef struct client_frame {
    int opcode;
    const void *payload;
    size_t len;
    bool is_not_final;
    bool is_unmasked;
    uint8_t reserved_bits;  /* RSV1 to RSV3 as they stand in the first byte: 0x40, 0x20, 0x10 */
    int length_bytes;       /* how the length is written: 0 = as short as possible, or 1, 2, 8 */
    uint64_t announced_len; /* the length that the header claims, where it is not `len`; 0 = `len` */
} client_frame;

void client_send_frame(client *c, const client_frame *frame);

/* Build the frame's bytes instead: a heap block owned by the caller, its length in *len. */
uint8_t *client_make_frame(const client_frame *frame, size_t *len);

/* Send a text message in one frame. */
void client_send_text(client *c, const char *text);

/* The same by a format. */
void client_send_textf(client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

void client_send_ping(client *c, const char *payload);

/* Send a close frame with this code. */
void client_send_close(client *c, uint16_t code);

/* Messages of the protocol. Names are written as JSON strings; `sdp` and `candidate` are JSON texts and go
 * out as they stand. */
void client_join(client *c, const char *room, const char *user);
void client_leave(client *c);
void client_send_offer(client *c, const char *sdp);
void client_send_answer(client *c, const char *sdp);
void client_send_candidate(client *c, const char *candidate);

/* A candidate whose content is this number, for tests of order. */
void client_send_number(client *c, unsigned number);

/* ---- Receiving ---- */

/* Do not answer pings from now on (or do again). */
void client_answer_pings(client *c, bool answers);

/* How many pings have come so far, answered or not. */
unsigned client_pings(const client *c);

/* Something that came. */
typedef struct client_message {
    int opcode;       /* CLIENT_TEXT, CLIENT_CLOSE, … */
    const char *data; /* lent until the next receive; a NUL follows it */
    size_t len;
} client_message;

/* The next frame of any kind, pings answered as told. */
client_message client_receive_frame(client *c);

/* The next frame that is no ping. */
client_message client_receive(client *c);

/* The next frame must be a text. */
client_message client_receive_text(client *c);

/* The next frame must be a ping; it is not answered. */
void client_expect_ping(client *c);

/* The next message must be a pong with this payload. */
void client_expect_pong(client *c, const char *payload);

/* The next message must equal this JSON text: the same members and no other. */
void client_expect_json(client *c, const char *json);

/* The next message must be exactly these bytes: for texts that cJSON can't hold. */
void client_expect_text(client *c, const char *text);

/* The next message must be this signal and nothing more (PROTOCOL.md, "Server to client"); `payload` is the
 * JSON text of its sdp or candidate. */
void client_expect_signal(client *c, const char *type, const char *room, const char *from,
                          const char *payload);

/* … a candidate as client_send_number() sends it. */
void client_expect_number(client *c, const char *room, const char *from, unsigned number);

/* The next message must be {"type":"error","message":message}. */
void client_expect_error(client *c, const char *message);

/* Nothing may have come before the answer to a ping that is sent now: so the thread that has this connection
 * has handled everything that was sent before, and has found nothing to say. */
void client_expect_nothing(client *c);

/* The next message must be a close frame of this code; it is answered, and TCP must end in order after it. */
void client_expect_close(client *c, uint16_t code);

/* The same, but frames before the close frame are thrown away. */
void client_expect_close_after_all(client *c, uint16_t code);

/* Nothing may come any more but the end of TCP: in order (FIN)… */
void client_expect_end(client *c);

/* … or in any way, a reset included, whatever comes before it. */
void client_expect_gone(client *c);

/* Has anything come, or has TCP ended? Waits at most so long. */
bool client_is_readable(client *c, int wait_ms);

/* Milliseconds of the monotonic clock, for tests that measure. */
uint64_t client_now_ms(void);

/* Wait until that clock, which is the server's as well, shows another number. */
void client_await_tick(void);

#endif
