/* UTF-8 validation that can stop and go on at any byte (RFC 3629; RFC 6455, 8.1).
 *
 * Pure. A text message is checked as its bytes arrive, across frames and reads. It fails at the first byte
 * that can neither begin nor continue a character. Surrogates, code points over U+10FFFF and over-long forms
 * are no characters. */
#ifndef HOMECALL_WEBSOCKET_UTF8_H
#define HOMECALL_WEBSOCKET_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the character that is being read still needs. Zeroed = between two characters. */
typedef struct utf8_state {
    uint8_t needed; /* continuation bytes still to come */
    uint8_t low;    /* the smallest next byte allowed, while needed > 0 */
    uint8_t high;   /* the largest next byte allowed, while needed > 0 */
} utf8_state;

/* Check the next bytes. False when one of them is wrong; the state is of no use then. */
bool utf8_check(utf8_state *state, const uint8_t *data, size_t len);

/* Can the text end here? It can't inside a character. */
static inline bool utf8_is_complete(const utf8_state *state)
{
    return state->needed == 0;
}

#endif
