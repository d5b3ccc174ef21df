/* International host names as DNS knows them: домозвон.рф is xn--b1adjthcbc.xn--p1ai (IDNA2008, RFC 5891).
 * What people write is mapped first as browsers do it (UTS #46, non-transitional), so that ДомоЗвон.РФ is the
 * same.
 *
 * libidn2 does the work. It is loaded when the first such name comes: most configurations have none, and the
 * two libraries with their tables are neither needed nor paid for there. Where it is not installed, such
 * names are refused, and their xn-- form, which is plain ASCII, goes without it. */
#ifndef HOMECALL_BASE_IDNA_H
#define HOMECALL_BASE_IDNA_H

#include "base/host_name.h"

/* The library, once it is loaded. Zeroed = not yet. Not for two threads at once. */
typedef struct idna {
    void *library; /* owned */
} idna;

/* Turn a name into ASCII, in small letters, into `out`. The name need not be good, nor is what comes out:
 * that is for host_name_is_good() to say, since letters are mapped to others, and a dot of another script to
 * a dot. NULL; or why it can't be done, a literal that can follow the name and a colon, and `out` is
 * unchanged. */
const char *idna_to_ascii(idna *i, slice name, char out[HOST_NAME_CAP]);

/* Give the library back. A zeroed one is legal. */
void idna_deinit(idna *i);

#endif
