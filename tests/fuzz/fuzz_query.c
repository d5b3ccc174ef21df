/* Arbitrary bytes as a query and as the name of a parameter.
 *
 * What must hold: the result is that of a plain reading, which first decodes everything; no byte is written
 * behind the space; and what was decoded, encoded again in full, is decoded to the same.
 *
 * Input: a byte for the space, the name with its length in front, then the query. */
#include "fuzz.h"

#include "websocket/query.h"
#include "websocket/utf8.h"

#include <errno.h>

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)((at - digits) % 16);
}

/* Decode [at, end) into `out`, which has space. Returns the length. */
static size_t decode(const char *at, const char *end, char *out)
{
    size_t len = 0;
    while (at < end) {
        if (end - at > 2 && at[0] == '%' && digit(at[1]) >= 0 && digit(at[2]) >= 0) {
            out[len++] = (char)(digit(at[1]) * 16 + digit(at[2]));
            at += 3;
        } else {
            out[len++] = *at == '+' ? ' ' : *at;
            at++;
        }
    }
    return len;
}

/* What query_find() is to return; the value is in `out`, which has space for the query. */
static long find_plainly(slice query, slice name, char *out, size_t cap)
{
    const char *end = query.data + query.len;
    for (const char *pair = query.data; pair < end;) {
        const char *pair_end = pair;
        while (pair_end < end && *pair_end != '&')
            pair_end++;
        const char *name_end = pair;
        while (name_end < pair_end && *name_end != '=')
            name_end++;
        size_t len = decode(pair, name_end, out);
        if (pair < pair_end && len == name.len && (len == 0 || memcmp(out, name.data, len) == 0)) {
            const char *value = name_end < pair_end ? name_end + 1 : pair_end;
            len = decode(value, pair_end, out);
            utf8_state utf8 = {0};
            if (len > cap)
                return -ENOSPC;
            bool is_utf8 = utf8_check(&utf8, (const uint8_t *)out, len) && utf8_is_complete(&utf8);
            return is_utf8 ? (long)len : -EINVAL;
        }
        pair = pair_end + 1;
    }
    return -ENOENT;
}

/* "n=" and each byte as %XX. */
static void check_round_trip(const char *value, size_t len)
{
    char *query = fuzz_copy("", 0);
    query = realloc(query, 2 + 3 * len + 1);
    char *again = malloc(len + 1);
    REQUIRE(query != NULL && again != NULL);
    size_t query_len = (size_t)sprintf(query, "n=");
    for (size_t i = 0; i < len; i++)
        query_len += (size_t)sprintf(query + query_len, "%%%02X", (unsigned)(unsigned char)value[i]);
    REQUIRE(query_find((slice){query, query_len}, SLICE_LITERAL("n"), again, len) == (long)len);
    REQUIRE(memcmp(value, again, len) == 0);
    free(again);
    free(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    size_t cap = fuzz_take_byte(&in);
    slice name = fuzz_take_bytes(&in);
    slice query = {malloc(in.left > 0 ? in.left : 1), in.left}; /* of just its size */
    char *out = malloc(cap > 0 ? cap : 1);
    char *expected = malloc(in.left + 1);
    REQUIRE(query.data != NULL && out != NULL && expected != NULL);
    char *bytes = (char *)(uintptr_t)query.data;
    if (in.left > 0)
        memcpy(bytes, in.data, in.left);

    long found = query_find(query, name, out, cap);
    REQUIRE(found == find_plainly(query, name, expected, cap));
    if (found >= 0) {
        REQUIRE((size_t)found <= cap && memcmp(out, expected, (size_t)found) == 0);
        check_round_trip(out, (size_t)found);
    }
    free(expected);
    free(out);
    free(bytes);
    return 0;
}
