#include "session/ice_rate.h"

#include <string.h>

/* A page asks once for each call, and several people may call from one address. */
static const token_bucket_rate rate_of_client = {.per_second = 1, .burst = 20};

/* As much as eight clients. */
static const token_bucket_rate rate_of_network = {.per_second = 8, .burst = 160};

/* 50 calls a second are those of 100,000 connections, of which every 30th calls each minute. */
static const token_bucket_rate rate_of_crowd = {.per_second = 100, .burst = 1000};

/* The two buckets of a key, and what they hold. */
typedef struct budget {
    token_bucket *places[2];
    token_bucket_rate rate;
} budget;

static budget budget_of(token_bucket *table, size_t count, token_bucket_rate rate, uint64_t hash)
{
    size_t half = count / 2;
    return (budget){.places = {&table[(hash >> 32) % half], &table[half + (uint32_t)hash % half]},
                    .rate = rate};
}

static bool has_token(const budget *b, uint64_t now_ms)
{
    return token_bucket_has(b->places[0], b->rate, now_ms) || token_bucket_has(b->places[1], b->rate, now_ms);
}

static void take_token(const budget *b, uint64_t now_ms)
{
    for (size_t i = 0; i < 2; i++)
        (void)token_bucket_take(b->places[i], b->rate, now_ms); /* an empty one stays empty */
}

static uint64_t hash_of_network(const keyed_hash *hash, const address *client)
{
    return keyed_hash_of(hash, (slice){(const char *)client->bytes, 48 / 8});
}

bool ice_rate_take(ice_rate *rate, const keyed_hash *hash, const address *client, uint64_t now_ms)
{
    address_key key = address_key_of(client);
    uint64_t hashed = address_key_hash(&key, hash);
    budget budgets[2];
    size_t count = 0;
    if (address_is_inner(client)) {
        budgets[count++] = budget_of(rate->crowds, ICE_RATE_PLACES / 2, rate_of_crowd, hashed);
    } else {
        budgets[count++] = budget_of(rate->clients, ICE_RATE_PLACES, rate_of_client, hashed);
        if (client->family == ADDRESS_IPV6)
            budgets[count++] = budget_of(rate->networks, ICE_RATE_PLACES / 2, rate_of_network,
                                         hash_of_network(hash, client));
    }
    for (size_t i = 0; i < count; i++) /* a client that one bucket refuses is charged to none */
        if (!has_token(&budgets[i], now_ms))
            return false;
    for (size_t i = 0; i < count; i++)
        take_token(&budgets[i], now_ms);
    return true;
}
