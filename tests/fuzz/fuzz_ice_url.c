/* Any text as a list of STUN and TURN servers: a fault names an entry of the text, and a good list makes an
 * answer that is JSON and has each of its URLs once, of characters that need no escape, in its order and
 * under the right entry. */
#include "ice/ice_json.h"
#include "ice/ice_url.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_plain(slice url)
{
    static const char others[] = ":.-_[]?=";
    for (size_t i = 0; i < url.len; i++) {
        char c = url.data[i];
        require((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                (c != '\0' && strchr(others, c) != NULL));
    }
}

/* Take the list's next URL of this kind. */
static bool take_of_kind(slice *list, bool is_turn, slice *url)
{
    while (slice_take_entry(list, url)) {
        if (ice_url_is_turn(*url) == is_turn)
            return true;
    }
    return false;
}

/* Compare one entry with the URLs of its kind; returns the entry behind it. */
static const cJSON *check_server(const cJSON *server, slice list, bool is_turn)
{
    slice url;
    slice rest = list;
    if (!take_of_kind(&rest, is_turn, &url))
        return server;
    require(cJSON_HasObjectItem(server, "username") == is_turn);
    require(cJSON_HasObjectItem(server, "credential") == is_turn);
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(server, "urls")->child;
    while (take_of_kind(&list, is_turn, &url)) {
        require_plain(url);
        require(slice_equals(url, slice_of_text(text->valuestring)));
        text = text->next;
    }
    require(text == NULL);
    return server->next;
}

static void check_answer(slice list)
{
    static const turn_credentials credentials = {"1:a", "b"};
    char *text = ice_json_print(list, &credentials, 60);
    require(text != NULL);
    cJSON *root = cJSON_Parse(text);
    require(root != NULL);
    const cJSON *server = cJSON_GetObjectItemCaseSensitive(root, "iceServers")->child;
    server = check_server(server, list, false);
    server = check_server(server, list, true);
    require(server == NULL);
    cJSON_Delete(root);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    require(copy != NULL);
    memcpy(copy, data, size);

    ice_url_fault fault;
    char *list = NULL;
    int error = ice_url_read_list((slice){copy, size}, &list, &fault);
    if (error == 0) {
        check_answer(slice_of_text(list));
        free(list);
    } else {
        require(error == -EINVAL && fault.entry.len > 0 && strlen(fault.reason) > 0);
        require(fault.entry.data >= copy && fault.entry.data + fault.entry.len <= copy + size);
    }
    free(copy);
    return 0;
}
