/* A script: the limits of a site, who the actors are, and the steps that are played. Everything that is
 * random is in the script, so that it can be played again, and steps can be left out of it. */
#ifndef HOMECALL_TESTS_MODEL2_SCRIPT_H
#define HOMECALL_TESTS_MODEL2_SCRIPT_H

#include "model2/actor.h"

enum { SCRIPT_MAX_STEPS = 80 };

typedef enum step_kind {
    STEP_SETTLE, /* everything is carried, until nothing moves */
    STEP_PASS,   /* `a` milliseconds pass */
    STEP_CARRY,  /* of `who`: `a` bytes up, the loops turn, `b` bytes down */
    STEP_JOIN,   /* a: 0 red, 1 blue */
    STEP_SEND,   /* a: the kind; b: 0 to all, else to actor b - 1 */
    STEP_UPDATE,
    STEP_LEAVE,
    STEP_RELOAD,   /* a: 1 with its token; b: 1 the server does not see the end of the old line */
    STEP_CUT,      /* after `a` bytes up or `b` down; c: a line_break */
    STEP_CUT_NEXT, /* the same for up to three of the next lines of `who` */
    STEP_WAKE,
    STEP_RESTART, /* a: 1 with a goodbye */
    STEP_KINDS
} step_kind;

typedef struct step {
    step_kind kind;
    unsigned who, a, b, c;
} step;

typedef struct script {
    uint64_t seed; /* 0 = it was not drawn */
    site_limits limits;
    unsigned actor_count;
    unsigned version_1; /* bits: the actors that speak it */
    unsigned nameless;  /* bits: the actors of version 2 without a user */
    unsigned repeating; /* bits: the actors that say again what was taken already */
    unsigned farewell;  /* two bits for each actor: 0 leaves, 1 its line is closed, 2 and 3 it is just gone */
    step steps[SCRIPT_MAX_STEPS];
    int count;
} script;

/* The kinds of signals, by step.a. */
extern const char *const script_kinds[4];

void script_draw(script *s, uint64_t seed);
void script_print(const script *s);

#endif
