/* TLS rehearsal: whole TLS handshakes in memory, without any socket.
 *
 * OpenSSL makes much of what it needs when that is needed for the first time, and some of it only once: what
 * had no memory then may be missing until the process ends. So everything is needed once before the server
 * says that it has started, and a server that would upgrade nobody does not start. */
#ifndef HOMECALL_NET_TLS_REHEARSAL_H
#define HOMECALL_NET_TLS_REHEARSAL_H

#include "net/tls_context.h"

/* Have a client of our own shake hands with this context, by TLS 1.2 and by TLS 1.3, and say something both
 * ways. 0; -ENOMEM, or -EPROTO when TLS 1.3 can't be spoken with it. Any thread. */
int tls_rehearse(tls_context *context);

#endif
