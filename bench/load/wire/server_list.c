#include "wire/server_list.h"

#include <assert.h>
#include <errno.h>

static int init_server(load_server *s, const char *url, const char *ca_file, bool is_insecure,
                       const char **what, const char **why)
{
    *what = url;
    int error = target_parse(url, &s->at, why);
    if (error != 0)
        return error;
    *why = "no random bytes for a key";
    error = opening_init(&s->opening, s->at.authority);
    if (error != 0 || !s->at.is_tls)
        return error;
    *what = ca_file != NULL ? ca_file : "TLS";
    *why = "no authorities to trust were found";
    return tls_settings_new(s->at.host, ca_file, is_insecure, &s->tls);
}

int server_list_init(server_list *list, const char *const *urls, unsigned count, const char *ca_file,
                     bool is_insecure, const char **what, const char **why)
{
    assert(count > 0 && count <= SERVER_LIST_MAX);
    *list = (server_list){0};
    int error = 0;
    while (error == 0 && list->count < count) {
        load_server *s = &list->servers[list->count];
        error = init_server(s, urls[list->count++], ca_file, is_insecure, what, why);
    }
    return error;
}

void server_list_deinit(server_list *list)
{
    while (list->count > 0)
        tls_settings_free(list->servers[--list->count].tls);
}
