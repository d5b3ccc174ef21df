/* A token bucket: how often something may happen, on average and at once. Pure; the caller tells the time. */
#ifndef HOMECALL_BASE_TOKEN_BUCKET_H
#define HOMECALL_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct token_bucket_rate {
    uint32_t per_second; /* tokens that come back each second; 0 = no limit at all */
    uint32_t burst;      /* tokens that a full bucket holds, 1 to 4 million */
} token_bucket_rate;

typedef struct token_bucket {
    uint32_t millitokens_spent; /* 0 = full; a token is 1,000 millitokens */
    uint32_t updated_ms;        /* time of the latest take, low 32 bits */
} token_bucket;

enum { TOKEN_BUCKET_MILLITOKENS = 1000 }; /* of a token */

/* What token_bucket_take() does at any time. It itself is quicker where its time is that of the last take. */
bool token_bucket_refill_and_take(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms);

/* Take one token at `now_ms`, a monotonic time. False when the bucket is empty: the limit is passed. A zeroed
 * bucket is full.
 *
 * `now_ms` may lie up to a minute before an earlier one, for the threads of a server don't read their times
 * at the same moment. Nothing comes back for such a time. A pause of 49 days and more may count as a shorter
 * one, but never as a longer one. */
static inline bool token_bucket_take(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms)
{
    bool comes_nothing_back = bucket->updated_ms == (uint32_t)now_ms;
    if (!comes_nothing_back || rate.per_second == 0 ||
        bucket->millitokens_spent > (rate.burst - 1) * TOKEN_BUCKET_MILLITOKENS)
        return token_bucket_refill_and_take(bucket, rate, now_ms);
    bucket->millitokens_spent += TOKEN_BUCKET_MILLITOKENS;
    return true;
}

/* Would token_bucket_take() get one at this time? Nothing changes. */
bool token_bucket_has(const token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms);

#endif
