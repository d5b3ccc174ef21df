/* The names of hosts, as far as their text tells. Pure. */
#ifndef HOMECALL_BASE_HOST_NAME_H
#define HOMECALL_BASE_HOST_NAME_H

#include "base/slice.h"

/* The longest name with the root's dot and its NUL. */
enum { HOST_NAME_CAP = 255 };

/* Can it be a name in DNS or in /etc/hosts? Labels of 1 to 63 bytes with dots between, 253 bytes in all; a
 * dot for the root may stand behind them. A label has letters, digits, hyphens, and underscores, which are no
 * part of a host's name (RFC 952), but stand in the names of containers. Bytes above ASCII count as letters:
 * what they mean is for idna.h to say.
 *
 * A name whose last label is a number is none: it would be taken for an IPv4 address, and not for the one
 * that a reader sees in it (127.1, 010.0.0.1, 0x7f000001). */
bool host_name_is_good(slice text);

/* Has it nothing but ASCII in it? */
bool host_name_is_ascii(slice text);

#endif
