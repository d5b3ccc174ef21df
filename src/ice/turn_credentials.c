#include "ice/turn_credentials.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

enum { DIGEST_BYTES = 20 }; /* SHA-1 */

static_assert((DIGEST_BYTES + 2) / 3 * 4 == TURN_CREDENTIAL_LEN, "the length of the digest in base64");

int turn_credentials_sign(slice secret, slice username, char out[TURN_CREDENTIAL_LEN + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    assert(secret.len <= INT_MAX);
    if (HMAC(EVP_sha1(), secret.data, (int)secret.len, (const unsigned char *)username.data, username.len,
             digest, NULL) == NULL) {
        ERR_clear_error(); /* The thread's next TLS call must not find this error. */
        return -ENOMEM;
    }
    EVP_EncodeBlock((unsigned char *)out, digest, DIGEST_BYTES);
    return 0;
}

int turn_credentials_make(slice secret, uint64_t expiry_s, uint64_t user, turn_credentials *out)
{
    int len = snprintf(out->username, sizeof(out->username), "%" PRIu64 ":%016" PRIx64, expiry_s, user);
    return turn_credentials_sign(secret, (slice){out->username, (size_t)len}, out->credential);
}
