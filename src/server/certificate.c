#include "server/certificate.h"

#include "net/tls_rehearsal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

void certificate_init(certificate *c)
{
    pthread_mutex_init(&c->lock, NULL);
    c->context = NULL;
}

void certificate_deinit(certificate *c)
{
    tls_context_free(c->context);
    pthread_mutex_destroy(&c->lock);
}

tls_context *certificate_share(const certificate *c)
{
    pthread_mutex_t *lock =
        (pthread_mutex_t *)(uintptr_t)&c->lock; /* the lock is no part of what is const here */
    pthread_mutex_lock(lock);
    tls_context *share = c->context == NULL ? NULL : tls_context_share(c->context);
    pthread_mutex_unlock(lock);
    return share;
}

/* Load the files, and see that handshakes are possible with them. */
static int load_good(const char *cert_file, const char *key_file, const tls_context *previous,
                     tls_context **out, char fault[TLS_CONTEXT_FAULT_CAP])
{
    tls_context *loaded;
    int error = tls_context_load(cert_file, key_file, previous, &loaded, fault);
    if (error != 0)
        return error;
    error = tls_rehearse(loaded);
    if (error == 0) {
        *out = loaded;
        return 0;
    }
    tls_context_free(loaded);
    snprintf(fault, TLS_CONTEXT_FAULT_CAP, "%s",
             error == -ENOMEM ? "out of memory" : "no TLS handshake is possible with it");
    return error == -ENOMEM ? error : -EINVAL;
}

/* Reading the files takes time, so it is done without the lock. */
int certificate_load(certificate *c, const char *cert_file, const char *key_file,
                     char fault[TLS_CONTEXT_FAULT_CAP])
{
    tls_context *previous = certificate_share(c);
    tls_context *loaded;
    int error = load_good(cert_file, key_file, previous, &loaded, fault);
    tls_context_free(previous);
    if (error != 0)
        return error;

    pthread_mutex_lock(&c->lock);
    tls_context *replaced = c->context;
    c->context = loaded;
    pthread_mutex_unlock(&c->lock);
    tls_context_free(replaced);
    return 0;
}

uint64_t certificate_ends_s(const certificate *c)
{
    tls_context *context = certificate_share(c);
    uint64_t ends_s = context == NULL ? 0 : (uint64_t)tls_context_not_after_s(context);
    tls_context_free(context);
    return ends_s;
}
