/* A TCP port for a server that can't be told to take any free one.
 *
 * It lies below the ports that Linux gives to whoever asks for any (net.ipv4.ip_local_port_range, from 32768
 * on), and where the search begins depends on the process: so nobody else is likely to take it before the
 * server does. */
#ifndef HOMECALL_TESTS_SUPPORT_FREE_PORT_H
#define HOMECALL_TESTS_SUPPORT_FREE_PORT_H

#include <stdint.h>

/* A port of 127.0.0.1 that nobody listens on; another one with each call. The test fails where there is none.
 */
uint16_t free_port(void);

#endif
