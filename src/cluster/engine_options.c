#include "cluster/engine_options.h"

#include <limits.h>

static natsStatus set_servers(natsOptions *o, slice urls)
{
    char texts[CLUSTER_URLS_MAX][CLUSTER_URL_CAP];
    const char *servers[CLUSTER_URLS_MAX];
    int count = 0;
    while (count < CLUSTER_URLS_MAX && cluster_settings_take_url(&urls, texts[count])) {
        servers[count] = texts[count];
        count++;
    }
    return natsOptions_SetServers(o, servers, count);
}

static natsStatus set_tls(natsOptions *o, const cluster_settings *s)
{
    const char *ca = s->texts[CLUSTER_CA_FILE];
    const char *cert = s->texts[CLUSTER_CERT_FILE];
    natsStatus status = natsOptions_SetSecure(o, true);
    if (status == NATS_OK && ca[0] != '\0')
        status = natsOptions_LoadCATrustedCertificates(o, ca);
    if (status == NATS_OK && cert[0] != '\0')
        status = natsOptions_LoadCertificatesChain(o, cert, s->texts[CLUSTER_KEY_FILE]);
    return status;
}

static natsStatus set_identity(natsOptions *o, const cluster_settings *s, const cluster_secrets *secrets)
{
    if (s->texts[CLUSTER_CREDENTIALS_FILE][0] != '\0')
        return natsOptions_SetUserCredentialsFromFiles(o, s->texts[CLUSTER_CREDENTIALS_FILE], NULL);
    if (s->texts[CLUSTER_USER][0] != '\0')
        return natsOptions_SetUserInfo(o, s->texts[CLUSTER_USER], secrets->password);
    return NATS_OK;
}

/* Sends go out at once, since the flusher of the library would add a millisecond; nothing is kept while there
 * is no connection (0 would be 8 MiB); a write that blocks for too long ends the connection; an engine that
 * stands still is noticed by pings. */
static natsStatus set_habits(natsOptions *o)
{
    natsStatus status = natsOptions_SetSendAsap(o, true);
    if (status == NATS_OK)
        status = natsOptions_SetNoEcho(o, true);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectBufSize(o, 1);
    if (status == NATS_OK)
        status = natsOptions_SetWriteDeadline(o, ENGINE_CONNECT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetPingInterval(o, ENGINE_PING_MS);
    if (status == NATS_OK)
        status = natsOptions_SetMaxPingsOut(o, 2);
    if (status == NATS_OK)
        status = natsOptions_SetMaxReconnect(o, INT_MAX);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectWait(o, ENGINE_RETRY_MS);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectJitter(o, ENGINE_RETRY_MS / 2, ENGINE_RETRY_MS / 2);
    if (status == NATS_OK)
        status = natsOptions_SetIgnoreDiscoveredServers(o, true); /* the operator has named them */
    if (status == NATS_OK)
        status = natsOptions_UseGlobalMessageDelivery(o, true); /* one thread for what comes */
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(o, ENGINE_CONNECT_MS);
    return status;
}

natsStatus engine_options_make(const cluster_settings *settings, const cluster_secrets *secrets, slice urls,
                               natsOptions **out)
{
    natsOptions *o = NULL;
    natsStatus status = natsOptions_Create(&o);
    if (status != NATS_OK)
        return status;
    status = set_servers(o, urls);
    if (status == NATS_OK && cluster_settings_has_tls(settings))
        status = set_tls(o, settings);
    if (status == NATS_OK)
        status = set_identity(o, settings, secrets);
    if (status == NATS_OK)
        status = set_habits(o);
    if (status == NATS_OK)
        *out = o;
    else
        natsOptions_Destroy(o);
    return status;
}
