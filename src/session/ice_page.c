#include "session/ice_page.h"

#include "ice/ice_json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* All IPv6 addresses of one /64 are one client, as for MAX_CONNECTIONS_PER_ADDRESS. */
static uint64_t hash_of(const keyed_hash *hash, const address *client)
{
    address_key key = address_key_of(client);
    return address_key_hash(&key, hash);
}

/* A user whom nobody has had before. The upper half is the address's, for who looks for a collector of
 * credentials in the log of coturn. */
static int draw_user(const keyed_hash *hash, const address *client, uint64_t *out)
{
    uint32_t drawn = 0;
    if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn)) /* getrandom(2): so few come whole */
        return -EIO;
    *out = (hash_of(hash, client) & ~(uint64_t)UINT32_MAX) | drawn;
    return 0;
}

static int make_credentials(const ice_settings *settings, const keyed_hash *hash, const address *client,
                            uint64_t utc_s, turn_credentials *out)
{
    uint64_t user;
    int error = draw_user(hash, client, &user);
    if (error != 0)
        return error;
    return turn_credentials_make(settings->secret, utc_s + settings->ttl_s, user, out);
}

char *ice_page_servers(const ice_settings *settings, uint64_t utc_s)
{
    uint64_t user = 0;
    turn_credentials credentials;
    bool has_secret = settings->secret.len > 0;
    if (has_secret &&
        (getrandom(&user, sizeof(user), 0) != (ssize_t)sizeof(user) ||
         turn_credentials_make(settings->secret, utc_s + settings->ttl_s, user, &credentials) != 0))
        return NULL;
    return ice_json_print_servers(settings->urls, has_secret ? &credentials : NULL);
}

/* The browser lets a page of another origin read the answer only if the answer allows its origin (Fetch,
 * "CORS protocol"). The handshake has already refused origins that may not connect. */
static char *make_head(slice origin, size_t body_len)
{
    const char *allow = origin.len > 0 ? "Access-Control-Allow-Origin: " : "";
    char *head;
    int len = asprintf(&head,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                       "Cache-Control: no-store\r\nVary: Origin\r\n%s%.*s%sConnection: close\r\n\r\n",
                       body_len, allow, (int)origin.len, origin.len > 0 ? origin.data : "",
                       origin.len > 0 ? "\r\n" : "");
    return len < 0 ? NULL : head;
}

int ice_page_make(const ice_settings *settings, const keyed_hash *hash, const address *client, slice origin,
                  uint64_t utc_s, ice_page *out)
{
    turn_credentials credentials;
    bool has_secret = settings->secret.len > 0;
    int error = has_secret ? make_credentials(settings, hash, client, utc_s, &credentials) : 0;
    if (error != 0)
        return error;
    out->body = ice_json_print(settings->urls, has_secret ? &credentials : NULL, settings->ttl_s);
    out->head = out->body == NULL ? NULL : make_head(origin, strlen(out->body));
    if (out->head == NULL) {
        free(out->body);
        return -ENOMEM;
    }
    return 0;
}
