#include "ice/ice_json.h"

#include "ice/ice_url.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static bool add_url(cJSON *urls, slice url)
{
    char *text = strndup(url.data, url.len);
    cJSON *string = text == NULL ? NULL : cJSON_CreateString(text);
    free(text);
    if (cJSON_AddItemToArray(urls, string))
        return true;
    cJSON_Delete(string);
    return false;
}

/* Put the URLs of one kind into the server's entry. */
static bool add_urls(cJSON *server, slice list, bool is_turn)
{
    cJSON *urls = cJSON_AddArrayToObject(server, "urls");
    slice url;
    while (urls != NULL && slice_take_entry(&list, &url)) {
        if (ice_url_is_turn(url) == is_turn && !add_url(urls, url))
            return false;
    }
    return urls != NULL;
}

static bool has_any(slice list, bool is_turn)
{
    slice url;
    while (slice_take_entry(&list, &url)) {
        if (ice_url_is_turn(url) == is_turn)
            return true;
    }
    return false;
}

/* Add the entry of one kind, with credentials unless they are NULL. */
static bool add_server(cJSON *servers, slice list, bool is_turn, const turn_credentials *credentials)
{
    if (!has_any(list, is_turn))
        return true;
    cJSON *server = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(servers, server)) {
        cJSON_Delete(server);
        return false;
    }
    return add_urls(server, list, is_turn) &&
           (credentials == NULL ||
            (cJSON_AddStringToObject(server, "username", credentials->username) != NULL &&
             cJSON_AddStringToObject(server, "credential", credentials->credential) != NULL));
}

static bool add_servers(cJSON *servers, slice urls, const turn_credentials *credentials)
{
    return servers != NULL && add_server(servers, urls, false, NULL) &&
           (credentials == NULL || add_server(servers, urls, true, credentials));
}

static bool add_all(cJSON *root, slice urls, const turn_credentials *credentials, uint32_t ttl_s)
{
    return add_servers(cJSON_AddArrayToObject(root, "iceServers"), urls, credentials) &&
           cJSON_AddNumberToObject(root, "ttl", ttl_s) != NULL;
}

char *ice_json_print_servers(slice urls, const turn_credentials *credentials)
{
    cJSON *servers = cJSON_CreateArray();
    char *text = add_servers(servers, urls, credentials) ? cJSON_PrintUnformatted(servers) : NULL;
    cJSON_Delete(servers);
    return text;
}

char *ice_json_print(slice urls, const turn_credentials *credentials, uint32_t ttl_s)
{
    cJSON *root = cJSON_CreateObject();
    char *text = add_all(root, urls, credentials, ttl_s) ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}
