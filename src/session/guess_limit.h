/* Guess limit: how many rooms a client may try, so that nobody finds a codeword by trying many.
 *
 * A join of a room that the client has not joined before takes a token. Without a token it is held for a
 * while, and then handled as any other join. So the answer is the same whether the room has somebody or not,
 * and neither is the time: a guesser learns nothing by the delay, and somebody honest only waits. The first
 * hold is short, each next one twice as long, up to GUESS_MAX_HOLD_MS. When all tokens are back, the next
 * hold is short again.
 *
 * A client that joins one of its last GUESS_ROOMS rooms takes no token: that is a family whose pages connect
 * again, and tells a guesser nothing new. Nor does a codeword of GUESS_FREE_LENGTH characters or more.
 *
 * Pure; the caller tells the time. Any thread: the connections of a client are on several. The parts of a
 * record are changed one by one, without a lock. So two threads may charge a room twice that both see for the
 * first time, remember one room in two places or forget one too early, or give two holds one length. Each of
 * these moves a hold by a step, or costs a token. None lets a join through without a token. */
#ifndef HOMECALL_SESSION_GUESS_LIMIT_H
#define HOMECALL_SESSION_GUESS_LIMIT_H

#include "base/shared_bucket.h"
#include "base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* 22 characters are what 128 random bits take in base64. */
enum { GUESS_ROOMS = 32, GUESS_FREE_LENGTH = 22, GUESS_FIRST_HOLD_MS = 100, GUESS_MAX_HOLD_MS = 25 * 1000 };

/* Joins of new rooms that one client may make. */
typedef struct guess_rate {
    uint32_t per_minute; /* 0 = no limit */
    uint32_t burst;      /* at once, at most GUESS_MAX_BURST */
} guess_rate;

enum { GUESS_MAX_BURST = 60 * 1000 };

/* What one client has joined. Zeroed = nothing yet. */
typedef struct guess_record {
    shared_bucket joins;
    _Atomic uint32_t rooms[GUESS_ROOMS]; /* as guess_room() returns them; 0 = none. Relaxed, as the next two:
                                            no other data depends on them */
    _Atomic uint32_t next_room;          /* how many were remembered, and so where the next one goes */
    _Atomic uint32_t holds;              /* since all tokens were there */
} guess_record;

/* Is the codeword so long that it needs no limit? Its length counts in Unicode code points. */
bool guess_is_free(slice codeword);

/* What a room is remembered by, made of the keyed hash of its codeword. Two codewords share it with a chance
 * of one to 4 billion; nobody outside can find such two. Not 0. */
uint32_t guess_room(uint64_t hash);

/* How many ms a join of this room is to be held at `now_us`, a monotonic time. 0 = handle it now. */
uint32_t guess_hold_ms(guess_record *record, guess_rate rate, uint32_t room, uint64_t now_us);

/* The join was handled, at once or after it was held: the room takes no token from now on. */
void guess_remember(guess_record *record, uint32_t room);

#endif
