/* The rehearsal while OpenSSL gets no memory: each of its allocations fails once. */
#include "net/tls_rehearsal.h"

#include "support/tls_files.h"
#include "websocket/handshake.h"
#include "websocket/handshake_answer.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

static long until_failure; /* the allocation that fails: 1 = the next one; 0 or less = none */

static bool must_fail(void)
{
    return --until_failure == 0;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : realloc(old, size);
}

static void release(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

static void a_context_is_rehearsed_with_whatever_key(void **state)
{
    (void)state;
    tls_files files;
    tls_files_init(&files);
    EVP_PKEY *keys[] = {tls_files_new_key(), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        tls_files_write_for(&files, keys[i], "name", 0, TLS_FILES_DAY_S);
        tls_context *context = tls_files_load(&files, NULL);
        assert_int_equal(tls_rehearse(context), 0);
        assert_int_equal(ERR_peek_error(), 0);
        tls_context_free(context);
    }
    tls_files_deinit(&files);
}

static void whatever_allocation_fails_it_tells_that_and_the_next_rehearsal_is_good(void **state)
{
    (void)state;
    if (OpenSSL_version_num() >= 0x30500000L)
        skip(); /* OpenSSL 3.5 dies by itself of some of them */
    tls_context *context = tls_files_new_context();
    assert_int_equal(tls_rehearse(context), 0);
    until_failure = 0;
    assert_int_equal(tls_rehearse(context), 0);
    long count = -until_failure;
    assert_in_range(count, 100, 100000);
    int failed = 0;
    for (long n = 1; n <= count; n += 1 + count / 300) {
        until_failure = n;
        int error = tls_rehearse(context); /* some failures change nothing, as that of a text for an error */
        until_failure = 0;
        if (error != 0)
            failed++;
        assert_true(error == 0 || error == -ENOMEM || error == -EPROTO);
        assert_int_equal(ERR_peek_error(), 0);
        assert_int_equal(tls_rehearse(context), 0);
    }
    assert_true(failed > 10);
    tls_context_free(context);
}

static void an_upgrade_without_memory_fails_alone(void **state)
{
    (void)state;
    char accept[WS_HANDSHAKE_ACCEPT_LEN + 1];
    const slice key = slice_of_text("dGhlIHNhbXBsZSBub25jZQ==");
    assert_true(ws_handshake_accept(accept, key));
    until_failure = 0;
    assert_true(ws_handshake_accept(accept, key));
    long count = -until_failure;
    assert_in_range(count, 1, 100);
    for (long n = 1; n <= count; n++) {
        until_failure = n;
        (void)ws_handshake_accept(accept, key);
        until_failure = 0;
        assert_true(ws_handshake_accept(accept, key));
        assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

int main(void)
{
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_is_rehearsed_with_whatever_key),
        cmocka_unit_test(whatever_allocation_fails_it_tells_that_and_the_next_rehearsal_is_good),
        cmocka_unit_test(an_upgrade_without_memory_fails_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
