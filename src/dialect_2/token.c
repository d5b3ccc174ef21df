#include "dialect_2/token.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

int token_draw(token *t)
{
    /* getrandom(2): so few bytes come whole */
    return getrandom(t->bytes, TOKEN_BYTES, 0) == TOKEN_BYTES ? 0 : -EIO;
}

void token_write(const token *t, char out[TOKEN_CHARS])
{
    char text[TOKEN_CHARS + 1];
    sodium_bin2base64(text, sizeof(text), t->bytes, TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memcpy(out, text, TOKEN_CHARS);
    sodium_memzero(text, sizeof(text));
}

bool token_read(slice text, token *t)
{
    size_t len = 0;
    return text.len == TOKEN_CHARS &&
           sodium_base642bin(t->bytes, TOKEN_BYTES, text.data, text.len, NULL, &len, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           len == TOKEN_BYTES;
}

bool token_equals(const token *a, const token *b)
{
    return sodium_memcmp(a->bytes, b->bytes, TOKEN_BYTES) == 0;
}
