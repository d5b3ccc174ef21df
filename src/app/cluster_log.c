#include "app/cluster_log.h"

#include "server/server_options.h"

#include <assert.h>
#include <sodium.h>

static_assert((int)CLUSTER_TAG_KEY_BYTES == (int)SIGNAL_LOG_TAG_KEY_BYTES &&
                  (int)CLUSTER_NAME_MAX <= (int)SIGNAL_LOG_NODE_MAX,
              "what a cluster has is what the log takes");

void cluster_log_prepare(const app_config *config, signal_log_options *log, cluster_log *made)
{
    const cluster_settings settings = server_options_cluster(&config->server);
    cluster_secrets secrets;
    cluster_fault fault;
    if (config->server.cluster_url[0] == '\0')
        return;
    cluster_settings_name_node(&settings, made->node);
    log->node = made->node;
    if (sodium_init() >= 0 && cluster_settings_read(&settings, &secrets, &fault) == 0) {
        cluster_tag_key(secrets.secret, made->tag_key);
        log->tag_key = made->tag_key;
    }
    sodium_memzero(&secrets, sizeof(secrets));
}
