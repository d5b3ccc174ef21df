/* The TLS kind of a transport: the server's side of TLS (tls_stream.h). */
#ifndef HOMECALL_NET_TRANSPORT_TLS_H
#define HOMECALL_NET_TRANSPORT_TLS_H

#include "net/tls_context.h"
#include "net/transport.h"

/* Make a plain transport one of TLS, with the certificate of `tls`, of which it takes a share. To be called
 * right after transport_open(), before it is attached. 0 or -ENOMEM; on failure it is still a plain one. */
int transport_start_tls(transport *t, tls_context *tls);

/* Have its handshake take no step while *steps_left is 0 (tls_stream_bound_handshake()). To be called right
 * after transport_start_tls(). */
void transport_bound_handshake(transport *t, uint32_t *steps_left);

#endif
