/* A token bucket: how often something may happen, on average and at once. Pure; the caller tells the time. */
#ifndef HOMECALL_BASE_TOKEN_BUCKET_H
#define HOMECALL_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct token_bucket_rate {
    uint32_t per_second; /* tokens that come back each second; 0 = no limit at all */
    uint32_t burst;      /* tokens that a full bucket holds, at least 1 */
} token_bucket_rate;

typedef struct token_bucket {
    uint32_t millitokens_spent; /* 0 = full; a token is 1,000 millitokens */
    uint32_t updated_ms; /* low 32 bits of the time of the last take: gaps over 49 days read as short */
} token_bucket;

/* Take one token at `now_ms` (monotonic). False when the bucket is empty: the limit is passed. A zeroed
 * bucket is full. */
bool token_bucket_take(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms);

#endif
