#include "base/token_bucket.h"

enum { MILLITOKENS = 1000 };

bool token_bucket_take(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms)
{
    if (rate.per_second == 0)
        return true;

    uint32_t elapsed_ms = (uint32_t)now_ms - bucket->updated_ms;
    uint64_t refilled =
        (uint64_t)elapsed_ms * rate.per_second; /* tokens a second are millitokens a millisecond */
    uint64_t spent = bucket->millitokens_spent > refilled ? bucket->millitokens_spent - refilled : 0;
    bucket->updated_ms = (uint32_t)now_ms;

    bool has_token = spent + MILLITOKENS <= (uint64_t)rate.burst * MILLITOKENS;
    if (has_token)
        spent += MILLITOKENS;
    bucket->millitokens_spent = (uint32_t)spent;
    return has_token;
}
