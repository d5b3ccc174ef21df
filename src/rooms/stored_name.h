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

/* How long the two forms are in the owner's bytes. A JSON string is two bytes longer than what it says only
 * if it has no escape, so the lengths tell where the plain name lies. */
typedef struct stored_name {
    uint16_t plain_len; /* bytes */
    uint16_t json_len;  /* bytes, quotes included */
} stored_name;

/* Lay out the two forms, each of less than 64 KiB: a name, and the same as a JSON string, or none. They need
 * stored_name_size() bytes. */
stored_name stored_name_plan(slice plain, slice json);

/* Copy the two forms, which are the ones that were planned, to `bytes`. */
void stored_name_write(const stored_name *name, char *bytes, slice plain, slice json);

/* Where the plain name begins; its JSON begins at 0. */
static inline size_t stored_name_plain_at(const stored_name *name)
{
    return name->json_len == name->plain_len + 2 ? 1 : name->json_len;
}

/* How many bytes the owner must provide. */
static inline size_t stored_name_size(const stored_name *name)
{
    size_t plain_end = stored_name_plain_at(name) + name->plain_len;
    return plain_end > name->json_len ? plain_end : name->json_len;
}

/* The two forms, borrowed from the owner's bytes. */
static inline slice stored_name_plain(const stored_name *name, const char *bytes)
{
    return (slice){bytes + stored_name_plain_at(name), name->plain_len};
}

static inline slice stored_name_json(const stored_name *name, const char *bytes)
{
    return (slice){bytes, name->json_len};
}

#endif
