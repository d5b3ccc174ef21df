#include "net/tls_rehearsal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>

/* Both ends, and the pair of BIOs between them, which they own once they have it. */
typedef struct rehearsal {
    SSL_CTX *client_context; /* owned */
    SSL *server;             /* owned */
    SSL *client;             /* owned */
    tls_socket_notes notes;  /* for tls_context_open() */
} rehearsal;

/* Between them there is a buffer for a whole record each way. 0 or -ENOMEM. */
static int connect_ends(rehearsal *r)
{
    BIO *near;
    BIO *far;
    if (BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        return -ENOMEM;
    SSL_set_bio(r->server, near, near);
    SSL_set_bio(r->client, far, far);
    SSL_set_connect_state(r->client);
    return 0;
}

static int make(rehearsal *r, tls_context *context, int version)
{
    r->server = tls_context_open(context, -1, &r->notes);
    r->client_context = SSL_CTX_new(TLS_client_method());
    if (r->server == NULL || r->client_context == NULL ||
        SSL_CTX_set_min_proto_version(r->client_context, version) != 1 ||
        SSL_CTX_set_max_proto_version(r->client_context, version) != 1 ||
        SSL_CTX_set1_groups_list(r->client_context, "X25519") != 1)
        return -ENOMEM;
    SSL_CTX_set_security_level(r->client_context, 0); /* what is good enough is for others to say */
    SSL_CTX_set_verify(r->client_context, SSL_VERIFY_NONE, NULL); /* it is we to whom it talks */
    r->client = SSL_new(r->client_context);
    return r->client == NULL ? -ENOMEM : connect_ends(r);
}

static void unmake(rehearsal *r)
{
    SSL_free(r->client);
    SSL_free(r->server);
    SSL_CTX_free(r->client_context);
}

static bool shake_hands(rehearsal *r)
{
    enum { STEPS = 10 }; /* four are enough */
    for (int i = 0; i < STEPS; i++) {
        int client = SSL_do_handshake(r->client);
        int server = SSL_do_handshake(r->server);
        if (client == 1 && server == 1)
            return true;
    }
    return false;
}

static bool say(SSL *from, SSL *to)
{
    char heard[2];
    return SSL_write(from, "hi", sizeof(heard)) == sizeof(heard) &&
           SSL_read(to, heard, sizeof(heard)) == sizeof(heard);
}

/* What the oldest error says, from which the others follow. */
static int explain(void)
{
    unsigned long error = ERR_peek_error();
    return error == 0 || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EPROTO;
}

static int rehearse_version(tls_context *context, int version)
{
    rehearsal r = {0};
    ERR_clear_error();
    int error = make(&r, context, version);
    if (error == 0 && !(shake_hands(&r) && say(r.client, r.server) && say(r.server, r.client)))
        error = explain();
    unmake(&r);
    ERR_clear_error();
    return error;
}

int tls_rehearse(tls_context *context)
{
    int error = rehearse_version(context, TLS1_3_VERSION);
    if (error != 0)
        return error;
    /* There are keys that TLS 1.2 does not know. They are good for all others. */
    error = rehearse_version(context, TLS1_2_VERSION);
    return error == -EPROTO ? 0 : error;
}
