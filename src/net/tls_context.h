/* TLS context: a certificate with its key, and what is allowed of TLS.
 *
 * TLS 1.2 and 1.3 and nothing older; for 1.2 only ECDHE with an AEAD. ALPN knows `http/1.1`: who offers
 * protocols and not this one is refused (RFC 7301, 3.2), who offers none is welcome. No compression, no
 * renegotiation, no early data. Sessions are resumed by tickets alone: the server remembers none.
 *
 * A context never changes. New files are a new context, which new connections get, while those that live keep
 * theirs: it is counted. It takes over the keys of the tickets, so that a client resumes its session across a
 * change of certificate; they are drawn at the first load and live as long as the process. */
#ifndef HOMECALL_NET_TLS_CONTEXT_H
#define HOMECALL_NET_TLS_CONTEXT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct tls_context tls_context;

/* Room for what is wrong with a file: the end of its path, and OpenSSL's words. */
enum { TLS_CONTEXT_FAULT_CAP = 512 };

/* Load a certificate, with the chain behind it, and its key, both PEM and without a passphrase. `previous` is
 * the context to be replaced, or NULL; it is borrowed for the call and not changed. On 0 the caller owns
 * *out, a share. -EINVAL: a file can't be used, and `fault` says which and why; or -ENOMEM. */
int tls_context_load(const char *cert_file, const char *key_file, const tls_context *previous,
                     tls_context **out, char fault[TLS_CONTEXT_FAULT_CAP]);

/* One share more, for somebody else to free. Any thread. */
tls_context *tls_context_share(tls_context *c);

/* Give a share back; the last one frees the context. Any thread; NULL is legal. */
void tls_context_free(tls_context *c);

/* When the certificate ends, Unix time in seconds. */
int64_t tls_context_not_after_s(const tls_context *c);

/* What an operator should hear of the certificate (that it had expired when it was loaded, or was not yet
 * valid), a literal; NULL where all is well. It is used all the same. */
const char *tls_context_warning(const tls_context *c);

/* The server's side of TLS over a connected descriptor, which is borrowed; NULL without memory. A write to a
 * peer that is gone raises no signal. A read sets *has_read, which is borrowed too, and the next one finds
 * nothing and unsets it: so no call of OpenSSL goes on for as long as a peer sends what is no data (a change
 * of keys, again and again). Keep the context until it is freed. Any thread. */
SSL *tls_context_open(tls_context *c, int fd, bool *has_read);

#endif
