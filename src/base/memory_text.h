/* A text that is written through a FILE of open_memstream(). */
#ifndef HOMECALL_BASE_MEMORY_TEXT_H
#define HOMECALL_BASE_MEMORY_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Close `out`, whose text is in *text then. True if the text is whole, and the caller owns it. Else it is
 * freed and *text is NULL: memory was missing. Without memory for the end of the text, glibc's fclose() of
 * such a stream succeeds and leaves NULL, so its result alone does not tell. */
static inline bool memory_text_close(FILE *out, char **text)
{
    bool is_whole = ferror(out) == 0;
    is_whole = fclose(out) == 0 && *text != NULL && is_whole;
    if (!is_whole) {
        free(*text);
        *text = NULL;
    }
    return is_whole;
}

#endif
