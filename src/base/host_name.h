/* Checks whether a text can be the name of a host. Pure: nothing is looked up. */
#ifndef HOMECALL_BASE_HOST_NAME_H
#define HOMECALL_BASE_HOST_NAME_H

#include "base/slice.h"

/* Bytes for the longest name, with the dot of the root and the NUL. */
enum { HOST_NAME_CAP = 255 };

/* Can the text be a name in DNS or in /etc/hosts? A name has labels of 1 to 63 bytes, with dots between them
 * and perhaps one for the root at the end. It has at most 253 bytes without that. Labels consist of letters,
 * digits, hyphens and underscores. (RFC 952 has no underscores, but the names of containers do.) Every byte
 * above ASCII counts as a letter; idna.h knows more about those.
 *
 * A text is not a name if its last label is a number, as in 127.1, 010.0.0.1 and 0x7f000001. The resolver and
 * browsers read an IPv4 address there, and often another one than people expect. */
bool host_name_is_good(slice text);

/* Are all its bytes ASCII? */
bool host_name_is_ascii(slice text);

#endif
