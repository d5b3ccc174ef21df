/* A script: the world that it is played in, and the steps. Everything that is random is in the script or
 * comes from its seed, so that it can be played again, and steps can be left out of it. */
#ifndef HOMECALL_TESTS_CLUSTER_SCRIPT_H
#define HOMECALL_TESTS_CLUSTER_SCRIPT_H

#include "cluster/clients.h"
#include "cluster/witness.h"

enum { SCRIPT_MAX_STEPS = 60 };

typedef enum step_kind {
    STEP_JOIN,   /* client a, by node b, room c */
    STEP_LEAVE,  /* client a */
    STEP_LOSE,   /* the connection of client a */
    STEP_SILENT, /* client a does not answer any more, and nobody is told */
    STEP_SEND,   /* client a, b times */
    STEP_PASS,   /* a milliseconds */
    STEP_KILL,   /* node a */
    STEP_RESTART,
    STEP_PAUSE, /* node a stands still for b milliseconds */
    STEP_DRAIN, /* node a */
    STEP_CUT,   /* of node a: b 1 what it says, 2 what it hears, 3 both */
    STEP_MEND,  /* node a */
    STEP_LOSS,  /* of a in 1,000 packets; b in 1,000 are doubled */
    STEP_DELAY, /* up to a milliseconds */
    STEP_SPLIT, /* of the servers: a 1 the first does not reach the second, 2 the reverse, 3 both */
    STEP_DOWN,  /* server a ends */
    STEP_UP,    /* server a begins */
    STEP_HEAL,  /* all faults are over, and it is looked at what must hold then */
    STEP_KINDS
} step_kind;

typedef struct step {
    step_kind kind;
    unsigned a, b, c;
} step;

typedef struct script {
    world_options options;
    bool is_engine_alone; /* nothing but servers ends, and begins again: no link may be lost */
    bool is_calm;         /* nothing goes wrong, and everything arrives before the next step */
    step steps[SCRIPT_MAX_STEPS];
    int count;
} script;

void script_draw(script *s, uint64_t seed);
void script_print(const script *s);

#endif
