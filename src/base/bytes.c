#include "base/bytes.h"

#include "base/parts.h"
#include "base/wipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* With its own header and malloc's, the smallest buffer fills 128 bytes. That is enough for the join that
 * each connection carries along when it is handed over, and leaves no large hole in the heap afterwards. */
enum { SMALLEST_CAP = 96 };

/* Move the content to the front, so that the space of the consumed bytes can be used again. */
static void compact(bytes *b)
{
    size_t len = b->end - b->start;
    memmove(b->data, b->data + b->start, len);
    explicit_bzero(b->data + len, b->end - len);
    b->end = len;
    b->start = 0;
}

static int grow(bytes **b, size_t need)
{
    size_t cap = *b == NULL ? SMALLEST_CAP : (*b)->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 4 ? need : cap * 2;

    bytes *grown = malloc(sizeof(bytes) + cap); /* realloc() would leave the old content behind */
    if (grown == NULL)
        return -ENOMEM;
    grown->start = grown->end = 0;
    grown->cap = cap;
    if (*b != NULL) {
        grown->end = bytes_len(*b);
        memcpy(grown->data, bytes_head(*b), grown->end);
        bytes_clear(b);
    }
    *b = grown;
    return 0;
}

uint8_t *bytes_extend(bytes **b, size_t more)
{
    size_t len = bytes_len(*b);
    if (more > SIZE_MAX / 4 - len)
        return NULL;

    if (*b == NULL || (*b)->cap - (*b)->end < more) {
        /* Moving pays only where it frees a good part of the buffer. Otherwise a slow reader would make us
         * copy all that waits for it again and again, for each few bytes that it takes. */
        if (*b != NULL && (*b)->start >= (*b)->cap / 4 && len + more <= (*b)->cap)
            compact(*b);
        else if (grow(b, (*b == NULL ? 0 : (*b)->end) + more) != 0)
            return NULL;
    }
    uint8_t *added = (*b)->data + (*b)->end;
    (*b)->end += more;
    return added;
}

int bytes_append(bytes **b, const void *data, size_t len)
{
    if (len == 0)
        return 0;
    uint8_t *added = bytes_extend(b, len);
    if (added == NULL)
        return -ENOMEM;
    memcpy(added, data, len);
    return 0;
}

int bytes_append_parts(bytes **b, const struct iovec *parts, int count)
{
    size_t len = parts_len(parts, count);
    if (len == 0)
        return 0;
    uint8_t *added = bytes_extend(b, len);
    if (added == NULL)
        return -ENOMEM;
    parts_copy(added, parts, count);
    return 0;
}

void bytes_consume(bytes **b, size_t len)
{
    if (len >= bytes_len(*b))
        bytes_clear(b);
    else
        (*b)->start += len;
}

void bytes_clear(bytes **b)
{
    if (*b != NULL)
        wipe_and_free(*b, sizeof(bytes) + (*b)->cap);
    *b = NULL;
}
