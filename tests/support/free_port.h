/* A free TCP port, for a server that can't choose one itself.
 *
 * The port is below those that Linux chooses itself (net.ipv4.ip_local_port_range, from 32768 on), and each
 * process starts its search at another port. So it is unlikely that another program takes the port before the
 * server. */
#ifndef HOMECALL_TESTS_SUPPORT_FREE_PORT_H
#define HOMECALL_TESTS_SUPPORT_FREE_PORT_H

#include <stdint.h>

/* A port of 127.0.0.1 on which nobody listens, a different one at each call. The test fails without one. */
uint16_t free_port(void);

#endif
