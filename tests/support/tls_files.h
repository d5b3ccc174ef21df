/* Certificates and keys for tests. They are made when they are needed, and written as PEM into a new folder.
 * The test fails if anything fails. */
#ifndef HOMECALL_TESTS_SUPPORT_TLS_FILES_H
#define HOMECALL_TESTS_SUPPORT_TLS_FILES_H

#include "net/tls_context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct tls_files {
    char dir[32];
    char cert[48];
    char key[48];
} tls_files;

enum { TLS_FILES_DAY_S = 24 * 3600 };

/* Make the folder; there are no files yet. */
static inline void tls_files_init(tls_files *f)
{
    strcpy(f->dir, "/tmp/homecall-tls-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
    snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
}

/* Remove the files and the folder. */
static inline void tls_files_deinit(tls_files *f)
{
    unlink(f->cert);
    unlink(f->key);
    assert_int_equal(rmdir(f->dir), 0);
}

/* A new key, owned by the caller. */
static inline EVP_PKEY *tls_files_new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    return key;
}

/* A certificate for `name`, signed by its own key, valid from `from_s` until `to_s`, which are seconds from
 * now. Owned by the caller. */
static inline X509 *tls_files_new_cert(EVP_PKEY *key, const char *name, long from_s, long to_s)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), from_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), to_s));
    X509_NAME *subject = X509_get_subject_name(cert);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(cert, subject), 1);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static inline FILE *tls_files_open(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

static inline void tls_files_write_text(const char *path, const char *text)
{
    FILE *file = tls_files_open(path, "w");
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void tls_files_write_cert(const char *path, const char *mode, X509 *cert)
{
    FILE *file = tls_files_open(path, mode);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
}

/* Write a key, encrypted with `passphrase` unless that is NULL. */
static inline void tls_files_write_key(const char *path, EVP_PKEY *key, const char *passphrase)
{
    FILE *file = tls_files_open(path, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, passphrase == NULL ? NULL : EVP_aes_128_cbc(), NULL, 0,
                                          NULL, (void *)(uintptr_t)passphrase),
                     1);
    assert_int_equal(fclose(file), 0);
}

/* Write a new certificate for this key, which is freed, and the key into the two files; the other arguments
 * are as for tls_files_new_cert(). */
static inline void tls_files_write_for(const tls_files *f, EVP_PKEY *key, const char *name, long from_s,
                                       long to_s)
{
    assert_non_null(key);
    X509 *cert = tls_files_new_cert(key, name, from_s, to_s);
    tls_files_write_cert(f->cert, "w", cert);
    tls_files_write_key(f->key, key, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* The same for a new key. */
static inline void tls_files_write(const tls_files *f, const char *name, long from_s, long to_s)
{
    tls_files_write_for(f, tls_files_new_key(), name, from_s, to_s);
}

/* Load the files, which must be good. */
static inline tls_context *tls_files_load(const tls_files *f, const tls_context *previous)
{
    char fault[TLS_CONTEXT_FAULT_CAP];
    tls_context *context;
    if (tls_context_load(f->cert, f->key, previous, &context, fault) != 0)
        fail_msg("%s", fault);
    return context;
}

/* A context with a new certificate, for tests that need no files. */
static inline tls_context *tls_files_new_context(void)
{
    tls_files f;
    tls_files_init(&f);
    tls_files_write(&f, "test", 0, TLS_FILES_DAY_S);
    tls_context *context = tls_files_load(&f, NULL);
    tls_files_deinit(&f);
    return context;
}

#endif
