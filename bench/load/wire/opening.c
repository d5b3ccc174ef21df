#include "wire/opening.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

int opening_init(opening *o, const char *authority)
{
    *o = (opening){0};
    snprintf(o->authority, sizeof(o->authority), "%s", authority);
    unsigned char nonce[16]; /* RFC 6455, 4.1, point 7 */
    if (RAND_bytes(nonce, sizeof(nonce)) != 1)
        return -EIO;
    EVP_EncodeBlock((unsigned char *)o->key, nonce, sizeof(nonce));
    return ws_handshake_accept(o->accept, (slice){o->key, OPENING_KEY_LEN}) ? 0 : -EIO;
}

size_t opening_request(const opening *o, const char *request_target, const char *subprotocol,
                       char out[OPENING_MAX_REQUEST])
{
    int len =
        snprintf(out, OPENING_MAX_REQUEST,
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                 request_target, o->authority, o->key, subprotocol != NULL ? "Sec-WebSocket-Protocol: " : "",
                 subprotocol != NULL ? subprotocol : "", subprotocol != NULL ? "\r\n" : "");
    return len < 0 || len >= OPENING_MAX_REQUEST ? 0 : (size_t)len;
}

/* The value of a header field in the head, without blanks around it; empty if there is no such field. */
static slice find_header(slice head, slice name)
{
    slice rest = head;
    while (rest.len > 0) {
        slice line = slice_take_until(&rest, '\n');
        slice key = slice_take_until(&line, ':');
        if (slice_equals_in_any_case(key, name)) {
            if (line.len > 0 && line.data[line.len - 1] == '\r')
                line.len--;
            return slice_trim(line);
        }
    }
    return (slice){NULL, 0};
}

/* Let *why say what is wrong with the answer: `what`, and the line that is meant. Returns -EPROTO. */
static long refuse(const char **why, const char *what, slice line)
{
    static _Thread_local char text[128];
    int shown = line.len < 64 ? (int)line.len : 64;
    snprintf(text, sizeof(text), "%s: %.*s", what, shown, line.data);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    *why = text;
    return -EPROTO;
}

unsigned opening_status(slice answer)
{
    static const char version[] = "HTTP/1.1 ";
    enum { VERSION_LEN = sizeof(version) - 1, DIGITS = 3 };
    if (answer.len < VERSION_LEN + DIGITS || memcmp(answer.data, version, VERSION_LEN) != 0)
        return 0;
    unsigned status = 0;
    for (const char *c = answer.data + VERSION_LEN; c < answer.data + VERSION_LEN + DIGITS; c++) {
        if (*c < '0' || *c > '9')
            return 0;
        status = status * 10 + (unsigned)(*c - '0');
    }
    return status;
}

long opening_check(const opening *o, const char *subprotocol, slice answer, const char **why)
{
    const char *end = memmem(answer.data, answer.len, "\r\n\r\n", 4);
    size_t head_len = end == NULL ? answer.len : (size_t)(end - answer.data) + 4;
    if (head_len > OPENING_MAX_ANSWER || (end == NULL && head_len == OPENING_MAX_ANSWER))
        return refuse(why, "the answer's head is too long", answer);
    if (end == NULL)
        return 0;

    slice head = {answer.data, head_len};
    slice first_line = {head.data, (size_t)((const char *)memchr(head.data, '\r', head.len) - head.data)};
    if (head.len < 12 || memcmp(head.data, "HTTP/1.1 101", 12) != 0)
        return refuse(why, "the server did not upgrade", first_line);
    slice accept = find_header(head, SLICE_LITERAL("Sec-WebSocket-Accept"));
    if (!slice_equals(accept, (slice){o->accept, WS_HANDSHAKE_ACCEPT_LEN}))
        return refuse(why, "wrong Sec-WebSocket-Accept", accept);
    slice chosen = find_header(head, SLICE_LITERAL("Sec-WebSocket-Protocol"));
    if (!slice_equals(chosen, slice_of_text(subprotocol != NULL ? subprotocol : "")))
        return refuse(why, "wrong Sec-WebSocket-Protocol", chosen);
    return (long)head.len;
}
