/* The hash against the vectors that SipHash's authors published, and the key's share in it. */
#include "base/keyed_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>

static keyed_hash make_published_key(void)
{
    keyed_hash hash;
    for (uint8_t i = 0; i < sizeof(hash.key); i++)
        hash.key[i] = i;
    return hash;
}

static void the_hash_is_siphash_2_4(void **state)
{
    (void)state;
    const char input[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    keyed_hash hash = make_published_key();
    /* libsodium writes the hash as bytes, lowest first; here they are read as a number of the machine. */
    assert_true(keyed_hash_of(&hash, (slice){input, 0}) == le64toh(0x726fdb47dd0e0e31));
    assert_true(keyed_hash_of(&hash, (slice){input, 1}) == le64toh(0x74f839c593dc67fd));
    assert_true(keyed_hash_of(&hash, (slice){input, 15}) == le64toh(0xa129ca6149be45e5));
}

static void an_empty_slice_needs_no_bytes(void **state)
{
    (void)state;
    keyed_hash hash = make_published_key();
    assert_true(keyed_hash_of(&hash, (slice){NULL, 0}) == keyed_hash_of(&hash, SLICE_LITERAL("")));
}

static void every_byte_counts_nul_too(void **state)
{
    (void)state;
    keyed_hash hash = make_published_key();
    uint64_t whole = keyed_hash_of(&hash, SLICE_LITERAL("a\0b"));
    assert_true(whole != keyed_hash_of(&hash, SLICE_LITERAL("a\0c")));
    assert_true(whole != keyed_hash_of(&hash, SLICE_LITERAL("a")));
    assert_true(whole != keyed_hash_of(&hash, SLICE_LITERAL("a\0b\0")));
}

static void the_same_key_and_bytes_give_the_same_hash(void **state)
{
    (void)state;
    keyed_hash hash;
    assert_int_equal(keyed_hash_init(&hash), 0);
    keyed_hash copy = hash;
    char word[] = "codeword";
    assert_true(keyed_hash_of(&hash, SLICE_LITERAL("codeword")) == keyed_hash_of(&copy, (slice){word, 8}));
}

static void every_key_is_drawn_anew(void **state)
{
    (void)state;
    keyed_hash a;
    keyed_hash b;
    assert_int_equal(keyed_hash_init(&a), 0);
    assert_int_equal(keyed_hash_init(&b), 0);
    assert_memory_not_equal(a.key, b.key, sizeof(a.key));
    assert_true(keyed_hash_of(&a, SLICE_LITERAL("codeword")) != keyed_hash_of(&b, SLICE_LITERAL("codeword")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_siphash_2_4),
        cmocka_unit_test(an_empty_slice_needs_no_bytes),
        cmocka_unit_test(every_byte_counts_nul_too),
        cmocka_unit_test(the_same_key_and_bytes_give_the_same_hash),
        cmocka_unit_test(every_key_is_drawn_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
