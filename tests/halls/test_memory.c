/* Each allocation of a run over two nodes fails once. Nothing may crash, and at the end nothing is left; what
 * clients are told is then theirs to judge. What the loop between the nodes allocates does not fail: a link
 * that has no memory is lost, which is another test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "halls/script.h"
#include "support/run_fail.h"

#include <stdlib.h>

/* The linker has what calls malloc() call these. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static site s;
static unsigned long counted, fails_at; /* 0 = none fails */

static bool fails(void)
{
    return !s.is_carrying && fails_at != 0 && ++counted == fails_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* Did the run get as far as to the allocation that was to fail? */
static bool play(const cast *c, uint64_t seed, unsigned long at)
{
    enum { STEPS = 60 };
    REQUIRE(site_open(&s, true, 2));
    counted = 0;
    fails_at = at;
    script_play(&s, c, seed, STEPS);
    fails_at = 0;
    bool has_failed = counted >= at;
    site_close(&s);
    return has_failed;
}

static void play_all(const cast *c, uint64_t seed)
{
    static unsigned long at; /* kept over the jump */
    at = 1;
    if (sigsetjmp(fail_jump, 0) != 0)
        fail_msg("%s, seed %u, allocation %lu: %s", c->name, (unsigned)seed, at, fail_text);
    while (play(c, seed, at))
        at++;
    assert_true(at > 100);
}

static void no_allocation_is_one_that_cannot_fail(void **state)
{
    (void)state;
    static const cast casts[] = {
        {"version 1", {CAST_1, CAST_1, CAST_1, CAST_1, CAST_1, CAST_1}},
        {"version 2", {CAST_2, CAST_2, CAST_2, CAST_2, CAST_2, CAST_2}},
        {"mixed", {CAST_1, CAST_2, CAST_SESSION, CAST_1, CAST_2, CAST_SESSION}},
    };
    for (unsigned i = 0; i < sizeof(casts) / sizeof(casts[0]); i++) {
        for (uint64_t seed = 1; seed <= 2; seed++)
            play_all(&casts[i], seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_allocation_is_one_that_cannot_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
