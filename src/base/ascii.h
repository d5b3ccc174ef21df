/* Questions about single characters. Unlike those of <ctype.h> they don't follow the locale of the program
 * that embeds the server. */
#ifndef HOMECALL_BASE_ASCII_H
#define HOMECALL_BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A space or a tab. */
static inline bool ascii_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* May it stand in a token of HTTP (RFC 9110, 5.6.2)? Such are digits, letters, and !#$%&'*+-.^_`|~ . A bit
 * for each character of ASCII says it. */
static inline bool ascii_is_token_char(char c)
{
    static const uint64_t token_chars[2] = {0x03FF6CFA00000000, 0x57FFFFFFC7FFFFFE};
    unsigned char code = (unsigned char)c;
    return code < 128 && (token_chars[code / 64] >> (code % 64) & 1) != 0;
}

/* The small letter that belongs to a large one; any other character as it is. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
