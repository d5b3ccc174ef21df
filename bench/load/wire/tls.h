/* TLS for a client: only this module uses OpenSSL for connections. */
#ifndef HOMECALL_BENCH_TLS_H
#define HOMECALL_BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct tls_settings tls_settings; /* immutable; shared by all threads */
typedef struct tls_stream tls_stream;     /* one connection; only its thread may use it */

/* Make settings for clients of `host`. The name is sent, and the certificate is checked against it unless
 * `is_insecure`. `ca_file` has the trusted authorities in PEM; NULL = those of the system. 0 and the
 * settings, owned by the caller; -EINVAL when the file can't be used; or -ENOMEM. */
int tls_settings_new(const char *host, const char *ca_file, bool is_insecure, tls_settings **out);

/* Free them, after all streams. NULL is legal. */
void tls_settings_free(tls_settings *settings);

/* Make a stream over a connected, non-blocking descriptor, which is borrowed. The caller owns the stream.
 * NULL without memory. */
tls_stream *tls_open(tls_settings *settings, int fd);

/* Send a close_notify if that is possible at once, and free the stream. NULL is legal. */
void tls_close(tls_stream *t);

/* Go on with the handshake. 0 when it is done. Each of these three returns -EAGAIN when it must wait for the
 * socket (tls_wants_writable() says for what), and -EPROTO for a failure, which tls_error() explains. */
int tls_handshake(tls_stream *t);

/* Read once. Returns how many bytes were read; 0 when the peer has ended. */
ssize_t tls_read(tls_stream *t, uint8_t *data, size_t len);

/* Write once. Returns how many bytes were taken. -EPIPE when the peer has ended. */
ssize_t tls_write(tls_stream *t, const uint8_t *data, size_t len);

/* After -EAGAIN: must the socket become writable, and not readable? */
bool tls_wants_writable(const tls_stream *t);

/* Is there decrypted input left, for which the socket does not become readable? */
bool tls_has_unread(const tls_stream *t);

/* What failed last on this thread: a text that is valid until the next failure. */
const char *tls_error(void);

#endif
