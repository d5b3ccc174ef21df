#include "base/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void no_parts_have_no_bytes(void **state)
{
    (void)state;
    char out = 'x';
    assert_int_equal(parts_len(NULL, 0), 0);
    parts_copy(&out, NULL, 0);
    assert_int_equal(out, 'x');
}

static void parts_are_written_one_behind_the_other(void **state)
{
    (void)state;
    char one[] = "one ", two[] = "two";
    const struct iovec parts[] = {{one, 4}, {NULL, 0}, {two, 3}, {NULL, 0}};
    static const char all[] = "one two";
    static const size_t lens[] = {0, 4, 4, 7, 7};
    for (int count = 0; count <= 4; count++) {
        char out[8] = "-------";
        assert_int_equal(parts_len(parts, count), lens[count]);
        parts_copy(out, parts, count);
        assert_memory_equal(out, all, lens[count]);
        assert_int_equal(out[lens[count]], lens[count] < 7 ? '-' : '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_parts_have_no_bytes),
        cmocka_unit_test(parts_are_written_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
