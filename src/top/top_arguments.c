#include "top/top_arguments.h"

const argument top_arguments[] = {
    {"--interval", NULL, "SECONDS", "look so often, 0.1 to 60; 1 unless given"},
    {"--count", NULL, "N", "print text for N intervals, and end"},
    {"--once", NULL, NULL, "the same as --count 1"},
    {"--help", "-h", NULL, "show this text, and end"},
    {0},
};

const size_t top_argument_count = sizeof(top_arguments) / sizeof(top_arguments[0]) - 1;
