/* Tokens: what a client shows to get its session back (protocol/README.md, 2.4). One is worth as much as a
 * codeword: it is compared in constant time, and never logged. Pure but for the drawing. */
#ifndef HOMECALL_DIALECT_2_TOKEN_H
#define HOMECALL_DIALECT_2_TOKEN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* 128 random bits, and how they are written: base64url without padding (RFC 4648, 5). */
enum { TOKEN_BYTES = 16, TOKEN_CHARS = 22 };

typedef struct token {
    uint8_t bytes[TOKEN_BYTES];
} token;

/* Draw a new one. 0, or -EIO when there are no random bytes. */
int token_draw(token *t);

/* Write its TOKEN_CHARS characters, without a NUL. */
void token_write(const token *t, char out[TOKEN_CHARS]);

/* Read what a client shows. False for everything that token_write() does not write. */
bool token_read(slice text, token *t);

/* Are they the same? In constant time. */
bool token_equals(const token *a, const token *b);

#endif
