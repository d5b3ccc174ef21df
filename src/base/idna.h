/* Translates international host names into the ASCII form that DNS and browsers use: домозвон.рф becomes
 * xn--b1adjthcbc.xn--p1ai (IDNA2008, RFC 5891). Before that, letters are mapped as browsers map them (UTS
 * #46, non-transitional), so ДомоЗвон.РФ gives the same.
 *
 * libidn2 does the work. It is loaded with dlopen() when the first such name comes. Most configurations have
 * no such name, and then libidn2 and libunistring, which it needs, take no memory and need not be installed.
 * If libidn2 is not installed, such names are refused. Their ASCII form needs no translation and works
 * without it. */
#ifndef HOMECALL_BASE_IDNA_H
#define HOMECALL_BASE_IDNA_H

#include "base/host_name.h"

/* The library after it was loaded. A zeroed struct is the state before that. For one thread at a time. */
typedef struct idna {
    void *library; /* owned */
} idna;

/* Translate a name and write the result, in small letters, to `out`. Letters may be mapped to characters that
 * no host name has: ℀ becomes a/c. So callers check the result with host_name_is_good(). Returns NULL; or the
 * reason why it can't be done, a literal that can follow the name and a colon, and then `out` is unchanged.
 */
const char *idna_to_ascii(idna *i, slice name, char out[HOST_NAME_CAP]);

/* Unload the library. A zeroed struct is legal. */
void idna_deinit(idna *i);

#endif
