/* The list of web origins whose pages may connect (ALLOWED_ORIGINS). It is read once, when the server starts,
 * and only compared with from then on, by any thread. */
#ifndef HOMECALL_SERVER_ORIGINS_H
#define HOMECALL_SERVER_ORIGINS_H

#include "base/slice.h"

/* An origin, or a pattern that holds those of every host under a domain. */
typedef struct origins_entry {
    char *text;  /* owned; as base/origin.h writes it */
    size_t len;  /* of the text */
    size_t star; /* where the * of a pattern stands; 0 = it is none */
} origins_entry;

/* Zeroed = an empty list, which holds every origin. */
typedef struct origins {
    origins_entry *entries; /* owned */
    size_t count;
} origins;

/* Why a text is no list. */
typedef struct origins_fault {
    slice entry;        /* the first entry that is wrong; in the text */
    const char *reason; /* what is wrong with it; a literal that can follow its name and a colon */
} origins_fault;

/* Read the list from `text`: origins with commas between (base/origin.h); blanks around them and entries of
 * nothing do not count. 0, and the caller owns what is in *list; or, with *list empty, -EINVAL and *fault
 * set, or -ENOMEM. */
int origins_make(origins *list, slice text, origins_fault *fault);

/* Does it hold this origin, as a request has it? Letters of either case are the same, and a port that the
 * scheme has by itself does not count. A pattern does not hold its domain itself. */
bool origins_allow(const origins *list, slice origin);

/* Free what is in it; it is empty then. */
void origins_free(origins *list);

#endif
