#include "session/ice_page.h"

#include "ice/ice_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A page asks once for each call, and a household may have several; somebody who collects credentials, which
 * are good for hours, gets no more of them than that. */
static const token_bucket_rate rate_of_address = {.per_second = 1, .burst = 20};

/* An IPv6 client is its /64, as for the limit on connections. */
static uint64_t hash_of(const keyed_hash *hash, const address *client)
{
    size_t len = client->family == ADDRESS_IPV6 ? 8 : sizeof(client->bytes);
    return keyed_hash_of(hash, (slice){(const char *)client->bytes, len});
}

bool ice_rate_take(ice_rate *rate, const keyed_hash *hash, const address *client, uint64_t now_ms)
{
    token_bucket *bucket = &rate->buckets[hash_of(hash, client) % ICE_BUCKETS];
    return token_bucket_take(bucket, rate_of_address, now_ms);
}

/* A page of another origin that may connect must be allowed to read the answer as well (Fetch, CORS
 * protocol).
 */
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
    if (has_secret && turn_credentials_make(settings->secret, utc_s + settings->ttl_s, hash_of(hash, client),
                                            &credentials) != 0)
        return -ENOMEM;
    out->body = ice_json_print(settings->urls, has_secret ? &credentials : NULL, settings->ttl_s);
    out->head = out->body == NULL ? NULL : make_head(origin, strlen(out->body));
    if (out->head == NULL) {
        free(out->body);
        return -ENOMEM;
    }
    return 0;
}
