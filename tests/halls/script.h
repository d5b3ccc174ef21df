/* Script: what callers do, drawn from a seed. The same script is played on each site. */
#ifndef HOMECALL_TESTS_HALLS_SCRIPT_H
#define HOMECALL_TESTS_HALLS_SCRIPT_H

#include "halls/site.h"

/* The dialects, as session/dialects.c has them. */
enum { CAST_2, CAST_SESSION, CAST_1 };

/* Which caller speaks which dialect. */
typedef struct cast {
    const char *name;
    int dialects[CALLERS];
} cast;

/* A number below `below`. */
unsigned script_draw(uint64_t *state, unsigned below);

/* Play so many steps. */
void script_play(site *s, const cast *c, uint64_t seed, unsigned steps);

#endif
