/* A name (codeword or user) together with its JSON form, in the flexible array at the end of the struct that
 * it names.
 *
 * Most names need no escape, so their JSON is the name between quotes. It is stored once, and the plain name
 * is read from between the quotes. Otherwise the plain name is stored behind its JSON. */
#ifndef HOMECALL_ROOMS_STORED_NAME_H
#define HOMECALL_ROOMS_STORED_NAME_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* Where the two forms lie in the owner's bytes. The JSON begins at 0. It ends behind the quote that follows
 * the plain name, or where the plain name begins; so how long it is need not be stored. */
typedef struct stored_name {
    uint16_t plain_at;  /* offset of the plain name: 1 = between the quotes of its JSON */
    uint16_t plain_len; /* bytes */
} stored_name;

/* Lay out the two forms, each of less than 64 KiB: a name, and the same as a JSON string, or none. They need
 * stored_name_size() bytes. */
stored_name stored_name_plan(slice plain, slice json);

/* Copy the two forms, which are the ones that were planned, to `bytes`. */
void stored_name_write(const stored_name *name, char *bytes, slice plain, slice json);

/* How long the JSON is, quotes included. */
static inline size_t stored_name_json_len(const stored_name *name)
{
    return name->plain_at == 1 ? name->plain_len + 2U : name->plain_at;
}

/* How many bytes the owner must provide. */
static inline size_t stored_name_size(const stored_name *name)
{
    return name->plain_at == 1 ? name->plain_len + 2U : (size_t)name->plain_at + name->plain_len;
}

/* The two forms, borrowed from the owner's bytes. */
static inline slice stored_name_plain(const stored_name *name, const char *bytes)
{
    return (slice){bytes + name->plain_at, name->plain_len};
}

static inline slice stored_name_json(const stored_name *name, const char *bytes)
{
    return (slice){bytes, stored_name_json_len(name)};
}

#endif
