/* The stream of one attacker: TCP to a server on 127.0.0.1, with or without TLS, that never waits. */
#ifndef HOMECALL_TESTS_CHAOS_ATTACK_STREAM_H
#define HOMECALL_TESTS_CHAOS_ATTACK_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct attack_stream {
    int fd;   /* -1 = not connected */
    SSL *ssl; /* owned; NULL without TLS */
} attack_stream;

/* Connect to this port, with TLS if `context` is not NULL. With `number` from 1 on, it comes from an address
 * of its own in 127.1.0.0/16; 0 = from 127.0.0.1. False when the server does not let it in. */
bool attack_stream_open(attack_stream *s, uint16_t port, SSL_CTX *context, unsigned number);

/* End it at once. */
void attack_stream_close(attack_stream *s);

/* Send or receive. How many bytes; 0 at the end; -EAGAIN when nothing goes on now; another -errno when it has
 * ended. With TLS this does the handshake first. */
ssize_t attack_stream_send(attack_stream *s, const void *data, size_t len);
ssize_t attack_stream_receive(attack_stream *s, void *data, size_t len);

/* Say hello, without waiting for an answer. False when the server has ended the connection, or has answered.
 */
bool attack_stream_hello(attack_stream *s);

/* Ask the server for new keys, behind what is sent next. */
void attack_stream_ask_for_keys(attack_stream *s);

#endif
