/* Contexts from files made on the spot, and what they allow to a client at the other end of a socket pair. */
#include "net/tls_context.h"

#include "support/tls_files.h"
#include "support/tls_peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

typedef struct fixture {
    tls_files files;
    tls_context *context; /* of these files; NULL where a test loads its own */
    char fault[TLS_CONTEXT_FAULT_CAP];
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    tls_files_init(&f->files);
    tls_files_write(&f->files, "first", -TLS_FILES_DAY_S, TLS_FILES_DAY_S);
    *state = f;
    return 0;
}

static int unmake(void **state)
{
    fixture *f = *state;
    tls_context_free(f->context);
    tls_files_deinit(&f->files);
    free(f);
    return 0;
}

/* ---- One handshake ---- */

typedef struct meeting {
    int fds[2];
    SSL *server;
    tls_socket_notes notes; /* for the server */
    SSL *client;
    int fault; /* of the client, where it failed */
} meeting;

static void meet(meeting *m, tls_context *context, SSL_CTX *client_context)
{
    *m = (meeting){.fault = 0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, m->fds), 0);
    m->server = tls_context_open(context, m->fds[0], &m->notes);
    m->client = tls_peer_new(client_context, m->fds[1]);
}

static void part(meeting *m)
{
    SSL_set_shutdown(m->client, SSL_SENT_SHUTDOWN); /* or it would not resume its session */
    SSL_free(m->server);
    SSL_free(m->client);
    close(m->fds[0]);
    close(m->fds[1]);
}

/* Did both come to an end of it, and the client read what came behind? */
static bool shake_hands(meeting *m)
{
    for (int i = 0; i < 10; i++) {
        ERR_clear_error();
        int server = SSL_do_handshake(m->server);
        int client = tls_peer_shake_hands(m->client, &m->fault);
        if (client != 1 && client != -EAGAIN)
            return false;
        if (server == 1 && client == 1) {
            char data[1];
            assert_int_equal(tls_peer_read(m->client, data, 1), -EAGAIN); /* takes the ticket */
            return true;
        }
    }
    return false;
}

/* Can such a client come in? */
static bool lets_in(tls_context *context, SSL_CTX *client_context)
{
    meeting m;
    meet(&m, context, client_context);
    bool is_in = shake_hands(&m);
    part(&m);
    return is_in;
}

static void expect_certificate_of(SSL *client, const char *name)
{
    X509 *cert = SSL_get1_peer_certificate(client);
    char found[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, found, sizeof(found));
    assert_string_equal(found, name);
    X509_free(cert);
}

/* ---- Loading ---- */

static void expect_refused(fixture *f, const char *file, const char *reason)
{
    tls_context *untouched = (tls_context *)f;
    tls_context *out = untouched;
    assert_int_equal(tls_context_load(f->files.cert, f->files.key, f->context, &out, f->fault), -EINVAL);
    assert_ptr_equal(out, untouched);
    char expected[TLS_CONTEXT_FAULT_CAP];
    snprintf(expected, sizeof(expected), "%s: %s", file, reason);
    assert_string_equal(f->fault, expected);
    assert_int_equal(ERR_peek_error(), 0); /* nothing is left behind for somebody else */
}

static void a_good_pair_is_loaded_and_tells_its_end(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    assert_null(tls_context_warning(f->context));
    int64_t now_s = time(NULL);
    assert_in_range(tls_context_not_after_s(f->context), now_s + TLS_FILES_DAY_S - 60,
                    now_s + TLS_FILES_DAY_S);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    fixture *f = *state;
    unlink(f->files.key);
    expect_refused(f, f->files.key, "No such file or directory");
    unlink(f->files.cert);
    expect_refused(f, f->files.cert, "No such file or directory");
}

static void the_reason_is_told_however_long_the_path_is(void **state)
{
    fixture *f = *state;
    char path[2048] = "";
    tls_context *out = NULL;
    for (size_t i = 0; i < sizeof(path) - 12; i += 4)
        memcpy(path + i, "/abc", 4);
    strcpy(path + sizeof(path) - 12, "/cert.pem");
    assert_int_equal(tls_context_load(path, f->files.key, NULL, &out, f->fault), -EINVAL);
    assert_non_null(strstr(f->fault, "/abc/cert.pem: No such file or directory"));
    assert_in_range(strlen(f->fault), 0, 255); /* what the log keeps of it */
}

static void a_file_that_is_no_pem_is_named(void **state)
{
    fixture *f = *state;
    tls_files_write_text(f->files.key, "nonsense\n");
    expect_refused(f, f->files.key, "unsupported");
    tls_files_write_text(f->files.cert, "");
    expect_refused(f, f->files.cert, "no start line");
}

static void the_key_of_another_certificate_is_refused(void **state)
{
    fixture *f = *state;
    EVP_PKEY *other = tls_files_new_key();
    tls_files_write_key(f->files.key, other, NULL);
    expect_refused(f, f->files.key, "key values mismatch");
    EVP_PKEY_free(other);

    other = EVP_RSA_gen(2048);
    tls_files_write_key(f->files.key, other, NULL);
    expect_refused(f, f->files.key, "no certificate assigned");
    EVP_PKEY_free(other);
}

static void a_key_with_a_passphrase_is_refused_and_nobody_is_asked(void **state)
{
    fixture *f = *state;
    EVP_PKEY *key = tls_files_new_key();
    tls_files_write_key(f->files.key, key, "secret");
    expect_refused(f, f->files.key, "it has a passphrase");
    EVP_PKEY_free(key);
}

static void a_certificate_out_of_its_time_is_loaded_with_a_warning(void **state)
{
    fixture *f = *state;
    tls_files_write(&f->files, "old", -2 * TLS_FILES_DAY_S, -TLS_FILES_DAY_S);
    f->context = tls_files_load(&f->files, NULL);
    assert_string_equal(tls_context_warning(f->context), "the certificate has expired");
    assert_true(tls_context_not_after_s(f->context) < time(NULL));
    tls_context_free(f->context);

    tls_files_write(&f->files, "new", TLS_FILES_DAY_S, 2 * TLS_FILES_DAY_S);
    f->context = tls_files_load(&f->files, NULL);
    assert_string_equal(tls_context_warning(f->context), "the certificate is not valid yet");
    assert_true(lets_in(f->context, NULL));
}

static void a_key_that_costs_much_is_loaded_with_a_warning(void **state)
{
    fixture *f = *state;
    EVP_PKEY *const costly[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-384")};
    for (size_t i = 0; i < 2; i++) {
        tls_files_write_for(&f->files, costly[i], "costly", 0, TLS_FILES_DAY_S);
        f->context = tls_files_load(&f->files, NULL);
        assert_non_null(strstr(tls_context_warning(f->context), "--key-type ecdsa"));
        assert_true(lets_in(f->context, NULL));
        tls_context_free(f->context);
    }
    tls_files_write(&f->files, "cheap", 0, TLS_FILES_DAY_S);
    f->context = tls_files_load(&f->files, NULL);
    assert_null(tls_context_warning(f->context));
}

static void the_chain_behind_the_certificate_is_sent(void **state)
{
    fixture *f = *state;
    EVP_PKEY *key = tls_files_new_key();
    X509 *issuer = tls_files_new_cert(key, "issuer", 0, TLS_FILES_DAY_S);
    tls_files_write_cert(f->files.cert, "a", issuer);
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    assert_true(shake_hands(&m));
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(m.client)), 2);
    expect_certificate_of(m.client, "first");
    part(&m);
    X509_free(issuer);
    EVP_PKEY_free(key);
}

static void a_new_pair_is_for_those_who_come_and_a_broken_one_for_nobody(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    tls_context *first = f->context;
    meeting before;
    meet(&before, first, NULL);

    tls_files_write(&f->files, "second", 0, TLS_FILES_DAY_S);
    f->context = tls_files_load(&f->files, first);
    assert_true(shake_hands(&before));
    expect_certificate_of(before.client, "first");

    tls_files_write_text(f->files.cert, "nonsense\n");
    expect_refused(f, f->files.cert, "no start line");
    meeting after;
    meet(&after, f->context, NULL);
    assert_true(shake_hands(&after));
    expect_certificate_of(after.client, "second");
    part(&after);
    part(&before);
    tls_context_free(first);
}

static void the_last_share_frees(void **state)
{
    fixture *f = *state;
    tls_context *context = tls_files_load(&f->files, NULL);
    assert_ptr_equal(tls_context_share(context), context);
    tls_context_free(context);
    assert_true(lets_in(context, NULL));
    tls_context_free(context);
    tls_context_free(NULL);
}

/* ---- Versions, ciphers, protocols ---- */

static SSL_CTX *client_of(int min_version, int max_version)
{
    SSL_CTX *client = tls_peer_new_context();
    SSL_CTX_set_security_level(client, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(client, min_version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(client, max_version), 1);
    return client;
}

static void expect_version(tls_context *context, int min_version, int max_version, const char *expected)
{
    SSL_CTX *client = client_of(min_version, max_version);
    meeting m;
    meet(&m, context, client);
    assert_true(shake_hands(&m));
    assert_string_equal(SSL_get_version(m.client), expected);
    part(&m);
    SSL_CTX_free(client);
}

static void versions_1_2_and_1_3_are_spoken_and_nothing_older(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    expect_version(f->context, 0, 0, "TLSv1.3");
    expect_version(f->context, TLS1_3_VERSION, TLS1_3_VERSION, "TLSv1.3");
    expect_version(f->context, TLS1_1_VERSION, TLS1_2_VERSION, "TLSv1.2");

    SSL_CTX *client = client_of(TLS1_VERSION, TLS1_1_VERSION);
    meeting m;
    meet(&m, f->context, client);
    assert_false(shake_hands(&m));
    assert_int_equal(m.fault, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    part(&m);
    SSL_CTX_free(client);
}

static void a_cipher_of_1_2_has_forward_secrecy_and_an_aead(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    static const struct {
        const char *offered;
        const char *chosen; /* NULL = nobody comes in */
    } cases[] = {
        {"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", NULL},
        {"AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SSL_CTX *client = client_of(TLS1_2_VERSION, TLS1_2_VERSION);
        assert_int_equal(SSL_CTX_set_cipher_list(client, cases[i].offered), 1);
        meeting m;
        meet(&m, f->context, client);
        assert_int_equal(shake_hands(&m), cases[i].chosen != NULL);
        if (cases[i].chosen != NULL)
            assert_string_equal(SSL_get_cipher_name(m.client), cases[i].chosen);
        else
            assert_int_equal(m.fault, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
        part(&m);
        SSL_CTX_free(client);
    }
}

/* Hellos that ask for a costly key exchange get none, and cost nothing but an answer. */
static void keys_are_exchanged_by_the_cheap_groups_alone(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    static struct {
        char offered[24];   /* OpenSSL's macro wants no const */
        const char *chosen; /* NULL = nobody comes in */
    } cases[] = {
        {"X25519", "X25519"},         {"P-256", "P-256"},  {"P-256:X25519", "P-256"}, /* whose key came with
                                                                                         the hello */
        {"P-384:X25519", "X25519"},                                                   /* by a second hello */
        {"ffdhe8192:P-256", "P-256"}, {"P-384", NULL},     {"P-521", NULL},           {"X448", NULL},
        {"ffdhe2048", NULL},          {"ffdhe8192", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SSL_CTX *client = tls_peer_new_context();
        assert_int_equal(SSL_CTX_set1_groups_list(client, cases[i].offered), 1);
        meeting m;
        meet(&m, f->context, client);
        assert_int_equal(shake_hands(&m), cases[i].chosen != NULL);
        if (cases[i].chosen != NULL)
            assert_int_equal(SSL_get_negotiated_group(m.client),
                             strcmp(cases[i].chosen, "X25519") == 0 ? NID_X25519 : NID_X9_62_prime256v1);
        else
            assert_int_equal(m.fault, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
        part(&m);
        SSL_CTX_free(client);
    }
}

static void expect_protocol(tls_context *context, const char *offered, const char *chosen)
{
    SSL_CTX *client = tls_peer_new_context();
    if (offered != NULL)
        assert_int_equal(
            SSL_CTX_set_alpn_protos(client, (const unsigned char *)offered, (unsigned)strlen(offered)), 0);
    meeting m;
    meet(&m, context, client);
    assert_int_equal(shake_hands(&m), chosen != NULL);
    if (chosen != NULL) {
        const unsigned char *protocol;
        unsigned len;
        SSL_get0_alpn_selected(m.client, &protocol, &len);
        assert_int_equal(len, strlen(chosen));
        assert_memory_equal(protocol, chosen, len);
    } else {
        assert_int_equal(m.fault, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
    }
    part(&m);
    SSL_CTX_free(client);
}

static void http_1_1_is_the_only_protocol_to_agree_on(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    expect_protocol(f->context, "\x08http/1.1", "http/1.1");
    expect_protocol(f->context, "\x02h2\x08http/1.1", "http/1.1");
    expect_protocol(f->context, NULL, "");
    expect_protocol(f->context, "\x02h2", NULL); /* RFC 7301, 3.2 */
    expect_protocol(f->context, "\x08http/1.0\x02h2", NULL);
}

static void nobody_negotiates_anew(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    SSL_CTX *client = client_of(TLS1_2_VERSION, TLS1_2_VERSION);
    meeting m;
    meet(&m, f->context, client);
    assert_true(shake_hands(&m));
    assert_int_equal(SSL_renegotiate(m.client), 1);
    assert_int_equal(tls_peer_shake_hands(m.client, NULL), -EAGAIN);
    char data[1];
    m.notes.has_read = false;
    assert_true(SSL_read(m.server, data, 1) <= 0);
    ERR_clear_error();
    assert_int_equal(tls_peer_shake_hands(m.client, &m.fault), -EPROTO);
    assert_int_equal(m.fault, SSL_R_NO_RENEGOTIATION);
    part(&m);
    SSL_CTX_free(client);
}

/* ---- Sessions ---- */

static SSL_SESSION *kept_session; /* what the client got last; owned */

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept_session);
    kept_session = session;
    return 1; /* ours now */
}

/* Come with the session that was kept; is it resumed? */
static bool is_resumed(tls_context *context, SSL_CTX *client)
{
    meeting m;
    meet(&m, context, client);
    if (kept_session != NULL)
        assert_int_equal(SSL_set_session(m.client, kept_session), 1);
    assert_true(shake_hands(&m));
    bool resumed = SSL_session_reused(m.client) == 1;
    assert_int_equal(SSL_session_reused(m.server), resumed);
    part(&m);
    return resumed;
}

static void a_session_is_resumed_by_its_ticket_also_after_a_change_of_certificate(void **state)
{
    fixture *f = *state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    f->context = tls_files_load(&f->files, NULL);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        SSL_CTX *client = client_of(versions[i], versions[i]);
        SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(client, keep_session);
        assert_false(is_resumed(f->context, client));
        assert_non_null(kept_session);
        assert_true(is_resumed(f->context, client));

        tls_files_write(&f->files, "next", 0, TLS_FILES_DAY_S);
        tls_context *next = tls_files_load(&f->files, f->context);
        tls_context_free(f->context);
        f->context = next;
        assert_true(is_resumed(f->context, client));

        tls_context *other = tls_files_load(&f->files, NULL); /* another process would be such a one */
        assert_false(is_resumed(other, client));
        tls_context_free(other);
        SSL_SESSION_free(kept_session);
        kept_session = NULL;
        SSL_CTX_free(client);
    }
}

/* ---- The socket below ---- */

static void a_call_reads_once_however_much_has_come(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    assert_true(shake_hands(&m));
    char data[64];
    for (int i = 0; i < 2; i++) {
        m.notes.has_read = false;
        tls_peer_send(m.client, "some", 4);
        assert_int_equal(SSL_read(m.server, data, sizeof(data)), 4);
        tls_peer_send(m.client, "more", 4);
        assert_true(m.notes.has_read);
        assert_int_equal(SSL_get_error(m.server, SSL_read(m.server, data, sizeof(data))),
                         SSL_ERROR_WANT_READ);
        assert_false(m.notes.has_read);
        assert_int_equal(SSL_read(m.server, data, sizeof(data)), 4);
    }
    part(&m);
}

/* OpenSSL reads so during a handshake, from 3.2 on. */
static void who_asks_for_the_head_of_a_record_gets_the_rest_without_another_read(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    BIO *below = SSL_get_rbio(m.server);
    char sent[100], got[100];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)i;
    assert_int_equal(send(m.fds[1], sent, sizeof(sent), 0), sizeof(sent));
    assert_int_equal(BIO_read(below, got, SSL3_RT_HEADER_LENGTH), SSL3_RT_HEADER_LENGTH);
    assert_true(m.notes.has_read);
    assert_true(m.notes.has_ahead);
    assert_int_equal(recv(m.fds[0], got, 1, MSG_DONTWAIT), -1); /* it has read all */
    assert_int_equal(BIO_read(below, got + 5, 60), 60);
    assert_true(m.notes.has_ahead);
    assert_int_equal(BIO_read(below, got + 65, 60), 35);
    assert_false(m.notes.has_ahead);
    assert_memory_equal(got, sent, sizeof(sent));

    assert_int_equal(BIO_read(below, got, SSL3_RT_HEADER_LENGTH), -1); /* one read for each call */
    assert_true(BIO_should_retry(below));
    assert_int_equal(BIO_read(below, got, SSL3_RT_HEADER_LENGTH), -1); /* nothing has come */
    assert_true(BIO_should_retry(below));
    assert_int_equal(send(m.fds[1], sent, 3, 0), 3);
    assert_int_equal(BIO_read(below, got, SSL3_RT_HEADER_LENGTH), 3);
    assert_false(m.notes.has_ahead);
    part(&m);
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    assert_true(shake_hands(&m));
    shutdown(m.fds[1], SHUT_RDWR);
    int result = SSL_write(m.server, "x", 1); /* would end the test by SIGPIPE */
    assert_int_equal(SSL_get_error(m.server, result), SSL_ERROR_SYSCALL);
    assert_int_equal(errno, EPIPE);
    ERR_clear_error();
    part(&m);
}

/* The stream finds the descriptor by it, and OpenSSL sees an end that was not announced. */
static void the_socket_below_tells_its_descriptor_and_its_end(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    BIO *below = SSL_get_rbio(m.server);
    assert_ptr_equal(below, SSL_get_wbio(m.server));
    int fd = -1;
    assert_int_equal(BIO_get_fd(below, &fd), m.fds[0]);
    assert_int_equal(fd, m.fds[0]);
    assert_int_equal(BIO_get_fd(below, NULL), m.fds[0]);
    assert_int_equal(SSL_get_fd(m.server), m.fds[0]);
    assert_int_equal(BIO_flush(below), 1);
    assert_int_equal(BIO_get_ktls_send(below), 0); /* one thing of many that it does not know */

    assert_false(BIO_eof(below));
    assert_true(shake_hands(&m));
    char data[1];
    m.notes.has_read = false;
    assert_int_equal(SSL_get_error(m.server, SSL_read(m.server, data, 1)), SSL_ERROR_WANT_READ);
    assert_false(BIO_eof(below));
    shutdown(m.fds[1], SHUT_RDWR);
    assert_int_equal(SSL_get_error(m.server, SSL_read(m.server, data, 1)), SSL_ERROR_ZERO_RETURN);
    assert_true(BIO_eof(below));
    part(&m);
}

static void the_socket_below_is_never_closed(void **state)
{
    fixture *f = *state;
    f->context = tls_files_load(&f->files, NULL);
    meeting m;
    meet(&m, f->context, NULL);
    BIO *below = SSL_get_rbio(m.server);
    assert_int_equal(BIO_get_close(below), BIO_NOCLOSE);
    assert_int_equal(BIO_set_close(below, BIO_NOCLOSE), 1);
    (void)BIO_set_close(below, BIO_CLOSE);
    assert_int_equal(BIO_get_close(below), BIO_NOCLOSE);
    SSL_free(m.server);
    assert_true(fcntl(m.fds[0], F_GETFD) >= 0);
    SSL_free(m.client);
    close(m.fds[0]);
    close(m.fds[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(a_good_pair_is_loaded_and_tells_its_end),
        CASE(a_file_that_is_not_there_is_named),
        CASE(the_reason_is_told_however_long_the_path_is),
        CASE(a_file_that_is_no_pem_is_named),
        CASE(the_key_of_another_certificate_is_refused),
        CASE(a_key_with_a_passphrase_is_refused_and_nobody_is_asked),
        CASE(a_certificate_out_of_its_time_is_loaded_with_a_warning),
        CASE(a_key_that_costs_much_is_loaded_with_a_warning),
        CASE(the_chain_behind_the_certificate_is_sent),
        CASE(a_new_pair_is_for_those_who_come_and_a_broken_one_for_nobody),
        CASE(the_last_share_frees),
        CASE(versions_1_2_and_1_3_are_spoken_and_nothing_older),
        CASE(a_cipher_of_1_2_has_forward_secrecy_and_an_aead),
        CASE(keys_are_exchanged_by_the_cheap_groups_alone),
        CASE(http_1_1_is_the_only_protocol_to_agree_on),
        CASE(nobody_negotiates_anew),
        CASE(a_session_is_resumed_by_its_ticket_also_after_a_change_of_certificate),
        CASE(a_call_reads_once_however_much_has_come),
        CASE(who_asks_for_the_head_of_a_record_gets_the_rest_without_another_read),
        CASE(a_peer_that_is_gone_raises_no_signal),
        CASE(the_socket_below_tells_its_descriptor_and_its_end),
        CASE(the_socket_below_is_never_closed),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
