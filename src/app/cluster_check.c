#include "app/cluster_check.h"

#include "app/options_report.h"
#include "cluster/courier.h"
#include "server/server_options.h"

#include <sodium.h>

static const size_t offsets[CLUSTER_SETTINGS] = {
    [CLUSTER_URL] = offsetof(app_config, server.cluster_url),
    [CLUSTER_NAME] = offsetof(app_config, server.cluster_name),
    [CLUSTER_NODE] = offsetof(app_config, server.cluster_node),
    [CLUSTER_SECRET_FILE] = offsetof(app_config, server.cluster_secret_file),
    [CLUSTER_CREDENTIALS_FILE] = offsetof(app_config, server.cluster_credentials_file),
    [CLUSTER_USER] = offsetof(app_config, server.cluster_user),
    [CLUSTER_PASSWORD_FILE] = offsetof(app_config, server.cluster_password_file),
    [CLUSTER_CA_FILE] = offsetof(app_config, server.cluster_ca_file),
    [CLUSTER_CERT_FILE] = offsetof(app_config, server.cluster_cert_file),
    [CLUSTER_KEY_FILE] = offsetof(app_config, server.cluster_key_file),
};

static bool is_alone(const app_config *config)
{
    return config->server.cluster_url[0] == '\0';
}

static bool refuse(const app_config *config, FILE *reports, const cluster_fault *fault)
{
    return options_refuse(reports, config, offsets[fault->where], fault->value, fault->reason);
}

bool cluster_check_options(const app_config *config, FILE *reports)
{
    const cluster_settings settings = server_options_cluster(&config->server);
    cluster_fault fault;
    slice open;
    if (is_alone(config))
        return true;
    if (!courier_exists)
        return options_refuse_whole(
            reports, config, offsets[CLUSTER_URL],
            "this program was built without NATS (HOMECALL_CLUSTER); empty is allowed");
    if (!cluster_settings_check(&settings, &fault))
        return refuse(config, reports, &fault);
    if (!config->allows_plaintext && cluster_settings_find_open(&settings, &open))
        return options_refuse(
            reports, config, offsets[CLUSTER_URL], open,
            "it is not the loopback, and without TLS the calls' messages could be read on the "
            "way; tls://… is wanted, or ALLOW_PLAINTEXT=on in a network that nobody else reads");
    return true;
}

bool cluster_check_files(const app_config *config, FILE *reports, FILE *warnings)
{
    const cluster_settings settings = server_options_cluster(&config->server);
    cluster_secrets secrets;
    cluster_fault fault;
    if (is_alone(config))
        return true;
    int error = cluster_settings_read(&settings, &secrets, &fault);
    sodium_memzero(&secrets, sizeof(secrets));
    if (error != 0)
        return refuse(config, reports, &fault);
    if (warnings != NULL && cluster_settings_is_secret_open(&settings))
        fprintf(warnings,
                "homecall-signal: warning: CLUSTER_SECRET_FILE: everybody on this machine can read it\n");
    return true;
}

bool cluster_check_engine(const app_config *config, FILE *reports)
{
    const cluster_settings settings = server_options_cluster(&config->server);
    cluster_secrets secrets;
    cluster_fault fault;
    char text[COURIER_FAULT_CAP];
    if (is_alone(config))
        return true;
    if (cluster_settings_read(&settings, &secrets, &fault) != 0)
        return refuse(config, reports, &fault);
    courier_answer answer =
        courier_try(&settings, &secrets, (size_t)config->server.max_message_bytes + COURIER_HEADROOM, text);
    sodium_memzero(&secrets, sizeof(secrets));
    return answer == COURIER_OK || options_refuse_whole(reports, config, offsets[CLUSTER_URL], text);
}
