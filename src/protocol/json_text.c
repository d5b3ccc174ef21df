/* The strings of cJSON end at NUL, and ours need not. So a text goes through cJSON in pieces: the parts
 * between its NUL bytes, which in JSON are the parts between the \u0000 escapes. Such an escape is six
 * characters long. The closing quote of the piece before it and the opening quote of the piece behind it fit
 * there, so the pieces are cut and joined in place.
 *
 * cJSON keeps the place of a fault in a variable that all threads share. Only cJSON_GetErrorPtr() reads it,
 * which nobody calls here. */
#include "protocol/json_text.h"

#include "base/wipe.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static const char nul_escape[] = "\\u0000";
enum { NUL_ESCAPE_LEN = sizeof(nul_escape) - 1 };

/* The next \u0000 in [at, end), or `end`. Other escapes are skipped as a whole: in \\u0000 the letters are
 * just text. */
static char *find_nul_escape(char *at, char *end)
{
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (end - at >= NUL_ESCAPE_LEN && memcmp(at, nul_escape, NUL_ESCAPE_LEN) == 0)
            return at;
        at += 2;
    }
    return end;
}

/* Does [at, end) begin with the escape of half a surrogate pair? `digits` tells which half: 89abAB the high
 * one, cdefCDEF the low one. */
static bool begins_with_surrogate(const char *at, const char *end, const char *digits)
{
    return end - at >= NUL_ESCAPE_LEN && at[0] == '\\' && at[1] == 'u' && (at[2] == 'd' || at[2] == 'D') &&
           strchr(digits, at[3]) != NULL;
}

/* Does the string hold a surrogate without its other half? */
static bool has_lone_surrogate(const char *at, const char *end)
{
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (begins_with_surrogate(at, end, "cdefCDEF"))
            return true;
        if (begins_with_surrogate(at, end, "89abAB")) {
            at += NUL_ESCAPE_LEN;
            if (!begins_with_surrogate(at, end, "cdefCDEF"))
                return true;
            at += NUL_ESCAPE_LEN;
        } else {
            at += 2;
        }
    }
    return false;
}

/* Decode one piece, [quote, end) with its quotes. As json_text_decode(). */
static long decode_piece(const char *quote, const char *end, char *out, size_t cap)
{
    cJSON *string = cJSON_ParseWithLength(quote, (size_t)(end - quote));
    if (string == NULL) /* a lone surrogate, which RFC 8259, 8.2 leaves to the reader, or no memory */
        return has_lone_surrogate(quote, end) ? -EINVAL : -ENOMEM;

    size_t len = strlen(string->valuestring);
    bool fits = len <= cap;
    if (fits)
        memcpy(out, string->valuestring, len);
    cJSON_Delete(string);
    return fits ? (long)len : -ENOSPC;
}

/* Decode [quote, end), a JSON string with its quotes. Its NUL escapes are overwritten. */
static long decode_quoted(char *quote, char *end, char *out, size_t cap)
{
    size_t filled = 0;
    for (;;) {
        char *closing = find_nul_escape(quote + 1, end - 1);
        bool is_last = closing == end - 1;
        *closing = '"';
        long len = decode_piece(quote, closing + 1, out + filled, cap - filled);
        if (len < 0)
            return len;
        filled += (size_t)len;
        if (is_last)
            return (long)filled;

        if (filled == cap)
            return -ENOSPC;
        out[filled++] = '\0';
        quote = closing + NUL_ESCAPE_LEN - 1;
        *quote = '"';
    }
}

long json_text_decode(slice raw, char *out, size_t cap)
{
    char *quoted = malloc(raw.len + 2);
    if (quoted == NULL)
        return -ENOMEM;
    quoted[0] = quoted[raw.len + 1] = '"';
    if (raw.len > 0)
        memcpy(quoted + 1, raw.data, raw.len);

    long len = decode_quoted(quoted, quoted + raw.len + 2, out, cap);
    wipe_and_free(quoted, raw.len + 2);
    return len;
}

/* Print `text` with its quotes and a NUL to [at, end). Returns where the NUL is; NULL when it does not fit.
 */
static char *print_piece(char *text, char *at, const char *end)
{
    cJSON string = {.type = cJSON_String, .valuestring = text};
    return cJSON_PrintPreallocated(&string, at, (int)(end - at), false) ? at + strlen(at) : NULL;
}

/* The same for all pieces of [text, text_end), which has a NUL behind it, as one JSON string. */
static char *print_pieces(char *text, const char *text_end, char *at, const char *end)
{
    char *behind = print_piece(text, at, end);
    while (behind != NULL && (text += strlen(text)) < text_end) {
        char *seam = behind - 1; /* the escape goes over the closing quote, up to the next opening one */
        behind = print_piece(++text, seam + NUL_ESCAPE_LEN - 1, end);
        memcpy(seam, nul_escape, NUL_ESCAPE_LEN);
    }
    return behind;
}

/* Does the text stand in JSON as it is (RFC 8259, 7)? Names and codewords mostly do. */
static bool needs_no_escape(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if ((unsigned char)c < ' ' || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static char *put_in_quotes(slice text, size_t *len)
{
    char *json = malloc(text.len + 3);
    if (json == NULL)
        return NULL;
    json[0] = json[text.len + 1] = '"';
    if (text.len > 0)
        memcpy(json + 1, text.data, text.len);
    json[text.len + 2] = '\0';
    *len = text.len + 2;
    return json;
}

char *json_text_encode(slice text, size_t *len)
{
    if (needs_no_escape(text))
        return put_in_quotes(text, len);

    enum { LONGEST_ESCAPE = NUL_ESCAPE_LEN, SLACK = 16 }; /* quotes, NUL, and what cJSON wants besides */
    if (text.len > (INT_MAX - SLACK) / LONGEST_ESCAPE)    /* cJSON counts in int */
        return NULL;

    char *encoded = NULL;
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    size_t cap = text.len * LONGEST_ESCAPE + SLACK;
    char *json = malloc(cap);
    if (json == NULL)
        goto free_copy;
    char *behind = print_pieces(copy, copy + text.len, json, json + cap);
    if (behind == NULL) {
        wipe_and_free(json, cap);
        goto free_copy;
    }
    *len = (size_t)(behind - json);
    encoded = json;

free_copy:
    wipe_and_free(copy, text.len);
    return encoded;
}
