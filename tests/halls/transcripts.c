/* What every caller is told must be the same over two nodes as in one hall: the same script is played on both
 * sites, for each dialect and for mixed rooms. A script is drawn from a number, which is printed where the
 * two differ; --seed NUMBER plays that one alone, and prints where they part. */
#include "halls/script.h"
#include "support/run_fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 300, STEPS = 150 };

static const cast casts[] = {
    {"version 1", {CAST_1, CAST_1, CAST_1, CAST_1, CAST_1, CAST_1}},
    {"sessions", {CAST_SESSION, CAST_SESSION, CAST_SESSION, CAST_SESSION, CAST_SESSION, CAST_SESSION}},
    {"version 2", {CAST_2, CAST_2, CAST_2, CAST_2, CAST_2, CAST_2}},
    {"mixed", {CAST_1, CAST_2, CAST_SESSION, CAST_1, CAST_2, CAST_SESSION}},
};

static site alone, cluster;
static unsigned long told_bytes, moved;
static bool shows_all;

/* The line that two texts part in. */
static void print_parting(const caller *a, const caller *b)
{
    size_t at = 0, line = 0;
    while (a->told[at] != '\0' && a->told[at] == b->told[at]) {
        at++;
        line = a->told[at - 1] == '\n' ? at : line;
    }
    size_t before = line > 600 ? line - 600 : 0;
    fprintf(stderr, "caller %u, after:\n%.*s\nin one hall:\n%.400s\nover two nodes:\n%.400s\n", a->number,
            (int)(line - before), a->told + before, a->told + line, b->told + line);
}

/* All that was told, for who looks for a fault. */
static void print_all(const site *s, const char *name)
{
    for (int i = 0; i < CALLERS; i++)
        printf("== caller %d, %s\n%s", i + 1, name, s->callers[i].told);
}

static bool is_same(const cast *c, uint64_t seed)
{
    bool is_equal = true;
    for (int i = 0; i < CALLERS; i++) {
        const caller *a = &alone.callers[i];
        const caller *b = &cluster.callers[i];
        told_bytes += a->told_len;
        if (a->told_len == b->told_len && memcmp(a->told, b->told, a->told_len) == 0)
            continue;
        fprintf(stderr, "%s, seed %" PRIu64 ": ", c->name, seed);
        print_parting(a, b);
        is_equal = false;
    }
    return is_equal;
}

static bool play(const cast *c, uint64_t seed)
{
    if (sigsetjmp(fail_jump, 0) != 0) {
        fprintf(stderr, "%s, seed %" PRIu64 ": %s\n", c->name, seed, fail_text);
        return false;
    }
    unsigned capacity = seed % 3 == 0 ? 3 : 2;
    REQUIRE(site_open(&alone, false, capacity) && site_open(&cluster, true, capacity));
    script_play(&alone, c, seed, STEPS);
    script_play(&cluster, c, seed, STEPS);
    bool is_equal = is_same(c, seed);
    moved += cluster.moved;
    if (shows_all) {
        print_all(&alone, "in one hall");
        print_all(&cluster, "over two nodes");
    }
    site_close(&alone);
    site_close(&cluster);
    return is_equal;
}

int main(int argc, char **argv)
{
    bool has_failed = false;
    unsigned first = 0, count = sizeof(casts) / sizeof(casts[0]);
    uint64_t seed = 1, runs = RUNS;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 10);
            runs = 1;
            shows_all = true;
        } else if (strcmp(argv[i], "--runs") == 0) {
            runs = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--cast") == 0) {
            first = (unsigned)strtoul(argv[i + 1], NULL, 10) % count;
            count = first + 1;
        }
    }
    for (unsigned k = first; k < count; k++) {
        for (uint64_t i = 0; i < runs && !has_failed; i++)
            has_failed = !play(&casts[k], seed + i);
    }
    printf("%lu bytes were told, %lu rooms moved\n", told_bytes, moved);
    return has_failed || told_bytes == 0 || moved == 0 ? 1 : 0;
}
