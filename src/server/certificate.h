/* The certificate for new TLS connections. It is loaded at the start, and again when an operator asks for it.
 *
 * Acceptors take a share of it for each connection, while another thread may put a new one in its place. A
 * lock guards the pointer and nothing else; a TLS handshake costs a thousand times as much as this lock. */
#ifndef HOMECALL_SERVER_CERTIFICATE_H
#define HOMECALL_SERVER_CERTIFICATE_H

#include "net/tls_context.h"

#include <pthread.h>

typedef struct certificate {
    pthread_mutex_t lock;
    tls_context *context; /* owned; NULL = none. Guarded by the lock. */
} certificate;

void certificate_init(certificate *c);
void certificate_deinit(certificate *c);

/* Load the files and use them from now on. Fails as tls_context_load() does, and then what was in use stays
 * in use. Any thread. */
int certificate_load(certificate *c, const char *cert_file, const char *key_file,
                     char fault[TLS_CONTEXT_FAULT_CAP]);

/* A share of the one in use, which the caller frees; NULL where there is none. Any thread. */
tls_context *certificate_share(const certificate *c);

/* When it ends, Unix time in seconds; 0 where there is none. Any thread. */
uint64_t certificate_ends_s(const certificate *c);

#endif
