/* Many bytes of a JSON string at a time: which of them are special? Special bytes end a run of plain ones.
 * They are the quote, the backslash, and all below 0x20. Bytes from 0x80 on belong to longer characters and
 * are plain.
 *
 * Pure. There are two forms: with the registers of 16 bytes that every x86-64 has (SSE2), and with words, for
 * all other processors. */
#ifndef HOMECALL_PROTOCOL_JSON_BLOCK_H
#define HOMECALL_PROTOCOL_JSON_BLOCK_H

#include <stdbool.h>
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

enum { JSON_BLOCK = 64 };

/* json_mark_step() marks the special bytes among the next JSON_STEP ones. Bit i stands for byte i.
 *
 * json_is_lines() asks: are all special bytes in the next JSON_BLOCK ones backslashes, and is each the start
 * of \r or \n? Such are nearly all blocks of an SDP. The byte behind the block is read, too, since the last
 * escape may end there. */
#if JSON_BLOCK_SSE2

enum { JSON_STEP = 16 };

static inline uint64_t json_mark_step(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i turned = _mm_xor_si128(bytes, _mm_set1_epi8(JSON_QUOTE_TURN));
    __m128i limit = _mm_set1_epi8(JSON_QUOTE_TURNED);
    __m128i low = _mm_cmpeq_epi8(_mm_max_epu8(turned, limit), limit);
    __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (uint64_t)_mm_movemask_epi8(_mm_or_si128(low, backslashes));
}

static inline bool json_is_lines(const char *at)
{
    __m128i least = _mm_set1_epi8(JSON_QUOTE_TURNED + 1); /* of all bytes, turned */
    __m128i broken = _mm_setzero_si128();                 /* other escapes */
    for (int i = 0; i < JSON_BLOCK; i += JSON_STEP) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(at + i + 1));
        __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i letters =
            _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8('r')), _mm_cmpeq_epi8(next, _mm_set1_epi8('n')));
        broken = _mm_or_si128(broken, _mm_andnot_si128(letters, backslashes));
        least = _mm_min_epu8(least, _mm_xor_si128(bytes, _mm_set1_epi8(JSON_QUOTE_TURN)));
    }
    __m128i plain = _mm_cmpeq_epi8(least, _mm_set1_epi8(JSON_QUOTE_TURNED + 1));
    return _mm_movemask_epi8(_mm_andnot_si128(broken, plain)) == 0xFFFF;
}

#else

enum { JSON_STEP = 8 };

#define JSON_ONES UINT64_C(0x0101010101010101)
#define JSON_TOPS UINT64_C(0x8080808080808080)

/* The top bit of each byte: is it `byte`? The sums stay within their bytes, since no summand has a top bit.
 */
static inline uint64_t json_find_byte(uint64_t word, char byte)
{
    uint64_t other = word ^ JSON_ONES * (unsigned char)byte;
    return ~(((other & ~JSON_TOPS) + JSON_ONES * 0x7F) | other) & JSON_TOPS;
}

/* The same: is it a quote or a control character? */
static inline uint64_t json_find_low(uint64_t word)
{
    uint64_t turned = word ^ JSON_ONES * JSON_QUOTE_TURN;
    return ~(((turned & ~JSON_TOPS) + JSON_ONES * (0x7F - JSON_QUOTE_TURNED)) | turned) & JSON_TOPS;
}

static inline uint64_t json_load_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

static inline uint64_t json_mark_step(const char *at)
{
    uint64_t word = json_load_word(at);
    uint64_t special = json_find_low(word) | json_find_byte(word, '\\');
    return (special >> 7) * 0x0102040810204080 >> 56; /* the top bits, side by side */
}

static inline bool json_is_lines(const char *at)
{
    uint64_t others = 0;
    for (int i = 0; i < JSON_BLOCK; i += JSON_STEP) {
        uint64_t word = json_load_word(at + i);
        uint64_t next = json_load_word(at + i + 1);
        uint64_t letters = json_find_byte(next, 'r') | json_find_byte(next, 'n');
        others |= json_find_low(word) | (json_find_byte(word, '\\') & ~letters);
    }
    return others == 0;
}

#endif

/* json_mark_step() for a whole block. */
static inline uint64_t json_mark_block(const char *at)
{
    uint64_t marks = 0;
    for (int i = 0; i < JSON_BLOCK; i += JSON_STEP)
        marks |= json_mark_step(at + i) << i;
    return marks;
}

#endif
