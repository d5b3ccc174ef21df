/* Time-limited credentials for a TURN server, as coturn reads them with use-auth-secret ("TURN REST API"):
 * the user name is "expiry:user", where expiry is a Unix time in seconds, and the credential is
 * base64(HMAC-SHA1(secret, user name)). The TURN server knows the same secret, so nothing is stored and
 * nobody is asked.
 *
 * The user part is a number and not a name, since the TURN server logs it and its operator need not learn who
 * calls whom. coturn counts its user-quota by this part: give the keyed hash of the client's address to bound
 * what one address takes however many credentials it fetches, or a random number to bound each credential. */
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

/* Make the credentials that are good until `expiry_s`, a Unix time in seconds. `secret` is what the TURN
 * server calls static-auth-secret. 0, or -ENOMEM where the digest can't be made. Any thread. */
int turn_credentials_make(slice secret, uint64_t expiry_s, uint64_t user, turn_credentials *out);

/* The credential that belongs to any user name. 0, or -ENOMEM as above. Any thread. */
int turn_credentials_sign(slice secret, slice username, char out[TURN_CREDENTIAL_LEN + 1]);

#endif
