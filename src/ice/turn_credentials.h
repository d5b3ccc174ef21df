/* Credentials for a TURN server that are good for a while, as coturn reads them with use-auth-secret ("TURN
 * REST API"). The user name is "expiry:user", where expiry is a Unix time in seconds. The credential is
 * base64(HMAC-SHA1(secret, user name)). The TURN server knows the same secret, so it can check them without
 * asking anybody, and nothing is stored.
 *
 * The user part is a number and not a name: the TURN server logs it, and its operator need not learn who
 * calls whom. coturn counts its user-quota by this part: with a number that nobody else has, it bounds each
 * credential by itself. */
#ifndef HOMECALL_ICE_TURN_CREDENTIALS_H
#define HOMECALL_ICE_TURN_CREDENTIALS_H

#include "base/slice.h"

#include <stdint.h>

enum {
    TURN_MAX_USERNAME = 20 + 1 + 16, /* the digits of 64 bits, a colon, 64 bits in hexadecimal */
    TURN_CREDENTIAL_LEN = 28,        /* SHA-1's 20 bytes in base64 */
};

typedef struct turn_credentials {
    char username[TURN_MAX_USERNAME + 1];
    char credential[TURN_CREDENTIAL_LEN + 1];
} turn_credentials;

/* Make credentials that are good until `expiry_s`, a Unix time in seconds. `secret` is what coturn calls
 * static-auth-secret. 0, or -ENOMEM where the digest can't be made. Any thread. */
int turn_credentials_make(slice secret, uint64_t expiry_s, uint64_t user, turn_credentials *out);

/* Make the credential for this user name. 0, or -ENOMEM as above. Any thread. */
int turn_credentials_sign(slice secret, slice username, char out[TURN_CREDENTIAL_LEN + 1]);

#endif
