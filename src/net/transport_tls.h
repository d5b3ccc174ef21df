/* The transport that speaks TLS, as its server (tls_stream.h). */
#ifndef HOMECALL_NET_TRANSPORT_TLS_H
#define HOMECALL_NET_TRANSPORT_TLS_H

#include "net/tls_context.h"
#include "net/transport.h"

/* Speak TLS with the certificate of `tls`, of which it takes a share, from the first byte on. Right after
 * transport_open(), before it is attached. 0 or -ENOMEM. */
int transport_start_tls(transport *t, tls_context *tls);

#endif
