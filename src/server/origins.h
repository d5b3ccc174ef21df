/* The list of web origins whose pages may connect (ALLOWED_ORIGINS). */
#ifndef HOMECALL_SERVER_ORIGINS_H
#define HOMECALL_SERVER_ORIGINS_H

#include "base/slice.h"

/* Does the comma-separated list hold this origin (RFC 6454, 6.2: scheme://host[:port], letters of either
 * case)? An entry whose host begins with *. holds those of every host under the domain, not of the
 * domain itself. Blanks around an entry do not count. An empty list holds every origin. */
bool origins_allow(slice list, slice origin);

#endif
