/* The TLS kind of a transport: the server's side of TLS (tls_stream.h). */
#ifndef HOMECALL_NET_TRANSPORT_TLS_H
#define HOMECALL_NET_TRANSPORT_TLS_H

#include "net/tls_context.h"
#include "net/tls_pacer.h"
#include "net/transport.h"

/* Make a plain transport one of TLS, with the certificate of `tls`, of which it takes a share. To be called
 * right after transport_open(), before it is attached. 0 or -ENOMEM; on failure it is still a plain one. */
int transport_start_tls(transport *t, tls_context *tls);

/* Have its handshake paced (tls_stream_pace_handshake()). To be called right after transport_start_tls(). */
void transport_pace_handshake(transport *t, tls_pacer *pacer);

/* Does its handshake wait for a step? For a transport that is not secured. */
bool transport_waits_for_step(const transport *t);

#endif
