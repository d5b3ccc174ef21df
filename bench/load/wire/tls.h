/* TLS under a client: OpenSSL behind one module. */
#ifndef HOMECALL_BENCH_TLS_H
#define HOMECALL_BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct tls_settings tls_settings; /* shared by all threads */
typedef struct tls_stream tls_stream;     /* one connection */

/* Settings for clients of `host` (its name is sent, and checked unless `is_insecure`). `ca_file` (PEM) or
 * NULL for the system's authorities. 0 and the settings, owned by the caller, or -EINVAL (the file is of no
 * use) or -ENOMEM. */
int tls_settings_new(const char *host, const char *ca_file, bool is_insecure, tls_settings **out);
void tls_settings_free(tls_settings *settings);

/* TLS over a connected, non-blocking descriptor, which is borrowed. NULL without memory. */
tls_stream *tls_open(tls_settings *settings, int fd);

/* Say good-bye if the peer still listens, and free it. NULL is legal. */
void tls_close(tls_stream *t);

/* Each of these returns -EAGAIN when the socket must be waited for; tls_wants_room() then tells for what. 0
 * or a count otherwise, or -EPROTO, and tls_error() explains. tls_read() returns 0 at the peer's end. */
int tls_handshake(tls_stream *t);
ssize_t tls_read(tls_stream *t, uint8_t *data, size_t len);
ssize_t tls_write(tls_stream *t, const uint8_t *data, size_t len);
bool tls_wants_room(const tls_stream *t);

/* Has it read more from the socket than it has given away? */
bool tls_has_unread(const tls_stream *t);

/* What failed last on this thread: a text that lives until the next failure. */
const char *tls_error(void);

#endif
