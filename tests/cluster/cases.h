/* Runs that have failed once, as the shortest scripts that were found. Each is kept with what was wrong. */
#ifndef HOMECALL_TESTS_CLUSTER_CASES_H
#define HOMECALL_TESTS_CLUSTER_CASES_H

#include "cluster/script.h"

typedef struct known_case {
    const char *name;
    script script;
} known_case;

/* In any order; the last one has no name. */
extern const known_case known_cases[];

#endif
