/* Credentials against vectors of others: RFC 2202 (HMAC-SHA1), and user names as coturn reads them, signed by
 * Python's hmac and base64. */
#include "ice/turn_credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

static void the_digest_is_that_of_rfc_2202(void **state)
{
    (void)state;
    char secret[80];
    char out[TURN_CREDENTIAL_LEN + 1];
    assert_int_equal(
        turn_credentials_sign(SLICE_LITERAL("Jefe"), SLICE_LITERAL("what do ya want for nothing?"), out), 0);
    assert_string_equal(out, "7/zfauXrL6LSdBbV8YTfnCWafHk="); /* 2 */
    memset(secret, 0x0B, 20);
    assert_int_equal(turn_credentials_sign((slice){secret, 20}, SLICE_LITERAL("Hi There"), out), 0);
    assert_string_equal(out, "thcxhlUFcmTii8C2+zeMjvFGvgA="); /* 1 */
    memset(secret, 0xAA, sizeof(secret));
    assert_int_equal(
        turn_credentials_sign((slice){secret, sizeof(secret)},
                              SLICE_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First"), out),
        0);
    assert_string_equal(out, "qkrl4VJy0A6VcFY3zoo7Ve1AIRI="); /* 6 */
}

static void a_name_of_expiry_and_user_is_signed_as_coturn_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t expiry_s;
        uint64_t user;
        const char *username;
        const char *credential;
    } cases[] = {
        {0, 0, "0:0000000000000000", "c87j5EB7F/RkiJ02SXaXOA+pS3I="},
        {1700000000, 0, "1700000000:0000000000000000", "DPHlL6gmgOSb7oUTep1Pc2z7mPY="},
        {1700003600, 0x0123456789ABCDEF, "1700003600:0123456789abcdef", "bngP3/mBcA7mmNEkXzWoYpHypng="},
        {UINT64_MAX, UINT64_MAX, "18446744073709551615:ffffffffffffffff", "x7VWljcEOZ1YwSbMcZxeeFdsVQk="},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        turn_credentials made;
        memset(&made, '#', sizeof(made));
        assert_int_equal(
            turn_credentials_make(SLICE_LITERAL("north"), cases[i].expiry_s, cases[i].user, &made), 0);
        assert_string_equal(made.username, cases[i].username);
        assert_string_equal(made.credential, cases[i].credential);
    }
}

static void any_name_can_be_signed(void **state)
{
    (void)state;
    char out[TURN_CREDENTIAL_LEN + 1];
    assert_int_equal(turn_credentials_sign(SLICE_LITERAL("north"), SLICE_LITERAL("1433895918506:test"), out),
                     0);
    assert_string_equal(out, "ypb3Pj7EEaUH09hsx5DVPRp87G4=");
    assert_int_equal(turn_credentials_sign(SLICE_LITERAL(""), SLICE_LITERAL(""), out), 0);
    assert_string_equal(out, "+9sdGxiqbAgyS31ktx+3Y3BpDh0=");
}

static void another_secret_makes_another_credential(void **state)
{
    (void)state;
    turn_credentials a;
    turn_credentials b;
    assert_int_equal(turn_credentials_make(SLICE_LITERAL("north"), 1700000000, 7, &a), 0);
    assert_int_equal(turn_credentials_make(SLICE_LITERAL("north\0"), 1700000000, 8, &b), 0);
    assert_string_not_equal(a.credential, b.credential);
    assert_int_equal(turn_credentials_make(SLICE_LITERAL("south"), 1700000000, 7, &b), 0);
    assert_string_equal(a.username, b.username);
    assert_string_not_equal(a.credential, b.credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_that_of_rfc_2202),
        cmocka_unit_test(a_name_of_expiry_and_user_is_signed_as_coturn_does),
        cmocka_unit_test(any_name_can_be_signed),
        cmocka_unit_test(another_secret_makes_another_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
