/* TLS context: a certificate with its key, and the settings of TLS.
 *
 * TLS 1.2 and 1.3, nothing older; with 1.2 only ECDHE with an AEAD. Keys are exchanged by X25519 or P-256, so
 * that no hello makes the server work long. The one protocol of ALPN is `http/1.1`: a
 * client that offers others but not this one is refused (RFC 7301, 3.2), a client that offers none is
 * accepted. There is no compression, no renegotiation, no early data. Sessions are resumed by tickets only;
 * the server stores none.
 *
 * A context never changes after it was loaded. When files are loaded again, that makes a new context, which
 * new connections use. Older connections keep the old one: it is counted by shares, and freed with the last.
 * The new context copies the ticket keys of the old one, so that clients can resume their sessions after the
 * change. The keys are random, made at the first load, and never written anywhere. */
#ifndef HOMECALL_NET_TLS_CONTEXT_H
#define HOMECALL_NET_TLS_CONTEXT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct tls_context tls_context;

/* The size of a text that says what is wrong with a file: the end of its path, and the reason. */
enum { TLS_CONTEXT_FAULT_CAP = 512 };

/* Load a certificate, with its chain behind it, and its key, both in PEM and without a passphrase. `previous`
 * is the context whose ticket keys are copied, or NULL; it is borrowed for the call and not changed. 0, and
 * the caller owns a share in *out. -EINVAL: a file can't be used, and `fault` says which and why. Or -ENOMEM,
 * which `fault` says as well. Any thread. */
int tls_context_load(const char *cert_file, const char *key_file, const tls_context *previous,
                     tls_context **out, char fault[TLS_CONTEXT_FAULT_CAP]);

/* Take one share more, for another owner. Returns `c`. Any thread. */
tls_context *tls_context_share(tls_context *c);

/* Give a share back; the last one frees the context. Any thread; NULL is legal. */
void tls_context_free(tls_context *c);

/* When the certificate expires, Unix time in seconds; 0 if its date can't be read. Any thread. */
int64_t tls_context_not_after_s(const tls_context *c);

/* A warning for the operator, a literal: that the certificate had expired or was not valid yet when it was
 * loaded, or that its key is a costly one. It is used nevertheless. NULL when there is none. Any thread. */
const char *tls_context_warning(const tls_context *c);

/* What the socket below an SSL and whoever calls OpenSSL tell each other. */
typedef struct tls_socket_notes {
    bool has_read;  /* Of two reads from the socket, one returns nothing: the first sets this, and a read that
                       finds it set only clears it, and returns "try again". Without that, one call of OpenSSL
                       would last as long as the peer sends records without data, such as key updates. The
                       caller clears it when OpenSSL has returned. */
    bool has_ahead; /* More was read from the socket than OpenSSL has asked for, so the descriptor does not
                       tell of it. The socket sets and clears this. */
    bool has_more;  /* The caller sets this while what OpenSSL writes may wait in the kernel, for 0.2 s at
                       most, for what is written next or for the end of TCP, to be in one segment with that. */
} tls_socket_notes;

/* Make the server's side of TLS over a connected descriptor. The descriptor and `notes` are borrowed until
 * the SSL is freed, and the caller must keep a share of the context as long. The caller owns the SSL. NULL
 * without memory. A write to a peer that is gone raises no SIGPIPE. Any thread. */
SSL *tls_context_open(tls_context *c, int fd, tls_socket_notes *notes);

#endif
