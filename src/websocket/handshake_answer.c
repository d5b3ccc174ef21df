#include "websocket/handshake_answer.h"

#include "websocket/handshake.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST_BYTES = 20 /* of SHA-1 */, GUID_LEN = 36 };

typedef struct fault_answer {
    int status;
    const char *reason;  /* of the status line */
    const char *headers; /* Connection, and what else protocol/README.md, "Connecting" asks for */
    const char *body;
} fault_answer;

static const fault_answer fault_answers[] = {
    {400, "Bad Request", "Connection: close\r\n", "This is not a valid WebSocket handshake.\n"},
    {403, "Forbidden", "Connection: close\r\n", "This origin is not allowed here.\n"},
    {404, "Not Found", "Connection: close\r\n", "There is nothing at this path.\n"},
    {405, "Method Not Allowed", "Connection: close\r\nAllow: GET\r\n", "Only GET is allowed here.\n"},
    /* The connection option goes with the Upgrade header (RFC 9110, 7.8), the version is RFC 6455, 4.4. */
    {426, "Upgrade Required",
     "Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
     "This is a WebSocket endpoint, version 13.\n"},
    {429, "Too Many Requests", "Connection: close\r\nRetry-After: 1\r\n", "Slowly, please.\n"},
    {431, "Request Header Fields Too Large", "Connection: close\r\n", "The request head is too large.\n"},
    /* Some seconds: places become free about that fast, and a crowd that was refused should not return at
       once. */
    {503, "Service Unavailable", "Connection: close\r\nRetry-After: 5\r\n", "Too many connections.\n"},
};

static const fault_answer *find_fault_answer(int status)
{
    for (size_t i = 0; i < sizeof(fault_answers) / sizeof(fault_answers[0]); i++) {
        if (fault_answers[i].status == status)
            return &fault_answers[i];
    }
    assert(!"a status that is not in ws_handshake_answer()'s contract");
    return &fault_answers[0];
}

/* SHA-1, looked up once and then kept until the process ends. OpenSSL looks EVP_sha1() up at each use, with
 * locks, which takes longer than the digest. NULL without memory. */
static const EVP_MD *sha1(void)
{
    static _Atomic(EVP_MD *) kept;
    EVP_MD *digest = atomic_load_explicit(&kept, memory_order_acquire);
    if (digest != NULL)
        return digest;
    EVP_MD *found = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (found == NULL || atomic_compare_exchange_strong(&kept, &digest, found))
        return found;
    EVP_MD_free(found); /* another thread was faster */
    return digest;
}

bool ws_handshake_accept(char out[WS_HANDSHAKE_ACCEPT_LEN + 1], slice key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char joined[WS_HANDSHAKE_KEY_LEN + GUID_LEN];
    unsigned char digest[EVP_MAX_MD_SIZE];

    static_assert(sizeof(guid) == GUID_LEN + 1, "the length of the GUID");
    assert(key.len == WS_HANDSHAKE_KEY_LEN);
    memcpy(joined, key.data, WS_HANDSHAKE_KEY_LEN);
    memcpy(joined + WS_HANDSHAKE_KEY_LEN, guid, GUID_LEN);
    const EVP_MD *type = sha1();
    if (type == NULL || EVP_Digest(joined, sizeof(joined), digest, NULL, type, NULL) != 1) {
        ERR_clear_error(); /* The thread's next TLS call must not find this error. */
        return false;
    }
    EVP_EncodeBlock((unsigned char *)out, digest, DIGEST_BYTES);
    return true;
}

/* Append to a text that ends at `end`. Returns the new end. */
static char *append(char *end, slice text)
{
    memcpy(end, text.data, text.len);
    return end + text.len;
}

static size_t answer_upgrade(char out[WS_HANDSHAKE_MAX_ANSWER], slice key, const char *protocol)
{
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\n"
                               "Upgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: ";
    static const char protocol_name[] = "\r\nSec-WebSocket-Protocol: ";
    static_assert(sizeof(head) + WS_HANDSHAKE_ACCEPT_LEN + sizeof(protocol_name) + WS_HANDSHAKE_MAX_PROTOCOL <
                      WS_HANDSHAKE_MAX_ANSWER - 4,
                  "the longest answer fits");

    char *end = append(out, SLICE_LITERAL(head));
    if (!ws_handshake_accept(end, key))
        return 0;
    end += WS_HANDSHAKE_ACCEPT_LEN;
    if (protocol != NULL) {
        assert(strlen(protocol) <= WS_HANDSHAKE_MAX_PROTOCOL);
        end = append(append(end, SLICE_LITERAL(protocol_name)), slice_of_text(protocol));
    }
    end = append(end, SLICE_LITERAL("\r\n\r\n"));
    return (size_t)(end - out);
}

size_t ws_handshake_answer(char out[WS_HANDSHAKE_MAX_ANSWER], int status, slice key, const char *protocol)
{
    if (status == 101)
        return answer_upgrade(out, key, protocol);

    const fault_answer *answer = find_fault_answer(status);
    int len = snprintf(out, WS_HANDSHAKE_MAX_ANSWER,
                       "HTTP/1.1 %d %s\r\n"
                       "%s"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Length: %zu\r\n"
                       "\r\n"
                       "%s",
                       answer->status, answer->reason, answer->headers, strlen(answer->body), answer->body);
    return (size_t)len;
}
