#include "cluster/cases.h"

const known_case known_cases[] = {
    /* What client 1 had sent while it waited came behind what it sent later: the room was being given away,
     * and what was held for that was said first. */
    {"what was sent in the line comes before what was sent later",
     {.options = {.seed = 179597367152221,
                  .nodes = 2,
                  .servers = 2,
                  .clients = 2,
                  .kinds = {KIND_1, KIND_2},
                  .users = {1, 1},
                  .queue_max = 16,
                  .link_bytes = 1 << 20,
                  .serves_alone = true},
      .steps = {{STEP_JOIN, 0, 0, 0},
                {STEP_JOIN, 1, 1, 0},
                {STEP_PASS, 315, 0, 0},
                {STEP_PAUSE, 0, 2517, 0},
                {STEP_KILL, 1, 0, 0},
                {STEP_RESTART, 1, 0, 0},
                {STEP_PASS, 3215, 0, 0},
                {STEP_SEND, 1, 1, 0},
                {STEP_PASS, 1008, 0, 0},
                {STEP_LEAVE, 0, 0, 0},
                {STEP_DRAIN, 0, 0, 0}},
      .count = 11}},
    {0},
};
