#include "base/token_bucket.h"

#include <assert.h>

/* How far the time may lie before the last one and be known for it. The threads' times differ by the length
 * of a turn, which is some milliseconds. */
enum { MAX_STEP_BACK_MS = 60 * 1000 };

/* How much time has passed since the last take. A time before that one counts for no time passed, and the
 * last one stays: otherwise going to and fro between two threads would count the same span twice. */
static uint32_t advance(token_bucket *bucket, uint64_t now_ms)
{
    uint32_t elapsed_ms = (uint32_t)now_ms - bucket->updated_ms;
    bool is_full =
        bucket->millitokens_spent == 0; /* its last time means nothing: it may never have had one */
    if (elapsed_ms > UINT32_MAX - MAX_STEP_BACK_MS && !is_full)
        return 0;
    bucket->updated_ms = (uint32_t)now_ms;
    return elapsed_ms;
}

bool token_bucket_refill_and_take(token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms)
{
    if (rate.per_second == 0)
        return true;
    assert(rate.burst >= 1 && rate.burst <= UINT32_MAX / TOKEN_BUCKET_MILLITOKENS);

    /* Tokens a second are millitokens a millisecond. */
    uint64_t refilled = (uint64_t)advance(bucket, now_ms) * rate.per_second;
    uint64_t spent = bucket->millitokens_spent > refilled ? bucket->millitokens_spent - refilled : 0;

    bool has_token = spent + TOKEN_BUCKET_MILLITOKENS <= (uint64_t)rate.burst * TOKEN_BUCKET_MILLITOKENS;
    if (has_token)
        spent += TOKEN_BUCKET_MILLITOKENS;
    bucket->millitokens_spent = (uint32_t)spent;
    return has_token;
}

bool token_bucket_has(const token_bucket *bucket, token_bucket_rate rate, uint64_t now_ms)
{
    token_bucket copy = *bucket;
    return token_bucket_take(&copy, rate, now_ms);
}
