/* A blocking WebSocket client for tests, with which a test can be read like prose:
 *
 *     client *caller = client_open(port);
 *     client_join(caller, "blue fox", "anna");
 *     client_send_offer(caller, "\"v=0\"");
 *     …
 *     client_expect_signal(callee, "offer", "blue fox", "anna", "\"v=0\"");
 *     client_close(caller);
 *
 * It connects only to 127.0.0.1. Every wait has a deadline. If something that is expected does not come, the
 * running cmocka test fails, with a message that says what came instead. So no function here returns an
 * error, and all must be called on the thread that runs the test.
 *
 * It can break every rule of a client: bytes and frames are sent as they are given. What is received must
 * obey the rules for a server: no mask, no reserved bits, no fragments. */
#ifndef HOMECALL_TESTS_SUPPORT_CLIENT_H
#define HOMECALL_TESTS_SUPPORT_CLIENT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a test waits for what must come. It is long enough for a busy machine under Valgrind; a test that
 * passes does not wait so long. */
enum { CLIENT_WAIT_MS = 20 * 1000 };

enum {
    CLIENT_CONTINUATION = 0x0,
    CLIENT_TEXT = 0x1,
    CLIENT_BINARY = 0x2,
    CLIENT_CLOSE = 0x8,
    CLIENT_PING = 0x9,
    CLIENT_PONG = 0xA,
};

/* Stands for a close frame that has no code (RFC 6455, 7.1.5). */
enum { CLIENT_NO_CODE = 1005 };

typedef struct client client;

/* ---- Connecting and closing ---- */

/* Connect TCP, and do nothing more. The caller owns the client, as with all functions that return one. */
client *client_dial(uint16_t port);

/* The first step of client_dial(), for a test in which there are no more descriptors: make a socket. */
client *client_new(void);

/* The second step: connect it. */
void client_connect(client *c, uint16_t port);

/* client_dial() from a source address in 127.0.0.0/8, such as "127.0.0.2". */
client *client_dial_from(uint16_t port, const char *source);

/* client_dial() and client_upgrade(). */
client *client_open(uint16_t port);

/* client_open() by a trusted proxy, which says that the client has this address. */
client *client_open_for(uint16_t port, const char *address);

/* client_open() and client_join(). */
client *client_open_joined(uint16_t port, const char *room, const char *user);

/* client_open_joined(), and wait until the server has handled the join. */
client *client_open_settled(uint16_t port, const char *room, const char *user);

/* End TCP in order (FIN), without a close frame, and free the client. NULL is legal. */
void client_close(client *c);

/* End TCP by a reset, as when a client crashes, and free the client. */
void client_abort(client *c);

/* End only our side of TCP (FIN), and go on reading. */
void client_end_output(client *c);

/* client_dial() with a receive buffer of a few KiB, so that what this client does not read soon waits in the
 * server. (The size must be set before TCP connects.) */
client *client_dial_with_small_buffer(uint16_t port);

/* The descriptor, lent, for a test that polls many clients. */
int client_fd(const client *c);

/* ---- The opening handshake ---- */

/* The Sec-WebSocket-Key that client_upgrade() sends. */
extern const char client_key[];

/* Send a good request, and expect 101 with the accept that belongs to the key (RFC 6455, 4.2.2). */
void client_upgrade(client *c);

/* Only send a good request. */
void client_send_upgrade(client *c);

/* The same for another target than "/signal", such as "/signal?sessionId=x". */
void client_send_upgrade_to(client *c, const char *target);

/* Only expect the answer to it. */
void client_expect_upgraded(client *c);

/* The same, if the request had another key, to which this Sec-WebSocket-Accept belongs. */
void client_expect_upgraded_with(client *c, const char *accept);

/* Expect a whole HTTP answer with this status and "Connection: close", and then the end of TCP in order. */
void client_expect_http_fault(client *c, int status);

/* The value of a header field of the HTTP answer that was read last, without blanks around it; the test fails
 * if there is none. Lent until the next call. */
const char *client_http_header(client *c, const char *name);

/* ---- Sending ---- */

/* From now on, only collect what is sent. */
void client_cork(client *c);

/* Send what was collected, in one write if the socket takes it, and collect no more. */
void client_uncork(client *c);

/* Send bytes as they are. */
void client_send_bytes(client *c, const void *data, size_t len);

/* A frame, good or bad. If the other members are zero, it is a good, final, masked frame, whose length is
 * written as short as possible. */
typedef struct client_frame {
    int opcode;
    const void *payload;
    size_t len;
    bool is_not_final;
    bool is_unmasked;
    uint8_t reserved_bits;  /* RSV1 to RSV3, as bits of the first byte: 0x40, 0x20, 0x10 */
    int length_bytes;       /* how many bytes the length has: 1, 2 or 8; 0 = as few as possible */
    uint64_t announced_len; /* the length in the header; 0 = `len` */
} client_frame;

/* Send a frame. */
void client_send_frame(client *c, const client_frame *frame);

/* Return the bytes of a frame, with their number in *len; the caller frees them. */
uint8_t *client_make_frame(const client_frame *frame, size_t *len);

/* Send a text message in one frame. */
void client_send_text(client *c, const char *text);

/* The same with a format as in printf(). */
void client_send_textf(client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Send a ping with this payload. */
void client_send_ping(client *c, const char *payload);

/* Send a close frame with this code. */
void client_send_close(client *c, uint16_t code);

/* Send a message of the protocol. Names are plain texts; they are written as JSON strings. `sdp` and
 * `candidate` are JSON texts, and are sent as they are. */
void client_join(client *c, const char *room, const char *user);
void client_leave(client *c);
void client_send_offer(client *c, const char *sdp);
void client_send_answer(client *c, const char *sdp);
void client_send_candidate(client *c, const char *candidate);

/* Send a candidate that contains this number, for tests of the order. */
void client_send_number(client *c, unsigned number);

/* ---- Receiving ---- */

/* Answer pings from now on, or do not. At first they are answered. */
void client_answer_pings(client *c, bool answers);

/* How many pings have come so far, answered or not. */
unsigned client_pings(const client *c);

/* A frame that came. */
typedef struct client_message {
    int opcode;       /* CLIENT_TEXT, CLIENT_CLOSE, … */
    const char *data; /* lent until the next frame is received; there is a NUL behind it */
    size_t len;
} client_message;

/* Receive the next frame of any kind. A ping is answered, see client_answer_pings(). */
client_message client_receive_frame(client *c);

/* Receive the next frame that is not a ping. */
client_message client_receive(client *c);

/* The same; it must be a text. */
client_message client_receive_text(client *c);

/* The next frame must be a ping; it is not answered. */
void client_expect_ping(client *c);

/* The next frame but pings must be a pong with this payload. */
void client_expect_pong(client *c, const char *payload);

/* The next message must be equal to this JSON text: the same members and no others. */
void client_expect_json(client *c, const char *json);

/* The next message must be exactly these bytes: for texts that cJSON can't represent. */
void client_expect_text(client *c, const char *text);

/* The next message must be this signal, with no other members (protocol/README.md, "Version 1"). `payload` is
 * the JSON text of its sdp or candidate. */
void client_expect_signal(client *c, const char *type, const char *room, const char *from,
                          const char *payload);

/* The same for a candidate of client_send_number(). */
void client_expect_number(client *c, const char *room, const char *from, unsigned number);

/* The next message must be {"type":"error","message":message}. */
void client_expect_error(client *c, const char *message);

/* Send a ping; the next frame but pings must be its pong. So the server has handled everything that was sent
 * before on this connection, and has sent nothing. */
void client_expect_nothing(client *c);

/* The next frame but pings must be a close frame with this code. It is answered, and then TCP must end in
 * order. */
void client_expect_close(client *c, uint16_t code);

/* The same, but there may be other frames before the close frame. */
void client_expect_close_after_all(client *c, uint16_t code);

/* Nothing may come any more but the end of TCP in order (FIN). */
void client_expect_end(client *c);

/* TCP must end in any way, also by a reset; before that, anything may come. */
void client_expect_gone(client *c);

/* Has anything come, or has TCP ended? This waits at most `wait_ms` for that. */
bool client_is_readable(client *c, int wait_ms);

/* The monotonic clock in milliseconds. */
uint64_t client_now_ms(void);

/* Wait until that clock has changed. The server uses the same clock. */
void client_await_tick(void);

#endif
