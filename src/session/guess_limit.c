#include "session/guess_limit.h"

/* A bucket counts tokens a second. A join takes 60 of them, so that the rate is one of joins a minute. */
enum { TOKENS_OF_JOIN = 60 };

static token_bucket_rate rate_of_tokens(guess_rate rate)
{
    return (token_bucket_rate){.per_second = rate.per_minute, .burst = rate.burst * TOKENS_OF_JOIN};
}

bool guess_is_free(slice codeword)
{
    size_t characters = 0;
    for (size_t i = 0; i < codeword.len && characters < GUESS_FREE_LENGTH; i++)
        if (((uint8_t)codeword.data[i] & 0xC0) != 0x80) /* the first byte of a code point in UTF-8 */
            characters++;
    return characters == GUESS_FREE_LENGTH;
}

uint32_t guess_room(uint64_t hash)
{
    uint32_t room = (uint32_t)hash;
    return room != 0 ? room : 1;
}

static bool knows(const guess_record *record, uint32_t room)
{
    for (int i = 0; i < GUESS_ROOMS; i++)
        if (atomic_load_explicit(&record->rooms[i], memory_order_relaxed) == room)
            return true;
    return false;
}

uint32_t guess_hold_ms(guess_record *record, guess_rate rate, uint32_t room, uint64_t now_us)
{
    if (rate.per_minute == 0 || knows(record, room))
        return 0;
    if (shared_bucket_is_full(&record->joins, now_us))
        atomic_store_explicit(&record->holds, 0, memory_order_relaxed);
    if (shared_bucket_take(&record->joins, rate_of_tokens(rate), TOKENS_OF_JOIN, now_us))
        return 0;

    enum { STEPS = 8 }; /* so many times doubled, the first hold is longer than the longest */
    uint32_t before = atomic_fetch_add_explicit(&record->holds, 1, memory_order_relaxed);
    uint32_t hold_ms = (uint32_t)GUESS_FIRST_HOLD_MS << (before < STEPS ? before : STEPS);
    return hold_ms < GUESS_MAX_HOLD_MS ? hold_ms : GUESS_MAX_HOLD_MS;
}

void guess_remember(guess_record *record, uint32_t room)
{
    if (knows(record, room))
        return;
    uint32_t at = atomic_fetch_add_explicit(&record->next_room, 1, memory_order_relaxed) % GUESS_ROOMS;
    atomic_store_explicit(&record->rooms[at], room, memory_order_relaxed);
}
