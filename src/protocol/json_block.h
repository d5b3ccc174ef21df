/* Many bytes of a JSON string at a time: which of them are special? Special bytes end a run of plain ones.
 * They are the quote, the backslash, and all below 0x20. Bytes from 0x80 on belong to longer characters and
 * are plain.
 *
 * Pure. There are two forms: with the registers of 16 bytes that every x86-64 has (SSE2), and with words, for
 * all other processors. */
#ifndef HOMECALL_PROTOCOL_JSON_BLOCK_H
#define HOMECALL_PROTOCOL_JSON_BLOCK_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(HOMECALL_PORTABLE)
#define JSON_BLOCK_SSE2 1
#include <emmintrin.h>
#else
#define JSON_BLOCK_SSE2 0
#include <endian.h>
#endif

/* With its second bit turned, the quote is 0x20, and no plain byte is 0x20 or less: so one comparison finds
 * the quotes and the control characters. */
enum { JSON_QUOTE_TURN = 0x02, JSON_QUOTE_TURNED = '"' ^ JSON_QUOTE_TURN };

/* Mark the special bytes among the next JSON_STEP ones. Bit i stands for byte i. */
#if JSON_BLOCK_SSE2

enum { JSON_STEP = 16 };

static inline uint64_t json_mark_step(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i turned = _mm_xor_si128(bytes, _mm_set1_epi8(JSON_QUOTE_TURN));
    __m128i low = _mm_cmpeq_epi8(turned, _mm_min_epu8(turned, _mm_set1_epi8(JSON_QUOTE_TURNED)));
    __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (uint64_t)_mm_movemask_epi8(_mm_or_si128(low, backslashes));
}

#else

enum { JSON_STEP = 8 };

/* The sums stay within their bytes, since no summand has a top bit. */
static inline uint64_t json_mark_step(const char *at)
{
    const uint64_t ones = 0x0101010101010101;
    const uint64_t tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    word = le64toh(word);
    uint64_t turned = word ^ ones * JSON_QUOTE_TURN;
    uint64_t other = word ^ ones * '\\';
    uint64_t is_high = ((turned & ~tops) + ones * (0x7F - JSON_QUOTE_TURNED)) | turned;
    uint64_t is_no_backslash = ((other & ~tops) + ones * 0x7F) | other;
    uint64_t special = ~(is_high & is_no_backslash) & tops;
    return (special >> 7) * 0x0102040810204080 >> 56; /* the top bits, side by side */
}

#endif

/* The same for a block of JSON_BLOCK bytes. */
enum { JSON_BLOCK = 64 };

static inline uint64_t json_mark_block(const char *at)
{
    uint64_t marks = 0;
    for (int i = 0; i < JSON_BLOCK; i += JSON_STEP)
        marks |= json_mark_step(at + i) << i;
    return marks;
}

#endif
